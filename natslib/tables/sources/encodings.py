"""How tables write architectures, and their official indices; a cell that can be read in two ways is refused."""

import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.errors import BadSource, ConfigError, UnknownArchitecture, shown
from natslib.spaces import TOPOLOGY, Space
from natslib.spaces.topology import from_naslib
from natslib.tables.sources.cells import is_missing, texts

ENCODINGS = ("index", "code", "naslib", "names")
_NUMBER = re.compile(r"\d{1,10}(\.\d{0,40})?([eE]\+?\d{1,2})?")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}\.000")
_TUPLE = re.compile(r"[(\[]?\s*(\d{1,4}(?:\s*,\s*\d{1,4}|\s+\d{1,4})*)\s*,?\s*[)\]]?")
_Parse = Callable[[str], int]


def indices(
    columns: list[pd.Series], encoding: str | None, space: Space, where: str
) -> npt.NDArray[np.int64]:
    """Return the official index of every row, (rows,); raises `BadSource` with the row, or `ConfigError`.

    `columns` is one column, or one a position in official order. Without `encoding`, a single column holds official
    strings or official indices.
    """
    if encoding == "naslib" and space is not TOPOLOGY:
        raise ConfigError(f"{where}: encoding 'naslib' belongs to the space tss, not to {space.name}")
    if len(columns) > 1:
        return _from_positions(columns, encoding, space, where)
    if encoding == "names":
        raise ConfigError(
            f"{where}: encoding 'names' needs one column a position under 'arch': {_order(space)}"
        )
    if encoding in ("code", "naslib"):
        return _each(
            columns[0], lambda text: _index_of_choices(_choices(text, space), encoding, space), where
        )
    _refuse_two_readings(columns[0], encoding, space, where)
    return _each(columns[0], lambda text: _index(text, encoding, space), where)


def _order(space: Space) -> str:
    return ", ".join(space.positions)


def _from_positions(
    columns: list[pd.Series], encoding: str | None, space: Space, where: str
) -> npt.NDArray[np.int64]:
    if len(columns) != len(space.positions):
        raise ConfigError(
            f"{where}: 'arch' lists {len(columns)} columns; the {space.title} space has {len(space.positions)} "
            f"positions, in this order: {_order(space)}"
        )
    if encoding not in ("code", "naslib", "names"):
        raise ConfigError(f"{where}: several columns under 'arch' need encoding: code, naslib or names")
    read = (lambda text: _name(text, space)) if encoding == "names" else (lambda text: _choice(text, space))
    codes = np.stack([_each(column, read, f"{where}: column {shown(column.name)}") for column in columns], -1)
    return space.indices(from_naslib(codes) if encoding == "naslib" else codes)


def _each(column: pd.Series, parse: _Parse, where: str) -> npt.NDArray[np.int64]:
    """Parse every different text of a column once; raises `BadSource` with the first row of one that is refused."""
    cells = texts(column)
    codes, different = pd.factorize(cells)
    parsed = np.empty(len(different), np.int64)
    for number, text in enumerate(different):
        try:
            if is_missing(text):
                raise ValueError("no architecture; every row needs one")
            parsed[number] = parse(text)
        except ValueError as error:
            row = int(np.flatnonzero(codes == number)[0]) + 1
            raise BadSource(f"{where}: row {row}: {error}") from None
    return parsed[codes]


def _index(text: str, encoding: str | None, space: Space) -> int:
    """Return the index that a text names as official string or whole number."""
    if (number := _whole(text)) is not None:
        try:
            return space.index(number)
        except UnknownArchitecture as error:
            raise ValueError(f"{error}; where these are codes, write encoding: code") from None
    if encoding == "index":
        raise ValueError(f"{shown(text)} is no whole number, as encoding: index says")
    if _TUPLE.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is a tuple; say whose order it is, encoding: code or encoding: naslib"
        )
    try:
        return space.index(text)
    except UnknownArchitecture as error:
        raise ValueError(f"{error}; or official indices, whole numbers from 0 to {len(space) - 1}") from None


def _whole(text: str) -> int | None:
    """Return the whole number that 12, 12.0 or 1.2e+01 is; None for any other text."""
    number = float(text) if _NUMBER.fullmatch(text) else np.nan
    return int(number) if number.is_integer() else None


def _refuse_two_readings(column: pd.Series, encoding: str | None, space: Space, where: str) -> None:
    """Refuse digits that may be codes as well as indices, and 1.000, which may be one as well as a thousand."""
    cells, length = texts(column), len(space.positions)
    if encoding is None and (zero := np.flatnonzero(cells.str.fullmatch(r"0\d{1,9}"))).size:
        _refuse_digits(cells.iloc[zero[0]], int(zero[0]), space, where)
    codes = rf"[0-{len(space.choices) - 1}]{{{length}}}"
    if encoding is None and len(cells) and cells.str.fullmatch(codes).all():
        first = cells.iloc[0]
        if int(first) < len(space):
            _refuse_digits(first, 0, space, where)
    if (thousand := np.flatnonzero(cells.str.fullmatch(_THOUSANDS.pattern))).size:
        row = int(thousand[0])
        raise BadSource(
            f"{where}: row {row + 1}: {shown(cells.iloc[row])} may be {cells.iloc[row][:-4]} or a number of thousands; "
            "write indices as whole numbers"
        )


def _refuse_digits(text: str, row: int, space: Space, where: str) -> None:
    try:
        code = tuple(_choices(text, space))
        other = f"the code {code}, which is index {space.index(code)}"
    except ValueError:
        other = f"a code cut short or too long (codes have {len(space.positions)} digits)"
    raise BadSource(
        f"{where}: row {row + 1}: {shown(text)} may be the official index {int(text)} or {other}; "
        "say which in the mapping, encoding: index or encoding: code"
    )


def _choices(text: str, space: Space) -> list[int]:
    """Return the numbers of '(3, 3, 1, 3, 1, 1)', '[3 3 1 3 1 1]' or '331311'."""
    length = len(space.positions)
    if re.fullmatch(r"\d+", text) and length > 1:
        if len(text) != length or len(space.choices) > 10:
            raise ValueError(
                f"{shown(text)} has {len(text)} digits where {length} are needed; were leading zeros lost?"
            )
        return list(map(int, text))
    match = _TUPLE.fullmatch(text)
    if match is None:
        raise ValueError(f"{shown(text)} is no code; write (3, 3, 1, ...) or one digit a position")
    return [int(number) for number in re.findall(r"\d+", match[1])]


def _index_of_choices(choices: list[int], encoding: str, space: Space) -> int:
    return space.index(tuple(from_naslib(choices).tolist() if encoding == "naslib" else choices))


def _choice(text: str, space: Space) -> int:
    number = _whole(text)
    if number is None or number >= len(space.choices):
        raise ValueError(f"{shown(text)} is no choice; allowed are 0 to {len(space.choices) - 1}")
    return number


def _name(text: str, space: Space) -> int:
    number = _whole(text)
    name = text if number is None else str(number)
    if name not in space.choices:
        raise ValueError(f"{shown(text)} is no choice; allowed are {', '.join(space.choices)}")
    return space.choices.index(name)
