"""`natslib objectives`: which objective of training withstands a shift."""

import argparse
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from natslib.analysis.ranking import RULES, objective_rows, objective_table
from natslib.commands.exits import DONE
from natslib.commands.options import add_json, add_machine_arguments, from_1, numbers, print_json
from natslib.datasets import SHIFTED
from natslib.tables.format.schema import SEEDS
from natslib.training.names import MLP, OF_TRIALS, check_images, log_name
from natslib.training.objectives import OBJECTIVES, check_objective, check_sources

if TYPE_CHECKING:
    from natslib.training.trials import Trial, TrialData

EPILOG = """examples:
  natslib objectives --dataset digits-rotated,digits-coloured --out compared
  natslib objectives --dataset my-photos --objective erm,irm,vrex --network tss:6111 --out compared
Killed or interrupted at any moment, the same command goes on where it stopped; with more draws or seeds it adds those.

Every objective is trained with --draws settings of its numbers (the first its defaults, then random ones) from each
seed. For each seed one draw is chosen: by held-out images of the sources, by those of a further environment where
there is one, or by a fifth of the target's images, which nobody has in earnest (oracle). Printed are the accuracy on
the other images of the target in percent, the mean of the seeds ± its error, and in brackets whether that is above
(+1), within (+0) or below (-1) ERM's mean ± its error. Your own environments: as of natslib train."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `natslib objectives`."""
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter
    known = ", ".join([*SHIFTED, *OF_TRIALS])
    parser.add_argument(
        "--dataset", required=True, help=f"{known}, or the path of your own environments; several with commas"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the trials, at the end in trials.parquet"
    )
    parser.add_argument(
        "--objective", default=",".join(OBJECTIVES), help=f"some of {', '.join(OBJECTIVES)} (all)"
    )
    parser.add_argument(
        "--network", default=MLP, help=f"{MLP}, two layers of 390 (the default), or such as tss:6111"
    )
    parser.add_argument("--draws", type=from_1, default=8, help="settings of each objective's numbers (8)")
    parser.add_argument("--seed", default="0-2", help="seeds, such as 0,1,5-9 (0-2)")
    parser.add_argument("--steps", type=from_1, default=301, help="steps of each training (301)")
    add_machine_arguments(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Train what is missing, print the comparison and return 0; what cannot be is refused before torch comes."""
    given = args.dataset.split(",")
    for name in given:
        if name not in OF_TRIALS:
            check_images(name)
    paths = {name if name in OF_TRIALS else log_name(name): name for name in given}
    objectives = args.objective.split(",")
    for objective in objectives:
        check_objective(objective)
    seeds = numbers(args.seed, SEEDS)

    from natslib.training.comparing import compare, planned  # only here: torch takes its time
    from natslib.training.device import ready_device
    from natslib.training.trials import load_trial_data

    device = ready_device(args.device)

    @cache
    def images(name: str) -> "TrialData":
        return load_trial_data(paths[name], args.data, verify=not args.unverified).to(device)

    for name in paths:
        for objective in objectives:
            check_sources(objective, images(name).images)
    trials = planned(
        list(paths), objectives, network=args.network, draws=args.draws, seeds=seeds, steps=args.steps
    )
    frame = compare(trials, args.out, images, _print_progress)
    table = objective_table(frame)
    if args.json:
        print_json(table.to_dict("records"))
    else:
        print(objective_rows(table).rename(columns=RULES).to_string(index=False))
    return DONE


def _print_progress(done: int, total: int, trial: "Trial") -> None:
    """Print one line a trial to the error stream."""
    what = f"{trial.dataset} {trial.objective} draw {trial.draw} seed {trial.seed}"
    print(f"{done}/{total}  {what}", file=sys.stderr, flush=True)
