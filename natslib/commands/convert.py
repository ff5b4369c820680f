"""`natslib convert`: turn raw results into a table."""

import argparse
import sys
from pathlib import Path

from natslib.commands.options import from_1
from natslib.tables.conversion import convert
from natslib.tables.format.schema import UNITS
from natslib.tables.reported import contradicting

DAMAGED = 3
EPILOG = f"""examples:
  natslib convert $TORCH_HOME/NATS-tss-v1_0-3ffb9-simple TABLE
  natslib convert logs/tss TABLE           (what `natslib train --out logs` has trained of the space tss)
  natslib convert mine.csv TABLE --columns mine.yaml

Metrics and their units: {"; ".join(f"{name}: {unit}" for name, unit in UNITS.items())}.

A mapping, here mine.yaml, says what the columns of a .csv or .parquet file with one row an architecture are:
  space: tss
  arch: arch              # the column with the architectures' strings or official indices
  epochs: {{short: 12}}     # only for recipes whose name is not their number of epochs
  datasets: [mine]        # only for datasets that natslib does not know
  metrics: {{energy_j: {{unit: J, better: lower}}}}    # only for metrics that natslib does not know
  columns:
    val_acc: {{dataset: mine, recipe: short, split: valid, seed: mean, metric: accuracy}}  # in percent; or seed: 777"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `natslib convert`."""
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "source",
        help="'published', an official archive (folder, .tar, .pickle.pbz2), .csv/.parquet, a folder of own logs "
        "or a finished table",
    )
    parser.add_argument("dest", type=Path, help="folder of the table; interrupted, the same command goes on")
    parser.add_argument(
        "--columns", type=Path, help="YAML mapping of the columns of a .csv or .parquet source"
    )
    parser.add_argument("--processes", type=from_1, metavar="N", help="worker processes (one a core)")


def run(args: argparse.Namespace) -> int:
    """Convert, say what came out, and return 0, or 3 where damaged files were left out."""
    manifest = convert(
        args.source, args.dest, columns=args.columns, processes=args.processes, progress=sys.stderr.isatty()
    )
    measured, damaged = manifest["architectures"]["measured"], manifest["damaged"]
    print(f"{args.dest}: {manifest['rows']:,} rows of {measured:,} architectures ({manifest['space']})")
    if manifest["costs"]["contradicted"]:
        print(f"{contradicting(manifest['costs'])} the closed form of parameters and FLOPs", file=sys.stderr)
    for damage in damaged:
        print(f"left out {damage['file']}: {damage['reason']}", file=sys.stderr)
    return DAMAGED if damaged else 0
