"""A tiny image set and recipe on which a candidate trains in a fraction of a second."""

import numpy as np
import pytest
import torch

from natslib.spaces import SMALL_SCALE
from natslib.training.images import ImageSet, Split
from natslib.training.recipes import Recipe


def random_split(n: int, seed: int) -> Split:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
    labels = rng.integers(0, 7, n)
    images[np.arange(n), labels] = 255  # a bright row tells the class
    return Split(torch.from_numpy(images), torch.from_numpy(labels))


@pytest.fixture
def tiny_images() -> ImageSet:
    evaluations = {"valid": random_split(30, 1), "test": random_split(20, 2)}
    mean, std = (120.0, 121.0, 122.0), (60.0, 61.0, 62.0)
    return ImageSet("tiny", 7, random_split(48, 0), evaluations, mean, std, shift=2, flip=True)


@pytest.fixture
def tiny_recipe() -> Recipe:
    return Recipe("3", 3, 16, learning_rate=0.02, momentum=0.9, weight_decay=5e-4, scale=SMALL_SCALE)
