"""Classes of equal networks, what a random draw has seen of the rest, and predictors with both kinds of halves."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from natslib.analysis.equal_networks import FOREST, MEMORY, RANDOM, TOGETHER, seen_share, sizes_of
from natslib.plots.figure import new_figure
from natslib.plots.palette import BLACK, BLUE, GREY, ORANGE, VERMILLION
from natslib.plots.scatter import write_note

_STYLES: dict[tuple[str, str], dict[str, Any]] = {
    (RANDOM, FOREST): {"color": VERMILLION, "marker": "s", "linestyle": "--"},
    (TOGETHER, FOREST): {"color": BLUE, "marker": "o", "linestyle": "-"},
    (RANDOM, MEMORY): {"color": ORANGE, "marker": "^", "linestyle": ":"},
}


def equal_figure(classes: npt.NDArray[np.int64], means: pd.DataFrame) -> Figure:
    """Return a figure of `draw_sizes`, `draw_seen` and `draw_study`."""
    fig, axes = new_figure(1, 3, height_in=2.3)
    draw_sizes(axes[0, 0], classes)
    draw_seen(axes[0, 1], classes)
    draw_study(axes[0, 2], means)
    return fig


def draw_sizes(ax: Axes, classes: npt.NDArray[np.int64]) -> None:
    """Draw how many architectures share their network with so many, themselves included: bins double."""
    sizes = sizes_of(classes)
    bins = np.floor(np.log2(sizes)).astype(int)
    counts = np.bincount(bins)
    ends = [(2**n, min(2 ** (n + 1) - 1, int(sizes.max()))) for n in range(len(counts))]
    names = [f"{low}" if low == high else f"{low}–{high}" for low, high in ends]
    ax.barh(range(len(counts)), counts, color=[GREY, *[BLUE] * (len(counts) - 1)])
    ax.set_yticks(range(len(counts)), names)
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    ax.set(xlabel="architectures", ylabel="architectures of one network")


def draw_seen(ax: Axes, classes: npt.NDArray[np.int64]) -> None:
    """Draw the share of those not drawn that have an equal network among a random draw, by the size of the draw."""
    total = len(classes)
    counts = np.unique(np.geomspace(10, 0.95 * total, 40).astype(int))
    ax.plot(counts, 100 * seen_share(classes, counts.tolist()), color=BLUE, linewidth=1.4)
    half = 100 * seen_share(classes, [total // 2])[0]
    ax.plot([total // 2], [half], "o", ms=5, color=BLACK)
    write_note(ax, f"a random half: {half:.1f} %")
    ax.set(xscale="log", ylim=(0, 100), xlabel="drawn at random", ylabel="others: equal one drawn (%)")
    _set_counts(ax)


def draw_study(ax: Axes, means: pd.DataFrame) -> None:
    """Draw the τ-b of predictors on the held-out half, by how many they train on (`equal_networks.study_means`)."""
    for (split, predictor), look in _STYLES.items():
        some = means[(means["split"] == split) & (means["predictor"] == predictor)]
        if len(some):
            label = predictor if predictor == MEMORY else f"forest, halves {split}"
            bars: dict[str, Any] = {"yerr": 2 * some["error"], "capsize": 2, "ms": 4, "linewidth": 1.2}
            ax.errorbar(
                some["train"], some["tau"], label=label.replace("halves ", "halves\n"), **bars, **look
            )
    ax.set(xscale="log", ylim=(0, 1.02), xlabel="trained on", ylabel="Kendall τ-b, other half")
    _set_counts(ax)
    ax.legend(loc="lower right", fontsize=6)


def _set_counts(ax: Axes) -> None:
    """Write the numbers of a logarithmic axis of counts in full."""
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.xaxis.set_minor_formatter(NullFormatter())
