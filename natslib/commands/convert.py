"""`natslib convert`: turn raw results into a table."""

import argparse
import sys
from pathlib import Path
from typing import Any

from natslib.commands.exits import DAMAGED, DONE
from natslib.commands.options import add_json, from_1, print_json
from natslib.errors import BadSource, ConfigError
from natslib.tables.conversion import convert
from natslib.tables.reported import contradicting
from natslib.tables.sources.draft import draft
from natslib.tables.sources.explain import explain
from natslib.tables.sources.mapping import METRIC_UNITS

EXAMPLE = """\
  space: tss                 # tss or sss
  arch: arch                 # the column with official strings or official indices
  columns:
    val_acc: {dataset: mine, recipe: short, split: valid, seed: mean, metric: accuracy}   # or seed: 777
    latency:                 # one column that holds for several
      - {dataset: mine, recipe: short, split: valid, seed: mean, metric: latency_s}
      - {dataset: cifar10, recipe: "200", split: test, seed: mean, metric: latency_s}
  epochs: {short: 12}        # only for recipes whose name is not their number of epochs
  datasets: [mine]           # only for datasets that natslib does not know
  metrics: {energy_j: {unit: J, better: lower}}   # only for metrics that natslib does not know
"""
LONG = """\
  space: tss
  arch: arch
  keys: {dataset: data, seed: seed, recipe: epochs, split: set}   # columns; {epoch: epoch} for a row an epoch
  names: {val: valid, c100: cifar100}                             # what these columns say, in natslib's words
  columns:
    acc: {metric: accuracy}  # what stands under `keys` is left out here
    loss: {metric: loss}
"""
EPILOG = f"""examples:
  natslib convert $TORCH_HOME/NATS-tss-v1_0-3ffb9-simple TABLE
  natslib convert logs/tss TABLE           (what `natslib train --out logs` has trained of the space tss)
  natslib convert mine.csv TABLE --explain > mine.yaml          (drafts a mapping, to be edited)
  natslib convert mine.csv TABLE --columns mine.yaml --explain  (says how it is understood, writes nothing)
  natslib convert mine.csv TABLE --columns mine.yaml

A table of your own is .csv, .tsv, .txt (also .gz, .bz2, .xz, .zst), .jsonl, .parquet or .feather. A mapping says what
its columns are. One row an architecture:
{EXAMPLE}
One row a run, or an epoch:
{LONG}
Metrics and their units (s: seconds):
{"".join(f"  {metric}{chr(10)}" for metric in METRIC_UNITS.split("; "))}
Also, where the table itself does not show it:
  encoding: code             how architectures are written: index, code (natslib's choices, as "(3, 3, 1, 3, 1, 1)" or
                             331311), naslib (its op_indices), names (of operations or widths, one column a position)
  arch: [op0, op1, ...]      one column a position, in official order: edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3, or widths
  separator: ";"             decimal: ","
  files: {{a.csv: {{seed: 777}}, b.csv: {{seed: 888}}}}      SOURCE is their folder; what holds for all rows of each

guides/own-data.md shows every layout with its mapping."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `natslib convert`."""
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "source",
        help="'published', an official archive (folder, .tar, .pickle.pbz2), a table of your own, a folder of own logs "
        "or a finished table",
    )
    parser.add_argument("dest", type=Path, help="folder of the table; interrupted, the same command goes on")
    parser.add_argument("--columns", type=Path, help="YAML mapping of the columns of a table of your own")
    parser.add_argument(
        "--explain",
        action="store_true",
        help="write nothing; say how each column is understood, or draft a mapping where there is none",
    )
    parser.add_argument("--processes", type=from_1, metavar="N", help="worker processes (one a core)")
    add_json(parser)


def _explained(source: Path, columns: Path | None) -> str:
    try:
        return explain(source, columns) if columns else draft(source)
    except OSError as error:
        raise BadSource(f"{source}: cannot be read ({error.strerror or error})") from None


def run(args: argparse.Namespace) -> int:
    """Convert, say what came out, and return 0, or 3 where damaged files were left out."""
    if args.explain:
        if args.json:
            raise ConfigError(
                "--explain prints a mapping or a text, not JSON; allowed is one of --explain and --json"
            )
        print(_explained(Path(args.source), args.columns))
        return DONE
    manifest = convert(
        args.source, args.dest, columns=args.columns, processes=args.processes, progress=sys.stderr.isatty()
    )
    return told_of_table(manifest, args.dest, as_json=args.json)


def told_of_table(manifest: dict[str, Any], folder: Path, *, as_json: bool) -> int:
    """Say what was converted and what was left out; return the exit code."""
    measured, damaged = manifest["architectures"]["measured"], manifest["damaged"]
    if as_json:
        told = {
            name: manifest[name] for name in ("space", "origin", "rows", "architectures", "costs", "damaged")
        }
        print_json({"table": folder, **told})
    else:
        print(f"{folder}: {manifest['rows']:,} rows of {measured:,} architectures ({manifest['space']})")
    if manifest["costs"]["contradicted"]:
        print(f"{contradicting(manifest['costs'])} the closed form of parameters and FLOPs", file=sys.stderr)
    for damage in damaged:
        print(f"left out {damage['file']}: {damage['reason']}", file=sys.stderr)
    return DAMAGED if damaged else DONE
