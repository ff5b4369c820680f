"""DARTS-PT's figures: choices over time, an operation's weight against what its removal costs, and orders of edges."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from natslib.analysis.projections import TITLES
from natslib.plots.palette import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    OPERATION_COLOURS,
    ORANGE,
    SEQUENTIAL,
    SKY,
    VERMILLION,
)
from natslib.spaces import TOPOLOGY

_LINES = {
    "DARTS: largest α": (VERMILLION, "-"),
    "largest α, an edge at a time": (ORANGE, "--"),
    "DARTS-PT": (BLUE, "-"),
    "DARTS-PT, fixed α": (GREEN, "-."),
    "largest α, never trained": (GREY, "--"),
}
_MARKERS = {"largest α, an edge at a time": "s", "DARTS-PT": "o", "DARTS-PT, fixed α": "^"}
FLOOR = 15.0  # points below the mean of all architectures: where panels of choices end
_SHORT = {
    "none": "none",
    "skip_connect": "skip",
    "nor_conv_1x1": "1×1",
    "nor_conv_3x3": "3×3",
    "avg_pool_3x3": "pool",
}


def draw_choices(ax: Axes, chosen: pd.DataFrame, selection: str, *, random_mean: float) -> None:
    """Draw the accuracy of what each supernet chooses: the mean over seeds, and from the worst to the best seed.

    `chosen` is the frame of `analysis.projections.choices`. Choices by magnitude are drawn over the epochs of training,
    choices by projection over the number of edges decided. Dotted: `random_mean`, the mean of all architectures; the
    panel ends `FLOOR` points below it, or where no mean is lower.
    """
    x = "epoch" if selection == "magnitude" else "decided"
    means = [random_mean]
    drawn = [title for (_, kind), title in TITLES.items() if kind == selection]
    for (method, kind), title in TITLES.items():
        colour, line = _LINES[title]
        some = chosen[(chosen["method"] == method) & (chosen["selection"] == kind)]
        if kind != selection or some.empty:
            continue
        found = some.groupby(x)["accuracy"].agg(["mean", "min", "max"])
        means += [*found["mean"]]
        if x == "decided":  # few points: bars beside one another are told apart, bands are not
            at = found.index + 0.12 * (drawn.index(title) - (len(drawn) - 1) / 2)
            bars = [found["mean"] - found["min"], found["max"] - found["mean"]]
            style: dict[str, Any] = {
                "elinewidth": 0.9,
                "capsize": 1.5,
                "marker": _MARKERS[title],
                "markersize": 3.2,
            }
            ax.errorbar(
                at, found["mean"], bars, color=colour, linestyle=line, linewidth=1.2, label=title, **style
            )
            continue
        ax.plot(found.index, found["mean"], color=colour, linestyle=line, linewidth=1.4, label=title)
        ax.fill_between(found.index, found["min"], found["max"], color=colour, alpha=0.15, linewidth=0)
    ax.axhline(random_mean, color=BLACK, linewidth=0.8, linestyle=":")
    ax.set_ylim(min(min(means) - 1, random_mean - FLOOR), chosen["accuracy"].max() + 0.07 * FLOOR)
    ax.set_xlabel("epoch of the supernet's training" if x == "epoch" else "edges decided")
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def list_choices(fig: Figure, axes: Iterable[Axes]) -> None:
    """Put one legend of all panels of choices above them."""
    handles = [handle for ax in axes for handle in ax.get_legend_handles_labels()[0]]
    fig.legend(handles=handles, loc="outside upper center", ncols=3)


def draw_bars(ax: Axes, operations: pd.Series, heights: pd.Series, *, chosen: int) -> None:
    """Draw one bar an operation; that of number `chosen` has a black frame and a star."""
    places = np.arange(len(operations))
    edges = [BLACK if place == chosen else "none" for place in places]
    colours = [OPERATION_COLOURS[name] for name in operations]
    ax.bar(places, heights, color=colours, edgecolor=edges, linewidth=1.4, width=0.75)
    ax.annotate(
        "★", (chosen, heights.iloc[chosen]), (0, 1), textcoords="offset points", ha="center", va="bottom"
    )
    ax.set_xticks(places, [_SHORT[name] for name in operations])
    ax.margins(y=0.18)
    ax.grid(visible=False, axis="x")


def draw_strengths(axes: npt.NDArray[np.object_], decisions: pd.DataFrame, code: Sequence[int]) -> None:
    """Draw the weight of each operation and what masking it costs, for the first edges that one search decided.

    `axes` has the shape (2, n), one column an edge. Upper row: the softmax weights, with a star at the largest; lower
    row: the points of accuracy that are lost, with a star at the operation that was chosen. `decisions` are the rows of
    one search in `analysis.weight_sharing.projections`, `code` is the cell it ended with.
    """
    for (above, below), edge in zip(axes.T, decisions["edge"].unique(), strict=False):
        some = decisions[decisions["edge"] == edge]
        draw_bars(above, some["operation"], some["weight"], chosen=int(some["weight"].to_numpy().argmax()))
        draw_bars(below, some["operation"], some["drop"], chosen=code[edge])
        above.set_title(f"edge {TOPOLOGY.positions[edge]}")
    axes[0, 0].set_ylabel("weight (softmax of α)")
    axes[1, 0].set_ylabel("lost without it (points)")


def draw_orders(ax: Axes, accuracies: Iterable[float], *, magnitude: float, best: float) -> None:
    """Draw how many orders of edges lead to which accuracy, with lines at choice by magnitude and at the best."""
    found = pd.Series(accuracies).round(2).value_counts().sort_index()
    ax.vlines(found.index, 0, found, color=BLUE, linewidth=3)
    ax.axvline(
        magnitude, color=VERMILLION, linestyle="--", linewidth=1, label=f"by marginal means: {magnitude:.2f}"
    )
    ax.axvline(best, color=BLACK, linestyle=":", linewidth=1, label=f"best there is: {best:.2f}")
    ax.set(ylim=(0, 1.25 * found.max()), ylabel="orders of edges")
    ax.legend(loc="upper center")


def draw_places(ax: Axes, means: pd.DataFrame) -> None:
    """Draw the mean accuracy by edge (rows) and by its place in the order (columns), in words and colours."""
    sns.heatmap(
        means, ax=ax, cmap=SEQUENTIAL, annot=True, fmt=".2f", linewidths=0.8, linecolor="white",
        annot_kws={"fontsize": 6.5}, cbar_kws={"label": "accuracy (%)", "aspect": 30},
    )  # fmt: skip
    ax.set_yticklabels(ax.get_yticklabels(), rotation=0)
    ax.grid(visible=False)
    ax.tick_params(length=0)
    ax.set(xlabel="place in the order of decisions", ylabel="edge")


def draw_by_training(ax: Axes, found: pd.DataFrame) -> None:
    """Draw what supernets choose against how many epochs they were trained: a dot a seed, a line through the means.

    `found`: columns epochs, selection ("magnitude", "projection") and accuracy of `darts-pt`.
    """
    for selection, shift in (("magnitude", -0.8), ("projection", 0.8)):
        some = found[found["selection"] == selection]
        title = TITLES["darts-pt", selection]
        colour = _LINES[title][0]
        means = some.groupby("epochs")["accuracy"].mean()
        ax.plot(means.index + shift, means, color=colour, linewidth=1.4, label=title)
        ax.plot(some["epochs"] + shift, some["accuracy"], "o", color=colour, ms=3.4, mec="white", mew=0.3)
    ax.set_xticks(sorted(set(found["epochs"])))
    ax.set_xlabel("epochs of the supernet's training")


def draw_leads(ax: Axes, frame: pd.DataFrame) -> None:
    """Draw how far skip-connections lead against how good the supernet is (`analysis.projections.skips_and_quality`).

    A line a supernet, from its first epoch of training to its last, which has a dot; a colour a length of training.
    """
    for (_, runs), colour in zip(frame.groupby("settings", sort=False), (SKY, ORANGE, BLACK), strict=False):
        label = f"{runs['epoch'].max()} epochs"
        for _, run in runs.groupby(["method", "seed"]):
            ax.plot(run["quality"], run["lead"], color=colour, linewidth=0.7, alpha=0.7, label=label)
            ax.plot(run["quality"].iloc[-1], run["lead"].iloc[-1], "o", color=colour, ms=3)
            label = "_"
    ax.axhline(0, color=GREY, linewidth=0.8, linestyle=":")
    ax.set(xlabel="supernet's validation accuracy (%)", ylabel="α of skip − α of 3×3 (mean)")


_MIXED = (BLUE, SKY, GREEN, ORANGE, VERMILLION)


def draw_skip_weights(ax: Axes, frame: pd.DataFrame) -> None:
    """Draw the skip-connection's weight against the noise of an edge's input (`analysis.mixing.mixing_frame`).

    A colour a correlation of the errors: dots what minimising found, lines the closed form. Dashed: the proposition.
    """
    for (correlation, some), colour in zip(frame.groupby("correlation"), _MIXED, strict=False):
        ax.plot(some["noise"], some["closed_form"], color=colour, linewidth=1.2)
        ax.plot(some["noise"], some["found"], "o", color=colour, ms=3.4, label=f"{correlation:g}")
    one = frame[frame["correlation"] == frame["correlation"].iloc[0]]
    ax.plot(one["noise"], one["proposition"], color=BLACK, linewidth=1.4, linestyle="--", label="proposition")
    ax.set(xscale="log", xlabel="Var(x − m*) / Var(o − m*)", ylabel="best weight of skip")
    ax.legend(title="correlation of errors")


def draw_gaps(ax: Axes, frame: pd.DataFrame) -> None:
    """Draw how far the best weight is from the proposition's against the correlation; a colour a noise."""
    for (noise, some), colour in zip(frame.groupby("noise"), _MIXED, strict=False):
        ax.plot(some["correlation"], some["gap"], "o-", color=colour, ms=3, linewidth=1, label=f"{noise:g}")
    ax.axhline(0, color=BLACK, linewidth=1.4, linestyle="--")
    ax.set(xlabel="correlation of the errors", ylabel="best weight less the proposition's")
    ax.legend(title="Var(x − m*) / Var(o − m*)", loc="upper left")
