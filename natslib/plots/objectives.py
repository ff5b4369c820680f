"""Objectives of training compared on shifted data: a table with scores, and what each way to choose achieves."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from natslib.analysis.ranking import RULES, ranking_score
from natslib.datasets import title_of
from natslib.plots.palette import BLACK, BLUE, GREY, ORANGE, VERMILLION

TITLES = {
    "erm": "ERM",
    "irm": "IRM",
    "vrex": "VREx",
    "groupdro": "GroupDRO",
    "coral": "CORAL",
    "mmd": "MMD",
    "dann": "DANN",
    "mixup": "Mixup",
    "rsc": "RSC",
}
"""How the objectives are written in figures; another has its name."""
_LOOKS = {"valid": ("o", BLUE), "elsewhere": ("s", ORANGE), "oracle": ("^", VERMILLION)}


def score_rows(table: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Return what the table shows of one rule: a row an objective, two columns a dataset, and the ranking score.

    `table` is an `analysis.ranking.objective_table` of datasets that all objectives were trained on.
    """
    rows = table[table["rule"] == rule]
    columns = {("", "objective"): pd.Series({name: TITLES.get(name, name) for name in rows["objective"]})}
    for dataset, some in rows.groupby("dataset", sort=False):
        one, title = some.set_index("objective"), title_of(str(dataset))
        columns[title, "accuracy (%)"] = one["mean"].map("{:.1f}".format) + one["error"].map(
            " ± {:.1f}".format
        )
        columns[title, "score"] = one["score"].map(_signed)
    columns["", "sum"] = ranking_score(rows).map(_signed)
    return pd.DataFrame(columns).loc[columns["", "objective"].index]


def _signed(score: float) -> str:
    return f"{score:+.0f}".replace("-", "−") if score else "0"


def draw_choices(ax: Axes, table: pd.DataFrame) -> None:
    """Draw the accuracy on the target of each objective, a mark a way to choose, with its error bar.

    `table` has the rows of one dataset of an `analysis.ranking.objective_table`, ERM first.
    """
    names = list(dict.fromkeys(table["objective"]))
    rules = [rule for rule in RULES if rule in set(table["rule"])]
    for place, rule in enumerate(rules):
        rows = table[table["rule"] == rule].set_index("objective").reindex(names)
        marker, colour = _LOOKS[rule]
        ax.errorbar(
            rows["mean"],
            np.arange(len(names)) + 0.22 * (place - (len(rules) - 1) / 2),
            xerr=rows["error"],
            fmt=marker,
            color=colour,
            markersize=4,
            linewidth=1,
            label=RULES[rule],
        )
    ax.set_yticks(range(len(names)), [TITLES.get(name, name) for name in names])
    ax.set(ylim=(len(names) - 0.5, -0.5), xlabel="accuracy on the target (%)")
    ax.grid(axis="y", visible=False)
    for edge in np.arange(len(names) - 1) + 0.5:
        ax.axhline(edge, color=GREY, linewidth=0.3)


def draw_level(ax: Axes, accuracy: float, text: str) -> None:
    """Draw an accuracy to compare with as an upright line, its name beside it."""
    ax.axvline(accuracy, color=BLACK, linewidth=0.8, linestyle=":")
    ax.annotate(
        text, (accuracy, 1), xycoords=("data", "axes fraction"), xytext=(0, 2), textcoords="offset points",
        fontsize=7, ha="center", va="bottom",
    )  # fmt: skip
