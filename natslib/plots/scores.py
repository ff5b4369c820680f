"""How scores of one's own rank architectures: correlations beside those of costs, and accuracies against the scores."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from natslib.analysis.scores import BASELINES
from natslib.plots.figure import TWO_COLUMNS, new_figure
from natslib.plots.palette import BLUE, GREY, VERMILLION
from natslib.plots.scatter import points

SCORES = 12
"""As many scores are drawn, the first ones."""


def scores_figure(rows: pd.DataFrame, known: dict[str, pd.DataFrame]) -> Figure:
    """Return a figure with two panels a column of accuracy: `draw_correlations` and `draw_best`.

    `rows` is what `analysis.scores.compare_scores` returns, `known` the scores and the accuracy (its column) of the
    architectures of each of its columns.
    """
    columns = list(known)
    names = [name for name in rows["score"].unique() if name not in BASELINES.values()][:SCORES]
    shown = rows[rows["score"].isin([*names, *BASELINES.values()])]
    height = max(1.6, 0.9 + 0.16 * (len(names) + 2))
    fig, axes = new_figure(
        2 * -(-len(columns) // 3), min(3, len(columns)), height_in=height, width_in=TWO_COLUMNS
    )
    for ax in axes.flat:
        ax.set_axis_off()
    for number, column in enumerate(columns):
        above, below = (axes[2 * (number // 3) + row, number % 3] for row in (0, 1))
        for ax in (above, below):
            ax.set_axis_on()
        draw_correlations(above, shown[shown["column"] == column])
        above.set_title(column)
        draw_best(below, shown[shown["column"] == column], known[column], column)
    return fig


def draw_correlations(ax: Axes, rows: pd.DataFrame) -> None:
    """Draw Kendall's τ-b of every score and cost with its interval; costs are grey squares."""
    at = np.arange(len(rows))
    for is_cost, colour, marker in ((False, BLUE, "o"), (True, GREY, "s")):
        some = rows["score"].isin(list(BASELINES.values())).to_numpy() == is_cost
        part = rows[some]
        ends = np.abs(part[["kendall_low", "kendall_high"]].to_numpy().T - part["kendall"].to_numpy())
        ax.errorbar(part["kendall"], at[some], xerr=ends, fmt=marker, color=colour, markersize=4, capsize=2)
    ax.set_yticks(at, [_short(name) for name in rows["score"]])
    ax.invert_yaxis()
    ax.axvline(0, color=GREY, linewidth=0.6)
    ax.grid(visible=False, axis="y")
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.set(xlabel="Kendall τ-b", ylim=(len(rows) - 0.5, -0.5))


def draw_best(ax: Axes, rows: pd.DataFrame, known: pd.DataFrame, column: str) -> None:
    """Draw accuracy against the rank of the score that correlates most, either way; 1 is the highest score."""
    scores = rows[~rows["score"].isin(list(BASELINES.values()))].dropna(subset="kendall")
    if scores.empty:
        ax.set_axis_off()
        return
    best = str(scores["score"].iloc[int(scores["kendall"].abs().argmax())])
    ranks = known[best].rank(ascending=False, method="average")
    ax.scatter(ranks, known[column], color=VERMILLION, **points(len(known)))
    ax.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.set(xlabel=f"rank by {_short(best)}", ylabel=f"{column} (%)")


def _short(name: str) -> str:
    return name if len(name) <= 16 else f"{name[:15]}…"
