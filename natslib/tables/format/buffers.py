"""Columns from numpy to Arrow and back by their buffers.

pyarrow's own conversions import pandas where it is installed, which takes longer than a question or a worker's start.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def to_arrow(values: npt.NDArray[Any], kind: pa.DataType | None = None) -> pa.Array:
    """Return numbers, (n,), as a column of that type, by default their own; NaN stays what it is."""
    wanted = kind or pa.from_numpy_dtype(values.dtype)
    with np.errstate(over="ignore"):  # beyond single precision lies infinity
        flat = np.ascontiguousarray(values, wanted.to_pandas_dtype())
    return pa.Array.from_buffers(wanted, len(flat), [None, pa.py_buffer(flat)])


def texts(labels: Sequence[str]) -> pa.Array:
    """Return strings as a column."""
    encoded = [label.encode() for label in labels]
    ends = np.cumsum([0, *map(len, encoded)]).astype(np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(labels), buffers)


def to_numpy(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """Return a column of numbers, (n,), read-only where nothing had to be copied; raises as pyarrow does for others."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if array.null_count or not (pa.types.is_integer(array.type) or pa.types.is_floating(array.type)):
        return array.to_numpy(zero_copy_only=False)
    kind = np.dtype(array.type.to_pandas_dtype())
    data = array.buffers()[1]
    if data is None:
        return np.empty(0, kind)
    return np.frombuffer(data, kind, len(array), array.offset * kind.itemsize)
