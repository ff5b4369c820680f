"""Weight-sharing searches over their epochs, what their cells are made of, and how their supernets rank."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from natslib.analysis.architectures import REFERENCES
from natslib.analysis.printed import EVIDENCE
from natslib.plots.figure import new_figure
from natslib.plots.palette import BLACK, BLUE, GREY, OPERATION_MARKERS, ORANGE, colours, looks, title_of
from natslib.plots.tables import number

_SEEDS = (("-", BLACK), ("--", BLUE), ("-.", ORANGE))
BAR = 0.36  # of the room of a search, for each of two kinds of score


def draw_epochs(ax: Axes, curves: pd.DataFrame) -> None:
    """Draw means over seeds over the epochs (`analysis.weight_sharing.epoch_frame`), smallest to largest shaded.

    Where there are searches with warm-up, those without are dashed. A line has a gap where not all seeds are known.
    """
    warmed = curves["warm_up"].max() > 0
    chosen = looks(curves["method"], curves["epoch"].nunique())
    for (name, warm_up), curve in curves.groupby(["method", "warm_up"], sort=False):
        look = chosen[str(name)] | {"linestyle": "--" if warmed and warm_up == 0 else "-"}
        ax.plot(curve["epoch"], curve["mean"], linewidth=1.0, **look)
        shade: dict[str, Any] = {"color": look["color"], "alpha": 0.1, "linewidth": 0}
        ax.fill_between(curve["epoch"], curve["low"], curve["high"], **shade)
    ax.set(xlabel="search epoch", xlim=(0, curves["epoch"].max()))


def draw_known(ax: Axes, runs: pd.DataFrame, values: npt.NDArray[np.float64]) -> None:
    """Draw a dot for every current architecture that has a value."""
    for name, colour in colours(runs["method"]).items():
        run = runs[runs["method"] == name]
        ax.plot(run["epoch"], values[run["arch_index"]], ".", color=colour, ms=3, alpha=0.5, mec="none")


def list_searches(ax: Axes, curves: pd.DataFrame) -> None:
    """Put a legend of the searches of `draw_epochs` on the right of a panel."""
    handles = [
        Line2D([], [], linewidth=1.2, label=title_of(name), **look | {"linestyle": "-"})
        for name, look in looks(curves["method"]).items()
    ]
    if curves["warm_up"].nunique() > 1:
        lines: dict[Any, str] = {"-": "with warm-up", "--": "without"}
        handles += [
            Line2D([], [], color=BLACK, linestyle=line, lw=1, label=text) for line, text in lines.items()
        ]
    ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.02), handlelength=1.8, frameon=False)


def operations_figure(shares: pd.DataFrame, operations: Sequence[str]) -> Figure:
    """Return a figure with two panels a search (`analysis.weight_sharing.operation_shares`): skips by seed, and all.

    Skips are means over ten epochs, which are what is seen of them.
    """
    names = list(dict.fromkeys(shares["method"]))
    fig, axes = new_figure(2, len(names), height_in=1.4)
    for (top, bottom), name in zip(axes.T, names, strict=True):
        draw_seeds(top, shares[shares["method"] == name], "skip_connect")
        draw_operations(bottom, shares[shares["method"] == name], operations)
        top.set_title(title_of(name))
        top.label_outer()
        bottom.label_outer()
    axes[0, 0].set_ylabel("skip-connections\n(share of edges)")
    axes[1, 0].set_ylabel("all operations\n(mean over seeds)")
    fig.legend(*axes[1, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(operations))
    return fig


def draw_operations(ax: Axes, shares: pd.DataFrame, operations: Sequence[str]) -> None:
    """Draw which share of the edges each operation has over the epochs, mean over the seeds, stacked."""
    means = shares.groupby("epoch")[list(operations)].mean()
    chosen = colours(operations)
    ax.stackplot(
        means.index, means.T, colors=[chosen[name] for name in operations], labels=operations, linewidth=0
    )
    ax.set(xlim=(means.index.min(), means.index.max()), ylim=(0, 1), xlabel="search epoch")


def draw_seeds(ax: Axes, shares: pd.DataFrame, operation: str) -> None:
    """Draw the share of one operation, a running mean over ten epochs, a line a seed; dotted: what chance gives it."""
    for (_, run), (line, colour) in zip(shares.groupby("seed"), cycle(_SEEDS), strict=False):
        smooth = run[operation].rolling(10, min_periods=1, center=True).mean()
        ax.plot(run["epoch"], smooth, color=colour, linestyle=line, linewidth=1.0)
    ax.axhline(0.2, color=GREY, linewidth=0.8, linestyle=":")
    ax.set(ylim=(-0.03, 1.03), xlim=(shares["epoch"].min(), shares["epoch"].max()))


def draw_magnitudes(ax: Axes, decisions: pd.DataFrame) -> None:
    """Draw how much the supernet loses without an operation against the operation's weight (`projections`)."""
    for name, colour in colours(decisions["operation"]).items():
        some = decisions[decisions["operation"] == name]
        style: dict[str, Any] = {"color": colour, "ms": 3.4, "mec": "white", "mew": 0.3, "alpha": 0.85}
        weight = some["weight"].round(6)  # the last digits differ between processors
        ax.plot(weight, some["drop"], OPERATION_MARKERS[str(name)], label=name, **style)
    ax.set_yscale("symlog", linthresh=1)
    ax.set(ylim=(-0.15, None), xlabel="weight of the operation (softmax of α)")
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_formatter("{x:g}")


def draw_rank_correlations(ax: Axes, found: pd.DataFrame) -> None:
    """Draw the rank correlation of every run (`score_correlation`), a place a search, and a bar at the mean.

    Where scores were taken in two ways, hollow: masks at the outputs of the units, filled: in every layer. Dotted: what
    the number of parameters reaches.
    """
    names: list[Any] = list(dict.fromkeys(found["method"]))
    ways, chosen = sorted(set(found["inside"])), looks(names)
    for (name, inside), some in found.groupby(["method", "inside"], sort=False):
        look = chosen[str(name)]
        place = names.index(name) + BAR * (ways.index(inside) - 0.5) * (len(ways) > 1)
        face = look["color"] if inside == ways[-1] else "white"
        style = look | {"linestyle": "", "markerfacecolor": face, "markersize": 4, "markeredgewidth": 1}
        ax.plot(np.full(len(some), place), some["tau"], **style)
        ax.hlines(some["tau"].mean(), place - 0.14, place + 0.14, color=BLACK, linewidth=1.2, zorder=3)
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.axhline(found["by_size"].mean(), color=BLACK, linewidth=0.9, linestyle=":")
    ax.set_xticks(
        range(len(names)), [title_of(name).partition(":")[0] for name in names], rotation=30, ha="right"
    )
    ax.set(
        xlim=(-0.6, len(names) - 0.4), ylim=(min(-0.4, found["tau"].min() - 0.05), 0.9)
    )  # one scale for all
    if len(ways) > 1:
        words = {"white": "masks at units, as searched", BLACK: "masks in every layer"}
        ax.legend(
            handles=[
                Line2D([], [], color=BLACK, marker="o", ls="", ms=4.2, mfc=f, label=t)
                for f, t in words.items()
            ],
            loc="lower right",
        )


def halves(rows: pd.DataFrame, headings: dict[str, str]) -> pd.DataFrame:
    """Return `analysis.weight_sharing.table_rows` as texts for `tables.rows_figure`: one row a search.

    `headings`: what stands over the columns of each origin, in the order of the columns.
    """
    order = {name: place for place, name in enumerate(dict.fromkeys(rows["method"]))}
    order |= {name: len(order) + place for place, name in enumerate(REFERENCES)}  # last
    cold = (rows["warm_up"] == 0) & rows["method"].isin(rows.loc[rows["warm_up"] > 0, "method"])
    texts = rows.assign(
        search=rows["method"].map(title_of) + np.where(cold, ", no warm-up", ""),
        text=[
            _text(*each)
            for each in rows[["mean", "std", "known", "seeds", "evidence"]].itertuples(index=False)
        ],
        place=rows["method"].map(order) + 0.5 * cold,
    )
    wide = texts.sort_values("place", kind="stable").pivot_table(
        index=["space", "search"], columns=["origin", "column"], values="text", aggfunc="first", sort=False
    )
    found: list[Any] = list(wide.columns)
    wide = wide[[column for origin in headings for column in found if column[0] == origin]].fillna("")
    kept: list[Any] = list(wide.columns)
    names = [(headings[origin], column) for origin, column in kept]
    index = wide.index.to_frame(index=False).to_numpy(dtype=object)
    columns = pd.MultiIndex.from_tuples([("", "space"), ("", "search"), *names])
    return pd.DataFrame(np.hstack([index, wide.to_numpy(dtype=object)]), columns=columns)


def _text(mean: float, std: float, known: float, seeds: float, evidence: Any) -> str:
    """Return mean and deviation, of how many seeds where not of all, and how a printed number came down to us."""
    if known == 0:
        return f"0 of {seeds:.0f} known"
    return (
        number(mean, std)
        + (f" ({known:.0f} of {seeds:.0f})" if known < seeds else "")
        + EVIDENCE.get(evidence, "")
    )
