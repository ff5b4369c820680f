"""Own training: fresh runs beside stored ones, and how good a small benchmark is."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from natslib.analysis.own_training import LIMIT
from natslib.plots.figure import draw_absent
from natslib.plots.palette import BLACK, BLUE, GREY, SKY, VERMILLION
from natslib.plots.scatter import points

TRAINING = {"train": ("training", ":")}
WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}


def draw_learning(ax: Axes, curves: pd.DataFrame, *, split: str, title: str, colour: dict[int, str]) -> None:
    """Draw accuracy (percent) over epochs of each architecture: `split`, called `title`, solid; training dotted."""
    for of, (label, line) in {split: (title, "-"), **TRAINING}.items():
        for arch, curve in curves[curves["split"] == of].groupby("arch_index", sort=False):
            width = 1.4 if of == split else 0.9
            style: dict[str, Any] = {"color": colour[int(str(arch))], "linewidth": width, "linestyle": line}
            ax.plot(curve["epoch"] + 1, curve["accuracy"], label=str(arch) if of == split else None, **style)
        ax.plot([], [], line, color=BLACK, linewidth=1, label=label)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set(xlabel="epoch", ylabel="accuracy (%)", title="learning curves")
    ax.legend(loc="best", title="architecture")


def draw_place(ax: Axes, means: pd.Series, rows: pd.DataFrame, *, colour: dict[int, str]) -> None:
    """Draw all stored means in order of rank, and where the fresh runs would stand among them.

    `rows` are those of `analysis.own_training.compare_runs`.
    """
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

    `rows` are those of `analysis.own_training.compare_runs`; a grey bar reaches three of their standard deviations to
    both sides.
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


MARKS = {
    "seeds_tau": ("two seeds of ours", "o", BLACK),
    "params_tau": ("ours and parameters", "^", GREY),
    "real_tau": ("ours and the real one", "D", BLUE),
    "params_real_tau": ("parameters and the real one", "X", VERMILLION),
}
OOD_MARKS = {
    "seeds_tau": ("test of two seeds", "o", BLACK),
    "valid_tau": ("validation with test, same run", "s", SKY),
    "valid_other_tau": ("validation with test, another seed", "D", BLUE),
    "params_tau": ("parameters with test", "^", GREY),
    "real_tau": ("real accuracy with test", "X", VERMILLION),
}


def draw_agreement(ax: Axes, table: pd.DataFrame, marks: Mapping[str, tuple[str, str, str]] = MARKS) -> None:
    """Draw the correlations of `analysis.own_training.quality_table`: a line a column, a mark a kind of agreement.

    With `OOD_MARKS` those of `analysis.ood_ranks.ood_table`. What a table does not hold has no mark; the numbers of
    cells stand beside the column's name.
    """
    places = np.arange(len(table))
    for place, (name, (label, marker, colour)) in enumerate(marks.items()):
        if table[name].notna().any():
            ax.scatter(
                table[name],
                places + 0.12 * (place - (len(marks) - 1) / 2),
                marker=marker,
                color=colour,
                s=30,
                label=label,
                zorder=3,
            )
    ax.axvline(0, color=BLACK, linewidth=0.6)
    low = float(table[list(marks)].min().min())
    ax.set(xlim=(min(0.0, low) - 0.05, 1.02), ylim=(len(table) - 0.5, -0.5), xlabel="agreement (Kendall τ-b)")
    ax.set_yticks(places, [_name(row) for row in table.to_dict("records")])
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, columnspacing=1.2)


def _name(row: dict) -> str:
    twice = f"{row['seeds_cells']:,} run twice" if row["seeds_cells"] else "none run twice"
    return f"{row['column']}\n{row['cells']:,} networks, {twice}"


def draw_against(ax: Axes, own: pd.Series, real: pd.Series, *, names: tuple[str, str], lacking: str) -> None:
    """Draw the real accuracy of every architecture against its `own` one, both in percent; or say what is lacking.

    Of the lowest percent of each, what is far below the rest is outside the panel, which says how many. `names` are
    those of the two.
    """
    both = pd.DataFrame({"own": own, "real": real}).dropna()
    if both.empty:
        draw_absent(ax, lacking)
        return
    ax.scatter(both["own"], both["real"], color=BLUE, **points(len(both)))
    low = both.quantile(0.01) - 2
    outside = int((both < low).any(axis=1).sum())
    ax.set(xlim=(low["own"], None), ylim=(low["real"], None))
    ax.set(xlabel=f"{names[0]} (%)", ylabel=f"{names[1]} (%)")
    ax.set_title(f"{len(both):,} networks" + (f",\n{outside} below the panel" if outside else ""))
