"""AutoShrink in its published forms: a cell of eight nodes, whose 2^28 wirings are too many to number.

`python -m natslib.training.shrink_runs eight-nodes` writes the record that natslib ships; killed, the same command goes
on after its last training.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from natslib.nets.candidate import count_flops
from natslib.nets.wiring import wiring_network
from natslib.search.algorithms.autoshrink import shrink_score
from natslib.search.recorded import Descent, Report, Row, record
from natslib.spaces import Code, Scale
from natslib.spaces.wiring import NODE_OPS, edges_of, removals
from natslib.training.device import environment_stamp, ready_device
from natslib.training.embedded import DIGITS_VIEWS, digits
from natslib.training.images import ImageSet, Split
from natslib.training.loop import clock
from natslib.training.shrinking import Shrinking, train_shrinking

TRAINING_SEED, FRESH_SEEDS = 777, (888, 999)
SMALL, CHANNELS = Shrinking(epochs=10, batch=64), 4
"""For a desk: half the epochs and the batch (`digits` has a fifth of the images), a fourth of the channels."""


def one_view(data: ImageSet) -> ImageSet:
    """Return `digits` with every validation image at the first of its shifts alone, and no test images."""
    valid = data.evaluations["valid"]
    fewer = Split(valid.images[::DIGITS_VIEWS], valid.labels[::DIGITS_VIEWS])
    return replace(data, evaluations={"valid": fewer})


def node_ops(nodes: int, rng: np.random.Generator) -> tuple[str, ...]:
    """Draw the operations of the nodes after the input: both in turn over all nodes, shuffled, the input's unused."""
    return tuple(rng.permutation([NODE_OPS[node % 2] for node in range(nodes)])[1:].tolist())


def eight_nodes(
    data: ImageSet,
    path: Path,
    *,
    nodes: int = 8,
    candidates: int = 10,
    how: Shrinking = SMALL,
    seed: int = 5,
    again: tuple[int, ...] = FRESH_SEEDS,
    report: Report = lambda number, row: None,
) -> pd.DataFrame:
    """Search down to the empty cell on the split 'valid' of `data`; see `natslib.search.recorded.record`.

    It keeps a hundredth of the edges, as published: none. Measured are accuracy (percent), flops_m (millions), score,
    epochs, ended (by what) and seconds. Networks have a fourth of the published channels.
    """
    rng = np.random.default_rng(seed)
    ops, device = node_ops(nodes, rng), data.train.images.device

    def measure(code: Code, training_seed: int) -> Row:
        start = clock(device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(training_seed)
            network = wiring_network(
                code,
                ops,
                in_channels=data.in_channels,
                classes=data.classes,
                scale=Scale(CHANNELS, cells=1, width_divisor=1),
            )
        flops_m = count_flops(network, data.in_channels, data.resolution) / 1e6
        outcome = asdict(train_shrinking(network.to(device), data, how, training_seed))
        score = float(shrink_score(outcome["accuracy"], flops_m))
        return outcome | {"flops_m": flops_m, "score": score, "seconds": round(clock(device) - start, 3)}

    edges = len(edges_of(nodes))
    descent = Descent((1,) * edges, removals, measure, candidates, round(0.01 * edges), TRAINING_SEED, again)
    settings = {
        "dataset": data.name,
        "ops": list(ops),
        "channels": CHANNELS,
        "candidates": candidates,
    }
    settings |= {"seed": seed, "training_seed": TRAINING_SEED, "again": list(again), **asdict(how)}
    return record(descent, rng, path, settings=settings, stamp=environment_stamp(device), report=report)


def print_row(number: int, row: Mapping[str, Any]) -> None:
    """Print one line an evaluation to the error stream."""
    what = "trained again" if row["again"] else f"step {row['step']}"
    print(f"{number}  {what}, {row['edges']} edges: score {row['score']:.3f}", file=sys.stderr, flush=True)


def _eight_nodes(path: Path) -> pd.DataFrame:
    return eight_nodes(one_view(digits()), path, report=print_row)


RUNS: dict[str, tuple[Callable[[Path], pd.DataFrame], str]] = {
    "eight-nodes": (_eight_nodes, "eight-nodes-digits.parquet"),
}


def main() -> None:
    """Run one of the searches, or go on with it."""
    parser = argparse.ArgumentParser(prog="python -m natslib.training.shrink_runs", description=__doc__)
    parser.add_argument("form", choices=RUNS)
    parser.add_argument(
        "--out", type=Path, default=Path("results/autoshrink"), help="the folder of the record"
    )
    args = parser.parse_args()
    run, name = RUNS[args.form]
    ready_device("cpu")
    rows = run(args.out / name)
    print(f"{len(rows)} trainings in {args.out / name}")


if __name__ == "__main__":
    main()
