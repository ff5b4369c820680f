"""`natslib search --train`: multi-trial searches that train what they propose."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from natslib.commands.train import is_small, log_name
from natslib.errors import ConfigError
from natslib.search.leaderboard import trajectories_hash
from natslib.search.repeat import Runs, find_search
from natslib.search.settings import with_settings
from natslib.search.simulate import Protocol
from natslib.search.store import repeat_into
from natslib.search.study import PAPER, parse_budget
from natslib.spaces import get_space
from natslib.training.device import environment_stamp, ready_device
from natslib.training.oracle import TrainedOracle
from natslib.training.recipes import get_recipe
from natslib.training.sources import load_images

TRAINING_SEED = 777
"""The seed of every training, as that of `natslib train` where none is said."""


def run(args: argparse.Namespace) -> int:
    """Search, say what came out and where it is kept, and return 0, or 1 where runs failed."""
    oracle, budget, folder = asked_oracle(args)
    search = with_settings(find_search(args.algorithm)[1], oracle, args.set or ())
    protocol = Protocol(budget, overshoot=args.overshoot, repeats=args.repeats)
    runs = repeat_into(folder, search, oracle, protocol, runs=args.runs or 1, seed=args.seed)
    for line in report(oracle, runs):
        print(line)
    print(f"trajectories and logs of training in {folder}, sha256 {trajectories_hash(runs.frame)}")
    for failure in runs.failures:
        print(failure, file=sys.stderr)
    return 1 if runs.failures else 0


def asked_oracle(args: argparse.Namespace) -> tuple[TrainedOracle, float, Path]:
    """Return the oracle that the arguments ask for, the budget in its unit, and the folder; raises `ConfigError`."""
    if args.space is None:
        raise ConfigError("--train needs --space: what is to be searched")
    asked = parse_budget(args.budget)
    if asked is None:
        raise ConfigError("--train needs --budget, such as '60 evaluations' or, of training, '3600 s'")
    small = is_small(args.dataset, args.scale)
    recipe = get_recipe("12" if args.recipe == PAPER else args.recipe, small=small)
    name = log_name(args.dataset)
    place = Path("results/search") / f"{args.space}-{name}-{recipe.name}-trained"
    folder = args.out or place / args.algorithm.rpartition(":")[2]
    device = ready_device(args.device)
    stamp = environment_stamp(device) | {"scale": "small" if small else "paper"}
    oracle = TrainedOracle(
        get_space(args.space),
        load_images(args.dataset, args.data, verify=not args.unverified).to(device),
        name,
        recipe,
        folder / "logs",
        TRAINING_SEED,
        stamp | ({"dataset files": "not verified"} if args.unverified else {}),
        unit=asked[1],
        report=print_training,
    )
    return oracle, asked[0], folder


def print_training(done: int, record: Mapping[str, Any]) -> None:
    """Print one line a training to the error stream."""
    accuracy = record["splits"]["valid"]["accuracy"][-1]
    what = f"{record['space']} {record['arch_index']}: validation accuracy {accuracy:.2f} %"
    print(f"training {done}  {what}", file=sys.stderr, flush=True)


def report(oracle: TrainedOracle, runs: Runs) -> list[str]:
    """Return lines with the number of evaluations and trainings, and with what each run is left with."""
    final = runs.frame.groupby("run")["incumbent"].last()
    trained = runs.frame["arch_index"].nunique()
    lines = [
        f"{len(final)} runs, {len(runs.frame) / len(final):.1f} evaluations a run, {trained} networks trained by "
        f"recipe {oracle.recipe.name} on {oracle.name}"
    ]
    for number, index in final.items():
        splits = {
            name: columns["accuracy"][-1]
            for name, columns in oracle.record(int(index))["splits"].items()
            if name in ("valid", "test")
        }
        told = ", ".join(f"{name} {np.round(value, 2)} %" for name, value in splits.items())
        lines.append(f"run {number}: architecture {index}  {oracle.space.string(int(index))}  {told}")
    return lines
