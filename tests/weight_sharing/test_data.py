from dataclasses import replace
from pathlib import Path

import pytest
import torch

from natslib.datasets import EMBEDDED
from natslib.errors import ConfigError
from natslib.training import own_images
from natslib.training.images import ImageSet, Split, normalise
from natslib.training.sources import load_images, unshifted_valid
from natslib.weight_sharing import data as module
from natslib.weight_sharing.data import (
    SearchData,
    SelectionBatches,
    load_search_data,
    paired_epoch,
    search_data,
)

CPU = torch.device("cpu")


def numbered(n: int, first: int) -> Split:
    """Images that are one number each, from `first` on."""
    numbers = torch.arange(first, first + n)
    return Split(numbers.to(torch.uint8)[:, None, None, None].expand(n, 4, 4, 1).clone(), numbers % 2)


@pytest.fixture
def data() -> SearchData:
    """Numbers 0 to 9 to train on, 100 to 106 to choose by; nothing is moved."""
    images = ImageSet("numbers", 2, numbered(10, 0), {}, (0.0,), (1.0,), shift=0, flip=False)
    return search_data(images, numbered(7, 100))


def numbers(images: torch.Tensor) -> list[int]:
    return images[:, 0, 0, 0].int().tolist()


def test_an_epoch_walks_the_training_images_beside_random_validation_images(data: SearchData) -> None:
    generator = torch.Generator().manual_seed(0)
    seen = []
    for _ in range(30):
        pairs = list(paired_epoch(data, 4, generator))
        assert [(len(train.labels), len(valid.labels)) for train, valid in pairs] == [(4, 4), (4, 4), (2, 2)]
        assert sorted(n for train, _ in pairs for n in numbers(train.images)) == list(range(10))
        seen.append([n for _, valid in pairs for n in numbers(valid.images)])
        for batch in (batch for pair in pairs for batch in pair):
            assert batch.labels.tolist() == [n % 2 for n in numbers(batch.images)]
    assert {n for epoch in seen for n in epoch} == set(range(100, 107))
    assert any(len(set(epoch)) < 7 for epoch in seen)  # drawn with replacement


def test_both_batches_of_a_pair_are_augmented(data: SearchData) -> None:
    moved = replace(data, train=replace(data.train, shift=2), valid=replace(data.valid, shift=2))
    for pair in paired_epoch(moved, 10, torch.Generator().manual_seed(0)):
        for batch in pair:
            assert (batch.images == 0).any(), "no image was moved"


def test_selection_batches_are_the_validation_images_as_they_are(data: SearchData) -> None:
    moved = replace(data, valid=replace(data.valid, shift=2, flip=True))
    batches = SelectionBatches(moved, 3, torch.Generator().manual_seed(0))
    orders = []
    for _ in range(3):
        some = [next(batches) for _ in range(3)]
        assert [len(batch.labels) for batch in some] == [3, 3, 1]
        orders.append([n for batch in some for n in numbers(batch.images)])
        assert all((batch.images == batch.images[:, :, :1, :1]).all() for batch in some)
    assert [sorted(order) for order in orders] == [list(range(100, 107))] * 3
    assert len({tuple(order) for order in orders}) == 3
    passes = [[numbers(batch.images) for batch in batches.whole()] for _ in range(2)]
    assert passes[0] == passes[1]
    assert sorted(n for batch in passes[0] for n in batch) == list(range(100, 107))


@pytest.mark.parametrize("name", EMBEDDED)
def test_an_embedded_set_is_searched_without_its_test_images(name: str) -> None:
    data = load_search_data(name, Path("nowhere"), CPU, verify=True)
    whole = load_images(name, Path(), verify=True)
    assert torch.equal(data.train.train.images, whole.train.images)
    assert data.valid.mean == whole.mean
    valid = {image.numpy().tobytes() for image in data.valid.train.images}
    train = {image.numpy().tobytes() for image in data.train.train.images}
    evaluated = {**whole.evaluations, **whole.open_final()}
    test = {image.numpy().tobytes() for image in evaluated["test"].images}
    assert not valid & train
    assert len(valid & test) <= len(test) // 100  # photos have some uniform tiles


def test_digits_to_choose_by_are_not_yet_shifted() -> None:
    fresh, shifted = (
        unshifted_valid("digits"),
        load_images("digits", Path(), verify=True).evaluations["valid"],
    )
    assert (len(fresh), len(shifted)) == (450, 1350)
    ink, moved = (split.images.double().mean(dim=(0, 2, 3)) for split in (fresh, shifted))
    assert ink[0] > 1.3 * moved[0]  # a shift fills rows with zeros


def test_cifar_10_is_searched_on_its_training_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {"valid": numbered(4, 10), "test": numbered(4, 20)}
    half = ImageSet("cifar10-valid", 2, numbered(4, 0), parts, (0.0,), (1.0,), shift=4, flip=True)
    asked = []

    def load(name: str, root: Path, *, verify: bool) -> ImageSet:
        asked.append(name)
        return half

    monkeypatch.setattr(module, "load_images", load)
    data = load_search_data("cifar10", Path("data"), CPU, verify=True)
    assert (asked, data.name) == (["cifar10-valid"], "cifar10")
    assert (numbers(data.train.train.images.permute(0, 3, 1, 2)), data.train.shift) == ([0, 1, 2, 3], 4)
    assert (numbers(data.valid.train.images.permute(0, 3, 1, 2)), data.valid.shift) == ([10, 11, 12, 13], 4)
    assert normalise(data.valid.train.images, data.valid).shape == (4, 1, 4, 4)


def test_images_without_a_validation_split_are_refused(tmp_path: Path) -> None:
    import numpy as np

    arrays = {f"{name}_images": np.zeros((4, 4, 4), np.uint8) for name in ("train", "test")}
    labels = {f"{name}_labels": np.arange(4) % 2 for name in ("train", "test")}
    np.savez(tmp_path / "mine.npz", **arrays, **labels)
    assert sorted(own_images(tmp_path / "mine.npz").evaluations) == ["test"]
    with pytest.raises(ConfigError, match=r"no split 'valid' to search with: it has \['test'\]"):
        load_search_data(str(tmp_path / "mine.npz"), tmp_path, CPU, verify=True)


def test_augmented_selection_batches_are_moved_anew_in_every_pass(data: SearchData) -> None:
    moved = replace(data, valid=replace(data.valid, shift=2))
    batches = SelectionBatches(moved, 7, torch.Generator().manual_seed(0), augmented=True)
    seen = [next(batches) for _ in range(2)] + [next(batches.whole()) for _ in range(3)]
    for batch in seen:
        assert sorted(batch.images.amax((1, 2, 3)).tolist()) == list(range(100, 107))
        assert batch.labels.tolist() == [int(n) % 2 for n in batch.images.amax((1, 2, 3))]
        assert (batch.images == 0).any(), "no image was moved"
    assert len({batch.images.numpy().tobytes() for batch in seen}) == 5


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "ImageNet16-120", "digits"])
def test_halves_are_those_of_the_training_images_whatever_the_dataset(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ImageSet(name, 2, numbered(7, 0), {"valid": numbered(4, 50)}, (0.0,), (1.0,), shift=4, flip=True)
    monkeypatch.setattr(module, "load_images", lambda asked, root, *, verify: {name: whole}[asked])
    data = load_search_data(name, Path("data"), CPU, verify=True, halves=True)
    assert data.name == name
    assert numbers(data.train.train.images.permute(0, 3, 1, 2)) == [0, 1, 2]
    assert numbers(data.valid.train.images.permute(0, 3, 1, 2)) == [3, 4, 5, 6]
    assert data.valid.train.labels.tolist() == [1, 0, 1, 0]
