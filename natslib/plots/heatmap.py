"""Heatmaps of correlations (NATS-Bench, figure 5)."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from natslib.plots.palette import SEQUENTIAL


def draw_heatmap(ax: Axes, matrix: pd.DataFrame, *, title: str, low: float, high: float = 1.0) -> None:
    """Draw a square matrix of correlations with every value written in its cell.

    Colours run from `low` to `high`, so that panels with the same limits compare; NaN cells stay empty.
    """
    sns.heatmap(
        matrix, ax=ax, vmin=low, vmax=high, cmap=SEQUENTIAL, annot=True, fmt=".2f", square=True, cbar=False,
        linewidths=0.8, linecolor="white", annot_kws={"fontsize": 7},
    )  # fmt: skip
    ax.grid(visible=False)
    ax.set_title(title)
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0)
    ax.set_yticklabels(ax.get_yticklabels(), rotation=0)
    ax.set_xticklabels(ax.get_xticklabels(), rotation=45, ha="right", rotation_mode="anchor")


def colour_floor(matrices: list[pd.DataFrame]) -> float:
    """Return the lower colour limit for panels drawn together: the smallest value, rounded down to a tenth."""
    smallest = min(float(np.nanmin(matrix.to_numpy())) for matrix in matrices)
    return float(np.floor(smallest * 10) / 10)
