"""A full archive of the topology space in the official layout, made of the genuine CIFAR-10 results beside the project.

    python -m tests.tables.archive FOLDER

They have the last epoch of each training: validation of every run after 200 epochs, the mean over the runs of what is
known otherwise, and training times. So the archive has one run, seed 111 or 777, where a mean is all there is, one
epoch of accuracies a run, and neither losses nor training accuracies. CIFAR-100 and ImageNet16-120 are not in it.
"""

import bz2
import csv
import pickle
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from natslib.spaces import PAPER_SCALE, TOPOLOGY
from natslib.tables.sources.official import arch_config
from natslib.training.export import official_record

NAME = "NATS-tss-v1_0-3ffb9-simple"
RESULTS = Path(__file__).resolve().parents[3] / "shared/data/nats-tss-cifar10.csv"
SEEDS = (777, 888, 999)
SHARES = {"cifar10-valid": 1, "cifar10": 2}
"""Of the training images, and so of the time, by dataset; in halves of CIFAR-10."""


def make_archive(folder: Path, results: Path = RESULTS, indices: Sequence[int] | None = None) -> int:
    """Write the archive, of some architectures or of all, to a new folder; return how many there are."""
    kept = None if indices is None else set(indices)
    with results.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if kept is None or int(row["arch_index"]) in kept]
    folder.mkdir(parents=True)
    for row in rows:
        packed = bz2.compress(pickle.dumps(_record(row), protocol=4))
        (folder / f"{int(row['arch_index']):06d}.pickle.pbz2").write_bytes(packed)
    return len(rows)


def _record(row: dict[str, str]) -> dict[str, Any]:
    """Return the official dict of one architecture."""
    runs = [(seed, row[f"c10v_val200_run{number}"]) for number, seed in enumerate(SEEDS)]
    halved: list[Any] = [_run(row, "cifar10-valid", "200", seed, "valid", run) for seed, run in runs if run]
    one = [
        _run(row, "cifar10-valid", "12", 111, "valid", row["c10v_val12"]),
        _run(row, "cifar10", "12", 111, "test", row["c10_test12"]),
        _run(row, "cifar10", "200", 777, "test", row["c10_test200_mean"]),
    ]
    config = {
        name: arch_config(TOPOLOGY, row["arch"], 10, PAPER_SCALE) for name in ("cifar10-valid", "cifar10")
    }
    made = official_record([*one, *halved], config)
    train_s = float(row["T_train_epoch_c10v_s"])
    for recipe, part in made.items():  # of the training there are but times; all times are of every epoch
        times = {name: dict.fromkeys(range(int(recipe)), train_s * share) for name, share in SHARES.items()}
        unknown = dict.fromkeys(range(int(recipe)), float("nan"))
        measured = dict.fromkeys(("train_acc1es", "train_acc5es", "train_losses"), unknown)
        for (dataset, _), trial in part["all_results"].items():
            trial |= measured | {"train_times": times[dataset], "epochs": int(recipe)}
            (name,), (seconds,) = trial["eval_names"], trial["eval_times"].values()
            trial["eval_times"] = {f"{name}@{epoch}": seconds for epoch in unknown}
    return made


@cache
def _costs(metric: str, dataset: str) -> list[float]:
    return getattr(TOPOLOGY, metric)(TOPOLOGY.codes(), dataset).tolist()


def _run(
    row: dict[str, str], dataset: str, recipe: str, seed: int, split: str, accuracy: str
) -> dict[str, Any]:
    """Return a run as `natslib.training` logs one, of its last epoch alone."""
    index = int(row["arch_index"])
    curve = {"epoch": [int(recipe) - 1], "loss": [None], "top5": [None]}
    seconds = float(row["E_valid_pass_c10v_s"])
    return {
        "arch_index": index,
        "dataset": dataset,
        "recipe": recipe,
        "seed": seed,
        "params_m": _costs("params_m", dataset)[index],
        "flops_m": _costs("flops_m", dataset)[index],
        "latency_s": float("nan"),
        "splits": {
            "train": curve | {"accuracy": [float("nan")], "time_s": [0.0]},
            split: curve | {"accuracy": [float(accuracy)], "time_s": [seconds]},
        },
    }


if __name__ == "__main__":
    print(make_archive(Path(sys.argv[1]) / NAME), "architectures")
