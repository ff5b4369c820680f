"""The critical-difference diagram: searches by average rank on a line, bars over those that are not told apart."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from natslib.plots.palette import ALGORITHM_LINES, BLACK, colours, title_of
from natslib.plots.style import draw_absent

BAR, ROW = 0.65, 1.0  # heights, of a bar and of a line with a name


def draw_ranks(ax: Axes, ranks: pd.DataFrame) -> None:
    """Draw average ranks (columns method, rank, groups, p_alike; of `multi_trial.rank_frame`), best on the left.

    Searches that share a letter in `groups` are joined by a bar. An empty frame is said in words.
    """
    if ranks.empty:
        draw_absent(ax, "Ranks are compared among three searches or more.")
        return
    letters = sorted(set("".join(ranks["groups"])))
    for row, letter in enumerate(letters, start=1):
        joined = ranks.loc[ranks["groups"].str.contains(letter), "rank"]
        ends = [joined.min() - 0.06, joined.max() + 0.06]
        ax.plot(ends, [-BAR * row] * 2, color=BLACK, linewidth=1.8, solid_capstyle="butt")
    rows = -BAR * (len(letters) + 1) - ROW * np.arange(len(ranks))
    _draw_names(ax, ranks, rows)
    ax.set(xlim=(1, len(ranks)), ylim=(rows[-1] - ROW / 2, 0))
    ax.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10], integer=True))
    ax.xaxis.tick_top()
    ax.grid(False)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.spines["top"].set_visible(True)
    p = ranks["p_alike"].iloc[0]
    ax.set_xlabel(f"average rank (all alike: p {'< 0.001' if p < 0.001 else f'= {p:.2g}'})")


def _draw_names(ax: Axes, ranks: pd.DataFrame, rows: npt.NDArray[np.floating]) -> None:
    """Lead a line from each rank down to its row and to its name at the left edge."""
    chosen = colours(ranks["method"])
    for name, rank, row in zip(ranks["method"], ranks["rank"], rows, strict=True):
        line = ALGORITHM_LINES.get(name, "-")
        ax.plot([rank, rank, 1], [0, row, row], color=chosen[name], linewidth=1.1, linestyle=line)
    ax.set_yticks(rows, [title_of(name) for name in ranks["method"]])
    ax.tick_params(axis="y", length=0)
