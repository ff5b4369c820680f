"""The command line: `natslib convert | info | query | search | train | retrain`."""

import argparse
import importlib
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

import natslib
from natslib.errors import ConfigError, NatslibError
from natslib.tables import Table, load
from natslib.tables.format.schema import METRICS, SPLITS, UNITS

DAMAGED, INTERRUPTED = 3, 130
HEAVY = {  # commands that bring their own arguments, and the extra that they need
    "search": ("natslib.commands.search", "run a search algorithm many times on a table", None),
    "retrain": ("natslib.commands.retrain", "train a stored candidate again and compare", "train"),
    "train": ("natslib.commands.train", "train candidates and keep raw logs", "train"),
}

CONVERT_EPILOG = """examples:
  natslib convert $TORCH_HOME/NATS-tss-v1_0-3ffb9-simple TABLE
  natslib convert logs/tss TABLE           (what `natslib train --out logs` has trained of the space tss)
  natslib convert mine.csv TABLE --columns mine.yaml

A mapping, here mine.yaml, says what the columns of a .csv or .parquet file with one row an architecture are:
  space: tss
  arch: arch              # the column with the architectures' strings or official indices
  epochs: {short: 12}     # only for recipes whose name is not their number of epochs
  datasets: [mine]        # only for datasets that natslib does not know
  columns:
    val_acc: {dataset: mine, recipe: short, split: valid, seed: mean, metric: accuracy}  # in percent; or seed: 777"""


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused with a reason, 3 done but for damaged files.

    4: `retrain` is done, and the fresh run is apart from the stored ones.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        args = _parser(argv[0] if argv else "").parse_args(argv)
        return int(args.run(args))
    except NatslibError as error:
        print(f"natslib {argv[0]}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print(
            f"\nnatslib {args.command}: interrupted; what was finished is kept, run the same again",
            file=sys.stderr,
        )
        return INTERRUPTED


def _parser(asked: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("natslib", description="NATS-Bench: tables, training and search.")
    parser.add_argument("--version", action="version", version=f"natslib {natslib.__version__}")
    commands = parser.add_subparsers(dest="command", required=True)

    command = commands.add_parser(
        "convert",
        help="turn raw results into a table",
        epilog=CONVERT_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "source",
        help="'published', an official archive (folder, .tar, .pickle.pbz2), .csv/.parquet, a folder of own logs "
        "or a finished table",
    )
    command.add_argument("dest", type=Path, help="folder of the table; interrupted, the same command goes on")
    command.add_argument(
        "--columns", type=Path, help="YAML mapping of the columns of a .csv or .parquet source"
    )
    command.add_argument("--processes", type=_from_1, metavar="N", help="worker processes (one a core)")
    command.set_defaults(run=_convert)

    command = commands.add_parser("info", help="say what a table holds")
    command.add_argument("table", help="'published' or the folder of a table")
    command.add_argument("--json", action="store_true", help="the manifest and every block as JSON")
    command.add_argument(
        "--verify", action="store_true", help="compare every file with the SHA-256 in the manifest first"
    )
    command.set_defaults(run=_info)

    command = commands.add_parser("query", help="ask for one architecture, or for all")
    command.add_argument("table", help="'published' or the folder of a table")
    command.add_argument("--arch", help="index or string; all architectures when left out")
    command.add_argument(
        "--dataset", required=True, help="training set: cifar10-valid, cifar10, cifar100, ..."
    )
    command.add_argument("--recipe", required=True, help="recipe: 12, 200, 90, ...")
    command.add_argument("--split", required=True, help=", ".join(SPLITS))
    command.add_argument("--metric", default="accuracy", help=", ".join(METRICS))
    command.add_argument("--epoch", type=int, help="counted from 0; the last when left out")
    command.add_argument(
        "--through-class",
        action="store_true",
        help="cells not trained are answered by a trained one of exactly equal network; a column says by which",
    )
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--csv", action="store_true", help="as CSV")
    command.set_defaults(run=_query)

    for name, (module, text, extra) in HEAVY.items():
        command = commands.add_parser(name, help=text)
        if name == asked:
            definition = _import(module, name, extra)
            definition.add_arguments(command)
            command.set_defaults(run=definition.run)
    return parser


def _from_1(text: str) -> int:
    if not re.fullmatch("0*[1-9][0-9]{0,5}", text):
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no whole number from 1")
    return int(text)


def _arch(text: str) -> int | str:
    """Return an index where the text is one; `Space.index` refuses what is neither index nor string."""
    return int(text) if re.fullmatch("-?[0-9]{1,9}", text) else text


def _import(module: str, name: str, extra: str | None) -> ModuleType:
    """Import a command's module only when it is asked for, so that asking tables needs no torch."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        hint = f"; pip install 'natslib[{extra}]'" if extra else ""
        raise ConfigError(f"`natslib {name}` needs the package {error.name}{hint}") from None


def _convert(args: argparse.Namespace) -> int:
    from natslib.tables import convert  # only here: asking tables needs none of what it imports

    manifest = convert(
        args.source, args.dest, columns=args.columns, processes=args.processes, progress=sys.stderr.isatty()
    )
    measured, damaged = manifest["architectures"]["measured"], manifest["damaged"]
    print(f"{args.dest}: {manifest['rows']:,} rows of {measured:,} architectures ({manifest['space']})")
    for damage in damaged:
        print(f"left out {damage['file']}: {damage['reason']}", file=sys.stderr)
    return DAMAGED if damaged else 0


def _info(args: argparse.Namespace) -> int:
    table = load(args.table)
    files = table.verify() if args.verify else None
    runs = table.runs()
    if args.json:
        print(json.dumps(table.manifest | {"blocks": runs.to_dict("records")}, indent=1))
        return 0
    print(f"origin      {table.manifest['origin']}")
    print(f"space       {table.space.name} ({table.space.title}), {len(table.space):,} architectures")
    print(f"missing     {_gaps(table)}")
    for dataset, recipe in dict.fromkeys(zip(runs["dataset"], runs["recipe"], strict=True)):
        print(f"measured    {_answered_line(table, dataset, recipe)}")
    print(f"damaged     {len(table.manifest.get('damaged', []))} files")
    if files is not None:
        print(f"verified    {f'{files} files' if files else 'its files, as whenever it is loaded'}")
    for key in dict.fromkeys(zip(runs["dataset"], runs["recipe"], runs["split"], strict=True)):
        print(_block_line(table, *key))
    return 0


def _gaps(table: Table) -> str:
    """Name the architectures that the table lacks, the first eight runs of indices."""
    told = table.manifest.get("architectures", {}).get("missing")
    gaps = list(map(str, table.missing().tolist())) if told is None else told
    return ", ".join(gaps[:8]) + (" ..." if len(gaps) > 8 else "") or "none"


def _answered_line(table: Table, dataset: str, recipe: str) -> str:
    """Say how many cells were trained there, and for how many more an equal network of theirs was."""
    runs = table.runs()
    split = runs.loc[(runs["dataset"] == dataset) & (runs["recipe"] == recipe), "split"].iloc[0]
    trained, answered = (
        int((each.answered_by(dataset, recipe, split) >= 0).sum())
        for each in (table, table.through_classes())
    )
    more = f"; {answered:,} through their class of equal networks" if answered > trained else ""
    return f"{dataset} recipe {recipe}: {trained:,} of {len(table.space):,}{more}"


def _block_line(table: Table, dataset: str, recipe: str, split: str) -> str:
    """Say what the runs of one dataset, recipe and split hold."""
    runs = table.runs()
    of = runs[(runs["dataset"] == dataset) & (runs["recipe"] == recipe) & (runs["split"] == split)]
    seeds = ", ".join(f"{seed} ({count:,})" for seed, count in zip(of["seed"], of["n_archs"], strict=True))
    metrics = " ".join(table.measured_metrics(dataset, recipe, split))
    return (
        f"{dataset:15} recipe {recipe:>4}  {split:8} epochs {of['epochs'].max():>3}  seeds {seeds}  "
        f"{metrics}; curves: {table.curves(dataset, recipe, split)}"
    )


def _query(args: argparse.Namespace) -> int:
    table = load(args.table).through_classes() if args.through_class else load(args.table)
    where: dict[str, Any] = {key: getattr(args, key) for key in ("dataset", "recipe", "split", "epoch")}
    frame = table.summary(args.metric, **where)
    if args.arch is None:
        frame = frame[frame["mean"].notna()]
    else:
        arch = _arch(args.arch)
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
