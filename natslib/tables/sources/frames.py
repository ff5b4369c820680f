"""Files that hold a table (CSV and its kin, JSON lines, Parquet, Arrow) as data frames; no cell is changed."""

import codecs
import csv
import io
import lzma
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from natslib.errors import BadSource, ConfigError, shown
from natslib.tables.format.limits import VALUES, check_parquet
from natslib.tables.sources.mapping import SEPARATORS

TEXT, LINES, PACKED = (".csv", ".tsv", ".txt"), (".jsonl", ".ndjson"), (".gz", ".bz2", ".xz", ".zst")
COLUMNS = (".parquet", ".pq", ".feather", ".arrow")
READ = (*TEXT, *LINES, *COLUMNS)
_CODE = "opening it runs code that its author chose; where you trust it, write df.to_parquet('table.parquet')"
_SHEET = "save the sheet as CSV (UTF-8)"
_ARRAY = "write its columns with pandas, df.to_parquet('table.parquet')"
_REFUSED = {
    **dict.fromkeys((".pkl", ".pickle", ".joblib", ".pt", ".pth"), _CODE),
    **dict.fromkeys((".xlsx", ".xls", ".ods"), _SHEET),
    **dict.fromkeys((".npy", ".npz", ".mat", ".h5", ".hdf5", ".db", ".sqlite", ".rds"), _ARRAY),
    ".json": "write one record a line, df.to_json('table.jsonl', orient='records', lines=True)",
    ".zip": "unpack it first",
}
MAX_BYTES = 4 * 2**30
_SHOWN = 30  # column names in a message


@dataclass(frozen=True)
class Sheet:
    """One file: the rows of the columns that were asked for, the names of all, and what stands between them in text."""

    path: Path
    frame: pd.DataFrame
    names: list[str]
    separator: str | None


def kind(path: Path) -> str:
    """Return the suffix that says how a file is read, in lower case; '' for what holds no table.

    Raises `BadSource` with the way out for kinds of files that hold tables but are not read.
    """
    packed, suffix = path.suffix.lower() in PACKED, suffix_of(path)
    if suffix in _REFUSED:
        raise BadSource(f"{path}: {suffix} is not read; {_REFUSED[suffix]}")
    if packed and suffix in COLUMNS:
        raise BadSource(f"{path}: {suffix} is not read packed; unpack it first")
    return suffix if suffix in READ else ""


def suffix_of(path: Path) -> str:
    """Return the suffix of a file's name in lower case, that of what is packed for a packed file; '' for none."""
    packed = path.suffix.lower() in PACKED
    return (path.with_suffix("") if packed else path).suffix.lower()


def read_sheet(path: Path, wanted: Sequence[str] | None, separator: str | None = None) -> Sheet:
    """Read the columns `wanted` (None: all); those of text files stay text.

    Raises `BadSource` for a file that is not whole and plain, `ConfigError` for a column that it does not have.
    """
    if not path.is_file():
        raise BadSource(f"{path}: no such file")
    suffix = kind(path)
    if not suffix:
        raise BadSource(f"{path}: not a table; read are {', '.join(READ)}, text also as {', '.join(PACKED)}")
    try:
        table, names, found = _read(path, suffix, wanted, separator)
        return Sheet(path, _pandas(table), names, found)
    except ConfigError:
        raise
    except (OSError, EOFError, ValueError, pa.ArrowException, lzma.LZMAError) as error:
        raise BadSource(f"{path}: not a readable {suffix[1:]} table ({error!s:.300})") from None


def _read(
    path: Path, suffix: str, wanted: Sequence[str] | None, separator: str | None
) -> tuple[pa.Table, list[str], str | None]:
    if suffix in TEXT:
        return _delimited(path, _utf8(_bytes(path)), wanted, separator)
    if suffix in LINES:
        table = pa.json.read_json(io.BytesIO(_utf8(_bytes(path))))
        return table.select(_present(path, table.column_names, wanted)), table.column_names, None
    if suffix in (".parquet", ".pq"):
        check_parquet(path, VALUES)
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            return file.read(columns=_present(path, names, wanted)), names, None
    with pa.ipc.open_file(path) as file:
        names = file.schema.names
        return file.read_all().select(_present(path, names, wanted)), names, None


def _present(path: Path, names: list[str], wanted: Sequence[str] | None) -> list[str]:
    """Return the columns to read; raises `BadSource` where a name stands twice, `ConfigError` where one is missing."""
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BadSource(f"{path}: column {shown(twice[0])} stands twice; rename or remove one")
    if missing := [name for name in wanted or () if name not in names]:
        more = f", ... ({len(names)} columns)" if len(names) > _SHOWN else ""
        raise ConfigError(
            f"no column {shown(missing[0])} in {path.name}; it has {', '.join(names[:_SHOWN])}{more}"
        )
    return list(wanted) if wanted is not None else names


def _bytes(path: Path) -> bytes:
    suffix = path.suffix.lower()
    packing = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}.get(suffix)
    with lzma.open(path) if suffix == ".xz" else pa.input_stream(path, packing) as stream:
        data: bytes = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes of text; write it as Parquet")
    return data


def _utf8(data: bytes) -> bytes:
    """Return text as UTF-8 that ends with a line; raises `ValueError` for codes that would have to be guessed."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.decode("utf-16").encode()
    data = data.removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n")
    if not data.strip():
        raise ValueError("it is empty")
    if b"\0" in data:
        raise ValueError(
            "it holds bytes of zero, so it is no text, or text in another code; save it as UTF-8"
        )
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"line {line} is not UTF-8: Latin-1, or another code that is not guessed; save it as UTF-8"
        ) from None
    return data + b"\n"


def _delimited(
    path: Path, data: bytes, wanted: Sequence[str] | None, separator: str | None
) -> tuple[pa.Table, list[str], str]:
    first, _, rest = data.partition(b"\n")
    if told := re.fullmatch(rb"sep=(.)\r?", first):  # a line that spreadsheets write and read
        separator, data = separator or told[1].decode(), rest
    header = re.split(rb"[\r\n]", data, maxsplit=1)[0].decode()
    separator = separator or _separator(path, header, wanted)
    names = _names(header, separator)
    columns = _present(path, names, wanted)
    if data.count(b'"') % 2:
        raise ValueError("a quote is opened and never closed, or one within a cell is not doubled")
    ragged: list[pa.csv.InvalidRow] = []

    def refuse(row: pa.csv.InvalidRow) -> str:
        ragged.append(row)
        return "error"

    try:
        table = pa.csv.read_csv(
            io.BytesIO(data),
            pa.csv.ReadOptions(
                use_threads=False, block_size=min(len(data) + 1, 2**30), column_names=names, skip_rows=1
            ),
            pa.csv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=refuse),
            pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), include_columns=columns),
        )
    except pa.ArrowInvalid:
        if not ragged:
            raise
        row = ragged[0]
        raise ValueError(
            f"row {row.number - 1} has {row.actual_columns} cells where the header has {row.expected_columns}; a cell "
            f"that holds {separator!r} needs quotes"
        ) from None
    return table, names, separator


def _names(header: str, separator: str) -> list[str]:
    """Return the column names of a header line; those without one are called as pandas calls them."""
    cells = next(csv.reader([header], delimiter=separator))
    return [cell.strip() or f"Unnamed: {place}" for place, cell in enumerate(cells)]


def _separator(path: Path, header: str, wanted: Sequence[str] | None) -> str:
    """Return the one separator that the header line shows, or under which it has all `wanted` columns."""
    shown_there = [sign for sign in SEPARATORS if len(_names(header, sign)) > 1]
    if len(shown_there) > 1:
        fitting = [sign for sign in shown_there if set(wanted or ()) <= set(_names(header, sign))]
        shown_there = fitting if wanted and fitting else shown_there
    if len(shown_there) > 1:
        raise ConfigError(
            f"{path}: the header may be separated by {' or '.join(map(repr, shown_there))}; say it in the mapping, "
            f"separator: {shown_there[0]!r}"
        )
    return shown_there[0] if shown_there else ","


def _pandas(table: pa.Table) -> pd.DataFrame:
    """Return a table as a frame, text as text also where it was stored as categories."""
    table.validate(full=True)  # among others, text that is no UTF-8
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            column = table.column(place).cast(field.type.value_type)
            table = table.set_column(place, field.name, column)
    return table.to_pandas(ignore_metadata=True)
