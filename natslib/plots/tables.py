"""Tables as figures: measured values beside printed ones, coloured by how well they agree; and plain rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from natslib.analysis.printed import EVIDENCE
from natslib.plots.figure import new_mosaic
from natslib.plots.palette import AGREEMENT_COLOURS, GREY, title_of
from natslib.plots.texts import as_text

_MEANING = {
    "agrees": "agrees: within half a printed std",
    "near": "within one printed std",
    "apart": "farther apart",
}
_UNSURE: dict[str, Any] = {"color": "#8c8c8c", "fontstyle": "italic"}  # a remembered number: never a target
_MARKS = {"agrees": "", "near": " !", "apart": " !!", "": ""}
GAP = 2.2  # characters between two columns of text


def agreement_figure(rows: pd.DataFrame) -> Figure:
    """Return a figure of `draw_agreement` with all its columns."""
    columns = list(dict.fromkeys(rows["column"]))
    size = (max(5.0, 1.05 * len(columns) + 1.5), 0.5 * rows["method"].nunique() + 0.8)
    fig, axes = new_mosaic("T", size)
    draw_agreement(axes["T"], rows, columns)
    return fig


def compared_with(rows: pd.DataFrame, printed: str) -> str:
    """Return the words for a figure's caption: what `printed` is, or that nothing printed compares."""
    if rows["printed_mean"].isna().all():
        return "nothing printed to compare with"
    unsure = "; remembered: not checked, no target" if (rows["evidence"] == "remembered").any() else ""
    return f"second lines: {printed}{unsure}"


def agreement_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what `draw_agreement` shows as texts, a row a method and a column each of `column`.

    A text is 'measured; printed (evidence); difference', or what was measured alone; empty without a row.
    """
    named = rows.assign(
        method=rows["method"].map(title_of), text=[_beside(row) for row in rows.to_dict("records")]
    )
    wide = named.pivot_table(index="method", columns="column", values="text", aggfunc="first", sort=False)
    return wide.fillna("").reset_index().rename_axis(columns=None)


def _beside(row: dict) -> str:
    measured = number(row["mean"], row["std"])
    if np.isnan(row["printed_mean"]):
        return measured
    printed = number(row["printed_mean"], row["printed_std"])
    return f"{measured}; {printed} ({row['evidence']}); {_points(row['difference'])}"


def _points(difference: float) -> str:
    return f"{round(difference, 2) + 0.0:+.2f}"  # + 0.0: no -0.00


def explain_evidence(evidence: pd.Series) -> str:
    """Return what the marks of `EVIDENCE` mean, those that occur, for the caption of a figure."""
    words = {
        "quoted": "q: quoted in a later paper",
        "recomputed": "c: recomputed",
        "remembered": "?: remembered, unchecked",
    }
    return ", ".join(text for kind, text in words.items() if (evidence == kind).any())


def draw_agreement(ax: Axes, rows: pd.DataFrame, columns: Sequence[str]) -> None:
    """Draw one cell a method and column: measured, printed with its evidence, difference.

    `rows` has the columns of `multi_trial.beside_printed`, and a `column`, one of `columns`; methods stand in the order
    of the rows. Colour and exclamation marks tell the agreement; a remembered number stands apart, in grey italics, and
    agrees with nothing; a cell without a row says that it is not in the source.
    """
    methods = list(dict.fromkeys(rows["method"]))
    ax.set_axis_off()
    ax.set(xlim=(-0.75, len(columns)), ylim=(len(methods) + 0.35, -0.5))
    held = {(row["method"], row["column"]): row for row in rows.to_dict("records")}
    for x, column in enumerate(columns):
        ax.text(x + 0.5, -0.12, column, ha="center", va="bottom", fontsize=7.5, fontweight="bold")
    for y, method in enumerate(methods):
        ax.text(-0.08, y + 0.5, title_of(method), ha="right", va="center", fontsize=8)
        for x, column in enumerate(columns):
            _draw_cell(ax, x, y, held.get((method, column)))
    if rows["printed_mean"].isna().all():
        return
    handles = [Patch(facecolor=AGREEMENT_COLOURS[key], edgecolor=GREY, linewidth=0.4, label=f"{text}{_MARKS[key]}")
               for key, text in _MEANING.items()]  # fmt: skip
    ax.legend(handles=handles, loc="lower center", ncols=3, bbox_to_anchor=(0.5, -0.03), fontsize=6.5)


def _draw_cell(ax: Axes, x: int, y: int, row: dict | None) -> None:
    colour = AGREEMENT_COLOURS[row["agreement"] if row else ""]
    ax.add_patch(Rectangle((x, y), 1, 1, facecolor=colour, edgecolor="white", linewidth=1.5))
    small: dict[str, Any] = {"fontsize": 6, "color": "#404040"}
    texts: list[tuple[float, str, dict[str, Any]]]
    if row is None:
        texts = [(0.5, "not in this source", small)]
    elif np.isnan(row["printed_mean"]):
        texts = [(0.5, number(row["mean"], row["std"]), {"fontsize": 7.5})]
    else:
        texts = [
            (0.3, number(row["mean"], row["std"]), {"fontsize": 7.5}),
            (0.57, f"{row['evidence']} {number(row['printed_mean'], row['printed_std'])}", small),
            (0.8, f"{_points(row['difference'])}{_MARKS[row['agreement']]}", small),
        ]
        if row["evidence"] == "remembered":
            texts[1:] = [(height, text, style | _UNSURE) for height, text, style in texts[1:]]
    for height, text, style in texts:
        ax.text(x + 0.5, y + height, text, ha="center", va="center", **style)


def number(mean: float, std: float) -> str:
    """Return 'mean±std' with two decimals, the mean alone where there is no deviation."""
    return f"{mean:.2f}" if np.isnan(std) else f"{mean:.2f}±{std:.2f}"


def rows_figure(rows: pd.DataFrame, title: str) -> Figure:
    """Return a figure of `draw_rows`, wide enough for its columns."""
    width = 0.063 * sum(_widths(_texts(rows))) + 0.2
    fig, axes = new_mosaic("T", (width, 0.2 * (len(rows) + rows.columns.nlevels) + 0.4))
    draw_rows(axes["T"], rows)
    axes["T"].set_title(title, loc="left")
    return fig


def draw_rows(ax: Axes, rows: pd.DataFrame) -> None:
    """Draw the rows as text: numbers on the right of their column, a dash for what is missing.

    The first column groups the rows: it is written once a group, with a line above. Of two levels of column names the
    first groups the columns, with a heading over them. A remembered number (`EVIDENCE`) is in grey italics.
    """
    texts, count = _texts(rows), len(rows)
    right = np.cumsum(_widths(texts))
    ax.set_axis_off()
    ax.set(xlim=(0, right[-1]), ylim=(count + 0.1, -0.1 - rows.columns.nlevels))
    for x, width, (name, column) in zip(right, _widths(texts), texts.items(), strict=True):
        numeric = pd.api.types.is_numeric_dtype(rows[name])
        place: dict[str, Any] = {"x": x - GAP if numeric else x - width, "ha": "right" if numeric else "left"}
        ax.text(y=-0.5, s=_name(name), va="center", fontsize=7, fontweight="bold", **place)
        for y, text in enumerate(column):
            unsure = _UNSURE if text.endswith(EVIDENCE["remembered"]) else {}
            ax.text(y=y + 0.5, s=text, va="center", fontsize=7.5, **place, **unsure)
    groups = np.flatnonzero(texts.iloc[:, 0] != "")
    ax.hlines([*groups, count], 0, right[-1], color=GREY, linewidth=0.5)
    if rows.columns.nlevels > 1:
        _draw_headings(ax, list(rows.columns.get_level_values(0)), [0.0, *right])


def _draw_headings(ax: Axes, headings: list[str], edges: list[float]) -> None:
    """Draw each heading that is not empty over its columns, which lie between `edges`."""
    for heading in dict.fromkeys(filter(None, headings)):
        first, last = headings.index(heading), len(headings) - headings[::-1].index(heading)
        ax.text(edges[first], -1.6, heading, va="center", fontsize=7.5)
        ax.hlines(-1.1, edges[first], edges[last] - GAP, color=GREY, linewidth=0.8)


def _name(column: Any) -> str:
    return str(column[-1] if isinstance(column, tuple) else column)


def _texts(rows: pd.DataFrame) -> pd.DataFrame:
    texts = rows.map(as_text)
    first = texts.columns[0]
    texts[first] = texts[first].where(texts[first] != texts[first].shift(), "")
    return texts


def _widths(texts: pd.DataFrame) -> list[float]:
    """Return the width of every column in characters, with room between two."""
    return [max(1.1 * len(_name(name)), *map(len, column)) + GAP for name, column in texts.items()]
