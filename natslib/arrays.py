"""Plain arrays in `.npz` files, read without trusting them: no objects, and no more than the memory holds."""

import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np

from natslib.errors import BadSource

K = TypeVar("K")


def memory() -> int:
    """Return this machine's memory in bytes, without end where it is not known."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 2**62


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever readers make of damaged bytes into `BadSource`."""
    try:
        yield
    except BadSource:
        raise
    except Exception as error:
        hint = "; objects are not read, save numbers or text" if "allow_pickle" in str(error) else ""
        raise BadSource(f"{path} is not an .npz of plain arrays: {error!s:.200}{hint}") from error


def array_names(path: Path) -> list[str]:
    """Return the names of the arrays of an `.npz`; raises `BadSource` for what is none, or larger than the memory."""
    with reading(path):
        with zipfile.ZipFile(path) as packed:  # `np.load` alone would also take a lone array
            size = sum(member.file_size for member in packed.infolist())
        if size > memory():
            raise BadSource(f"{path} unpacks to {size:,} bytes, more than this machine's memory")
        with np.load(path, allow_pickle=False) as arrays:
            return list(arrays.files)


def read_arrays(path: Path, names: Mapping[K, str]) -> dict[K, np.ndarray]:
    """Return the arrays of these names; others are not opened. Raises `BadSource`."""
    with reading(path), np.load(path, allow_pickle=False) as arrays:
        found = {key: arrays[name] for key, name in names.items()}
        if strange := [names[key] for key, array in found.items() if not isinstance(array, np.ndarray)]:
            raise ValueError(f"{strange[0]} is no array")  # bytes of something else
    return found
