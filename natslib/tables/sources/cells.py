"""The cells of somebody's table: what is missing, what is text, what is a number; nothing is guessed from the rest."""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.errors import BadSource, shown

MISSING = ("", "NA", "NaN", "nan")
_DECIMALS_OR_THOUSANDS = r"[+-]?[1-9]\d{0,2}(?:,\d{3})+"  # such as 12,345
_WITH_COMMA = r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?"
_NUMBER = {
    sign: rf"[+-]?(?:\d+(?:{re.escape(sign)}\d*)?|{re.escape(sign)}\d+)(?:[eE][+-]?\d+)?|[+-]?inf(?:inity)?"
    for sign in ".,"
}


def is_missing(text: str) -> bool:
    """Return whether a cell says that nothing was measured."""
    return text in MISSING


def is_text(column: pd.Series) -> bool:
    """Return whether a column holds text, and not numbers, truth values or dates."""
    return isinstance(column.dtype, pd.StringDtype)


def texts(column: pd.Series) -> pd.Series:
    """Return a column as text without blanks around it: 12.0 of a column of numbers is '12.0', a list '(1, 2)'."""
    if is_text(column):
        return column.fillna("").str.strip()
    if column.dtype.kind in "iu":
        return column.astype("str")
    return column.map(_text).astype("str")


def _text(cell: Any) -> str:
    if isinstance(cell, list | tuple | np.ndarray):
        return str(tuple(number.item() if isinstance(number, np.generic) else number for number in cell))
    return "" if cell is None or cell is pd.NA or cell != cell else str(cell).strip()


def labels(column: pd.Series, key: str, where: str) -> npt.NDArray[np.object_]:
    """Return the cells of a column that tells rows apart, whole numbers without '.0'; raises `BadSource` if empty."""
    cells = texts(column).str.replace(r"^(\d+)\.0*$", r"\1", regex=True)
    if (empty := np.flatnonzero(cells.isin(MISSING))).size:
        raise BadSource(
            f"{where}: row {empty[0] + 1} has no {key} in column {shown(column.name)}; every row needs one"
        )
    return cells.to_numpy(dtype=object)


def decimal_sign(columns: Iterable[tuple[pd.Series, bool]], where: str) -> str:
    """Return '.' or ',' as the numbers themselves show it; raises `BadSource` where 12,345 may be either.

    Each column comes with whether its values end at 100, so that 91,607 cannot be thousands.
    """
    commas, doubtful = False, None
    for column, to_100 in columns:
        cells = texts(column)
        either = cells.str.fullmatch(_DECIMALS_OR_THOUSANDS) & (not to_100)
        commas = commas or bool((cells.str.fullmatch(_WITH_COMMA) & ~either).any())
        if doubtful is None and (rows := np.flatnonzero(either)).size:
            doubtful = f"column {shown(column.name)}: {shown(cells.iloc[rows[0]])} in row {rows[0] + 1}"
    if doubtful and not commas:
        raise BadSource(
            f"{where}: {doubtful} may have a decimal comma or a separator of thousands; write decimal: ',' in the "
            "mapping, or the numbers without separators of thousands"
        )
    return "," if commas else "."


def numbers(column: pd.Series, decimal: str, where: str) -> pd.Series:
    """Return a column of text as float64, NaN where nothing was measured; others as they are.

    Raises `BadSource` with the first row that holds something else.
    """
    if not is_text(column):
        if column.dtype == object and (truth := np.flatnonzero([type(cell) is bool for cell in column])).size:
            raise BadSource(_no_number(column, column.iloc[truth[0]], int(truth[0]), where))
        return column
    cells = texts(column)
    missing = cells.isin(MISSING)
    if (wrong := np.flatnonzero(~(missing | cells.str.fullmatch(_NUMBER[decimal], case=False)))).size:
        raise BadSource(_no_number(column, cells.iloc[wrong[0]], int(wrong[0]), where, decimal))
    plain = cells.where(~missing, "nan").str.replace(",", ".", regex=False)
    return pd.Series(plain.to_numpy(dtype=object).astype(np.float64), name=column.name)


def _no_number(column: pd.Series, cell: Any, row: int, where: str, decimal: str = ".") -> str:
    hint = "leave empty, NA or NaN what was not measured"
    if isinstance(cell, str) and re.fullmatch(r"[+-]?[\d.,]*\d", cell):
        other = "," if decimal == "." else "."
        hint = (
            f"its decimal sign is not {decimal!r}, which holds here; the mapping can say decimal: {other!r}"
        )
    said = f"{shown(cell)} in row {row + 1}; {hint}"
    return f"{where}: column {shown(column.name)} holds something other than numbers: {said}"


def whole_numbers(column: pd.Series, what: str, where: str) -> npt.NDArray[np.int64]:
    """Return a column of whole numbers from 0, such as epochs; raises `BadSource` with the first row of another."""
    cells = labels(column, what, where)
    wrong = np.flatnonzero([not re.fullmatch(r"\d{1,9}", cell) for cell in cells])
    if wrong.size:
        raise BadSource(f"{where}: row {wrong[0] + 1}: {what} {shown(cells[wrong[0]])} is no whole number")
    return cells.astype(np.int64)
