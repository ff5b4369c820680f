"""Plain arrays in `.npz` files, read without trusting them: no objects, and no more than the memory holds."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from natslib.errors import BadSource, shown

K = TypeVar("K", bound=tuple[str, ...])


def memory() -> int:
    """Return this machine's memory in bytes, without end where it is not known."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 2**62


def read_npz(path: Path, key: Callable[[str], K | None]) -> dict[K, np.ndarray]:
    """Return the arrays of an `.npz` by what `key` makes of their names; those of which it makes None are not opened.

    Raises `BadSource` for what is no such file, and where two arrays have one key.
    """
    try:
        with zipfile.ZipFile(path) as packed:  # `np.load` alone would also take a lone array
            size = sum(member.file_size for member in packed.infolist())
        if size > memory():
            raise BadSource(f"{path} unpacks to {size:,} bytes, more than this machine's memory")
        found: dict[K, np.ndarray] = {}
        with np.load(path, allow_pickle=False) as arrays:
            for name in arrays.files:
                if (kept := key(name)) is None:
                    continue
                if kept in found:
                    raise BadSource(f"{path} has the {' '.join(kept)} twice; the second is {shown(name)}")
                found[kept] = arrays[name]
                if not isinstance(found[kept], np.ndarray):  # bytes of something else
                    raise ValueError(f"{name} is no array")
    except BadSource:
        raise
    except Exception as error:  # whatever readers make of damaged bytes
        hint = "; objects are not read, save numbers or text" if "allow_pickle" in str(error) else ""
        raise BadSource(f"{path} is not an .npz of plain arrays: {error!s:.200}{hint}") from error
    return found
