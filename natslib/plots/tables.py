"""Tables as figures: measured values beside printed ones, coloured by how well they agree; and plain rows."""

import functools
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Patch, Rectangle
from matplotlib.textpath import text_to_path

from natslib.analysis.multi_trial import OTHERWISE
from natslib.analysis.printed import EVIDENCE
from natslib.plots.figure import ONE_COLUMN, TWO_COLUMNS, new_mosaic
from natslib.plots.palette import AGREEMENT_COLOURS, BLACK, GREY, title_of
from natslib.plots.texts import NOTHING, as_text

_MEANING = {
    "agrees": "agrees: within half a printed std",
    "near": "within one printed std",
    "apart": "farther apart",
    OTHERWISE: "another protocol, not judged",
}
_UNSURE: dict[str, Any] = {"color": "#8c8c8c", "fontstyle": "italic"}  # a remembered number: never a target
_MARKS = {"agrees": "", "near": " !", "apart": " !!", OTHERWISE: "", "": ""}
GAP_IN, LINE_IN, PAD_IN = (
    0.14,
    0.125,
    0.045,
)  # between two columns; the height of a line, and above and below a row
TEXT_SIZES = (7.5, 7.0, 6.5)  # points; the largest with which a table fits the page
_HEADINGS = 72  # characters of the largest size that fit side by side over the cells of a page
LEAST_CHARACTERS = 16  # of a line of a text that is broken
EDGE_IN = 0.1  # of the page that is not the table's


def agreement_figure(rows: pd.DataFrame) -> Figure:
    """Return a figure of `draw_agreement` with all its columns."""
    columns = list(dict.fromkeys(rows["column"]))
    height_in = 0.42 * rows["method"].nunique() + 0.8
    fig, axes = new_mosaic("T", height_in, width_in=ONE_COLUMN if len(columns) < 3 else TWO_COLUMNS)
    draw_agreement(axes["T"], rows, columns)
    return fig


def compared_with(rows: pd.DataFrame, printed: str) -> str:
    """Return the words for a figure's caption: whose the printed numbers are, or that nothing printed compares."""
    if rows["printed_mean"].isna().all():
        return "What searches find here; nothing printed compares"
    known = explain_evidence(rows["evidence"])
    how = "coloured by how well they agree"
    if (rows["agreement"] == OTHERWISE).any():
        how += ", those that searches found by other rules than the paper's not judged"
    return f"Below each number {printed} and the difference, {how}{known and f'; {known}'}"


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
    """Draw one cell a method and column: measured, printed with the mark of its evidence, difference.

    `rows` has the columns of `multi_trial.beside_printed`, and a `column`, one of `columns`; methods stand in the order
    of the rows. Colour and exclamation marks tell the agreement; a remembered number stands apart, in grey italics, and
    agrees with nothing; a cell without a row says that it is not in the source.
    """
    methods = list(dict.fromkeys(rows["method"]))
    ax.set_axis_off()
    ax.set(xlim=(-0.75, len(columns)), ylim=(len(methods) + 0.35, -0.5))
    held = {(row["method"], row["column"]): row for row in rows.to_dict("records")}
    widest = max(len(line) for column in columns for line in column.split("\n"))
    size = TEXT_SIZES[0] if widest * len(columns) < _HEADINGS else TEXT_SIZES[-1]
    for x, column in enumerate(columns):
        ax.text(x + 0.5, -0.12, column, ha="center", va="bottom", fontsize=size, fontweight="bold")
    for y, method in enumerate(methods):
        ax.text(-0.08, y + 0.5, title_of(method), ha="right", va="center", fontsize=8)
        for x, column in enumerate(columns):
            _draw_cell(ax, x, y, held.get((method, column)))
    if (rows["agreement"] == "").all():
        return
    handles = [Patch(facecolor=AGREEMENT_COLOURS[key], edgecolor=GREY, linewidth=0.4, label=f"{text}{_MARKS[key]}")
               for key, text in _MEANING.items() if (rows["agreement"] == key).any()]  # fmt: skip
    ax.legend(
        handles=handles,
        loc="upper center",
        ncols=4 if len(columns) > 2 else 1,
        bbox_to_anchor=(0.5, 0.02),
        fontsize=6.5,
    )


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
            (0.57, number(row["printed_mean"], row["printed_std"]) + EVIDENCE[row["evidence"]], small),
            (0.8, f"{_points(row['difference'])}{_MARKS[row['agreement']]}", small),
        ]
        if row["evidence"] == "remembered":
            texts[1:] = [(height, text, style | _UNSURE) for height, text, style in texts[1:]]
    for height, text, style in texts:
        ax.text(x + 0.5, y + height, text, ha="center", va="center", **style)


def number(mean: float, std: float) -> str:
    """Return 'mean±std' with two decimals, the mean alone where there is no deviation."""
    return f"{mean:.2f}" if np.isnan(std) else f"{mean:.2f}±{std:.2f}"


def rows_figure(rows: pd.DataFrame) -> Figure:
    """Return a figure of the rows as text: numbers on the right of their column, a dash for what is missing.

    The first column groups the rows: it is written once a group. Of two levels of column names the first groups the
    columns, with a heading over them; groups that do not fit on the page side by side stand below one another, with the
    columns before the first group repeated, and without the rows that have nothing there. A text that is too long for
    the page is broken into lines. A remembered number (`EVIDENCE`) is in grey italics.
    """
    narrow = _width_in(rows, TEXT_SIZES[-1]) <= ONE_COLUMN - EDGE_IN
    page = ONE_COLUMN if narrow else TWO_COLUMNS
    room = page - EDGE_IN
    if _width_in(rows, TEXT_SIZES[-1]) > room:
        rows = rows.set_axis(_short_names(rows), axis="columns")
    size = next((each for each in TEXT_SIZES if _width_in(rows, each) <= room), TEXT_SIZES[-1])
    blocks = [_broken(block, size, room) for block in _blocks(rows, size, room)]
    heights = [_heights(block) for block in blocks]
    fig, axes = new_mosaic("T", sum(map(sum, heights)) + LINE_IN * len(blocks), width_in=page)
    ax = axes["T"]
    ax.set_axis_off()
    ax.set(xlim=(0, room), ylim=(sum(map(sum, heights)) + LINE_IN * (len(blocks) - 1), 0))
    top = 0.0
    for block, high in zip(blocks, heights, strict=True):
        _draw_rows(ax, block, size, top, high)
        top += sum(high) + LINE_IN
    return fig


def _draw_rows(ax: Axes, rows: pd.DataFrame, size: float, top: float, heights: list[float]) -> None:
    """Draw rows as text from `top` down; `heights` of the heading and of each row; all in inches."""
    edges = np.append(0.0, np.cumsum(_widths_in(rows, size)))
    middles = top + np.cumsum(heights) - np.array(heights) / 2
    for x, end, (name, column) in zip(edges[:-1], edges[1:], rows.items(), strict=True):
        numeric = column.str.fullmatch(r"[-+−–]?[0-9.,]*(e[-+]?[0-9]+)?").all()
        place: dict[str, Any] = {"x": end - GAP_IN if numeric else x, "ha": "right" if numeric else "left"}
        place |= {"fontsize": size, "linespacing": 1.15}
        ax.text(y=top + heights[0] - 1.5 * PAD_IN, s=_name(name), va="baseline", fontweight="bold", **place)
        for y, text in zip(middles[1:], _once(rows, name), strict=True):
            unsure = _UNSURE if text.endswith(EVIDENCE["remembered"]) else {}
            ax.text(y=y, s=text, va="center_baseline", **place, **unsure)
    last = edges[-1] - GAP_IN
    for y, width in ((top, 0.8), (top + heights[0], 0.5), (top + sum(heights), 0.8)):
        ax.hlines(y, 0, last, color=BLACK, linewidth=width, clip_on=False)
    for heading, first, end in _groups(rows):
        ax.text(edges[first], top + PAD_IN, heading, va="top", fontsize=size)
        y = top + PAD_IN + 1.1 * LINE_IN
        ax.hlines(y, edges[first], edges[end] - GAP_IN, color=GREY, linewidth=0.4)


def _blocks(rows: pd.DataFrame, size: float, room: float) -> list[pd.DataFrame]:
    """Return the rows as text, in parts of their columns of which each fits side by side."""
    texts = rows.map(as_text)
    if rows.columns.nlevels == 1 or _width_in(rows, size) <= room:
        return [texts]
    headings = list(rows.columns.get_level_values(0))
    lead = next(place for place, heading in enumerate(headings) if heading)
    blocks: list[list[int]] = []
    for heading in dict.fromkeys(headings[lead:]):
        own = [place for place in range(lead, len(headings)) if headings[place] == heading]
        wider = [*(blocks[-1] if blocks else range(lead)), *own]
        if blocks and _width_in(rows.iloc[:, wider], size) <= room:
            blocks[-1] = wider
        else:
            blocks.append([*range(lead), *own])
    parts = [texts.iloc[:, each] for each in blocks]
    return [part[(part.iloc[:, lead:] != NOTHING).any(axis=1)] for part in parts]


def _broken(texts: pd.DataFrame, size: float, room: float) -> pd.DataFrame:
    """Return texts with line breaks in the longest columns, as many as it takes to fit."""
    texts = texts.copy()
    limits = [max(len(line) for text in column for line in text.split("\n")) for _, column in texts.items()]
    while _width_in(texts, size) > room and max(limits) > LEAST_CHARACTERS:
        place = int(np.argmax(limits))
        limits[place] -= 1
        lines = [textwrap.fill(text, limits[place]) for text in texts.iloc[:, place]]
        texts.isetitem(place, lines)
    return texts


def _short_names(rows: pd.DataFrame) -> pd.Index:
    """Return the names of the columns, broken into lines where they are wider than what stands below them."""
    names = []
    for name, column in rows.map(as_text).items():
        widest = max(4, *map(len, column))
        names.append(textwrap.fill(_name(name), widest, break_long_words=False))
    if rows.columns.nlevels == 1:
        return pd.Index(names)
    return pd.MultiIndex.from_arrays([rows.columns.get_level_values(0), names])


def _heights(texts: pd.DataFrame) -> list[float]:
    """Return the heights in inches of the heading and of each row."""
    heading = max(_name(name).count("\n") + 1 for name in texts) + 1.5 * (texts.columns.nlevels - 1)
    lines = [heading, *(max(text.count("\n") for text in row) + 1 for row in texts.to_numpy())]
    return [LINE_IN * count + PAD_IN for count in lines]


def _name(column: Any) -> str:
    return str(column[-1] if isinstance(column, tuple) else column)


def _once(texts: pd.DataFrame, name: Any) -> pd.Series:
    """Return a column; the first one with every text that stands above already left empty."""
    column = texts[name]
    return column.where(column != column.shift(), "") if name == texts.columns[0] else column


def _width_in(rows: pd.DataFrame, size: float) -> float:
    return sum(_widths_in(rows.map(as_text), size)) - GAP_IN


def _widths_in(texts: pd.DataFrame, size: float) -> list[float]:
    """Return the width of every column in inches, with room between two; a group's is at least its heading's."""
    plain, bold = (FontProperties(size=size, weight=weight) for weight in ("normal", "bold"))
    widths = [
        max(_text_in(_name(name), bold), *(_text_in(text, plain) for text in column)) + GAP_IN
        for name, column in texts.items()
    ]
    for heading, first, end in _groups(texts):
        widths[end - 1] += max(0.0, _text_in(heading, plain) + GAP_IN - sum(widths[first:end]))
    return widths


def _groups(texts: pd.DataFrame) -> Iterator[tuple[str, int, int]]:
    """Yield each heading over columns that is not empty, its first column and the end of its columns."""
    headings = list(texts.columns.get_level_values(0)) if texts.columns.nlevels > 1 else []
    for heading in dict.fromkeys(filter(None, headings)):
        yield heading, headings.index(heading), len(headings) - headings[::-1].index(heading)


@functools.cache
def _text_in(text: str, font: FontProperties) -> float:
    return (
        max(text_to_path.get_text_width_height_descent(line, font, False)[0] for line in text.split("\n"))
        / 72
    )
