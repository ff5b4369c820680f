"""Scatters over a whole space: thousands of points, drawn as one picture inside the vector file."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from natslib.plots.palette import BLACK, YELLOW

_MARKERS = {"by hand": ("*", 60, YELLOW, BLACK), "largest": ("X", 32, BLACK, "white")}
SIZE, ALPHA = 2.2, 0.25  # of a point, in square points, where there are thousands
MANY, LARGER = 5_000, 4.0  # fewer points than that are larger and darker, at most so many times


def draw_cost_scatter(ax: Axes, frame: pd.DataFrame, *, x: str, y: str, colour: str) -> None:
    """Draw accuracy (percent, column `y`) against cost (column `x`) of every architecture (NATS-Bench, figure 3)."""
    ax.scatter(frame[x], frame[y], color=colour, **points(len(frame[[x, y]].dropna())))


def points(count: int) -> dict[str, Any]:
    """Return how `count` points are drawn, so that a few hundred are seen as well as many thousands."""
    factor = min(LARGER, max(1.0, (MANY / max(count, 1)) ** 0.5))
    return {"s": SIZE * factor, "alpha": min(0.7, ALPHA * factor), "linewidths": 0, "rasterized": True}


def draw_landmarks(ax: Axes, frame: pd.DataFrame, marks: pd.DataFrame, *, x: str, y: str) -> None:
    """Mark architectures that the frame (index arch_index) holds; `marks` has columns arch_index, name, kind.

    Networks designed by hand get a star, the largest a cross.
    """
    held = marks[marks["arch_index"].isin(frame.index)]
    for kind, group in held.groupby("kind", sort=False):
        shape, size, colour, edge = _MARKERS[str(kind)]
        at, name = frame.loc[group["arch_index"]], group["name"].iloc[0]
        style: dict[str, Any] = {
            "marker": shape,
            "s": size,
            "color": colour,
            "edgecolors": edge,
            "linewidths": 0.7,
        }
        ax.scatter(at[x], at[y], zorder=5, label=name, **style)


def draw_rank_scatter(ax: Axes, frame: pd.DataFrame, *, x: str, y: str, colour: str) -> None:
    """Draw the ranks in column `y` against those in column `x`; on the dashed line they agree (figures 2, 4)."""
    last = float(frame[[x, y]].max().max())
    ax.scatter(frame[x], frame[y], color=colour, **points(len(frame)))
    ax.plot([1, last], [1, last], color=BLACK, linewidth=0.8, linestyle="--")
    set_ranks(ax, last)


def set_ranks(ax: Axes, last: float) -> None:
    """Give both axes of ranks from 1 to `last` the same few ticks, thousands apart."""
    ax.set(xlim=(-0.02 * last, 1.02 * last), ylim=(-0.02 * last, 1.02 * last), aspect="equal")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10], integer=True))
        axis.set_major_formatter("{x:,.0f}")


def write_note(ax: Axes, text: str) -> None:
    """Write a short remark above the panel, below its title, where it covers no point."""
    ax.set_title("\n".join(filter(None, [ax.get_title(), text])))
