"""`natslib query`: ask for one architecture, or for all."""

import argparse
import sys
from typing import Any

import numpy as np
import pandas as pd

from natslib.commands.options import (
    ARCH,
    DATASET,
    RECIPE,
    TABLE,
    add_json,
    from_0,
    index_or_string,
    print_json,
)
from natslib.tables import Table, load
from natslib.tables.format.costs import COSTS
from natslib.tables.format.schema import METRICS, PERCENT, SINGLE, SPLITS

_TOLD = 3
_DECIMALS = 6  # of a percentage: one image of the largest set is 0.0007; what comes after is noise of float32
EPILOG = """examples:
  natslib query published --arch 6111 --dataset cifar10-valid
  natslib query published --dataset cifar100 --csv > cifar100.csv
  natslib query logs/embedded-tss --arch 25 --dataset digits --recipe 12 --split test --through-class
CIFAR-10 validation accuracy is dataset cifar10-valid, split valid; test accuracy is dataset cifar10, split test.
A column a seed, then their mean, their standard deviation (n - 1) and their number."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `natslib query`."""
    parser.add_argument("table", help=TABLE)
    parser.add_argument("--arch", help=f"{ARCH} (left out: all)")
    only = "may be left out where there is only one"
    parser.add_argument("--dataset", help=f"{DATASET}, or another that the table holds; {only}")
    parser.add_argument("--recipe", help=f"{RECIPE}, such as 12; {only}")
    parser.add_argument("--split", help=f"{', '.join(SPLITS)}; {only}")
    parser.add_argument(
        "--metric", default="accuracy", help=f"{', '.join(METRICS)}, or one of the table's own"
    )
    parser.add_argument("--epoch", type=from_0, help="counted from 0; the last when left out")
    parser.add_argument(
        "--through-class",
        action="store_true",
        help="cells not trained are answered by a trained one of exactly equal network; a column says by which",
    )
    form = parser.add_mutually_exclusive_group()
    add_json(form)
    form.add_argument("--csv", action="store_true", help="the answer as CSV")
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter


def run(args: argparse.Namespace) -> int:
    """Print one architecture, or all that are measured; raises `NotMeasured`, `UnknownName`."""
    table = load(args.table).through_classes() if args.through_class else load(args.table)
    args.dataset, args.recipe, args.split = table.only_place(
        args.metric, dataset=args.dataset, recipe=args.recipe, split=args.split
    )
    where: dict[str, Any] = {key: getattr(args, key) for key in ("dataset", "recipe", "split", "epoch")}
    frame = table.summary(args.metric, **where)
    if args.arch is None:
        frame = frame[frame["mean"].notna()]
    else:
        arch = index_or_string(args.arch)
        table.value(args.metric, arch, **where)  # says what exists where this one is missing
        frame = frame.loc[[table.space.index(arch)]]
    if args.epoch is not None and args.metric in SINGLE:
        frame = _shortest(frame)
    if args.metric in PERCENT:
        frame = frame.round(_DECIMALS)
    frame.insert(0, "arch", [table.space.string(index) for index in frame.index])
    _print_frame(frame.reset_index(), args, f"{args.metric} [{table.metrics[args.metric].unit}]")
    if args.metric in COSTS:
        _tell_contradictions(table, frame.index, args)
    return 0


def _tell_contradictions(table: Table, archs: pd.Index, args: argparse.Namespace) -> None:
    """Say on stderr which of the stored costs that were shown contradict their closed form."""
    odd = table.contradicted(args.dataset, args.recipe, args.split).loc[archs]
    odd = odd[odd.any(axis=1)]
    for index, seeds in list(odd.iterrows())[:_TOLD]:
        print(
            f"architecture {index}: {args.metric} of seed {', '.join(map(str, seeds.index[seeds]))} contradicts the "
            "closed form of its costs" + ("" if seeds.all() else "; the mean is that of the others"),
            file=sys.stderr,
        )
    if len(odd) > _TOLD:
        print(f"and so do stored costs of {len(odd) - _TOLD:,} other architectures", file=sys.stderr)


def _shortest(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with rows of single-precision numbers as their shortest text reads: 51.88, not 51.87999...."""
    numbers = frame.select_dtypes("float64")
    single = numbers.astype(np.float32)
    runs = [column for column in numbers if column not in ("mean", "std")] or ["mean"]
    exact = (numbers[runs].isna() | (numbers[runs] == single[runs])).all(axis="columns")
    short = single.astype(str).astype(np.float64)
    shown = frame.copy()
    shown[numbers.columns] = numbers.mask(exact, short)
    return shown


def _print_frame(frame: pd.DataFrame, args: argparse.Namespace, title: str) -> None:
    if args.json:
        print_json(frame.to_dict("records"))
    elif args.csv:
        frame.to_csv(sys.stdout, index=False)
    else:
        std = "; std: of the seeds, n - 1" if frame["std"].notna().any() else ""
        print(f"{title}, {args.dataset}, recipe {args.recipe}, split {args.split}{std}")
        print(frame.dropna(axis="columns", how="all").to_string(index=False))
