"""The figure of AutoShrink's recorded searches: what is left on the way down, with every candidate."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from natslib.analysis.autoshrink_forms import AGAIN, CANDIDATE, CHOSEN
from natslib.plots.palette import BLACK, BLUE, GREY, VERMILLION

_LINES: dict[str, dict[str, Any]] = {
    CANDIDATE: {"color": GREY, "linestyle": "", "marker": ".", "markersize": 3, "alpha": 0.6},
    CHOSEN: {"color": VERMILLION, "linestyle": "--", "marker": "o", "markersize": 3, "linewidth": 1},
    AGAIN: {"color": BLUE, "linestyle": "-", "marker": "D", "markersize": 2.8, "linewidth": 1.2},
}


def draw_descent(ax: Axes, rows: pd.DataFrame, quantity: str, label: str) -> None:
    """Draw a quantity of `analysis.autoshrink_forms.told_apart` over the edges left, most on the left.

    What was trained again is drawn by its mean, with bars from the smallest to the largest of its seeds.
    """
    for who, style in _LINES.items():
        found = rows[rows["who"] == who].groupby("edges")[quantity]
        if who == CANDIDATE:
            some = rows[rows["who"] == who]
            ax.plot(some["edges"], some[quantity], label=who, **style)
            continue
        mean, low, high = found.mean(), found.min(), found.max()
        bars = [mean - low, high - mean] if who == AGAIN else None
        ax.errorbar(mean.index, mean, yerr=bars, elinewidth=0.8, capsize=1.5, label=who, **style)
    ax.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    ax.set(xlabel="edges left", ylabel=label)
    ax.set_xlim(rows["edges"].max() + 0.6, rows["edges"].min() - 0.6)


def draw_level(ax: Axes, height: float, text: str, linestyle: str) -> None:
    """Draw a level line across a panel and write below its right end what it is."""
    ax.axhline(height, color=BLACK, linewidth=0.9, linestyle=linestyle)
    where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    ax.annotate(text, (0.99, height), (0, -2), ha="right", va="top", fontsize=6.5, **where)


def list_descents(fig: Figure, ax: Axes) -> None:
    """Put the legend of the lines of a panel above all panels."""
    handles, labels = ax.get_legend_handles_labels()
    found = dict(zip(labels, handles, strict=True))
    fig.legend([found[who] for who in _LINES], list(_LINES), loc="outside upper center", ncols=3)
