"""Scores that somebody has given architectures: one column says which, the others are scores."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from natslib.errors import BadSource, ConfigError
from natslib.spaces import Space
from natslib.tables.sources.cells import decimal_sign, numbers, texts
from natslib.tables.sources.draft import found_arch
from natslib.tables.sources.encodings import indices
from natslib.tables.sources.frames import read_sheet

_NAMED = re.compile("arch|cell|net|index|idx|code", re.IGNORECASE)


def read_scores(
    path: Path,
    space: Space,
    *,
    arch: Sequence[str] = (),
    encoding: str | None = None,
    names: Sequence[str] = (),
) -> tuple[pd.DataFrame, list[str]]:
    """Return the scores, a row an architecture (index arch_index) and a column a score, and the columns left aside.

    `arch`: the column with architectures (official indices, strings, or by `encoding` codes), or one a position; left
    out, it is recognised. `names`: the columns that are scores; left out, all others that hold numbers, but for those
    that number the rows. Empty cells, NA and NaN are no score. Raises `BadSource` or `ConfigError` for what can be read
    in two ways, for an architecture that stands twice, and where there is no score.
    """
    sheet = read_sheet(path, None)
    if not len(sheet.frame):
        raise BadSource(f"{path}: not one row in it")
    columns, encoding = _architectures(path, sheet.frame, space, list(arch), encoding)
    index = indices([sheet.frame[name] for name in columns], encoding, space, str(path))
    again = pd.Series(index).duplicated()
    if again.any():
        second = int(np.flatnonzero(again)[0])
        first = int(np.flatnonzero(index == index[second])[0])
        raise BadSource(
            f"{path}: architecture {index[second]} stands twice: row {first + 1} and row {second + 1}"
        )
    if missing := [name for name in names if name not in sheet.names]:
        raise ConfigError(f"no column {missing[0]!r:.80} in {path.name}; it has {', '.join(sheet.names)}")
    asked = list(names) or [name for name in sheet.names if name and name not in columns]
    decimal = (
        "."
        if sheet.separator in (None, ",")
        else decimal_sign([(sheet.frame[n], False) for n in asked], str(path))
    )
    found, aside = {}, list[str]()
    for name in asked:
        try:
            found[name] = numbers(sheet.frame[name], decimal, str(path)).to_numpy(
                dtype=np.float64, na_value=np.nan
            )
        except BadSource:
            if names:
                raise
            aside.append(name)
    if not found:
        raise BadSource(f"{path}: no column of numbers beside {', '.join(columns)}, so no score")
    return pd.DataFrame(found, index=pd.Index(index, name="arch_index")), aside


def _architectures(
    path: Path, frame: pd.DataFrame, space: Space, arch: list[str], encoding: str | None
) -> tuple[list[str], str | None]:
    """Return the columns that say which architecture a row is of, and their encoding."""
    if missing := [name for name in arch if name not in frame.columns]:
        raise ConfigError(f"no column {missing[0]!r:.80} in {path.name}; it has {', '.join(frame.columns)}")
    if arch:
        return arch, encoding
    cells = {str(name): texts(frame[name]) for name in frame.columns}
    named = {name: column for name, column in cells.items() if _NAMED.search(name)}
    for some in (named, cells):  # 0,5 in a column of scores is no tuple where another column is called arch
        _, found, drafted = found_arch(some, {name: column.iloc[0] for name, column in some.items()})
        if found:
            break
    if not found:
        raise ConfigError(
            f"{path}: no column looks like architectures of {space.name} (official strings, or whole numbers in a "
            f"column called index, arch_index, ...); say which with --arch-column, of {', '.join(cells)}"
        )
    word, _, hint = drafted.partition("  # ")
    if encoding is None and "?" in word:
        raise ConfigError(f"{path}: column {found[0]!r} can be read in two ways; say --encoding: {hint}")
    return found, encoding or word or None
