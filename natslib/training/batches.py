"""Pickled batches of images, of CIFAR and of the down-sampled ImageNet: read without building what they ask for.

Under the names of numpy lie stand-ins that make arrays of plain numbers from bytes, their number checked. Nothing but
such arrays, bytes, text, numbers, lists, tuples and dicts comes into being, whatever a file says.
"""

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

from natslib.errors import BadSource, shown
from natslib.tables.sources.unpickle import (
    DAMAGE,
    MAX_BYTES,
    Follower,
    StandIn,
    bounded_memory,
    instructions,
    load_whole,
)
from natslib.training.images import Split

_NUMBERS = ("b1", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8")
_INSTRUCTIONS = [
    "PROTO", "FRAME", "STOP", "MARK", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT", "GET", "BINGET",
    "LONG_BINGET", "EMPTY_DICT", "DICT", "SETITEM", "SETITEMS", "EMPTY_LIST", "LIST", "APPEND",
    "APPENDS", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "NONE", "NEWTRUE", "NEWFALSE",
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING",
    "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "UNICODE",
    "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD",
]  # fmt: skip


def _text(value: object) -> object:
    """Return what Python 2 wrote as bytes as the text that it means."""
    return value.decode("latin1") if isinstance(value, bytes) else value


def _array(raw: object, kind: object, shape: object, *, fortran: bool) -> np.ndarray:
    """Return the array of such a shape over the bytes `raw`, read-only; raises `BadSource` unless they fit."""
    if not isinstance(kind, _Kind) or not isinstance(raw, bytes):
        raise BadSource("an array of something other than plain numbers")
    if not isinstance(shape, tuple) or len(shape) > 4 or any(type(n) is not int or n < 0 for n in shape):
        raise BadSource("an array whose shape is not up to four whole numbers from 0 on")
    if len(raw) != (needed := math.prod(shape) * kind.dtype.itemsize):
        raise BadSource(f"an array of {len(raw):,} bytes whose shape needs {shown(needed)}")
    return np.frombuffer(raw, kind.dtype).reshape(shape, order="F" if fortran else "C")


class _Kind:
    """Stands in for numpy's dtype: a plain number of either byte order."""

    def __init__(self, code: object, align: object = False, copy: object = False):
        if (name := _text(code)) not in _NUMBERS:
            raise BadSource(f"an array of type {shown(name)}; allowed are {', '.join(_NUMBERS)}")
        self.code = str(name)
        self.dtype = np.dtype(self.code)

    def __setstate__(self, state: object) -> None:
        plain = isinstance(state, tuple) and len(state) == 8 and all(part is None for part in state[2:5])
        if not isinstance(state, tuple) or not plain or _text(state[1]) not in ("<", ">", "|", "="):
            raise BadSource("an array whose type has fields, parts or data of its own")
        self.dtype = np.dtype(f"{_text(state[1])}{self.code}")


class _Array:
    """Stands in for an array between its making and the setting of its content."""

    def __init__(self) -> None:
        self.content: np.ndarray | None = None

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise BadSource("an array with a state that is none")
        self.content = _array(state[4], state[2], state[1], fortran=state[3] is True or state[3] == 1)


class _ArrayClass(StandIn):
    """Stands in for the class of arrays, which no batch calls."""

    __slots__ = ()

    def __call__(self, *_: object) -> None:
        raise BadSource("it makes an array over memory of its choosing; nothing was executed")


_ARRAY_CLASS = _ArrayClass()


class _Reconstruct(StandIn):
    """Stands in for the function that makes an array to be filled."""

    __slots__ = ()

    def __call__(self, kind: object, shape: object, code: object) -> _Array:
        if kind is not _ARRAY_CLASS:
            raise BadSource("an array of a class of its own")
        return _Array()


class _FromBuffer(StandIn):
    """Stands in for the function that makes an array from bytes (protocol 5)."""

    __slots__ = ()

    def __call__(self, raw: object, kind: object, shape: object, order: object) -> _Array:
        array = _Array()
        array.content = _array(raw, kind, shape, fortran=order == "F")
        return array


class _Encode(StandIn):
    """Stands in for the function by which Python 3 writes bytes for Python 2."""

    __slots__ = ()

    def __call__(self, text: object, encoding: object) -> bytes:
        if type(text) is not str or encoding != "latin1":
            raise BadSource("text in an encoding other than latin1")
        return text.encode("latin1")


class _BatchReader(Follower):
    files = "batch of images"
    allowed = {
        ("_codecs", "encode"): _Encode(),
        ("numpy", "ndarray"): _ARRAY_CLASS,
        ("numpy", "dtype"): _Kind,
    } | {
        (f"numpy.{core}.{module}", name): stand_in
        for core in ("core", "_core")
        for module, name, stand_in in (
            ("multiarray", "_reconstruct", _Reconstruct()),
            ("numeric", "_frombuffer", _FromBuffer()),
        )
    }

    def load_bytearray8(self) -> None:
        self.append(self.read(int.from_bytes(self.read(8), "little")))  # type: ignore[attr-defined]


_BatchReader.dispatch = instructions(_BatchReader, _INSTRUCTIONS)


def _reader(stream: io.BytesIO) -> _BatchReader:
    return _BatchReader(stream, encoding="bytes")


def open_batch(path: Path) -> dict[bytes, Any]:
    """Return the dict of a pickled batch, keys as bytes; raises `BadSource` when it is damaged or holds code.

    What is an array there is one here, read-only.
    """
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise BadSource(f"{size:,} bytes, more than any batch of images")
        with bounded_memory():
            batch = load_whole(_reader, path.read_bytes())
    except BadSource as error:
        raise BadSource(f"{path} is refused: {error}") from None
    except DAMAGE as error:
        reason = f"{type(error).__name__}: {error!s:.120}"
        raise BadSource(f"{path} is not a pickled batch of images ({reason})") from None
    if not isinstance(batch, dict):
        raise BadSource(f"{path} holds a {type(batch).__name__}; allowed is a dict of images and labels")
    return {
        key.encode("utf-8", "replace") if isinstance(key, str) else key: value.content
        if isinstance(value, _Array)
        else value
        for key, value in batch.items()
    }


def read_batches(paths: list[Path], side: int, label_key: bytes) -> Split:
    """Return the images and labels of pickled batches, in their order; raises `BadSource` naming the file."""
    images, labels = [], []
    for path in paths:
        batch = open_batch(path)
        if b"data" not in batch or label_key not in batch:
            raise BadSource(f"{path} has no {b'data'!r} or no {label_key!r}")
        labels.append(_labels(path, batch[label_key]))
        data, allowed = batch[b"data"], (len(labels[-1]), 3 * side * side)
        if not isinstance(data, np.ndarray) or data.dtype != np.uint8:
            kind = data.dtype if isinstance(data, np.ndarray) else type(data).__name__
            raise BadSource(f"{path} has images of the type {kind}; allowed is an array of uint8")
        if data.shape != allowed:
            raise BadSource(f"{path} has images of the shape {data.shape}; allowed is {allowed}")
        images.append(data.reshape(-1, 3, side, side).transpose(0, 2, 3, 1))
    return Split(torch.from_numpy(np.concatenate(images)), torch.from_numpy(np.concatenate(labels)))


def _labels(path: Path, labels: object) -> np.ndarray:
    """Return labels as int64 (n,); raises `BadSource` for anything but a list or an array of whole numbers."""
    if isinstance(labels, list) and set(map(type, labels)) <= {int} and all(0 <= n < 2**31 for n in labels):
        return np.array(labels, np.int64)
    if isinstance(labels, np.ndarray) and labels.ndim == 1 and labels.dtype.kind in "iu":
        return labels.astype(np.int64)
    raise BadSource(f"{path} has labels that are no list of whole numbers from 0 on")
