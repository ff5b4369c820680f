"""`natslib query`: ask for one architecture, or for all."""

import argparse
import json
import sys
from typing import Any

import pandas as pd

from natslib.commands.options import ARCH, DATASET, RECIPE, TABLE, from_0, index_or_string
from natslib.tables import load
from natslib.tables.format.schema import METRICS, SPLITS, UNITS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `natslib query`."""
    parser.add_argument("table", help=TABLE)
    parser.add_argument("--arch", help=f"{ARCH} (left out: all)")
    parser.add_argument("--dataset", required=True, help=f"{DATASET}, or another that the table holds")
    parser.add_argument("--recipe", required=True, help=f"{RECIPE}, such as 12")
    parser.add_argument("--split", required=True, help=", ".join(SPLITS))
    parser.add_argument("--metric", default="accuracy", help=", ".join(METRICS))
    parser.add_argument("--epoch", type=from_0, help="counted from 0; the last when left out")
    parser.add_argument(
        "--through-class",
        action="store_true",
        help="cells not trained are answered by a trained one of exactly equal network; a column says by which",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--csv", action="store_true", help="as CSV")


def run(args: argparse.Namespace) -> int:
    """Print one architecture, or all that are measured; raises `NotMeasured`, `UnknownName`."""
    table = load(args.table).through_classes() if args.through_class else load(args.table)
    where: dict[str, Any] = {key: getattr(args, key) for key in ("dataset", "recipe", "split", "epoch")}
    frame = table.summary(args.metric, **where)
    if args.arch is None:
        frame = frame[frame["mean"].notna()]
    else:
        arch = index_or_string(args.arch)
        table.value(arch, args.metric, **where)  # says what exists where this one is missing
        frame = frame.loc[[table.space.index(arch)]]
    frame.insert(0, "arch", [table.space.string(index) for index in frame.index])
    _print_frame(frame.reset_index(), args, f"{args.metric} [{UNITS[args.metric]}]")
    return 0


def _print_frame(frame: pd.DataFrame, args: argparse.Namespace, title: str) -> None:
    if args.json:
        print(json.dumps(frame.astype(object).where(frame.notna(), None).to_dict("records"), indent=1))
    elif args.csv:
        frame.to_csv(sys.stdout, index=False)
    else:
        print(f"{title}, {args.dataset}, recipe {args.recipe}, split {args.split}")
        print(frame.dropna(axis="columns", how="all").to_string(index=False))
