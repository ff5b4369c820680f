"""Own images by others' conventions: read in the one way that they can be, or refused naming what is allowed."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from natslib.errors import BadSource
from natslib.training.images import ImageSet
from natslib.training.own import own_images

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
PIXELS[:6].flat[:2] = 0, 255
LABELS = np.arange(12) % 3
ONE_HOT = np.eye(3)[LABELS]
Arrays = dict[str, np.ndarray]


def ours(images: np.ndarray = PIXELS, labels: np.ndarray = LABELS) -> Arrays:
    return {
        "train_images": images,
        "train_labels": labels,
        "test_images": images[:6],
        "test_labels": labels[:6],
    }


def named(x: str, y: str, train: str, test: str) -> Arrays:
    return {
        x.format(train): PIXELS,
        y.format(train): LABELS,
        x.format(test): PIXELS[:6],
        y.format(test): LABELS[:6],
    }


def read(folder: Path, arrays: Arrays) -> ImageSet:
    np.savez(folder / "mine.npz", **arrays)
    return own_images(folder / "mine.npz")


UNDERSTOOD = {
    "ours": ours(),
    "channels first": ours(PIXELS.transpose(0, 3, 1, 2)),
    "channels first in the test images": ours() | {"test_images": PIXELS[:6].transpose(0, 3, 1, 2)},
    "keras": named("x_{}", "y_{}", "train", "test"),
    "keras, large": named("X_{}", "Y_{}", "train", "test"),
    "split first": named("{}_x", "{}_y", "train", "test"),
    "data and targets": named("{}_data", "{}_targets", "training", "testing"),
    "capitals": named("{}_IMAGES", "{}_Labels", "Train", "TEST"),
    "other arrays beside": ours() | {"class_names": np.array(["a", "b", "c"]), "ids": np.arange(12)},
    "labels from 1": ours(labels=LABELS + 1),
    "labels in a column": ours(labels=LABELS[:, None]),
    "labels of one byte": ours(labels=LABELS.astype(np.uint8)),
    "labels of two kinds": ours() | {"test_labels": LABELS[:6].astype(np.uint64)},
    "one-hot rows": ours(labels=ONE_HOT),
    "one-hot rows of integers": ours(labels=ONE_HOT.astype(np.int32)),
    "one-hot to train on alone": ours(labels=ONE_HOT) | {"test_labels": LABELS[:6]},
    "text": ours(labels=np.array(["ant", "bee", "cat"])[LABELS]),
    "wide integers": ours(PIXELS.astype(np.int64)),
    "wide unsigned": ours(PIXELS.astype(np.uint16)),
    "floats to 255": ours(PIXELS.astype(np.float32)),
    "floats to 1": ours(PIXELS / 255),
    "short floats to 1": ours((PIXELS / 255).astype(np.float32)),
    "half floats to 1": ours((PIXELS / 255).astype(np.float16)),
    "big-endian": ours(PIXELS.astype(">u2"), LABELS.astype(">i4")),
    "Fortran order": ours(np.asfortranarray(PIXELS)),
}


@pytest.mark.parametrize("arrays", UNDERSTOOD.values(), ids=UNDERSTOOD.keys())
def test_one_reading_gives_the_same_image_set(tmp_path: Path, arrays: Arrays) -> None:
    data = read(tmp_path, arrays)
    assert torch.equal(data.train.images, torch.from_numpy(PIXELS))
    assert torch.equal(data.evaluations["test"].images, torch.from_numpy(PIXELS[:6]))
    assert data.train.labels.tolist() == LABELS.tolist()
    assert data.evaluations["test"].labels.tolist() == LABELS[:6].tolist()
    assert (data.classes, data.in_channels, data.resolution) == (3, 3, 8)


@pytest.mark.parametrize("name", ["val", "validation", "valid"])
def test_validation_images_have_several_names(tmp_path: Path, name: str) -> None:
    arrays = ours() | {f"x_{name}": PIXELS[6:], f"y_{name}": LABELS[6:]}
    assert sorted(read(tmp_path, arrays).evaluations) == ["test", "valid"]


def test_grey_images_have_one_channel_wherever_it_stands(tmp_path: Path) -> None:
    for grey in (PIXELS[..., 0], PIXELS[..., :1], PIXELS[:, None, ..., 0]):
        assert read(tmp_path, ours(grey)).train.images.shape == (12, 8, 8, 1)


REFUSED = {
    "a gap": (ours(labels=LABELS * 2), "go from 0 to 4, 3 of them; allowed are 0 to 2 or 1 to 3, with images of every"),
    "labels from 2": (ours(labels=LABELS + 2), "go from 2 to 4, 3 of them"),
    "negative labels": (ours(labels=LABELS - 1), "go from -1 to 1"),
    "numbered otherwise in the test images": (ours() | {"test_labels": LABELS[:6] + 1}, "test: class labels have 3"),
    "from 1 to train on alone": (ours(labels=LABELS + 1) | {"test_labels": LABELS[:6]}, "test: class labels have 0"),
    "one class": (ours(labels=LABELS * 0), "one class only; needed are images of every class, at least two"),
    "an empty one-hot column": (ours(labels=np.eye(4)[LABELS]), "images of 3 of 4 classes"),
    "another one-hot width": (ours(labels=ONE_HOT) | {"test_labels": np.eye(4)[LABELS[:6]]}, "3 of 4 classes"),
    "two labels an image": (ours(labels=np.ones((12, 2), int)), r"labels \(12, 2\) are no one-hot rows"),
    "soft labels": (ours(labels=ONE_HOT * 0.9 + 0.1 / 3), r"labels \(12, 3\) are no one-hot rows"),
    "labels that are not finite": (ours(labels=ONE_HOT * np.nan), "are no one-hot rows"),
    "float labels": (ours(labels=LABELS + 0.0), "float64 labels; allowed are whole numbers, text and one-hot rows"),
    "text and numbers": (
        ours(labels=np.array(["0", "1", "2"])[LABELS]) | {"test_labels": LABELS[:6]}, "number all alike",
    ),
    "objects": (ours(labels=LABELS.astype(object)), "objects are not read, save numbers or text"),
    "no split": ({"X": PIXELS, "y": LABELS}, "has the array 'X', which names no split; allowed are train_images"),
    "an unknown split": (ours() | {"extra_images": PIXELS}, "the array 'extra_images', which names no split"),
    "half a split": (ours() | {"train_images_2": PIXELS}, "the array 'train_images_2', which names no split"),
    "valid twice": (ours() | {"val_images": PIXELS, "valid_images": PIXELS}, "has the valid images twice"),
    "images without labels": (ours() | {"val_images": PIXELS}, "valid: images without labels"),
    "as many channels as pixels": (ours(PIXELS[..., :1].repeat(8, 3)), "any axis could be that of the channels"),
    "images last": (ours() | {"train_images": PIXELS.transpose(1, 2, 3, 0)}, r"images \(8, 8, 3, 12\) and labels"),
    "no squares": (ours(PIXELS[:, :4]), r"images \(12, 4, 8, 3\) and labels \(12,\); allowed are"),
    "a column of pixels": (ours(PIXELS[:, :, :1, 0]), r"images \(12, 8, 1\) and labels"),
    "flat images": (ours(PIXELS.reshape(12, -1)), r"images \(12, 192\) and labels"),
    "another size to test on": (ours() | {"test_images": PIXELS[:6, :4, :4]}, "the side as in training"),
    "another number of channels": (ours() | {"test_images": PIXELS[:6, ..., :1]}, "the side as in training"),
    "normalised": (ours((PIXELS / 127.5 - 1).astype(np.float32)), "train -1 to 1, test -1 to 1; allowed are 0 to 255"),
    "16 bits": (ours(PIXELS.astype(np.uint16) * 257), "to 65535.*; allowed are 0 to 255 in all splits"),
    "fractions to 255": (ours(PIXELS * 0.97), r"no whole numbers, .* round them yourself: \(images\)\.round\(\)"),
    "fractions to 1": (ours(PIXELS / 260), r"nor 255ths of them; .*: \(images \* 255\)\.round\(\)\.astype\('uint8'\)"),
    "two scales": (ours(PIXELS / 255.0) | {"test_images": PIXELS[:6] * 1.0}, "train 0 to 1, test 0 to 255; allowed"),
    "two types": (ours() | {"test_images": PIXELS[:6] / 255}, "images of type float64 and uint8; allowed is uint8"),
    "not a number": (ours(np.where(PIXELS > 9, PIXELS, np.nan)), "train nan to nan"),
    "infinite": (ours(np.where(PIXELS > 9, PIXELS, np.inf)), "to inf"),
    "complex": (ours(PIXELS * 1j), "images of type complex128; allowed is uint8"),
    "true and false": (ours(PIXELS > 99), "images of type bool; allowed is uint8"),
}  # fmt: skip


@pytest.mark.parametrize(("arrays", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_two_readings_are_refused(tmp_path: Path, arrays: Arrays, message: str) -> None:
    with pytest.raises(BadSource, match=message):
        read(tmp_path, arrays)


def npy(header: bytes, content: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


@pytest.mark.parametrize(
    "content",
    [
        npy(b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000, 8, 8, 3)}\n"),
        npy(b"{'descr': '|u1', 'fortran_order': False, 'shape': (-5, 8, 8, 3)}\n"),
        npy(b"{'descr': '|O', 'fortran_order': False, 'shape': (12,)}\n", b"cos\nsystem\n(S'true'\ntR."),
        npy(b"{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (12,)}\n", bytes(96)),
        npy(b"__import__('os').system('true')\n"),
        npy(b"(" * 2000),
        npy(b"{'descr': '|u1', 'fortran_order': False, 'shape': (12, 8, 8, 3)}\n", b"short"),
        b"\x93NUMPY\x63\x00",
        b"",
    ],
    ids=["huge", "negative", "objects", "fields", "a call", "brackets", "short", "version", "empty"],
)
def test_an_impossible_array_is_refused(tmp_path: Path, content: bytes) -> None:
    np.savez(
        tmp_path / "mine.npz", **{name: array for name, array in ours().items() if name != "train_images"}
    )
    with zipfile.ZipFile(tmp_path / "mine.npz", "a") as packed:
        packed.writestr("train_images.npy", content)
    with pytest.raises(BadSource, match=r"mine\.npz"):
        own_images(tmp_path / "mine.npz")


def test_a_file_that_unpacks_beyond_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "mine.npz", **ours(np.zeros((12, 512, 512, 3), np.uint8)))
    monkeypatch.setattr("natslib.training.npz.memory", lambda: 2**20)
    with pytest.raises(BadSource, match=r"unpacks to 14,.* bytes, more than this machine's memory"):
        own_images(tmp_path / "mine.npz")


def test_any_damaged_byte_ends_in_words_or_changes_nothing(tmp_path: Path) -> None:
    stream, rng = io.BytesIO(), np.random.default_rng(1)
    np.savez_compressed(stream, **ours(PIXELS[:, ::2, ::2]))
    whole = stream.getvalue()
    for at in rng.integers(0, len(whole), 150).tolist():
        spoilt = bytearray(whole)
        spoilt[at] ^= 1 << int(rng.integers(8))
        (tmp_path / "mine.npz").write_bytes(spoilt)
        try:
            data = own_images(tmp_path / "mine.npz")
        except BadSource:
            continue
        assert torch.equal(data.train.images, torch.from_numpy(PIXELS[:, ::2, ::2].copy()))
        assert data.train.labels.tolist() == LABELS.tolist()


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "mine.npz")
    with pytest.raises(BadSource, match="is no file and no folder"):
        own_images(tmp_path / "mine.npz")
