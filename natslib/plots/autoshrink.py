"""AutoShrink's figures: what is left on the way down, chance with as many evaluations, and fronts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from natslib.analysis.autoshrink import AGAIN, CANDIDATES, CHOSEN, FINDERS
from natslib.plots.figure import draw_absent, new_figure
from natslib.plots.own_training import WHITE
from natslib.plots.palette import BLACK, BLUE, GREY, ORANGE, VERMILLION, colours, title_of
from natslib.plots.scatter import points

_STYLES: dict[str, dict[str, Any]] = {
    CANDIDATES: {"color": GREY, "linestyle": "--", "marker": "s", "markersize": 2.5},
    CHOSEN: {"color": VERMILLION, "linestyle": "-", "marker": "o", "markersize": 3.2},
    AGAIN: {"color": BLUE, "linestyle": ":", "marker": "D", "markersize": 2.8},
}
_FLOORED: dict[str, Any] = {
    "color": ORANGE,
    "linestyle": "-.",
    "marker": "^",
    "markersize": 5.5,
    "markerfacecolor": "none",
}
_FINDERS: dict[str, dict[str, Any]] = {
    "shrinking": {"color": VERMILLION, "marker": "o", "linestyle": "-"},
    "masks": {"color": ORANGE, "marker": "s", "linestyle": "--"},
    "free": {"color": GREY, "marker": "^", "linestyle": ":"},
}
_DEEP = {"accuracy": 20.0, "flops_m": np.inf, "score": 0.2}
_LABELS = {"accuracy": "validation accuracy (%)", "flops_m": "FLOPs (millions)", "score": "score S"}


def path_figure(curves: pd.DataFrame, floored: pd.DataFrame, spread: pd.DataFrame) -> Figure:
    """Return a figure of `draw_path` for accuracy, FLOPs and score, and of `draw_spread`."""
    fig, axes = new_figure(2, 2, height_in=2.3)
    for ax, quantity in zip(axes.flat, _LABELS, strict=False):
        draw_path(ax, curves, floored, quantity)
    draw_spread(axes[1, 1], spread)
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return fig


def draw_path(ax: Axes, curves: pd.DataFrame, floored: pd.DataFrame, quantity: str) -> None:
    """Draw a quantity of `analysis.autoshrink.path_curves` over the edges that are left, most on the left.

    `floored`: the curves with a floor of accuracy, of which only what is chosen is drawn. The cell without edges is
    left out, and what lies `_DEEP` below the best.
    """
    lines = {who: (curves[curves["who"] == who], style) for who, style in _STYLES.items()}
    lines["chosen, with the floor"] = floored[floored["who"] == CHOSEN], _FLOORED
    for label, (curve, style) in lines.items():
        some = curve[curve["edges"] > 0].sort_values("edges", kind="stable")
        if len(some):
            ax.plot(some["edges"], some[quantity], linewidth=1.2, label=label, **style)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set(xlabel="edges left", ylabel=_LABELS[quantity], xlim=(curves["edges"].max() + 0.4, 0.6))
    low, high = ax.get_ylim()
    ax.set_ylim(max(low, high - _DEEP[quantity]), high)


def draw_spread(ax: Axes, spread: pd.DataFrame) -> None:
    """Draw `analysis.autoshrink.candidate_spread`: how far candidates are apart, beside two trainings of one."""
    if spread.empty:
        draw_absent(ax, "Seed noise: no architecture was trained twice by the recipe that scores.")
        return
    ax.plot(
        spread["edges"], spread["between_candidates"], "o-", ms=3.2, color=BLACK, label="candidates of a step"
    )
    ax.plot(
        spread["edges"], spread["between_seeds"], "D:", ms=2.8, color=BLUE, label="seeds of one candidate"
    )
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set(xlabel="edges left", ylabel="standard deviation (points)", yscale="log")
    ax.set_xlim(spread["edges"].max() + 0.4, spread["edges"].min() - 0.4)
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.legend(loc="best")


def draw_chance(ax: Axes, frame: pd.DataFrame, *, optimum: float) -> None:
    """Draw the best score that each finder of `analysis.autoshrink.chance_frame` has, over evaluations.

    A point a number of candidates a step, which stands above those of AutoShrink; bars are 95 % intervals. Dotted: the
    best score there is.
    """
    for finder, some in frame.groupby("finder", sort=False):
        bars = np.abs(some[["low", "high"]].to_numpy().T - some["mean"].to_numpy())
        style = {"markersize": 4, "linewidth": 1.2, "capsize": 2} | _FINDERS[str(finder)]
        ax.errorbar(some["evaluations"], some["mean"], yerr=bars, label=FINDERS[str(finder)], **style)
    tops = frame.groupby("evaluations")["high"].max()
    for at, counts in frame[frame["finder"] == "shrinking"].groupby("evaluations")["candidates"]:
        style = {
            "textcoords": "offset points",
            "ha": "center",
            "va": "bottom",
            "fontsize": 6.5,
            "bbox": WHITE,
        }
        ax.annotate("k = " + "/".join(map(str, counts)), (at, tops[at]), (0, 3), **style)
    ax.axhline(optimum, color=BLACK, linewidth=0.8, linestyle=":")
    ax.margins(x=0.1)
    ax.set(xlabel="evaluations", ylabel="best score S found")
    ax.legend(loc="lower right")


def fronts_figure(
    values: pd.DataFrame,
    trajectories: Mapping[str, pd.DataFrame],
    regret: Mapping[str, float],
    fronts: pd.DataFrame,
) -> Figure:
    """Return a figure of `draw_evaluated` for the first run of each of three searches, and of `draw_fronts`."""
    fig, axes = new_figure(2, 2, height_in=2.3)
    for ax, (name, frame) in zip(axes.flat, trajectories.items(), strict=False):
        first = frame.loc[frame["run"] == frame["run"].min(), "arch_index"]
        draw_evaluated(ax, values, first, name, regret[name])
    draw_fronts(axes[1, 1], fronts, values)
    return fig


def draw_evaluated(
    ax: Axes, values: pd.DataFrame, evaluated: npt.ArrayLike, method: str, regret: float
) -> None:
    """Draw accuracy against FLOPs of everything that is measured, grey, and of what one run of a search evaluated.

    `regret`: how far the best score it finds is below the best there is, for the title.
    """
    known = values.dropna(subset="accuracy")
    ax.scatter(known["flops_m"], known["accuracy"], color="#c8c8c8", **points(len(known)) | {"alpha": 0.5})
    some = values.loc[np.unique(np.asarray(evaluated))]
    ax.scatter(
        some["flops_m"], some["accuracy"], s=9, color=colours([method])[method], linewidths=0, zorder=3
    )
    _set_cost(ax, known)
    ax.set_title(f"{title_of(method)}: S {regret:.3f} below the best")


def draw_fronts(ax: Axes, fronts: pd.DataFrame, values: pd.DataFrame) -> None:
    """Draw the best accuracy within so many FLOPs (`analysis.autoshrink.front_frame`), bands from worst to best run."""
    chosen = colours(fronts["method"].unique())
    for name, some in fronts.groupby("method", sort=False):
        best = name == "optimal"
        colour, line = (BLACK, ":") if best else (chosen[str(name)], "-")
        label = "best there is" if best else title_of(str(name))
        ax.plot(some["flops_m"], some["mean"], color=colour, linestyle=line, linewidth=1.2, label=label)
        ax.fill_between(some["flops_m"], some["low"], some["high"], color=colour, alpha=0.15, linewidth=0)
    _set_cost(ax, values.dropna(subset="accuracy"))
    ax.set_title("best within so many FLOPs")
    ax.legend(loc="lower right")


def _set_cost(ax: Axes, known: pd.DataFrame) -> None:
    """Set the axes of accuracy against FLOPs, `_DEEP` points below the best and what such architectures cost."""
    top = float(known["accuracy"].max())
    low = max(float(known["accuracy"].min()), top - _DEEP["accuracy"])
    shown = known.loc[known["accuracy"] >= low, "flops_m"]
    lowest, highest = shown.min(), shown.max()
    ax.set(xscale="log", xlim=(0.9 * lowest, 1.15 * highest), ylim=(low, top + 0.05 * (top - low)))
    ax.set(xlabel="FLOPs (millions)", ylabel="validation accuracy (%)")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
