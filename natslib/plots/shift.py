"""Shifts: diversity against correlation, the estimate against the truth, and what calibration does."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from natslib.analysis.shift import CALIBRATED, FORMS, OOD, flip_correlation
from natslib.datasets import title_of
from natslib.plots.palette import BLACK, BLUE, GREY, VERMILLION

GATED = {True: ("with the label", "o", BLUE), False: ("without the label", "s", VERMILLION)}
CALIBRATION: dict[bool, dict[str, Any]] = {
    False: {"label": "fixed thresholds", "marker": "o", "color": BLUE, "markerfacecolor": "white"},
    True: {"label": "calibrated", "marker": "D", "color": VERMILLION, "markersize": 3.5},
}
_CROWDED, _APART = 0.15, 0.03  # diversity below which names are slanted, so far from one another

PAIRS = {
    "digits-rotated": "rotated 0, 20, 40° → 50°",
    "digits-coloured": "coloured → 90%",
    "digits-tinted": "tinted → 90%",
}
"""Sources and target of our shifted data sets, as the recorded shifts name them."""


def describe_shifts(rows: pd.DataFrame, datasets: Iterable[str]) -> str:
    """Return what a caption says of the shifts of data sets; nothing where none was recorded.

    `rows` are the recorded shifts; those of the form `original`, gated, with fixed thresholds are told.
    """
    told = rows[(rows["kind"] == OOD) & (rows["form"] == FORMS[0]) & rows["gated"] & ~rows["calibrated"]]
    means = told.groupby("variant")[["diversity", "correlation"]].mean().abs()
    texts = means["diversity"].map("{:.2f}".format) + means["correlation"].map("/{:.2f}".format)
    found = [f"{title_of(name)} {texts[PAIRS[name]]}" for name in datasets if PAIRS.get(name) in texts.index]
    return f"diversity/correlation: {', '.join(found)}" if found else ""


def draw_plane(ax: Axes, ours: pd.DataFrame, published: pd.DataFrame) -> None:
    """Draw diversity over correlation of our pairs and, in grey, of published ones, with a standard deviation as bars.

    Both frames have columns name, diversity, diversity_sd, correlation, correlation_sd.
    """
    for frame, colour, marker, label in (
        (published, GREY, "o", "published (OoD-Bench)"),
        (ours, BLUE, "D", "ours, digits"),
    ):
        spread: dict[str, Any] = {
            "xerr": frame["correlation_sd"].fillna(0),
            "yerr": frame["diversity_sd"].fillna(0),
        }
        style: dict[str, Any] = {"color": colour, "markersize": 3.5, "elinewidth": 0.7, "linestyle": "none"}
        ax.errorbar(frame["correlation"], frame["diversity"], marker=marker, label=label, **spread, **style)
    ax.set(xlim=(-0.04, 0.98), ylim=(-0.09, 1.12), xlabel="correlation", ylabel="diversity")
    named = pd.concat([ours.assign(colour=BLUE), published.assign(colour="#5f5f5f")]).sort_values(
        "correlation", kind="stable"
    )
    last = -1.0
    for row in named.to_dict("records"):
        x, y = row["correlation"], row["diversity"]
        if y > _CROWDED:
            continue
        last = max(x, last + _APART)
        at: dict[str, Any] = {"xy": (x, y), "xytext": (last, 0.15), "rotation": 60, "rotation_mode": "anchor"}
        line: dict[str, Any] = {"arrowstyle": "-", "linewidth": 0.3, "color": row["colour"]}
        ax.annotate(row["name"], fontsize=6, color=row["colour"], arrowprops=line, **at)
    last = -1.0
    for row in (
        named[named["diversity"] > _CROWDED].sort_values("diversity", kind="stable").to_dict("records")
    ):
        last = max(row["diversity"], last + 1.3 * _APART)
        ax.text(row["correlation"] + 0.03, last, row["name"], fontsize=6, color=row["colour"], va="center")
    ax.legend(loc="upper right")


def draw_truth(ax: Axes, rows: pd.DataFrame, form: str) -> None:
    """Draw the estimated correlation of coloured digits over |e_p - e_q|, with and without the label, and the truth.

    `rows` has a row a trial of one form: gated, e_p, e_q, correlation. Points are means, bars a standard deviation.
    """
    e_p = float(rows["e_p"].iloc[0])
    targets = np.linspace(e_p, rows["e_q"].max(), 60)
    truth = [flip_correlation(e_p, target, form) for target in targets]
    ax.plot(targets - e_p, truth, color=BLACK, linewidth=0.9, label="truth")
    for gated, some in rows.groupby("gated", sort=False):
        label, marker, colour = GATED[bool(gated)]
        found = some.groupby("e_q")["correlation"].agg(["mean", "std"])
        style: dict[str, Any] = {"color": colour, "markersize": 4, "elinewidth": 0.8, "linestyle": "none"}
        ax.errorbar(found.index - e_p, found["mean"], yerr=found["std"], marker=marker, label=label, **style)
    ax.set(xlim=(-0.04, 0.8), ylim=(-0.03, 0.85), xlabel="difference of the shares, |e_p − e_q|", title=form)


def draw_calibration(ax: Axes, rows: pd.DataFrame, name: str, *, target: bool) -> None:
    """Draw the mean diversity or correlation (`name`) of every variant, by fixed and by calibrated thresholds.

    `rows` has a row a trial of one kind and form: variant, calibrated, `name`. `target`: with the band in which
    calibration wants the mean.
    """
    if target:
        ax.axvspan(*CALIBRATED, color="#d9d9d9", zorder=0, label="wanted")
    variants = list(dict.fromkeys(rows["variant"]))
    for calibrated, some in rows.groupby("calibrated"):
        found = some.groupby("variant")[name].agg(["mean", "std"]).reindex(variants)
        style: dict[str, Any] = {"elinewidth": 0.7, "linestyle": "none"} | CALIBRATION[bool(calibrated)]
        y = np.arange(len(variants)) + (0.15 if calibrated else -0.15)
        ax.errorbar(found["mean"], y, xerr=found["std"], **style)
    ax.set_yticks(range(len(variants)), variants)
    ax.set(ylim=(len(variants) - 0.5, -0.5), xlabel=name)
