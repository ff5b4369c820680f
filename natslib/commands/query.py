"""`natslib query`: ask for one architecture, or for all."""

import argparse
import csv
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

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

if TYPE_CHECKING:
    import pandas as pd

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
    if args.arch is not None and args.epoch is None and args.metric not in COSTS:
        _print_one(table, index_or_string(args.arch), args, where)
        return 0
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
    title = _title(table, args, spread=bool(frame["std"].notna().any()))
    _print_frame(frame.reset_index(), args, title)
    if args.metric in COSTS:
        _tell_contradictions(table, frame.index, args)
    return 0


def _print_one(table: Table, arch: int | str, args: argparse.Namespace, where: dict[str, Any]) -> None:
    """Print one architecture as a frame of one row would be, without importing pandas, which takes the longest."""
    table.value(args.metric, arch, **where)  # says what exists where this one is missing
    index = table.space.index(arch)
    row: dict[str, Any] = {"arch_index": index, "arch": table.space.string(index)}
    digits = _DECIMALS if args.metric in PERCENT else None
    for name, number in table.summary_of(args.metric, arch, **where).items():
        row[str(name)] = number if digits is None or not isinstance(number, float) else round(number, digits)
    if args.json:
        print_json([row])
    elif args.csv:
        known = [{name: "" if value != value else value for name, value in row.items()}]
        writer = csv.DictWriter(sys.stdout, list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerows(known)
    else:
        shown = {name: _text(value) for name, value in row.items() if value == value}
        widths = [max(len(name), len(text)) for name, text in shown.items()]
        print(_title(table, args, spread="std" in shown))
        for line in (shown, shown.values()):
            print(" ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))


def _text(value: Any) -> str:
    """Return a value as pandas would show it."""
    if not isinstance(value, float):
        return str(value)
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.6e}"
    whole, _, digits = f"{value:.6f}".partition(".")
    return f"{whole}.{digits.rstrip('0') or '0'}"


def _title(table: Table, args: argparse.Namespace, *, spread: bool) -> str:
    unit = table.metrics[args.metric].unit
    told = f"{args.metric} [{unit}], {args.dataset}, recipe {args.recipe}, split {args.split}"
    return told + ("; std: of the seeds, n - 1" if spread else "")


def _tell_contradictions(table: Table, archs: "pd.Index", args: argparse.Namespace) -> None:
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


def _shortest(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return the frame with rows of single-precision numbers as their shortest text reads: 51.88, not 51.87999...."""
    numbers = frame.select_dtypes("float64")
    single = numbers.astype(np.float32)
    runs = [column for column in numbers if column not in ("mean", "std")] or ["mean"]
    exact = (numbers[runs].isna() | (numbers[runs] == single[runs])).all(axis="columns")
    short = single.astype(str).astype(np.float64)
    shown = frame.copy()
    shown[numbers.columns] = numbers.mask(exact, short)
    return shown


def _print_frame(frame: "pd.DataFrame", args: argparse.Namespace, title: str) -> None:
    if args.json:
        print_json(frame.to_dict("records"))
    elif args.csv:
        frame.to_csv(sys.stdout, index=False)
    else:
        print(title)
        print(frame.dropna(axis="columns", how="all").to_string(index=False))
