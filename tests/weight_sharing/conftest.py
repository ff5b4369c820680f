"""A tiny image set and settings on which every search runs in a fraction of a second."""

from dataclasses import replace

import pytest
import torch

from natslib.training.images import ImageSet, Split
from natslib.weight_sharing.data import SearchData, search_data

from .tiny import CLASSES


@pytest.fixture(autouse=True, scope="module")
def _one_thread(one_thread: None) -> None:
    """Of all tests here."""


def brightness(n: int, seed: int) -> Split:
    """Return noise of 8x8 pixels, grey; a class is how bright it is, and every domain has all."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % CLASSES
    images = torch.randint(0, 80, (n, 8, 8, 1), generator=generator, dtype=torch.uint8)
    domains = torch.arange(n) // CLASSES % 2
    return Split(images + (60 * labels).to(torch.uint8)[:, None, None, None], labels, domains)


@pytest.fixture(scope="session")
def tiny_data() -> SearchData:
    """20 images to train on, 12 to choose by."""
    images = ImageSet("tiny-valid", CLASSES, brightness(20, 0), {}, (100.0,), (60.0,), shift=1, flip=True)
    images = replace(images, environments=("one", "other"))
    return search_data(images, brightness(12, 1))
