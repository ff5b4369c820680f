"""Ranks of architectures: 1 is the best, ties share the better rank."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from natslib.errors import ConfigError


def rank_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return each column's ranks among its own architectures (NATS-Bench, figures 2 and 4).

    Rank = 1 + number of architectures that are strictly better; NaN where there is no accuracy.
    """
    return frame.rank(ascending=False, method="min")


def rank_pairs(frame: pd.DataFrame, pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Return the ranks of each pair of columns: x, y (their labels), arch_index, rank_x, rank_y.

    A pair is ranked among the architectures measured in both of its columns.
    """
    parts = [pd.DataFrame(columns=["x", "y", "arch_index", "rank_x", "rank_y"])]
    for x, y in pairs:
        ranks = rank_frame(frame[[x, y]].dropna()).set_axis(["rank_x", "rank_y"], axis=1)
        parts.append(ranks.reset_index().assign(x=x, y=y))
    held = [part for part in parts if len(part)] or parts[:1]
    return pd.concat(held, ignore_index=True)[parts[0].columns]


def select_top(values: pd.Series, fraction: float) -> pd.Index:
    """Return the labels of the best `fraction` (0 < fraction <= 1) of the values that are there, best first.

    The number is rounded down but is at least one; ties go to the lower label. Raises `ConfigError`.
    """
    if not 0 < fraction <= 1:
        raise ConfigError(f"fraction is {fraction}; allowed is 0 < fraction <= 1")
    held = values.dropna()
    count = max(1, int(np.floor(len(held) * fraction + 1e-9)))
    return held.sort_values(ascending=False, kind="stable").index[:count]


def rank_table(frame: pd.DataFrame, arch_indices: list[int]) -> pd.DataFrame:
    """Return accuracy and rank of some architectures: rows (arch_index, quantity), columns the labels."""
    parts = {"accuracy": frame.loc[arch_indices], "rank": rank_frame(frame).loc[arch_indices]}
    stacked = pd.concat(parts, names=["quantity", "arch_index"])
    return stacked.swaplevel().loc[arch_indices]


def optima(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the best architecture of each column: index label, columns arch_index and accuracy (percent)."""
    return pd.DataFrame({"arch_index": frame.idxmax(), "accuracy": frame.max()}).rename_axis("column")
