"""Your own images: an `.npz` file or a folder of pictures, by any convention that can be read in one way only."""

from functools import partial
from pathlib import Path

import numpy as np
import torch

from natslib.arrays import read_npz
from natslib.errors import BadSource, shown
from natslib.training.images import ImageSet, Split
from natslib.training.pictures import read_folder

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "val", "validation"), "valid"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_KINDS = {
    **dict.fromkeys(("images", "x", "data"), "images"),
    **dict.fromkeys(("labels", "y", "targets"), "labels"),
}
_ALLOWED_KEYS = (
    "train_images and train_labels (or x_train, y_train), and valid_ or test_ (or val_, ...) alike"
)
Arrays = dict[str, np.ndarray]


def own_images(path: Path) -> ImageSet:
    """Return the image set in an `.npz` file or a folder; its name is the file's or folder's, without suffix.

    An `.npz` holds `train_images` (n, side, side, channels), (n, channels, side, side) or (n, side, side), and
    `train_labels`; likewise `valid_` and `test_`, of which one may be missing. A folder holds `train/CLASS/*.png` and
    so on, square pictures of one size. Training images are mirrored and shifted by up to an eighth of the side.
    Raises `BadSource` for whatever can be read in two ways.
    """
    if path.is_dir():
        try:
            images, labels = read_folder(path, SPLIT_NAMES)
        except OSError as error:
            raise BadSource(f"{path} cannot be read ({error.strerror or error})") from error
    elif path.is_file():
        images, labels = _npz(path)
    else:
        raise BadSource(
            f"{path} is no file and no folder; allowed are an .npz file and a folder with train/CLASS/*.png"
        )
    if "train" not in images or len(images) < 2:
        raise BadSource(f"{path} has the splits {sorted(images)}; needed are train and one of valid and test")
    classes, labels = _from_0(path, labels)
    parts = {
        split: Split(torch.from_numpy(images[split]), torch.from_numpy(labels[split])) for split in images
    }
    train = parts.pop("train")
    if (found := train.images.shape[1]) % 4:
        raise BadSource(
            f"{path} has images of {found} pixels; networks halve them twice: allowed are 4, 8, ..."
        )
    pixels = train.images.double()
    mean, std = pixels.mean(dim=(0, 1, 2)).tolist(), pixels.std(dim=(0, 1, 2)).clamp(min=1e-6).tolist()
    shift = train.images.shape[1] // 8
    return ImageSet(path.stem, classes, train, parts, tuple(mean), tuple(std), shift=shift, flip=True)


def _npz(path: Path) -> tuple[Arrays, Arrays]:
    """Return uint8 images (n, side, side, channels) and labels of every split of an `.npz` file."""
    found: dict[str, Arrays] = {"images": {}, "labels": {}}
    for (split, kind), array in read_npz(path, partial(_key, path)).items():
        found[kind][split] = array
    images, labels = found["images"], found["labels"]
    if alone := set(images) ^ set(labels):
        split = min(alone)
        has, lacks = ("images", "labels") if split in images else ("labels", "images")
        raise BadSource(f"{path}, {split}: {has} without {lacks}; needed are {_ALLOWED_KEYS}")
    for split, array in images.items():
        images[split] = _channels_last(f"{path}, {split}", array, labels[split])
    return _as_bytes(path, images), labels


def _key(path: Path, name: str) -> tuple[str, str] | None:
    """Return split and kind of an array's name, None for what is neither images nor labels; raises `BadSource`."""
    words = name.casefold().split("_")
    kinds = [word for word in words if word in _KINDS]
    if not kinds:
        return None
    others = [word for word in words if word not in _KINDS]
    if len(kinds) != 1 or len(others) != 1 or others[0] not in SPLIT_NAMES:
        raise BadSource(
            f"{path} has the array {shown(name)}, which names no split; allowed are {_ALLOWED_KEYS}"
        )
    return SPLIT_NAMES[others[0]], _KINDS[kinds[0]]


def _channels_last(where: str, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return images as (n, side, side, channels); raises `BadSource` unless one order of the axes alone fits."""
    last = images[..., None] if images.ndim == 3 else images
    fits = last.ndim == 4 and 0 not in last.shape and labels.shape[:1] == last.shape[:1]
    squares = [last.shape[a] == last.shape[a + 1] for a in range(1, images.ndim - 1)] if fits else [False]
    if not any(squares) or labels.ndim > 2:
        raise BadSource(
            f"{where}: images {images.shape} and labels {labels.shape}; allowed are (n, side, side, channels), "
            "(n, channels, side, side) or (n, side, side), and (n,), at least one"
        )
    if squares == [True, True]:
        raise BadSource(
            f"{where}: images {images.shape} have as many channels as pixels a side, and any axis could be that of the "
            "channels; allowed are other sizes"
        )
    return last if squares[0] else last.transpose(0, 2, 3, 1)


def _as_bytes(path: Path, images: Arrays) -> Arrays:
    """Return images as uint8: whole numbers from 0 to 255 as they are, and 255ths of 0 to 1; raises `BadSource`."""
    kinds = {array.dtype for array in images.values()}
    if len(kinds) > 1 or any(kind.kind not in "uif" for kind in kinds):
        raise BadSource(f"{path} has images of type {_listed(kinds)}; allowed is uint8 in every split")
    floats = any(kind.kind == "f" for kind in kinds)
    low = np.array([array.min() for array in images.values()], float)
    high = np.array([array.max() for array in images.values()], float)
    scale = 255 if floats and high.max() <= 1 else 1
    mixed = floats and scale == 1 and high.min() <= 1
    if mixed or not (low.min() >= 0 and high.max() <= 255):
        ranges = ", ".join(f"{name} {a:g} to {b:g}" for name, a, b in zip(images, low, high, strict=True))
        raise BadSource(
            f"{path} has pixels of {ranges}; allowed are 0 to 255 in all splits, or 0 to 1 in all: store them as they "
            "were before any normalisation, as uint8"
        )
    return {split: _rounded(path, array, scale) for split, array in images.items()}


def _listed(kinds: set[np.dtype]) -> str:
    return " and ".join(sorted(map(str, kinds)))


def _rounded(path: Path, array: np.ndarray, scale: int) -> np.ndarray:
    """Return pixels as uint8, in rows that lie behind one another; raises `BadSource` where they are none."""
    if array.dtype.kind == "f":
        scaled = array * np.float32(scale)
        whole = np.round(scaled)
        if not np.allclose(scaled, whole, atol=0.2 if array.dtype.itemsize == 2 else 1e-3, rtol=0):
            raise BadSource(
                f"{path} has {array.dtype} images that are no whole numbers, nor 255ths of them; round them yourself: "
                f"({'images' if scale == 1 else 'images * 255'}).round().astype('uint8')"
            )
        array = whole
    return np.ascontiguousarray(array, np.uint8)


def _from_0(path: Path, labels: Arrays) -> tuple[int, Arrays]:
    """Return the number of classes and labels int64 (n,) from 0; classes are those of the training images.

    Labels may be whole numbers from 0 or from 1 without a gap, one-hot rows, or text. Raises `BadSource`.
    """
    widths = {
        split: array.shape[1] for split, array in labels.items() if array.ndim == 2 and array.shape[1] > 1
    }
    flat = {split: _one_a_row(f"{path}, {split}", array) for split, array in labels.items()}
    names = np.unique(flat["train"])
    classes = len(names)
    if names.dtype.kind in "iu" and "train" not in widths:
        first = int(names[0])
        if first not in (0, 1) or int(names[-1]) != first + classes - 1:
            raise BadSource(
                f"{path}, train: class labels go from {first} to {names[-1]}, {classes} of them; allowed are 0 to "
                f"{classes - 1} or 1 to {classes}, with images of every class"
            )
    if any(width != classes for width in widths.values()) or classes < 2:
        held = f"{classes} of {max(widths.values())} classes" if widths else "one class only"
        raise BadSource(f"{path}, train: images of {held}; needed are images of every class, at least two")
    for split, array in flat.items():
        if array.dtype.kind != names.dtype.kind and {array.dtype.kind, names.dtype.kind} != {"i", "u"}:
            raise BadSource(
                f"{path}: {names.dtype} labels in train, {array.dtype} in {split}; number all alike"
            )
        if (strange := np.setdiff1d(array, names)).size:
            known = (
                f"{names[0]} to {names[-1]}" if names.dtype.kind in "iu" else ", ".join(map(str, names[:10]))
            )
            raise BadSource(
                f"{path}, {split}: class labels have {strange[0]}; allowed are {known}, as in train"
            )
    return classes, {split: np.searchsorted(names, array).astype(np.int64) for split, array in flat.items()}


def _one_a_row(where: str, labels: np.ndarray) -> np.ndarray:
    """Return labels (n,) of whole numbers or text; a column loses its axis, one-hot rows become their number."""
    if labels.ndim == 2 and labels.shape[1] > 1:
        if (
            labels.dtype.kind not in "biuf"
            or not (np.sort(labels, axis=1) == [0] * (labels.shape[1] - 1) + [1]).all()
        ):
            raise BadSource(
                f"{where}: labels {labels.shape} are no one-hot rows; allowed is one label an image"
            )
        return labels.argmax(axis=1)
    if labels.dtype.kind not in "iuU":
        raise BadSource(f"{where}: {labels.dtype} labels; allowed are whole numbers, text and one-hot rows")
    return labels.reshape(len(labels))
