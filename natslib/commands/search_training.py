"""`natslib search --train`: multi-trial searches that train what they propose."""

import argparse
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from natslib.commands.search import conclude
from natslib.errors import ConfigError
from natslib.search.repeat import Runs, find_search
from natslib.search.settings import with_settings
from natslib.search.simulate import Protocol
from natslib.search.store import finished_runs, repeat_into
from natslib.search.study import PAPER, parse_budget
from natslib.training.names import check_images, is_small, log_name
from natslib.training.recipes import get_recipe

if TYPE_CHECKING:
    from natslib.training.oracle import TrainedOracle

DELAY_S = 1
"""So that no bar comes before a refusal."""
BAR = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} {unit} [{elapsed}<{remaining}{postfix}]"


def run(args: argparse.Namespace) -> int:
    """Search, say what came out and where it is kept, and return 0, or 1 where runs failed."""
    budget, unit = asked_budget(args)
    if args.processes > args.workers:
        raise ConfigError(
            f"--processes {args.processes} was given with --workers {args.workers}: as many networks are trained at "
            "once as the search has workers; allowed are as many processes or fewer"
        )
    name, search = find_search(args.algorithm)
    check_images(args.dataset)
    recipe = "12" if args.recipe == PAPER else args.recipe
    get_recipe(recipe, small=is_small(args.dataset, args.scale))
    place = Path("results/search") / f"{args.space}-{log_name(args.dataset)}-{recipe}-trained"
    folder, runs = args.out or place / name, args.runs or 1
    protocol = Protocol(budget, overshoot=args.overshoot, repeats=args.repeats, workers=args.workers)

    from natslib.training.oracle import trained_oracle  # only here: torch takes its time

    bar = tqdm(
        total=budget * runs,
        initial=budget * len(finished_runs(folder) & set(range(runs))),
        unit=unit,
        desc=name,
        bar_format=BAR,
        delay=DELAY_S,
        disable=not sys.stderr.isatty(),
    )
    machine = {"data": args.data, "verify": not args.unverified, "device": args.device}
    how = {"unit": unit, "processes": args.processes, "bar": bar}
    with (
        bar,
        closing(
            trained_oracle(
                args.space, args.dataset, folder / "logs", recipe=recipe, scale=args.scale, **machine, **how
            )
        ) as oracle,
    ):
        asked = with_settings(search, oracle, args.set or ())
        found = repeat_into(folder, asked, oracle, protocol, runs=runs, seed=args.seed)
        told = told_of(oracle, found)
    kept = "trajectories and logs of training"
    return conclude(told, report(told), found, folder, as_json=args.json, kept=kept)


def asked_budget(args: argparse.Namespace) -> tuple[float, str]:
    """Return amount and unit of the budget; raises `ConfigError` for one that training cannot have, or no space."""
    if args.space is None:
        raise ConfigError("--train needs --space: what is to be searched")
    try:
        asked = parse_budget(args.budget)
    except ConfigError:
        asked = None
    if asked is None:
        given = "" if args.budget == PAPER else f"; {args.budget!r:.80} was given"
        raise ConfigError(
            f"--train needs --budget, such as '60 evaluations' or, of training, '3600 s'{given}"
        )
    return asked


def told_of(oracle: "TrainedOracle", runs: Runs) -> dict[str, Any]:
    """Return the numbers of evaluations and trainings, and what each run is left with."""
    final = runs.frame.groupby("run")["incumbent"].last()
    records = oracle.finals(final.tolist())
    ends = []
    for number, index in final.items():
        splits = records[index]["splits"]
        found = {name: splits[name]["accuracy"][-1] for name in ("valid", "test") if name in splits}
        ends.append({"run": number, "arch_index": index, "arch": oracle.space.string(int(index)), **found})
    return {
        "dataset": oracle.name,
        "recipe": oracle.recipe.name,
        "evaluations_a_run": len(runs.frame) / len(final),
        "trained": runs.frame["arch_index"].nunique(),
        "runs": ends,
    }


def report(told: dict[str, Any]) -> list[str]:
    """Return the lines of what `told_of` says."""
    lines = [
        f"{len(told['runs'])} runs, {told['evaluations_a_run']:.1f} evaluations a run, {told['trained']} networks "
        f"trained by recipe {told['recipe']} on {told['dataset']}"
    ]
    for end in told["runs"]:
        accuracies = [f"{name} {end[name]:.2f} %" for name in ("valid", "test") if name in end]
        lines.append(
            f"run {end['run']}: architecture {end['arch_index']}  {end['arch']}  {', '.join(accuracies)}"
        )
    return lines
