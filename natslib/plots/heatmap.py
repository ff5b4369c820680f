"""Heatmaps of correlations (NATS-Bench, figure 5)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from natslib.analysis.correlation import METHODS, correlation_matrix, explain_few, select_above
from natslib.plots.figure import draw_absent
from natslib.plots.palette import SEQUENTIAL

SCALE = Normalize(0.0, 1.0)
"""One scale for the correlations of all figures, so that they compare; what is below 0 has the colour of 0."""


def draw_correlations(ax: Axes, frame: pd.DataFrame, method: str, *, name: str, title: str) -> None:
    """Draw how closely the columns of a frame agree by one of `METHODS`; `name` says which rows are too few for it."""
    if few := explain_few(frame):
        draw_absent(ax, f"{name}: {few}")
    else:
        draw_heatmap(ax, correlation_matrix(frame, method), title=title)


def draw_above(
    ax: Axes, accuracy: pd.DataFrame, *, column: str, threshold_pct: float, correlation: str
) -> None:
    """Draw how closely the columns agree over the architectures above a threshold in one of them."""
    good = select_above(accuracy, column, threshold_pct)
    name = f"{len(good):,} with {column} > {threshold_pct:g} %"
    draw_correlations(ax, good, correlation, name=name, title=f"{METHODS[correlation]}, {name}")


def draw_heatmap(ax: Axes, matrix: pd.DataFrame, *, title: str) -> None:
    """Draw a square matrix of correlations with every value written in its cell; NaN cells stay empty."""
    import seaborn as sns  # loads scipy.stats: only where it draws

    sns.heatmap(
        matrix, ax=ax, norm=SCALE, cmap=SEQUENTIAL, annot=True, fmt=".2f", square=True, cbar=False,
        linewidths=0.8, linecolor="white", annot_kws={"fontsize": 7},
    )  # fmt: skip
    ax.grid(visible=False)
    ax.set_title(title)
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0)
    ax.set_yticklabels(ax.get_yticklabels(), rotation=0)
    ax.set_xticklabels(ax.get_xticklabels(), rotation=45, ha="right", rotation_mode="anchor")


def draw_scale(fig: Figure, axes: list[Axes]) -> None:
    """Draw the bar of the colours of `draw_heatmap` on the right of the axes."""
    bar = fig.colorbar(ScalarMappable(SCALE, SEQUENTIAL), ax=axes, shrink=0.7, aspect=30, extend="min")
    bar.set_label("correlation")
