"""`natslib retrain`: train a stored candidate again and say whether it lands where its stored runs did."""

import argparse
import sys
from typing import Any

import pandas as pd

from natslib.analysis.own_training import LIMIT, compare_runs
from natslib.commands.exits import APART, DONE
from natslib.commands.options import (
    ARCH,
    DATASET,
    RECIPE,
    TABLE,
    add_json,
    add_machine_arguments,
    from_0,
    index_or_string,
    print_json,
)
from natslib.datasets import get_dataset
from natslib.errors import NotMeasured
from natslib.tables import Table, load
from natslib.training.jobs import Job
from natslib.training.recipes import recipe_on

EPILOG = f"""example:
  natslib retrain logs/embedded-tss --arch 1462 --dataset digits --recipe 12
Exit code 0: within {LIMIT:g} standard deviations of the stored runs on every split of the table; {APART}: not."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `natslib retrain`."""
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("table", help=TABLE)
    parser.add_argument("--arch", required=True, help=f"{ARCH} that the table holds")
    parser.add_argument("--dataset", required=True, help=DATASET)
    parser.add_argument("--recipe", required=True, help=f"{RECIPE}, such as 12")
    parser.add_argument("--seed", type=from_0, default=42, help="seed of weights and order of images (42)")
    add_machine_arguments(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Train, print the comparison and return the exit code."""
    table = load(args.table)
    index = table.space.index(index_or_string(args.arch))
    job = Job(table.space.name, index, args.dataset, args.recipe, args.seed)
    stored = stored_runs(table, job)

    from natslib.training.fresh import curves_of, last_epoch, train_fresh  # only here: torch takes its time

    (entry,) = train_fresh(
        [job], data=args.data, verify=not args.unverified, device=args.device, progress=sys.stderr.isatty()
    )
    curves = curves_of([entry])
    rows = pd.concat(
        {s: compare_runs(runs, last_epoch(curves, s)) for s, runs in stored.items()}, names=["split"]
    )
    within = bool((rows["z"].abs() <= LIMIT).all())
    if args.json:
        told = {"arch_index": index, "arch": table.space.string(index), **job._asdict(), "within": within}
        print_json(told | {"limit": LIMIT, "splits": rows.reset_index("split").to_dict("records")})
        return DONE if within else APART
    print(
        f"architecture {index} {table.space.string(index)}, {job.dataset}, recipe {job.recipe}, seed {job.seed}"
    )
    print(rows.reset_index("split").round(2).to_string(index=False))
    print(f"{'within' if within else 'NOT within'} {LIMIT:g} standard deviations of the stored runs")
    return DONE if within else APART


def stored_runs(table: Table, job: Job) -> dict[str, pd.DataFrame]:
    """Return the stored accuracies by the evaluation splits that the table holds: one row a cell, one column a seed.

    Raises `NotMeasured` where the table has none of the candidate, or no cell that is repeated; `UnknownName`.
    """
    recipe_on(job.dataset, job.recipe)
    where: dict[str, Any] = {"dataset": job.dataset, "recipe": job.recipe}
    runs = table.runs()
    held = set(runs.loc[(runs["dataset"] == job.dataset) & (runs["recipe"] == job.recipe), "split"])
    splits = [split for split in get_dataset(job.dataset).images if split != "train"]
    stored = {}
    for split in [split for split in splits if split in held] or splits:
        table.value("accuracy", job.arch_index, split=split, **where)
        stored[split] = table.per_seed("accuracy", split=split, **where)
        if (stored[split].notna().sum(axis=1) < 2).all():
            raise NotMeasured(
                f"no architecture with two seeds for dataset {job.dataset!r}, recipe {job.recipe!r}, split {split!r}: "
                "nothing says how far apart two runs are"
            )
    return stored
