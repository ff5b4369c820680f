"""The benchmark's splits are the official ones, and its files are read as they are."""

import hashlib
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from natslib.errors import BadSource
from natslib.training.batches import read_batches
from natslib.training.images import Split
from natslib.training.paper_sets import (
    DataFile,
    cifar10_halves,
    first_classes,
    halves_of_test,
    imagenet16_120,
)


def test_the_halves_of_cifar10_are_the_official_ones() -> None:
    train, valid = cifar10_halves()
    assert train[:11] == [0, 5, 7, 11, 13, 15, 16, 17, 20, 24, 26]
    assert valid[:11] == [1, 2, 3, 4, 6, 8, 9, 10, 12, 14, 18]
    assert (train[111], valid[111], sum(train)) == (203, 242, 623_618_849)
    assert sorted(train + valid) == list(range(50_000))


def write_batch(path: Path, data: np.ndarray, labels: list[int]) -> Path:
    path.write_bytes(pickle.dumps({b"data": data, b"labels": labels}, protocol=2))
    return path


def test_batches_are_read_channel_first_and_in_order(tmp_path: Path) -> None:
    data = np.arange(2 * 12, dtype=np.uint8).reshape(2, 12)
    paths = [write_batch(tmp_path / name, data + 30 * i, [i, i]) for i, name in enumerate("ab")]
    split = read_batches(paths, 2, b"labels")
    assert split.labels.tolist() == [0, 0, 1, 1]
    assert split.images.shape == (4, 2, 2, 3)
    assert split.images[0, 0, 1].tolist() == [1, 5, 9]  # red, green, blue of the first row's second pixel
    assert split.images[3, 1, 0].tolist() == [44, 48, 52]


def test_batches_of_a_wrong_shape_or_without_labels_are_refused(tmp_path: Path) -> None:
    path = write_batch(tmp_path / "a", np.zeros((2, 11), np.uint8), [0, 1])
    with pytest.raises(BadSource, match=r"a has images of the shape \(2, 11\); allowed is \(2, 12\)"):
        read_batches([path], 2, b"labels")
    with pytest.raises(BadSource, match="a has no b'data' or no b'fine_labels'"):
        read_batches([path], 2, b"fine_labels")


def test_the_first_classes_of_imagenet_count_from_zero() -> None:
    split = Split(torch.zeros(4, 2, 2, 3, dtype=torch.uint8), torch.tensor([1, 120, 121, 1000]))
    assert first_classes(split, 120).labels.tolist() == [0, 119]


def split_file(root: Path, valid: list[int], test: list[int]) -> DataFile:
    content = {"xvalid": ["int", list(map(str, valid))], "xtest": ["int", list(map(str, test))]}
    (root / "split.txt").write_text(json.dumps(content))
    return DataFile("split.txt", hashlib.md5((root / "split.txt").read_bytes()).hexdigest(), None)


def test_a_test_set_is_halved_by_its_split_file(tmp_path: Path) -> None:
    whole = Split(torch.zeros(4, 2, 2, 3, dtype=torch.uint8), torch.arange(4))
    halves = halves_of_test(whole, split_file(tmp_path, [1, 2], [0, 3]), tmp_path, verify=True)
    assert {name: split.labels.tolist() for name, split in halves.items()} == {
        "valid": [1, 2],
        "test": [0, 3],
        "valtest": [0, 1, 2, 3],
    }
    with pytest.raises(BadSource, match=r"split\.txt does not split 4 test images in two"):
        halves_of_test(whole, split_file(tmp_path, [1, 2], [0, 2]), tmp_path, verify=True)


def test_imagenet_that_is_not_there_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"ImageNet16/train_data_batch_1 is missing .* image-net\.org"):
        imagenet16_120(tmp_path, verify=True)
