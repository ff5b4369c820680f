"""Scatters over a whole space: thousands of points, drawn as one picture inside the vector file."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from natslib.analysis.columns import Column
from natslib.analysis.correlation import agreement
from natslib.analysis.ranks import rank_pairs
from natslib.plots.figure import draw_absent
from natslib.plots.palette import BLACK, YELLOW, colours

_MARKERS = {"by hand": ("*", 60, YELLOW, BLACK), "largest": ("X", 32, BLACK, "white")}
SIZE, ALPHA = 2.2, 0.25  # of a point, in square points, where there are thousands
MANY, LARGER = 5_000, 4.0  # fewer points than that are larger and darker, at most so many times


def draw_costs(
    ax: Axes,
    frame: pd.DataFrame,
    columns: Sequence[Column],
    marks: pd.DataFrame,
    labels: Mapping[str, str],
    whole: int,
    *,
    dataset: str,
    split: str,
    cost: str,
) -> None:
    """Draw accuracy against a cost, the landmarks of `marks` among them; where one is not in the frame, say so.

    The frame is that of `accuracy_frame` with that of `cost_frame`, both of `columns`. `dataset` is a title of theirs,
    `labels` are those of the costs; fewer points than `whole`, the size of the space, are counted in the title.
    """
    held = {(column.title, column.split): column for column in columns}
    if (dataset, split) not in held:
        draw_absent(ax, f"{dataset}: no {split} accuracy in this source")
        return
    column, x = held[dataset, split], f"{cost} {dataset}"
    if not (n := frame[[x, column.label]].notna().all(axis=1).sum()):
        draw_absent(ax, f"{dataset}: no {labels[cost]} in this source")
        return
    colour = colours(list(dict.fromkeys(each.title for each in columns)))[dataset]
    draw_cost_scatter(ax, frame, x=x, y=column.label, colour=colour)
    draw_landmarks(ax, frame, marks, x=x, y=column.label)
    ax.set(xlabel=labels[cost], ylabel=f"{column.split_title} accuracy (%)")
    gap = " " if len(dataset) < 12 else "\n"
    ax.set_title(dataset if n == whole else f"{dataset}{gap}(n = {n:,})")


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


def draw_ranks(ax: Axes, frame: pd.DataFrame, colour: Mapping[str, str], *, across: str, up: str) -> None:
    """Draw the ranks by one column of accuracies against those by another, with their correlation as the title.

    `colour` has one for each column; where no architecture has both, the panel says so.
    """
    ranks, (tau, n) = rank_pairs(frame, [(across, up)]), agreement(frame[across], frame[up])
    if not n:
        draw_absent(ax, f"no architecture with {across} and {up}")
        return
    draw_rank_scatter(ax, ranks, x="rank_x", y="rank_y", colour=colour[up])
    ax.set(xlabel=f"rank by {across}", ylabel=f"rank by {up}", title=f"τ-b = {tau:.3f}, n = {n:,}")


def set_ranks(ax: Axes, last: float) -> None:
    """Give both axes of ranks from 1 to `last` the same few ticks, thousands apart."""
    ax.set(xlim=(-0.02 * last, 1.02 * last), ylim=(-0.02 * last, 1.02 * last), aspect="equal")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10], integer=True))
        axis.set_major_formatter("{x:,.0f}")


def write_note(ax: Axes, text: str) -> None:
    """Write a short remark above the panel, below its title, where it covers no point."""
    ax.set_title("\n".join(filter(None, [ax.get_title(), text])))
