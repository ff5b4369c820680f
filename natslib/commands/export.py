"""`natslib export`: write own logs in the layout of the official archives, which `nats_bench` opens."""

import argparse
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from natslib.commands.exits import DONE
from natslib.commands.options import add_json, print_json
from natslib.datasets import DATASETS
from natslib.errors import BadSource, ConfigError, shown
from natslib.spaces import SCALES
from natslib.tables.sources.logs import read_rawlogs

EPILOG = """example:
  natslib export logs/tss EXPORT
  python -c "import nats_bench; nats_bench.create('EXPORT', 'tss', fast_mode=True)" """


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `natslib export`."""
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("logs", type=Path, help="folder of own logs of one space, such as logs/tss")
    parser.add_argument("out", type=Path, help="folder of the archive; it must not exist")
    parser.add_argument(
        "--classes",
        action="append",
        default=[],
        metavar="DATASET=N",
        help="number of classes of your own images; may be given several times",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Export, say how much, and return 0; raises `BadSource` and `ConfigError`."""
    classes = {name: facts.classes for name, facts in DATASETS.items()} | asked_classes(args.classes)
    records = sound_records(args.logs)
    scale = SCALES[scale_of(records, args.logs)]

    from natslib.training.export import export_official  # only here: torch takes its time

    count = export_official(records, args.out, classes=classes, scale=scale)
    if args.json:
        print_json({"archive": args.out, "runs": len(records), "architectures": count})
    else:
        print(f"{args.out}: {len(records):,} runs of {count:,} architectures")
    return DONE


def sound_records(logs: Path) -> list[dict[str, Any]]:
    """Return the records of a folder of own logs; raises `BadSource` where there are none or one is damaged."""
    files = sorted(logs.glob("*.jsonl")) if logs.is_dir() else []
    if not files:
        raise BadSource(f"{logs}: no folder of own logs of one space (*.jsonl), such as logs/tss")
    *_, damaged = read_rawlogs(logs)  # as strict as `natslib convert`, which goes on without what is damaged
    if damaged:
        raise BadSource(f"{logs}: {damaged[0]['file']}: {damaged[0]['reason']}; mend or remove it first")

    from natslib.training.logs import read_records

    return [record for file in files for record in read_records(file)]


def asked_classes(texts: Iterable[str]) -> dict[str, int]:
    """Read numbers of classes such as 'pets=37'."""
    found = {}
    for text in texts:
        name, _, number = text.partition("=")
        if not name or not re.fullmatch("[1-9][0-9]{0,5}", number):
            raise ConfigError(f"--classes {shown(text)} was given; allowed is DATASET=N, such as pets=37")
        found[name] = int(number)
    return found


def scale_of(records: Iterable[Mapping[str, Any]], logs: Path) -> str:
    """Return the one scale that the runs were trained at; raises `ConfigError` where there are two."""
    scales = {record.get("stamp", {}).get("scale", "paper") for record in records}
    if len(scales) != 1 or not scales <= set(SCALES):
        raise ConfigError(f"{logs}: runs of the scales {sorted(map(str, scales))}; an archive holds one")
    return scales.pop()
