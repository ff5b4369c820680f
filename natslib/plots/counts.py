"""Counts over a space: sizes of equivalence classes and cost levels."""

import pandas as pd
from matplotlib.axes import Axes

from natslib.plots.palette import BLUE, VERMILLION


def draw_class_sizes(ax: Axes, sizes: pd.DataFrame) -> None:
    """Draw how many equivalence classes (column `classes`) there are of each `size`, both axes logarithmic."""
    ax.scatter(sizes["size"], sizes["classes"], color=BLUE, s=14, linewidths=0)
    ax.set(xscale="log", yscale="log", xlabel="architectures in the class", ylabel="classes of that size")
    ax.set_title(f"{sizes['classes'].sum():,} classes of {sizes['architectures'].sum():,} architectures")


def draw_cost_levels(ax: Axes, levels: pd.DataFrame) -> None:
    """Draw how many architectures share each distinct number of parameters (millions)."""
    ax.vlines(levels["params_m"], 0, levels["architectures"], color=VERMILLION, linewidth=1.6)
    ax.scatter(levels["params_m"], levels["architectures"], color=VERMILLION, s=9, linewidths=0)
    ax.set(xlabel="parameters (millions)", ylabel="architectures", ylim=(0, None))
    ax.set_title(f"{len(levels)} cost levels")
