"""`natslib search`: run one algorithm many times on a table, or train a supernet, and keep what happened."""

import argparse
import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import natslib
from natslib.commands.exits import DONE, REFUSED
from natslib.commands.options import TABLE as ANY_TABLE
from natslib.commands.options import (
    add_json,
    add_machine_arguments,
    from_0,
    from_1,
    index_or_string,
    print_json,
)
from natslib.errors import ConfigError, unknown_name
from natslib.search import SEARCHES
from natslib.search.leaderboard import trajectories_hash
from natslib.search.repeat import Runs, find_search
from natslib.search.settings import with_settings
from natslib.search.store import repeat_into
from natslib.search.study import PAPER, RUNS, Study, study_of
from natslib.spaces import SCALES, SPACES
from natslib.tables.reported import REPORTED, reported_values
from natslib.weight_sharing import METHODS
from natslib.weight_sharing.presets import PRESETS

TABLE, TRAINING, SUPERNET = "searches on a table", "trains what it proposes (--train)", "trains a supernet"
COMMANDS = {TRAINING: "search_training", SUPERNET: "search_supernet"}
EPILOG = """examples:
  natslib search --algorithm rea --dataset cifar10 --runs 500 --seed 0
  natslib search --algorithm rea --table TABLE --dataset mine --budget '100 evaluations' --runs 500 --seed 0
  natslib search --algorithm mine.py:my_search --dataset cifar100 --seed 0
  natslib search --algorithm autoshrink --set weight=0.05 floor=85 candidates=6 --dataset cifar10 --seed 0
  natslib search --algorithm rea --train --space tss --dataset pets --scale small --recipe 12 --budget '60 evaluations'
      --seed 0 --out mine      (trains what is proposed, on the images in pets/; killed, the same command goes on)
  natslib search --algorithm gdas --dataset digits --settings digits --seed 777      (trains a supernet: needs torch)"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `natslib search`."""
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--algorithm",
        required=True,
        metavar="NAME",
        help=f"on a table: {', '.join(SEARCHES)}, or FILE.py:FUNCTION of your own; training a supernet: "
        f"{', '.join(METHODS)}",
    )
    parser.add_argument(
        "--space",
        choices=list(SPACES),
        help="the search space (left out: that of the table or of the algorithm)",
    )
    parser.add_argument("--dataset", required=True, help="cifar10, cifar100, ImageNet16-120, ... (no -valid)")
    parser.add_argument(
        "--seed", type=from_0, required=True, help="root of all seeds; of a supernet the one seed"
    )
    parser.add_argument("--out", type=Path, help="folder of the results (left out: in results/)")
    add_json(parser)
    multi_trial = multi_trial_arguments(parser.add_argument_group("searching by single trials"))
    table = parser.add_argument(
        "--table",
        help=f"{ANY_TABLE} (published); with a supernet, in which the accuracy of what it finds is looked up (none)",
    )
    on_table = [table, *table_arguments(parser.add_argument_group("on a table"))]
    by_training = [
        parser.add_argument(
            "--train",
            action="store_true",
            help="train what is proposed, on the images --dataset, instead of a table",
        ),
        parser.add_argument(
            "--scale", choices=list(SCALES), help="with --train and own images: of the networks"
        ),
    ]
    supernet = supernet_arguments(parser.add_argument_group("training a supernet"))
    machine = add_machine_arguments(parser.add_argument_group("with --train or a supernet"))
    options = {
        TABLE: [*multi_trial, *on_table],
        SUPERNET: [*supernet, *machine, table],
        TRAINING: [*multi_trial, *by_training, *machine],
    }
    parser.set_defaults(options=options)


def multi_trial_arguments(group: argparse._ArgumentGroup) -> list[argparse.Action]:
    """Declare what only the searches that evaluate one architecture after another are told."""
    return [
        group.add_argument(
            "--set",
            nargs="+",
            action="extend",
            metavar="NAME=VALUE",
            help="settings of the algorithm: the keyword arguments of its function (left out: as published)",
        ),
        group.add_argument(
            "--runs", type=from_1, help=f"independent runs (left out: the paper's {RUNS}, with --train 1)"
        ),
        group.add_argument(
            "--recipe",
            default=PAPER,
            help="training recipe that scores: its name, longest, or paper: 12 epochs, or else the fewest (paper)",
        ),
        group.add_argument(
            "--budget",
            default=PAPER,
            help="of a run: simulated seconds such as '20000 s', '100 evaluations', or paper: its seconds, scaled "
            "to the recipe, or else 180 average evaluations (paper)",
        ),
        group.add_argument(
            "--overshoot", default="keep", choices=["keep", "discard"], help="keep: NATS-Bench"
        ),
        group.add_argument(
            "--repeats", default="charge", choices=["charge", "cache"], help="charge: as the papers"
        ),
        group.add_argument(
            "--workers",
            type=from_1,
            default=1,
            help="workers, asynchronous: so many proposals are evaluated side by side (1)",
        ),
        group.add_argument(
            "--processes",
            type=from_1,
            default=1,
            help="real processes; the result does not depend on it. With --train up to as many as --workers (1)",
        ),
    ]


def table_arguments(group: argparse._ArgumentGroup) -> list[argparse.Action]:
    """Declare what only the searches on a table are told."""
    return [
        group.add_argument(
            "--metric",
            default="accuracy",
            help="what is searched for, also one of the table's own, higher or lower as the table says (accuracy)",
        ),
        group.add_argument(
            "--draw",
            help="random (a stored run each time, as in the paper), mean, or a seed (left out: as the paper)",
        ),
        group.add_argument(
            "--no-validation-cost",
            action="store_true",
            help="do not charge the validation pass (as where a table lacks its time)",
        ),
        group.add_argument(
            "--epochs",
            type=epochs_list,
            help="trainings offered, as in 1,4,12 (left out: what the algorithm needs)",
        ),
    ]


def supernet_arguments(group: argparse._ArgumentGroup) -> list[argparse.Action]:
    """Declare what only the searches that train a supernet are told."""
    return [
        group.add_argument("--settings", help=f"one of {', '.join(PRESETS)}; needed"),
        group.add_argument(
            "--warm-up",
            type=float,
            help="size space: share of epochs that train only weights, 0 for none (left out: the settings')",
        ),
    ]


def epochs_list(text: str) -> list[int]:
    """Read numbers of epochs between commas."""
    return [from_1(number.strip()) for number in text.split(",")]


def run(args: argparse.Namespace) -> int:
    """Run the kind of search that is asked for; raises `ConfigError` for options of another kind."""
    check_algorithm(args.algorithm)
    kind = SUPERNET if args.algorithm in METHODS else TRAINING if args.train else TABLE
    refuse_foreign(args, kind)
    if kind == TABLE:
        return search_table(args)
    return int(importlib.import_module(f"natslib.commands.{COMMANDS[kind]}").run(args))


def check_algorithm(name: str) -> None:
    """Raise `UnknownName` for what is neither a search, nor one that trains a supernet, nor in a file."""
    file, colon, _ = name.rpartition(":")
    if name not in SEARCHES and name not in METHODS and not (colon and file.endswith(".py")):
        raise unknown_name("algorithm", name, [*SEARCHES, *METHODS, "FILE.py:FUNCTION"])


def refuse_foreign(args: argparse.Namespace, kind: str) -> None:
    """Raise `ConfigError` where options are given that this kind of search does not know."""
    known = {action.dest for action in args.options[kind]}
    every = {action.dest: action for actions in args.options.values() for action in actions}
    given = [
        action
        for name, action in every.items()
        if name not in known and getattr(args, name) != action.default
    ]
    if given:
        names = ", ".join(action.option_strings[0] for action in given)
        allowed = ", ".join(action.option_strings[0] for action in args.options[kind])
        raise ConfigError(
            f"--algorithm {args.algorithm} {kind} and does not know {names}; allowed are {allowed}"
        )


def search_table(args: argparse.Namespace) -> int:
    """Search on a table, say what came out, and return 0, or 1 where runs failed."""
    source = args.table or "published"
    table = natslib.load(source)
    if args.space not in (None, table.space.name):
        raise ConfigError(f"--space {args.space} was given; the table {source!r} is of {table.space.name}")
    study = study_of(
        table,
        args.dataset,
        args.recipe,
        args.budget,
        draw=None if args.draw is None else index_or_string(args.draw),
        charge_validation=not args.no_validation_cost,
        epochs=args.epochs,
        metric=args.metric,
        overshoot=args.overshoot,
        repeats=args.repeats,
        workers=args.workers,
    )
    name, search = find_search(args.algorithm)
    place = Path("results/search") / f"{table.space.name}-{args.dataset}-{study.recipe}" / name
    folder, options = (
        args.out or place,
        {"runs": args.runs or RUNS, "seed": args.seed, "processes": args.processes},
    )
    oracle = study.oracle_of(search)
    told = with_settings(search, oracle, args.set or ())
    runs = repeat_into(folder, told, oracle, study.protocol, **options)
    found = told_of(study, runs)
    return conclude(found, report(study, found), runs, folder, as_json=args.json)


def conclude(
    told: dict[str, Any],
    lines: list[str],
    runs: Runs,
    folder: Path,
    *,
    as_json: bool,
    kept: str = "trajectories",
) -> int:
    """Print what came out, what is `kept` where, and what failed; return 0, or 1 where runs failed."""
    sha256 = trajectories_hash(runs.frame)
    if as_json:
        print_json(told | {"folder": folder, "sha256": sha256, "failures": runs.failures})
    else:
        print("\n".join([*lines, f"{kept} in {folder}, sha256 {sha256}"]))
    for failure in runs.failures:
        print(failure, file=sys.stderr)
    return REFUSED if runs.failures else DONE


def told_of(study: Study, runs: Runs) -> dict[str, Any]:
    """Return the rules, the number of evaluations and what the runs end with; `std` is the population's.

    Accuracies are the reported ones (`natslib.tables.reported`), over the runs whose final architecture has one.
    """
    final = study.incumbents(runs.frame)
    told = {
        "dataset": study.dataset,
        "runs": len(final),
        "evaluations_a_run": len(runs.frame) / len(final),
        "recipe": study.recipe,
        "budget": study.budget,
        "unit": study.unit,
        "deviations": study.deviations,
        "final": final,
    }
    for what in REPORTED:
        reported = reported_values(study.table, study.dataset, what)
        known = np.empty(0) if reported is None else reported.values[final]
        known = known[~np.isnan(known)]
        if reported is not None and len(known):
            ends = {"mean": known.mean(), "std": known.std(), "runs": len(known), "recipe": reported.recipe}
            told[f"{what}_accuracy"] = ends
    return told


def report(study: Study, told: Mapping[str, Any]) -> list[str]:
    """Return lines with what `told_of` found, and with the metric that was searched for, where that is no accuracy."""
    rules = "; ".join([f"recipe {study.recipe}, budget {study.budget:,.0f} {study.unit}", *study.deviations])
    lines = [f"{told['runs']} runs, {told['evaluations_a_run']:.1f} evaluations a run ({rules})"]
    lines += [] if study.metric == "accuracy" else [searched_line(study, told["final"])]
    for what in REPORTED:
        ends = told.get(f"{what}_accuracy")
        if ends is None:
            lines.append(f"{what} accuracy: not in this table")
            continue
        of = "" if ends["runs"] == told["runs"] else f", known for {ends['runs']} of {told['runs']} runs"
        lines.append(
            f"{what} accuracy (recipe {ends['recipe']}{of}): {ends['mean']:.2f} ± {ends['std']:.2f} % "
            "(standard deviation of the runs)"
        )
    return lines


def searched_line(study: Study, final: npt.NDArray[np.int64]) -> str:
    """Return the line of what was searched for, if that is no accuracy: its mean over the runs, in its own unit."""
    where = {name: study.oracle.source[name] for name in ("dataset", "recipe", "split")}
    values = study.table.values(study.metric, **where)[final]
    unit = study.table.metrics[study.metric].unit
    return (
        f"{study.metric} (recipe {study.recipe}): {np.nanmean(values):.6g} ± {np.nanstd(values):.3g} {unit}"
    )
