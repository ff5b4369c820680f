"""The embedded image sets are what their facts say, always the same, and their splits are disjoint."""

import hashlib
from pathlib import Path

import pytest
import torch

from natslib.datasets import DATASETS, EMBEDDED, get_dataset
from natslib.errors import UnknownName
from natslib.training.images import ImageSet, Split
from natslib.training.sources import IMAGE_SETS, load_images

#: Changing the images invalidates every raw log of the embedded benchmark: train it again, then renew these.
DIGESTS = {
    "digits": "b1306106fb91a5fd",
    "digit-pairs": "3c8dfe2b0502edc7",
    "photos": "923fed32303d3a49",
    "digits-rotated": "61218f9bf6ada741",
    "digits-rotated-70": "bbc8794e92e36197",
    "digits-coloured": "91e19b8cb3a0b06a",
    "digits-tinted": "229a0711ab156ac1",
}


@pytest.fixture(scope="module", params=EMBEDDED)
def images(request: pytest.FixtureRequest) -> ImageSet:
    return load_images(request.param, Path(), verify=True)


def evaluated(images: ImageSet) -> dict[str, Split]:
    return {**images.evaluations, **images.open_final()}


def test_facts_and_builders_name_the_same_sets() -> None:
    assert tuple(IMAGE_SETS) == tuple(DATASETS)
    with pytest.raises(UnknownName, match=r"unknown dataset 'digit': allowed are .*'digits'"):
        load_images("digit", Path(), verify=True)


def test_the_images_are_what_the_facts_say(images: ImageSet) -> None:
    facts = get_dataset(images.name)
    found = {"train": len(images.train)} | {name: len(split) for name, split in evaluated(images).items()}
    assert found == facts.images
    shape = (images.classes, images.resolution, images.in_channels)
    assert shape == (facts.classes, facts.resolution, facts.in_channels)
    for split in (images.train, *evaluated(images).values()):
        assert len(split.labels.unique()) == facts.classes


@pytest.mark.parametrize("name", DIGESTS)
def test_the_images_never_change(name: str) -> None:
    images = IMAGE_SETS[name]()
    digest = hashlib.sha256()
    for split in (images.train, *evaluated(images).values()):
        digest.update(split.images.contiguous().numpy().tobytes())
        digest.update(split.labels.numpy().tobytes())
    assert digest.hexdigest()[:16] == DIGESTS[name]


def test_no_training_image_is_evaluated(images: ImageSet) -> None:
    train = {image.numpy().tobytes() for image in images.train.images}
    for split in evaluated(images).values():
        shared = sum(image.numpy().tobytes() in train for image in split.images)
        assert shared <= len(split) * 0.01  # plain sky looks the same everywhere


@pytest.mark.parametrize("name", DIGESTS)
def test_training_images_are_normalised_by_their_own_numbers(name: str) -> None:
    images = IMAGE_SETS[name]()
    pixels = images.train.images.double()
    torch.testing.assert_close(pixels.mean(dim=(0, 1, 2)), torch.tensor(images.mean, dtype=torch.float64))
    std = pixels.std(dim=(0, 1, 2), correction=0)
    torch.testing.assert_close(std, torch.tensor(images.std, dtype=torch.float64))
