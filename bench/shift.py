"""The whole command `natslib shift` on two sets of 1,500 images, beside the bare training of its classifiers.

`python -m bench.shift` measures this part alone, in about half a minute of one core. All is user time with one thread.
That of the command holds its start and its imports, the densities and what is printed. The bare training is a peer, not
a floor: perceptrons of the same size by `torch.nn` and `torch.optim`, with neither gate nor averages. Of that, the
matrix products alone take about half, and neither can do without them. The seconds are of this machine in this run.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bench.report import Line, print_report
from natslib.analysis.sides import HELD_OUT
from natslib.nets.mlp import WIDTH
from natslib.training.device import ready_device
from natslib.training.shift import BATCH, rates
from natslib.training.shift_study import VARIANTS, sides

IMAGES, TRIALS, TRAINED = 1_500, 8, 4
"""Of a side; by default, with as many controls beside them; how many bare classifiers are trained."""
VARIANT = "coloured → 90%"


def measure() -> list[Line]:
    """Return the line on shifts; leaves torch with one thread."""
    ready_device("cpu")
    (variant,) = (each for each in VARIANTS if each.name == VARIANT and each.gated)
    pair = [side[np.arange(IMAGES)] for side in sides(variant)]
    with tempfile.TemporaryDirectory(prefix="natslib-bench-") as temporary:
        place = Path(temporary)
        for name, side in zip("ab", pair, strict=True):
            np.savez(place / f"{name}.npz", images=side.values, labels=side.labels)
        before = training_s(pair[0].values)
        whole = command_s(place)
        bare = 2 * TRIALS * (before + training_s(pair[0].values)) / 2
    detail = f"{whole:.1f} s for {2 * TRIALS} classifiers of {2 * IMAGES:,} images; {bare:.1f} s"
    return [Line("natslib shift / bare training of its classifiers", whole / bare, "<= 1.4", detail)]


def user_s(whose: int) -> float:
    """Return the user time so far of this process, `RUSAGE_SELF`, or of the ended ones that it began."""
    return resource.getrusage(whose).ru_utime


def command_s(place: Path) -> float:
    """Return the user time of the command on `a.npz` and `b.npz` with one thread."""
    asked = ["shift", "a.npz", "b.npz", "--trials", str(TRIALS), "--device", "cpu", "--out", "out"]
    root = Path(__file__).resolve().parent.parent
    start = user_s(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "natslib", *asked],
        cwd=place,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)},
        capture_output=True,
        check=True,
    )
    return user_s(resource.RUSAGE_CHILDREN) - start


def training_s(images: np.ndarray) -> float:
    """Return the user time of training one perceptron of the classifier's size as often as it is, and no more.

    One batch lies ready for all steps. The mean of a few; what torch loads for its first optimizer is not counted.
    """
    some = torch.from_numpy(images[: 2 * BATCH]).flatten(1).float() / 255
    truth = torch.arange(2).repeat_interleave(BATCH)
    steps = len(rates()) * (round((1 - HELD_OUT) * IMAGES) // BATCH)
    taken = 0.0
    for _ in range(TRAINED):
        first, last = nn.Linear(some.shape[1], WIDTH), nn.Linear(WIDTH, 2)
        network = nn.Sequential(first, nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), last)
        optimizer = torch.optim.SGD(network.parameters(), 0.05, momentum=0.9, weight_decay=1e-4, fused=True)
        start = user_s(resource.RUSAGE_SELF)
        for _ in range(steps):
            optimizer.zero_grad()
            cross_entropy(network(some), truth).backward()
            optimizer.step()
        taken += user_s(resource.RUSAGE_SELF) - start
    return taken / TRAINED


if __name__ == "__main__":
    print_report(measure())
