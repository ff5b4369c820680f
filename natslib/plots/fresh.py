"""Fresh runs: their learning curves, their place among all stored results, and how far from their own they are."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from natslib.analysis.fresh import LIMIT
from natslib.plots.palette import BLACK, GREY
from natslib.plots.style import draw_absent

TRAINING = {"train": ("training", ":")}
WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}


def draw_learning(ax: Axes, curves: pd.DataFrame, *, split: str, title: str, colour: dict[int, str]) -> None:
    """Draw accuracy (percent) over epochs of each architecture: `split`, called `title`, solid; training dotted."""
    for of, (label, line) in {split: (title, "-"), **TRAINING}.items():
        for arch, curve in curves[curves["split"] == of].groupby("arch_index", sort=False):
            width = 1.4 if of == split else 0.9
            ax.plot(
                curve["epoch"] + 1, curve["accuracy"], line, color=colour[int(str(arch))], linewidth=width
            )
        ax.plot([], [], line, color=BLACK, linewidth=1, label=label)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set(xlabel="epoch", ylabel="accuracy (%)", title="learning curves")
    ax.legend(loc="best")


def draw_place(ax: Axes, means: pd.Series, rows: pd.DataFrame, *, colour: dict[int, str]) -> None:
    """Draw all stored means in order of rank, and where the fresh runs of `analysis.fresh.compare_runs` would stand."""
    ordered = np.sort(means)[::-1]
    ax.plot(np.arange(1, len(ordered) + 1), ordered, color=GREY, linewidth=1.2, label="stored, mean of seeds")
    for arch in rows.index.tolist():
        row = rows.loc[arch]
        style: dict[str, Any] = {"color": colour[arch], "marker": "D", "s": 20, "label": f"fresh {arch}"}
        ax.scatter(row["rank"], row["fresh"], zorder=3, **style)
    low = min(float(np.quantile(ordered, 0.02)), float(rows["fresh"].min()))
    ax.set(ylim=(low - 2, None), xlabel=f"rank among {len(ordered):,}", ylabel="accuracy (%)")
    ax.set_title("place in the table")
    ax.legend(loc="best")


def draw_apart(ax: Axes, stored: pd.DataFrame, rows: pd.DataFrame, *, colour: dict[int, str]) -> None:
    """Draw each fresh run, and the stored runs of its architecture, as points apart from the stored mean.

    A grey bar reaches three standard deviations to both sides, as `rows` (of `analysis.fresh.compare_runs`) has them.
    """
    if rows["z"].isna().all():
        draw_absent(
            ax, "No z-scores: no architecture of this table was trained twice there, or none of these once."
        )
        return
    for y, arch in enumerate(rows.index.tolist()):
        row = rows.loc[arch]
        apart = stored.loc[arch].dropna() - row["mean"]
        ax.barh(y, 2 * LIMIT * row["std"], left=-LIMIT * row["std"], height=0.34, color="#dedede")
        ax.scatter(apart, np.full(len(apart), y), color=BLACK, marker="|", s=60, linewidths=1)
        fresh = row["fresh"] - row["mean"]
        ax.scatter(fresh, y, color=colour[arch], marker="D", s=24, zorder=3)
        ax.text(
            fresh,
            y - 0.24,
            f"z = {row['z']:+.1f}".replace("-", "−"),
            ha="center",
            va="bottom",
            fontsize=7,
            bbox=WHITE,
        )
    ax.axvline(0, color=BLACK, linewidth=0.6, zorder=0.5)
    reach = 1.06 * float(np.nanmax([LIMIT * rows["std"], (rows["fresh"] - rows["mean"]).abs()]))
    ax.set(
        xlim=(-reach, reach),
        ylim=(len(rows) - 0.5, -0.6),
        xlabel=f"points from the stored mean\n(grey: {LIMIT:g} standard deviations)",
        title="fresh (◆) and stored (|) runs",
    )
    ax.set_yticks(range(len(rows)), [str(arch) for arch in rows.index])
    ax.grid(axis="y", visible=False)
