"""Seed noise: spread over seeds, differences of pairs, the ceiling it sets, and ranks by mean and by one seed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from natslib.analysis.seed_noise import local_noise, seed_summary
from natslib.plots.figure import draw_absent
from natslib.plots.palette import BLACK, BLUE, GREY, ORANGE
from natslib.plots.scatter import points, set_ranks, write_note

LEAST_POINTS = 0.01
_KINDS = {
    "same architecture": (BLUE, "-"),
    "equal networks": (ORANGE, "--"),
    "other architectures": (GREY, ":"),
}
_CEILINGS = {
    "perfect_mean": ("truth and mean of seeds", "o", "-"),
    "perfect_one": ("truth and one run", "s", "--"),
    "repeat_one": ("one run and another", "^", ":"),
}


def draw_seed_spread(ax: Axes, runs: pd.DataFrame, *, colour: str) -> None:
    """Draw the standard deviation over seeds against mean accuracy, and the noise of one run.

    `runs` has one row an architecture and one column a seed. The axis is logarithmic: architectures whose runs
    agree to 0.01 points (above all those with constant output) are not on it.
    """
    summary, level = seed_summary(runs), local_noise(runs)
    spread = summary[summary["std"] > LEAST_POINTS]
    ax.scatter(spread["mean"], spread["std"], color=colour, **points(len(spread)))
    if below := len(summary) - len(spread):
        text = f"{below / len(summary):.1%} below {LEAST_POINTS:g}"
        ax.text(0.02, 0.02, text, transform=ax.transAxes, fontsize=6.5, ha="left", va="bottom")
    by_mean = summary["mean"].sort_values(kind="stable")
    noise = level.loc[by_mean.index].where(
        lambda points: points > LEAST_POINTS
    )  # none at chance, which is constant
    ax.plot(by_mean, noise, color=BLACK, linewidth=1, label="noise of one run")
    ax.set(
        yscale="log", ylim=(LEAST_POINTS, None), xlabel="mean accuracy (%)", ylabel="std over seeds (points)"
    )


def draw_differences(ax: Axes, frame: pd.DataFrame) -> None:
    """Draw the cumulative distribution of differences between two runs (columns kind, difference in points)."""
    for kind, (colour, line) in _KINDS.items():
        ordered = np.sort(frame.loc[frame["kind"] == kind, "difference"])
        if len(ordered) == 0:
            continue
        share = np.arange(1, len(ordered) + 1) / len(ordered)
        ax.step(ordered, share, where="post", color=colour, linestyle=line, linewidth=1.4, label=kind)
    ax.set(
        xscale="log",
        xlim=(LEAST_POINTS, 100),
        ylim=(0, 1),
        xlabel="difference of two runs (points)",
        ylabel="share of pairs",
    )


def draw_ceiling(ax: Axes, ceiling: pd.DataFrame, *, colour: str) -> None:
    """Draw the Kendall correlations of `analysis.seed_noise.noise_ceiling` against the fraction of best ones."""
    places = np.arange(len(ceiling))
    for name, (label, marker, line) in _CEILINGS.items():
        ax.plot(
            places,
            ceiling[name],
            color=colour,
            marker=marker,
            ms=3.5,
            linestyle=line,
            linewidth=1,
            label=label,
        )
    names = ["all" if fraction == 1 else f"top {100 * fraction:g} %" for fraction in ceiling["fraction"]]
    ax.set_xticks(places, [name.replace(" ", "\n", 1) for name in names])
    lowest = float(ceiling[list(_CEILINGS)].min().min())
    ax.set(
        ylim=(min(-0.1, lowest - 0.05), 1.02),
        xlabel="among which architectures",
        ylabel="attainable Kendall τ-b",
    )


def list_lines(axes: Sequence[Axes], lacking: str) -> None:
    """Put the legends of the three kinds of panels, in the order of their functions, into `axes`; or what lacks."""
    if lacking:
        draw_absent(axes[0], lacking)
        return
    places: list[Any] = ["upper right", "lower right", "lower right"]
    for ax, place in zip(axes, places, strict=True):
        ax.legend(loc=place, handlelength=1.8, fontsize=6)


def draw_stability(ax: Axes, ranks: pd.DataFrame, *, colour: str, tau: float) -> None:
    """Draw ranks by one random seed against ranks by the seed mean (columns by_one_seed, by_mean) among the best.

    `tau` is written into the panel.
    """
    last = len(ranks)
    size = float(np.clip(3000 / last, 2.2, 12))
    look = points(last) | {"s": size, "alpha": 0.3 if last > 500 else 0.6}
    ax.scatter(ranks["by_mean"], ranks["by_one_seed"], color=colour, **look)
    ax.plot([1, last], [1, last], color=BLACK, linewidth=0.8, linestyle="--")
    set_ranks(ax, last)
    write_note(ax, f"τ-b = {tau:.2f}")


def label_stability(axes: np.ndarray, titles: Sequence[str], fractions: Sequence[float]) -> None:
    """Label a grid of `draw_stability`: one row a dataset of `titles`, one column a fraction of best ones."""
    for ax, fraction in zip(axes[0], fractions, strict=True):
        ax.set_title(f"top {100 * fraction:g} %\n{ax.get_title()}".strip())
    for ax, title in zip(axes[:, 0], titles, strict=True):
        ax.set_ylabel(f"{title}\nrank by one random seed")
    for ax in axes[-1]:
        ax.set_xlabel("rank by seed mean")
