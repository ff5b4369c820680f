"""Sizes, fonts and the texts that every figure carries."""

import textwrap
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "legend.title_fontsize": 7,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.5,
    "legend.fontsize": 7,
    "legend.edgecolor": "none",
    "legend.fancybox": False,
    "legend.framealpha": 0.85,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
}

FOOT_IN = 0.26


def use_style() -> None:
    """Set the project's fonts, sizes and lines for every figure made from here on."""
    mpl.rcParams.update(STYLE)


def new_figure(
    rows: int, columns: int, *, panel_in: tuple[float, float] = (2.4, 2.2), foot_lines: int = 1
) -> tuple[Figure, np.ndarray]:
    """Return a figure and its (rows, columns) array of axes; `panel_in` is the width and height of one panel in inches.

    Room for `foot_lines` lines of source text is kept below the panels.
    """
    foot_in = _foot_in(foot_lines)
    width, height = columns * panel_in[0], rows * panel_in[1] + foot_in
    layout = ConstrainedLayoutEngine(rect=_above_foot(foot_in, height), wspace=0.04, hspace=0.04)
    fig = Figure(figsize=(width, height), layout=layout)
    axes = fig.subplots(rows, columns, squeeze=False)
    return fig, axes


def write_source(fig: Figure, *parts: str) -> None:
    """Write at the foot of the figure, in small lines, what names its source: the parts that are not empty.

    A figure without room for all lines becomes higher.
    """
    text = "\u00a0· ".join(part for part in parts if part)  # no line begins with the dot
    lines = textwrap.wrap(text, int(fig.get_figwidth() * 19))
    _keep_room(fig, len(lines))
    fig.text(0.01, 0.008, "\n".join(lines), fontsize=6, color="#5f5f5f", ha="left", va="bottom")


def _keep_room(fig: Figure, lines: int) -> None:
    engine, (width, height) = fig.get_layout_engine(), fig.get_size_inches()
    if not isinstance(engine, ConstrainedLayoutEngine):
        return
    room_in = engine.get()["rect"][1] * height
    more_in = _foot_in(lines) - room_in
    if more_in > 0:
        fig.set_size_inches(width, height + more_in)
        engine.set(rect=_above_foot(room_in + more_in, height + more_in))


def draw_absent(ax: Axes, text: str) -> None:
    """Say in words what a panel would show and its source lacks, in place of the panel."""
    ax.set_axis_off()
    ax.text(
        0.5,
        0.5,
        textwrap.fill(text, 34),
        transform=ax.transAxes,
        ha="center",
        va="center",
        fontsize=7.5,
        color="#5f5f5f",
    )


def new_mosaic(
    layout: str, size_in: tuple[float, float], *, foot_lines: int = 1
) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure and its named axes for a layout such as "AAB;CCC"; `size_in` excludes the foot's text."""
    foot_in = _foot_in(foot_lines)
    height = size_in[1] + foot_in
    engine = ConstrainedLayoutEngine(rect=_above_foot(foot_in, height))
    fig = Figure(figsize=(size_in[0], height), layout=engine)
    axes = fig.subplot_mosaic(layout)
    return fig, axes


def _foot_in(lines: int) -> float:
    return FOOT_IN + 0.13 * (lines - 1)


def _above_foot(foot_in: float, height_in: float) -> tuple[float, float, float, float]:
    foot = foot_in / height_in
    return 0.0, foot, 1.0, 1.0 - foot
