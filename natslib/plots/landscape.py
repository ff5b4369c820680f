"""What positions explain, and the landscape of a space: optima, ascents, walks, distance from the best."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from natslib.analysis.factorial import ACCURACIES, RANKS, pair_shares, share_by_order
from natslib.plots.figure import new_figure
from natslib.plots.palette import BLACK, BLUE, MARKERS, SEQUENTIAL, by_number, colours

PERCENT = LogNorm(0.1, 100, clip=True)
"""One scale for the shares of all figures, so that they compare."""


def variance_figure(shares: Mapping[str, pd.DataFrame], effects: Mapping[str, pd.DataFrame]) -> Figure:
    """Return a figure of `draw_pairs`, `draw_effects` and `draw_orders`, a column a dataset; of one, side by side.

    `shares` maps titles to `analysis.factorial.variances`, `effects` to `choice_effects`.
    """
    several = len(shares) > 1
    fig, axes = new_figure(3 if several else 1, len(shares) if several else 3)
    columns = axes.T if several else axes
    for (title, found), (pairs, moved, orders) in zip(shares.items(), columns, strict=True):
        draw_pairs(pairs, found)
        draw_effects(moved, effects[title])
        draw_orders(orders, found)
        pairs.set_title(title)
    first = columns[0]
    _draw_scale(first[0])
    fig.legend(*first[1].get_legend_handles_labels(), loc="outside upper center", ncols=8, handletextpad=0.1)
    first[2].legend(loc="upper right")
    return fig


def _draw_scale(ax: Axes) -> None:
    """Draw the bar of the colours into the empty half of `draw_pairs`."""
    bar = ax.inset_axes((0.58, 0.93, 0.4, 0.05))
    ax.figure.colorbar(ScalarMappable(PERCENT, SEQUENTIAL), cax=bar, orientation="horizontal", format="{x:g}")
    bar.tick_params(labelsize=6, which="both", length=1.5)
    bar.set_xlabel("% of the variance", fontsize=6, labelpad=1)


def draw_pairs(ax: Axes, shares: pd.DataFrame) -> None:
    """Draw what positions explain of the accuracies: alone on the diagonal, two together below it, in percent."""
    frame = shares[shares["of"] == ACCURACIES]
    matrix = 100 * pair_shares(frame, frame.loc[frame["order"] == 1, "positions"].tolist())
    sns.heatmap(
        matrix, ax=ax, norm=PERCENT, cmap=SEQUENTIAL, annot=True, fmt=".1f", square=True, cbar=False,
        linewidths=0.8, linecolor="white", annot_kws={"fontsize": 6},
    )  # fmt: skip
    ax.grid(visible=False)
    ax.tick_params(length=0, labelsize=6)
    ax.set_yticklabels(ax.get_yticklabels(), rotation=0)
    ax.set_xticklabels(ax.get_xticklabels(), **_turned(matrix.columns.tolist()))


def draw_effects(ax: Axes, effects: pd.DataFrame) -> None:
    """Draw by how much each choice at each position moves the mean accuracy (`analysis.factorial.choice_effects`)."""
    positions = list(dict.fromkeys(effects["position"]))
    colour = colours(effects["choice"].unique())
    for marker, (choice, some) in zip(MARKERS, effects.groupby("choice", sort=False), strict=False):
        at = [positions.index(position) for position in some["position"]]
        ax.plot(at, some["effect"], marker, ms=4, color=colour[str(choice)], label=str(choice), alpha=0.9)
    ax.axhline(0, color=BLACK, linewidth=0.6)
    ax.set_xticks(range(len(positions)), positions, fontsize=6, **_turned(positions))
    ax.set(xlim=(-0.5, len(positions) - 0.5), ylabel="effect on the mean (points)")


def _turned(positions: Sequence[str]) -> dict[str, Any]:
    """Return how the positions' names are written: aslant where they are long."""
    return {"rotation": 30, "ha": "right"} if max(map(len, positions)) > 4 else {}


def draw_orders(ax: Axes, shares: pd.DataFrame) -> None:
    """Draw how much so many positions do together, of the accuracies and of their ranks."""
    by_order = 100 * share_by_order(shares)
    looks: dict[str, dict[str, Any]] = {
        ACCURACIES: {"color": BLUE},
        RANKS: {"color": "white", "hatch": "////"},
    }
    for shift, (of, look) in zip((-0.2, 0.2), looks.items(), strict=True):
        ax.bar(
            by_order.index + shift, by_order[of], 0.4, edgecolor=BLUE, linewidth=0.6, label=f"of {of}", **look
        )
    ax.set_xticks(by_order.index)
    ax.set(ylim=(0, 100), xlabel="positions together", ylabel="share of the variance (%)")
    ax.grid(visible=False, axis="x")


def landscape_figure(
    optima: pd.DataFrame, reached: pd.DataFrame, walks: pd.DataFrame, distances: pd.DataFrame
) -> Figure:
    """Return a figure of the four frames of `analysis.landscape`, each with the column `dataset`.

    `walks` has the exact correlation and, in the column walked, the measured one.
    """
    fig, axes = new_figure(2, 2)
    draw_optima(axes[0, 0], optima)
    draw_reached(axes[0, 1], reached)
    draw_walks(axes[1, 0], walks)
    draw_distances(axes[1, 1], distances)
    return fig


def draw_optima(ax: Axes, optima: pd.DataFrame) -> None:
    """Draw the local optima: how far below the best, and the share of all starts that end there."""
    for look, label, some in _datasets(optima):
        number = f"{label}: {len(some):,}"
        ax.plot(
            some["below"],
            100 * some["basin"],
            look["marker"],
            ms=4,
            color=look["color"],
            alpha=0.7,
            label=number,
        )
    ax.set(yscale="log", xlabel="points below the best", ylabel="basin (% of starts)")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter(LogFormatter())  # as matplotlib's own, without powers of ten
    ax.legend(loc="upper right", title="local optima")


def draw_reached(ax: Axes, reached: pd.DataFrame) -> None:
    """Draw the share of ascents that end so close to the best."""
    last = float(reached["below"].max())
    for look, label, some in _datasets(reached):
        below, share = [0, *some["below"], last], 100 * np.array([0, *some["share"], 1])
        style = {"color": look["color"], "linestyle": look["linestyle"]}
        ax.step(below, share, where="post", linewidth=1.4, label=label, **style)
    ax.set(ylim=(0, 102), xlabel="at most so many points below the best", ylabel="ascents that end there (%)")
    ax.legend(loc="lower right")


def draw_walks(ax: Axes, walks: pd.DataFrame) -> None:
    """Draw the autocorrelation of random walks: lines exact, markers walked."""
    for look, label, some in _datasets(walks):
        ax.plot(
            some["lag"], some["correlation"], color=look["color"], linestyle=look["linestyle"], linewidth=1.2
        )
        ax.plot(some["lag"], some["walked"], look["marker"], ms=3.5, color=look["color"], label=label)
    ax.axhline(1 / np.e, color=BLACK, linewidth=0.6)
    ax.set(
        ylim=(min(0, walks["walked"].min()), 1.02), xlabel="steps of a random walk", ylabel="autocorrelation"
    )
    ax.legend(loc="upper right", title="lines exact, markers walked")


def draw_distances(ax: Axes, distances: pd.DataFrame) -> None:
    """Draw the mean accuracy at each distance from the best; bands hold eight of ten."""
    for look, label, some in _datasets(distances):
        ax.plot(some["distance"], some["mean"], ms=3.5, linewidth=1.2, label=label, **look)
        ax.fill_between(
            some["distance"], some["low"], some["high"], color=look["color"], alpha=0.15, linewidth=0
        )
    ax.set_xticks(range(int(distances["distance"].max()) + 1))
    ax.set(xlabel="positions that differ from the best", ylabel="accuracy (%)")


def _datasets(frame: pd.DataFrame) -> Iterator[tuple[dict[str, Any], str, pd.DataFrame]]:
    """Yield how each dataset is drawn, its title and its rows."""
    colour = colours(frame["dataset"].unique())
    groups = frame.groupby("dataset", sort=False)
    for number, (title, some) in enumerate(groups):
        yield {"color": colour[str(title)], **by_number(number)}, str(title), some
