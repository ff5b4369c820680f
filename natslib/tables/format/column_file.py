"""A Parquet file of a table: asked by several threads at once, after a fork, and checked against its checksums."""

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from natslib.errors import BadSource, NatslibError
from natslib.files import check_plain
from natslib.tables.format.buffers import to_numpy

_Remake = tuple[Callable[..., Any], tuple[Any, ...]]
_END = 8  # bytes after a footer: its length and the magic word


@contextlib.contextmanager
def reading(name: object) -> Iterator[None]:
    """Turn what a damaged file makes its readers raise into `BadSource` with the file's name."""
    try:
        yield
    except NatslibError:
        raise
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        OverflowError,
        RecursionError,
        pa.ArrowException,
    ) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadSource(f"{name}: cannot be read, it is damaged or altered ({reason:.300})") from None


class ColumnFile:
    """The bytes of a Parquet file, mapped, and its footer; each page read is compared with its checksum.

    Arrow's readers are not to be shared, so each thread has one of its own.
    """

    def __init__(self, name: str, data: pa.Buffer, remake: _Remake | None = None):
        self.name = name
        self._data = data
        self._remake = remake or (ColumnFile, (name, data))
        self._of_thread = threading.local()
        with reading(name):
            self.metadata: pq.FileMetaData = pq.read_metadata(pa.BufferReader(data))
            self.schema: pa.Schema = self.metadata.schema.to_arrow_schema()

    @classmethod
    def open(cls, path: Path, footer_sha256: str) -> "ColumnFile":
        """Open a file whose footer must have that SHA-256; raises `BadSource` where it is another or damaged.

        The footer tells where every page lies and which values it reaches over, so that an exchanged file is noticed
        without reading it.
        """
        check_plain(path)
        with reading(path):
            data = pa.memory_map(str(path)).read_buffer()
            if footer_digest(data) != footer_sha256:
                raise BadSource(
                    f"{path}: not the file that the manifest tells of, it is damaged or was exchanged; "
                    "`natslib info --verify` names all such files; convert the source again"
                )
        return cls(str(path), data, (ColumnFile.open, (path, footer_sha256)))

    def __reduce__(self) -> _Remake:
        return self._remake

    def read(self, columns: Sequence[str] | None = None, row_group: int | None = None) -> pa.Table:
        """Return columns (None: all) of one row group or of all; raises `BadSource` where they are damaged."""
        with reading(self.name):
            names = None if columns is None else list(columns)
            if row_group is None:
                return self._reader().read(names, use_threads=False)
            return self._reader().read_row_group(row_group, names, use_threads=False)

    def _reader(self) -> pq.ParquetFile:
        if not hasattr(self._of_thread, "reader"):
            self._of_thread.reader = pq.ParquetFile(
                pa.BufferReader(self._data), metadata=self.metadata, page_checksum_verification=True
            )
        reader: pq.ParquetFile = self._of_thread.reader
        return reader

    def by_arch(self, columns: Sequence[str], row_group: int, stop: int) -> tuple[np.ndarray, pa.Table]:
        """Return the architecture indices of one row group, (rows,), and its columns.

        Raises `BadSource` where an index is not below `stop`, or stands twice.
        """
        rows = self.read(["arch_index", *columns], row_group)
        with reading(self.name):
            index = to_numpy(rows["arch_index"])
            if len(index) and not 0 <= index.min() <= index.max() < stop:
                raise ValueError(f"architecture indices from {index.min()} to {index.max()}")
            if (np.diff(index) <= 0).any() and len(np.unique(index)) < len(index):
                raise ValueError("an architecture that stands twice")
        return index, rows

    def statistics(self, row_group: int, column: str) -> Any:
        """Return Parquet's statistics (`min`, `max`, ...) of a flat column, None where there are none."""
        at = self.schema.get_field_index(column)
        return self.metadata.row_group(row_group).column(at).statistics if at >= 0 else None


def footer_digest(data: pa.Buffer) -> str:
    """Return the hex SHA-256 of a Parquet file's footer; raises `ValueError` where there is none."""
    length = int.from_bytes(data.slice(max(0, data.size - _END)).to_pybytes()[:4], "little")
    if not 0 < length <= data.size - _END:
        raise ValueError("no footer of a Parquet file")
    return hashlib.sha256(data.slice(data.size - _END - length)).hexdigest()
