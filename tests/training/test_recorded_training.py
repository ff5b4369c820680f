"""Learning curves of one candidate of each space, recorded: our own numbers, of a loop that was compared with the
official one (losses to 5e-16 over two epochs). Another order of steps, batch or augmentation shows here first.

Refresh on purpose only: `python -m tests.training.test_recorded_training`, and say in the commit why they moved.
"""

from pathlib import Path
from typing import Any

import pytest
import torch

from natslib.nets import build_network
from natslib.spaces import SMALL_SCALE
from natslib.training.images import ImageSet
from natslib.training.loop import train
from natslib.training.recipes import Recipe
from tests.recorded import check_recorded, double_precision, fingerprint, write_record

from .conftest import random_split

RECORD = Path(__file__).with_name("recorded_training.json")
REFRESH = "python -m tests.training.test_recorded_training"
ARCHS = {"tss": 11472, "sss": 20000}


def trained(space: str) -> dict[str, Any]:
    """Return the curves of three epochs, the last of whose batches are smaller, and what the weights came to."""
    evaluations = {"valid": random_split(30, 1), "test": random_split(20, 2)}
    mean, std = (120.0, 121.0, 122.0), (60.0, 61.0, 62.0)
    images = ImageSet("tiny", 7, random_split(44, 0), evaluations, mean, std, shift=2, flip=True)
    recipe = Recipe("3", 3, 16, learning_rate=0.02, momentum=0.9, weight_decay=5e-4, scale=SMALL_SCALE)
    with double_precision():
        torch.manual_seed(777)
        network = build_network(space, ARCHS[space], in_channels=3, classes=7, scale=SMALL_SCALE)
        curves = train(network, images, recipe, 777)
        found: dict[str, Any] = {
            split: {"loss": curve.loss, "accuracy": curve.accuracy, "top5": curve.top5}
            for split, curve in curves.items()
        }
        running = [value for name, value in network.named_buffers() if "running" in name]
        return found | {"weights": fingerprint(network.parameters()), "statistics": fingerprint(running)}


@pytest.mark.parametrize("space", ARCHS)
def test_a_candidate_learns_as_recorded(space: str) -> None:
    check_recorded(RECORD, space, trained(space), REFRESH)


if __name__ == "__main__":
    write_record(RECORD, {space: trained(space) for space in ARCHS})
