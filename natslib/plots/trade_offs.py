"""Fronts of accuracy against costs, and what the best of one dataset are worth on another."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from natslib.analysis.architectures import COST_LABELS
from natslib.analysis.trade_offs import CHANCE, SEED, front
from natslib.plots.figure import draw_absent, new_figure
from natslib.plots.palette import BLACK, GREY, by_number, colours
from natslib.plots.scatter import points, write_note

COUNTED = "flops_m"
"""The cost that is known without measuring: the front by it is drawn beside that by a measured one."""
_SUBS = (1, 2, 5)
"""The ticks of a cost in each decade; where fewer than two of them are in view, others are taken."""
_LABELS = COST_LABELS | {"latency_s": "latency (seconds)"}
_LIMITS: dict[str, dict[str, Any]] = {
    SEED: {"color": BLACK, "linestyle": "-", "marker": "x"},
    CHANCE: {"color": GREY, "linestyle": ":"},
}


def fronts_figure(
    accuracy: Mapping[str, pd.Series], costs: pd.DataFrame, fronts: pd.DataFrame, volumes: pd.DataFrame
) -> Figure:
    """Return a figure of `draw_front`, a row a cost and a column a dataset.

    `accuracy` maps titles to accuracies (index arch_index); the others are those of `analysis.trade_offs`.
    """
    metrics = list(dict.fromkeys(fronts["metric"]))
    fig, axes = new_figure(len(metrics), len(accuracy), height_in=1.8)
    held = dict(list(fronts.groupby(["dataset", "metric"])))
    judged = volumes.set_index(["dataset", "metric", "of_dataset", "of_metric"])
    for ax, title in zip(axes[0], accuracy, strict=True):
        ax.set_title(title)
    for row, metric in zip(axes, metrics, strict=True):
        for ax, (title, values) in zip(row, accuracy.items(), strict=True):
            if (title, metric) not in held:
                draw_absent(ax, f"{_LABELS.get(metric, metric)}: not measured on {title} in this source")
                continue
            cloud = pd.DataFrame({"cost": costs[f"{metric} {title}"], "accuracy": values})
            draw_front(ax, cloud, held[title, metric], colour=colours(accuracy)[title])
            note = f"hypervolume {judged.loc[(title, metric, title, metric), 'hypervolume']:.3f}"
            if metric not in COST_LABELS and (title, COUNTED) in held:
                counted = front(cloud.loc[held[title, COUNTED]["arch_index"]])
                steps = {"color": BLACK, "linestyle": "--", "linewidth": 1, "where": "post"}
                ax.step(counted["cost"], counted["accuracy"], label="front by FLOPs", **steps)
                note += f"; by FLOPs {judged.loc[(title, metric, title, COUNTED), 'hypervolume']:.3f}"
            write_note(ax, note)
            ax.set_xlabel(_LABELS.get(metric, metric))
        row[0].set_ylabel("accuracy (%)")
    return fig


def draw_front(ax: Axes, cloud: pd.DataFrame, steps: pd.DataFrame, *, colour: str) -> None:
    """Draw accuracy against cost (columns of `cloud`) of everything, and the front as steps."""
    known = cloud.dropna()
    ax.scatter(known["cost"], known["accuracy"], color="#c8c8c8", **points(len(known)) | {"alpha": 0.5})
    ax.step(steps["cost"], steps["accuracy"], where="post", color=colour, linewidth=1.2)
    ax.plot(steps["cost"], steps["accuracy"], "o", ms=2.5, color=colour)
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    marks = np.outer(_SUBS, 10.0 ** np.arange(np.floor(np.log10(low)), np.log10(high)))
    wide = ((low <= marks) & (marks <= high)).sum() > 1
    ax.xaxis.set_major_locator(LogLocator(subs=_SUBS) if wide else MaxNLocator(4))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())


def transfer_figure(frame: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """Return a figure of `draw_transfer`: regret above, overlap below, a column a dataset that is judged on.

    Of a frame of random choices alone, a panel that says why there is nothing to compare.
    """
    if set(frame["chosen_by"]) <= {CHANCE}:
        fig, axes = new_figure(1, 1, height_in=0.8)
        why = "No two datasets of this source share architectures, and none has two runs of every one."
        draw_absent(axes[0, 0], why)
        return fig
    judges = list(dict.fromkeys(frame["judged_by"]))
    fig, axes = new_figure(2, len(judges), height_in=2.1)
    for column, judge in zip(axes.T, judges, strict=True):
        some = frame[frame["judged_by"] == judge]
        draw_transfer(column[0], some, "regret", titles)
        draw_transfer(column[1], some.assign(overlap=100 * some["overlap"]), "overlap", titles)
        column[0].set_title(f"judged on {titles[judge]}")
        column[0].set_yscale("symlog", linthresh=0.1)
        column[0].yaxis.set_major_formatter("{x:g}")
        column[0].set_ylim(bottom=0)
        column[1].set(ylim=(0, 102), xlabel="number chosen, k")
    axes[0, 0].set_ylabel("best of them: regret (points)")
    axes[1, 0].set_ylabel("among the k best here (%)")
    found = {
        label: handle for ax in axes[0] for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    labels = [label for label in [*titles.values(), *_LIMITS] if label in found]
    fig.legend(
        [found[label] for label in labels], labels, loc="outside upper center", ncols=5, title="chosen by"
    )
    return fig


def draw_transfer(ax: Axes, frame: pd.DataFrame, quantity: str, titles: Mapping[str, str]) -> None:
    """Draw a quantity of `analysis.trade_offs.transfer_frame` on one dataset over k, a line a choice."""
    colour = colours(titles.values())
    for name, some in frame.groupby("chosen_by", sort=False):
        number = list(titles).index(str(name)) if name in titles else 0
        title = titles.get(str(name), str(name))
        look = _LIMITS.get(str(name)) or {"color": colour[title], **by_number(number)}
        ax.plot(some["k"], some[quantity], ms=3.5, linewidth=1.1, label=title, **look)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
