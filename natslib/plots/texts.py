"""The rows of a table as text: as a reader sees them, in a notebook, in Markdown and in LaTeX."""

import re
from typing import Any

import pandas as pd

NOTHING = "–"
"""What a table shows where it has no value."""
_LATEX = str.maketrans({"α": r"$\alpha$"})  # what LaTeX's fonts of text lack


def as_text(value: Any) -> str:
    """Return a cell of a table as it is shown: three digits of a fraction, thousands apart, a dash for nothing."""
    if pd.isna(value) or value == "":
        return NOTHING
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value) if isinstance(value, str) else f"{value:,}"


def span(values: pd.Series, pattern: str) -> str:
    """Return the least and the largest value in the pattern's form, '0.86 to 0.93'; one where both read alike."""
    return " to ".join(dict.fromkeys(pattern.format(value) for value in (values.min(), values.max())))


def show_table(rows: pd.DataFrame | pd.Series, **how: Any) -> None:
    """Show rows in a notebook: as a table, and with the same numbers as text, for terminals and for comparing.

    `how` is what pandas' `to_string` and `to_html` share, such as index=False. No text is cut short.
    """
    from IPython.display import display  # comes with the notebooks

    frame = rows if isinstance(rows, pd.DataFrame) else rows.to_frame(rows.name or "")
    if isinstance(rows, pd.Series) and not any([rows.name, *rows.index.names]):
        how = {"header": False} | how
    lines = frame.to_html(border=0, **how)
    html = re.sub(r"\n +(<t[dh][ >]|</tr>)", r"\1", lines)  # a line a row, so that a difference is a row
    display({"text/plain": rows.to_string(**how), "text/html": html}, raw=True)


def markdown(rows: pd.DataFrame) -> str:
    """Return a table in Markdown; of two levels of column names the first stands before the second."""
    texts = rows.map(_line)
    names = [_line(" ".join(filter(None, name)) if isinstance(name, tuple) else name) for name in rows]
    escaped = texts.set_axis(names, axis="columns").map(_escaped).rename(columns=_escaped)
    return escaped.to_markdown(index=False, disable_numparse=True) + "\n"


def latex(rows: pd.DataFrame) -> str:
    """Return a table as a LaTeX `tabular` with the rules of booktabs, special characters escaped.

    Of two levels of column names the first stands over the columns that share it.
    """
    texts = rows.map(_line).rename(columns=_line_or_empty)
    return texts.to_latex(index=False, escape=True, multicolumn_format="l").translate(_LATEX)


def _line(value: Any) -> str:
    """Return a cell as it is shown, on one line."""
    return " ".join(as_text(value).split())


def _line_or_empty(name: Any) -> str:
    return _line(name) if name else ""


def _escaped(text: str) -> str:
    return text.replace("|", r"\|")
