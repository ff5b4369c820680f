"""NAS-OoD: what its searches find as rows of text, what its generator draws, and how that goes on over the epochs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from natslib.analysis.printed import EVIDENCE
from natslib.datasets import title_of as dataset_title
from natslib.plots.figure import new_figure
from natslib.plots.palette import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION, title_of

PANELS: dict[str, dict[str, tuple[str, str]]] = {
    "losses": {
        "cycle_loss": ("there and back (L1)", BLUE),
        "label_loss": ("C's cross-entropy", ORANGE),
        "synthetic_loss": ("network's cross-entropy", VERMILLION),
    },
    "transport": {
        "distance": ("drawn to a source", GREEN),
        "source_distance": ("nearest two sources", GREY),
    },
    "percent": {
        "label_accuracy": ("C right on drawn", ORANGE),
        "confidence": ("D's confidence, drawn", PURPLE),
        "source_confidence": ("D's confidence, real", SKY),
    },
}
"""The panels of the training figure: columns of the records, with their names in the legend."""
COLUMNS = [column for panel in PANELS.values() for column in panel]
STEPS = ("image", "drawn", "drawn back")


def search_texts(rows: Mapping[str, pd.DataFrame], printed: pd.DataFrame) -> pd.DataFrame:
    """Return `analysis.nas_ood.search_rows` by dataset as texts, beside what is printed of a search on other data.

    `printed`: `analysis.printed.read_printed`. A row that one dataset lacks is empty there.
    """
    every = pd.concat([some[["kind", "name"]] for some in rows.values()]).drop_duplicates()
    every = every.sort_values("kind", key=lambda kind: kind.map(_ORDER), kind="stable")
    columns: dict[tuple[str, str], Any] = {
        ("", "kind"): every["kind"],
        ("", "search or cell"): every["name"].map(title_of),
    }
    for name, some in rows.items():
        there = every.merge(some, how="left")
        title = dataset_title(name)
        columns[title, "sources"] = there["valid"].map(_number)
        columns[title, "target ± se"] = [_with_error(row) for row in there.to_dict("records")]
        columns[title, "percentile"] = there["percentile"].map(lambda value: _number(value, 0))
        columns[title, "params (k)"] = there["params"].map(lambda value: _number(1000 * value, 0))
    for dataset, some in printed.groupby("dataset", sort=False):
        texts = {
            row["method"]: f"{row['mean']:.1f}{EVIDENCE[row['evidence']]}" for row in some.to_dict("records")
        }
        columns["printed, not comparable", f"{dataset}"] = [texts.get(name, "") for name in every["name"]]
    frame = pd.DataFrame({key: np.asarray(value, dtype=object) for key, value in columns.items()})
    frame.columns = pd.MultiIndex.from_tuples(list(columns))
    return frame


_ORDER = {"NAS-OoD": 0, "ablation": 1, "baseline": 2, "cells": 3}


def _number(value: float, digits: int = 1) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"


def _with_error(row: dict[Any, Any]) -> str:
    """Return the accuracy with its error, and how many of the cells have one where not all do."""
    text = _number(row["test"]) + (f" ± {row['test_se']:.1f}" if row["test_se"] >= 0 else "")
    if row["known"] < row["seeds"]:
        text = f"{text} ({row['known']:.0f} of {row['seeds']:.0f})".strip()
    return text


def images_figure(drawn: npt.NDArray[np.float64], sources: Sequence[str]) -> Figure:
    """Return a figure with a panel a source: (sources, 3, n, side, side, channels)."""
    fig, axes = new_figure(1, len(drawn), height_in=1.1)
    for ax, some, name in zip(axes[0], drawn, sources, strict=True):
        draw_images(ax, some, f"source {name}")
        ax.label_outer()
    return fig


def draw_images(ax: Axes, images: npt.NDArray[np.float64], title: str) -> None:
    """Draw images side by side with what was drawn after them below: (3, n, side, side, channels).

    One channel in grey, several as red and green; all on the scale of the real images.
    """
    lowest, highest = images[0].min(), images[0].max()
    shown = np.clip((images - lowest) / (highest - lowest), 0, 1)
    gap = 1
    padded = np.pad(shown, ((0, 0), (0, 0), (0, gap), (0, gap), (0, 0)), constant_values=1)
    sheet = np.concatenate([np.concatenate(row, axis=1) for row in padded], axis=0)
    if sheet.shape[-1] == 2:
        sheet = np.concatenate([sheet, np.zeros_like(sheet[..., :1])], axis=-1)
    ax.imshow(sheet.squeeze(-1) if sheet.shape[-1] == 1 else sheet, cmap="gray", vmin=0, vmax=1)
    pitch = images.shape[2] + gap
    ax.set_yticks([pitch * (row + 0.5) - 1 for row in range(len(STEPS))], STEPS)
    ax.set_xticks([])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.grid(visible=False)
    ax.set_title(title)


def training_figure(means: Mapping[str, pd.DataFrame]) -> Figure:
    """Return a figure with a row a dataset (`analysis.nas_ood.over_seeds`) and a column each of `PANELS`."""
    fig, axes = new_figure(len(means), len(PANELS), height_in=1.7)
    for row, (dataset, some) in zip(axes, means.items(), strict=True):
        for ax, panel in zip(row, PANELS, strict=True):
            draw_values(ax, some, panel)
            if ax not in axes[-1]:
                ax.set_xlabel("")
        row[0].set_ylabel(dataset_title(dataset))
    for ax, panel in zip(axes[0], PANELS, strict=True):
        ax.legend(title=panel, loc="lower center", bbox_to_anchor=(0.5, 1.02), handlelength=1.4)
    return fig


def draw_values(ax: Axes, means: pd.DataFrame, panel: str) -> None:
    """Draw means over the seeds over the epochs (`analysis.nas_ood.over_seeds`), smallest to largest shaded."""
    for column, (label, colour) in PANELS[panel].items():
        some = means[means["value"] == column]
        ax.plot(some["epoch"], some["mean"], color=colour, linewidth=1.2, label=label)
        ax.fill_between(some["epoch"], some["low"], some["high"], color=colour, alpha=0.15, linewidth=0)
    ax.set(xlabel="search epoch", xlim=(0, means["epoch"].max()))
    if panel != "percent":
        ax.set_ylim(bottom=0)


def gains_figure(gains: pd.DataFrame) -> Figure:
    """Return a figure with a panel a dataset (`analysis.nas_ood.retraining_gains`): a dot a seed, mean and interval."""
    names = list(dict.fromkeys(gains["dataset"]))
    fig, axes = new_figure(1, len(names), height_in=2.2)
    for ax, name in zip(axes[0], names, strict=True):
        groups = list(gains[gains["dataset"] == name].groupby("recipe", sort=False))
        for place, (_, some) in enumerate(groups):
            ax.plot(
                np.full(len(some), place - 0.15), some["gain"], "o", color=GREY, ms=3, mec="none", alpha=0.7
            )
            one = some.iloc[0]
            ax.vlines(place + 0.1, one["low"], one["high"], color=BLUE, linewidth=1.4)
            ax.plot(place + 0.1, one["mean"], "o", color=BLUE, ms=5)
        labels = [f"{recipe}\n{some['verdict'].iloc[0]}" for recipe, some in groups]
        ax.set_xticks(range(len(labels)), labels)
        ax.axhline(0, color=BLACK, linewidth=0.8)
        ax.set(title=dataset_title(name), xlim=(-0.6, len(labels) - 0.4))
    axes[0, 0].set_ylabel("gain on the target (points)")
    return fig
