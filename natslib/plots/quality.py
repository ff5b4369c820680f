"""The quality of a small benchmark: its correlations in one panel, and its accuracies against the real ones."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from natslib.plots.palette import BLACK, BLUE, GREY, VERMILLION
from natslib.plots.scatter import points
from natslib.plots.style import draw_absent

MARKS = {
    "seeds_tau": ("between two seeds", "o", BLACK),
    "params_tau": ("with the parameters", "^", GREY),
    "real_tau": ("with the real accuracy", "D", BLUE),
    "params_real_tau": ("parameters with the real accuracy", "X", VERMILLION),
}


def draw_agreement(ax: Axes, table: pd.DataFrame) -> None:
    """Draw the correlations of `analysis.quality.quality_table`: a line a column, a mark a kind of agreement.

    What a table does not hold has no mark; the numbers of cells stand beside the column's name.
    """
    places = np.arange(len(table))
    for place, (name, (label, marker, colour)) in enumerate(MARKS.items()):
        if table[name].notna().any():
            ax.scatter(
                table[name],
                places + 0.12 * (place - 1.5),
                marker=marker,
                color=colour,
                s=30,
                label=label,
                zorder=3,
            )
    ax.axvline(0, color=BLACK, linewidth=0.6)
    low = float(table[list(MARKS)].min().min())
    ax.set(xlim=(min(0.0, low) - 0.05, 1.02), ylim=(len(table) - 0.5, -0.5), xlabel="agreement (Kendall τ-b)")
    ax.set_yticks(places, [_name(row) for row in table.to_dict("records")])
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, columnspacing=1.2)


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
