"""Arrays of images and labels in an `.npz` file, by any convention that can be read in one way only."""

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from natslib.errors import BadSource, shown
from natslib.training.pictures import memory

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "val", "validation"), "valid"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_KINDS = {
    **dict.fromkeys(("images", "x", "data"), "images"),
    **dict.fromkeys(("labels", "y", "targets"), "labels"),
    "domains": "domains",
}
_ALLOWED_KEYS = (
    "train_images and train_labels (or x_train, y_train), and valid_ or test_ (or val_, ...) alike"
)
Arrays = dict[str, np.ndarray]


class Stored(NamedTuple):
    """What an `.npz` holds by split: images, labels, and the environment of each image where it says so."""

    images: Arrays
    labels: Arrays
    domains: Arrays


def read_npz(path: Path, *, with_target: bool = False) -> Stored:
    """Return uint8 images (n, side, side, channels) and labels of every split of an `.npz` file.

    Of a file with `train_domains`, the images to test on are opened only `with_target`. Raises `BadSource`.
    """
    stored = Stored({}, {}, {})
    names = _names(path)
    left = {("test", "images")} if ("train", "domains") in names and not with_target else set()
    for (split, kind), array in _arrays(path, {key: names[key] for key in names if key not in left}).items():
        getattr(stored, kind)[split] = array
    pictured, labelled = ({split for split, kind in names if kind == each} for each in ("images", "labels"))
    if alone := pictured ^ labelled:
        split = min(alone)
        has, lacks = ("images", "labels") if split in pictured else ("labels", "images")
        raise BadSource(f"{path}, {split}: {has} without {lacks}; needed are {_ALLOWED_KEYS}")
    images = {
        split: _channels_last(f"{path}, {split}", array, stored.labels[split])
        for split, array in stored.images.items()
    }
    return stored._replace(images=_as_bytes(path, images))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn whatever readers make of damaged bytes into `BadSource`."""
    try:
        yield
    except BadSource:
        raise
    except Exception as error:
        hint = "; objects are not read, save numbers or text" if "allow_pickle" in str(error) else ""
        raise BadSource(f"{path} is not an .npz of plain arrays: {error!s:.200}{hint}") from error


def _names(path: Path) -> dict[tuple[str, str], str]:
    """Return the names of the arrays of an `.npz` by split and kind ('images', 'labels', 'domains')."""
    with _reading(path):
        with zipfile.ZipFile(path) as packed:  # `np.load` alone would also take a lone array
            size = sum(member.file_size for member in packed.infolist())
        if size > memory():
            raise BadSource(f"{path} unpacks to {size:,} bytes, more than this machine's memory")
        found: dict[tuple[str, str], str] = {}
        with np.load(path, allow_pickle=False) as arrays:
            for name in arrays.files:
                if (key := _key(path, name)) is None:
                    continue
                if key in found:
                    raise BadSource(f"{path} has the {' '.join(key)} twice; the second is {shown(name)}")
                found[key] = name
    return found


def _arrays(path: Path, names: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], np.ndarray]:
    """Return the arrays of these names; others are not opened."""
    with _reading(path), np.load(path, allow_pickle=False) as arrays:
        found = {key: arrays[name] for key, name in names.items()}
        if strange := [names[key] for key, array in found.items() if not isinstance(array, np.ndarray)]:
            raise ValueError(f"{strange[0]} is no array")  # bytes of something else
    return found


def target_shape(path: Path) -> tuple[int, ...]:
    """Return the shape of the images to test on, as the head of their array says; no pixel is read."""
    name = _names(path)["test", "images"]
    with _reading(path), zipfile.ZipFile(path) as packed, packed.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        return tuple(read(file)[0])


def _key(path: Path, name: str) -> tuple[str, str] | None:
    """Return split and kind of an array's name, None for what is neither images nor labels; raises `BadSource`."""
    words = name.casefold().split("_")
    kinds = [word for word in words if word in _KINDS]
    if not kinds:
        return None
    others = [word for word in words if word not in _KINDS]
    if kinds == ["domains"] and (len(others) != 1 or others[0] not in SPLIT_NAMES):
        return None
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
