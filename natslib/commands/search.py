"""`natslib search`: run one algorithm many times on a table, or train a supernet, and keep what happened."""

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

import natslib
from natslib.errors import ConfigError, NotMeasured
from natslib.search.algorithms import MULTI_FIDELITY, SEARCHES
from natslib.search.algorithms.successive_halving import rung_epochs
from natslib.search.leaderboard import trajectories_hash
from natslib.search.oracle import NotTimed, Oracle
from natslib.search.repeat import Runs, find_search
from natslib.search.simulate import Protocol
from natslib.search.store import repeat_into
from natslib.search.study import RUNS, paper_budget_s, reported_columns, searched_columns
from natslib.weight_sharing import METHODS
from natslib.weight_sharing.settings import PRESETS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `natslib search`."""
    parser.add_argument(
        "--algorithm",
        required=True,
        metavar="NAME",
        help=f"on a table: {', '.join(SEARCHES)}, or FILE.py:FUNCTION of your own; training a supernet: "
        f"{', '.join(METHODS)}",
    )
    parser.add_argument("--space", required=True, choices=["tss", "sss"], help="tss (topology) or sss (size)")
    parser.add_argument("--dataset", required=True, help="cifar10, cifar100, ImageNet16-120, ... (no -valid)")
    parser.add_argument(
        "--seed", type=int, required=True, help="root of all seeds; of a supernet the one seed"
    )
    parser.add_argument("--output", type=Path, help="folder of the results (left out: in results/)")
    on_table = table_arguments(parser.add_argument_group("searching on a table"))
    training = training_arguments(parser.add_argument_group("training a supernet"))
    parser.set_defaults(run=run, on_table=on_table, training=training)


def table_arguments(group: argparse._ArgumentGroup) -> list[argparse.Action]:
    """Declare what only the searches on a table are told."""
    return [
        group.add_argument("--runs", type=int, default=RUNS, help="independent runs (the paper's 500)"),
        group.add_argument("--table", default="published", help="'published' or the folder of a table"),
        group.add_argument(
            "--recipe", help="training recipe scored: 12, 200, ... (left out: the only one there is)"
        ),
        group.add_argument(
            "--draw", default="random", help="random (stored run, as the paper), mean, or a seed"
        ),
        group.add_argument(
            "--time-s", type=float, help="simulated seconds (left out: the paper's, scaled to the recipe)"
        ),
        group.add_argument(
            "--no-validation-cost",
            action="store_true",
            help="do not charge the validation pass (as where a table lacks its time)",
        ),
        group.add_argument(
            "--overshoot", default="keep", choices=["keep", "discard"], help="keep: NATS-Bench"
        ),
        group.add_argument(
            "--repeats", default="charge", choices=["charge", "cache"], help="charge: as the papers"
        ),
        group.add_argument(
            "--epochs",
            type=epochs_list,
            help="trainings offered, as in 1,4,12 (left out: what the algorithm needs)",
        ),
        group.add_argument("--workers", type=int, default=1, help="simulated workers, asynchronous"),
        group.add_argument(
            "--processes", type=int, default=1, help="real processes; the result does not depend on it"
        ),
    ]


def training_arguments(group: argparse._ArgumentGroup) -> list[argparse.Action]:
    """Declare what only the searches that train a supernet are told."""
    return [
        group.add_argument("--settings", help=f"one of {', '.join(PRESETS)}; needed"),
        group.add_argument(
            "--warm-up",
            type=float,
            help="size space: share of epochs that train only weights, 0 for none (left out: the settings')",
        ),
        group.add_argument(
            "--data", type=Path, default=Path("data"), help="folder of the downloaded image sets"
        ),
        group.add_argument(
            "--unverified", action="store_true", help="accept dataset files of another checksum"
        ),
        group.add_argument("--device", help="cpu, cuda, ... (left out: a GPU where there is one)"),
    ]


def run(args: argparse.Namespace) -> int:
    """Run the kind of search that the algorithm is; raises `ConfigError` for options of the other kind."""
    one_shot = args.algorithm in METHODS
    foreign = args.on_table if one_shot else args.training
    given = [action for action in foreign if getattr(args, action.dest) != action.default]
    if given:
        kind = "trains a supernet" if one_shot else "searches on a table"
        names = ", ".join(action.option_strings[0] for action in given)
        raise ConfigError(f"--algorithm {args.algorithm} {kind} and does not know {names}")
    if not one_shot:
        return search_table(args)
    # only here: nothing else of this command needs torch
    try:
        command = importlib.import_module("natslib.commands.weight_sharing")
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"--algorithm {args.algorithm} needs the package {error.name}; pip install 'natslib[train]'"
        ) from None
    return int(command.run(args))


def search_table(args: argparse.Namespace) -> int:
    """Search on a table, say what came out, and return 0, or 1 where runs failed."""
    table = natslib.load(args.table)
    if table.space.name != args.space:
        raise ConfigError(
            f"--space {args.space} was given; the table {args.table!r} is of {table.space.name}"
        )
    recipe = args.recipe or only_recipe(table, args.dataset)
    oracle = oracle_of(table, args, recipe)
    time_s = (
        paper_budget_s(args.space, args.dataset, oracle.epochs[-1]) if args.time_s is None else args.time_s
    )
    protocol = Protocol(time_s, args.overshoot, args.repeats, args.workers)
    name, search = find_search(args.algorithm)
    folder = args.output or Path("results/search") / f"{args.space}-{args.dataset}-{recipe}" / name
    runs = repeat_into(
        folder, search, oracle, protocol, runs=args.runs, seed=args.seed, processes=args.processes
    )
    for line in report(runs, table, args.dataset):
        print(line)
    print(f"trajectories in {folder}, sha256 {trajectories_hash(runs.frame)}")
    for failure in runs.failures:
        print(failure, file=sys.stderr)
    return 1 if runs.failures else 0


def epochs_list(text: str) -> list[int]:
    """Read numbers of epochs between commas."""
    return [int(number) for number in text.split(",")]


def oracle_of(table: Any, args: argparse.Namespace, recipe: str) -> Oracle:
    """Return the oracle that the options ask for; multi-fidelity searches need their rungs.

    Where the table lacks the time of the validation pass, that is said, and kept in `search.json`.
    """
    where: dict[str, Any] = dict(searched_columns(args.dataset))
    draw = int(args.draw) if args.draw.isdigit() else args.draw
    runs = table.runs()
    trained = runs[(runs["dataset"] == where["dataset"]) & (runs["recipe"] == recipe)]["epochs"]
    epochs = args.epochs
    if epochs is None and args.algorithm in MULTI_FIDELITY and len(trained):
        epochs = rung_epochs(int(trained.max()), 1, 3)
    block = where | {"recipe": recipe, "draw": draw, "epochs": epochs}
    if not args.no_validation_cost:
        try:
            return Oracle.from_table(table, **block)
        except NotTimed as error:
            print(f"validation passes are not charged: {error}", file=sys.stderr)
    return Oracle.from_table(table, **block, charge_validation=False)


def only_recipe(table: Any, dataset: str) -> str:
    """Return the recipe of the scores of `dataset` where there is just one; raises `ConfigError`."""
    runs, where = table.runs(), searched_columns(dataset)
    recipes = runs[(runs["dataset"] == where["dataset"]) & (runs["split"] == where["split"])][
        "recipe"
    ].unique()
    if len(recipes) != 1:
        listed = ", ".join(sorted(recipes)) or "none"
        raise ConfigError(
            f"--recipe is needed: the table's recipes with validation scores of {dataset} are {listed}"
        )
    return str(recipes[0])


def report(runs: Runs, table: Any, dataset: str) -> list[str]:
    """Return lines with the number of evaluations and the final accuracies, mean and population std over runs.

    Accuracies are those of the longest recipe in the table, means over its seeds.
    """
    last = runs.frame.groupby("run").tail(1)["incumbent"].to_numpy()
    lines = [f"{len(last)} runs, {len(runs.frame) / len(last):.1f} evaluations a run"]
    longest = table.runs().sort_values("epochs")["recipe"].iloc[-1]
    for what in ("valid", "test"):
        try:
            values = table.values("accuracy", **reported_columns(dataset, what), recipe=longest)[last]
        except NotMeasured:
            lines.append(f"{what} accuracy: not in this table (recipe {longest})")
            continue
        lines.append(f"{what} accuracy (recipe {longest}): {np.mean(values):.2f} ± {np.std(values):.2f} %")
    return lines
