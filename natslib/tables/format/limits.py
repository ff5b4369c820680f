"""How much a Parquet file may hold: its footer says it, and a few hundred bytes can stand for billions of rows."""

from pathlib import Path

import pyarrow.parquet as pq

from natslib.errors import BadSource
from natslib.files import check_plain
from natslib.tables.format.column_file import reading

VALUES = 2**24
"""Values of a column in one row group: ten thousand epochs of more architectures than a file of curves holds."""
BYTES = 2**30
"""Bytes of a row group's columns together, uncompressed."""


def check_parquet(path: Path, rows: int) -> None:
    """Raise `BadSource` unless a Parquet file from anywhere can be read and has at most so many rows."""
    check_plain(path)
    with reading(path):
        meta = pq.read_metadata(path)
    check_size(meta, rows, str(path))


def check_size(meta: pq.FileMetaData, rows: int, name: str) -> None:
    """Raise `BadSource` where a footer tells of more rows than `rows` a row group, or of more than fits in memory."""
    lists = [at for at in range(meta.num_columns) if meta.schema.column(at).max_repetition_level]
    for group in map(meta.row_group, range(meta.num_row_groups)):
        if not 0 <= group.num_rows <= rows:
            raise BadSource(f"{name}: {group.num_rows:,} rows, where at most {rows:,} can be")
        if max((group.column(at).num_values for at in lists), default=0) > VALUES:
            raise BadSource(f"{name}: a column of more than {VALUES:,} values, more than any table has")
        if group.total_byte_size > BYTES:
            raise BadSource(f"{name}: more than {BYTES:,} bytes when unpacked, more than any table has")
