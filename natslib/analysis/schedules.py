"""What a shortened or a truncated training tells of the whole one (NAS-Bench-201, Figure 5 and Table 6)."""

import contextlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.analysis.columns import Column
from natslib.analysis.correlation import LEAST, METHODS, correlate
from natslib.analysis.seed_noise import draw_runs
from natslib.errors import NotMeasured

NO_CURVES = "No curves of the recipe {!r} in this source: nothing but its last epoch, which figure 4 shows."
Moment = tuple[str, int]
"""A recipe, and after how many of its epochs."""


def epochs_at(percents: Iterable[float], epochs: int) -> list[int]:
    """Return after how many of its epochs a training is so many percent done: rounded up, from 1, ascending."""
    return sorted({max(1, math.ceil(percent * epochs / 100)) for percent in percents})


def recipes_of(runs: pd.DataFrame) -> list[str]:
    """Return the recipes of a table, the shortest training first; `runs` is `Table.runs()`."""
    return [str(name) for name in runs.sort_values(["epochs", "recipe"])["recipe"].unique()]


def foretold(columns: Sequence[Column]) -> tuple[Column, Column]:
    """Return validation and test of the first dataset that has both; raises `NotMeasured`."""
    for valid in columns:
        for test in columns:
            if (valid.title, valid.split, test.split) == (test.title, "valid", "test"):
                return valid, test
    held = ", ".join(column.label for column in columns)
    raise NotMeasured(f"no dataset with validation and test accuracies in this table: there are {held}")


def run_frames(
    per_seed: Callable[..., pd.DataFrame], values: Callable[..., np.ndarray], columns: Iterable[Column]
) -> dict[str, pd.DataFrame]:
    """Return for each label the accuracies in percent of every run: index arch_index, one column a seed.

    Where a source holds only the mean of the runs, that stands for one. Both functions are a table's methods.
    """
    return {column.label: _runs(per_seed, values, column, None) for column in columns}


def moment_frames(
    per_seed: Callable[..., pd.DataFrame],
    values: Callable[..., np.ndarray],
    columns: Iterable[Column],
    percents: Sequence[float],
) -> dict[Moment, pd.DataFrame]:
    """Return frames as `run_frames` does, at moments of the training of each column: so many percent of its epochs.

    `columns` are of different recipes. A training without curves is there at its end alone. Raises `NotMeasured` where
    there is nothing but the end of one training.
    """
    frames = {}
    for column in columns:
        for epochs in epochs_at(percents, column.epochs):
            with contextlib.suppress(NotMeasured):
                at = None if epochs == column.epochs else epochs - 1
                frames[column.recipe, epochs] = _runs(per_seed, values, column, at)
    if len(frames) < 2:
        raise NotMeasured("this source has no curves and one training: nothing but its last epoch")
    return frames


def _runs(
    per_seed: Callable[..., pd.DataFrame],
    values: Callable[..., np.ndarray],
    column: Column,
    epoch: int | None,
) -> pd.DataFrame:
    try:
        runs = per_seed("accuracy", **column.key, epoch=epoch)
    except NotMeasured:
        runs = pd.DataFrame({"mean": values("accuracy", **column.key, epoch=epoch)}).rename_axis("arch_index")
    return runs.dropna(how="all")


def moment_correlations(
    moments: Mapping[Moment, pd.DataFrame],
    finals: Mapping[str, pd.DataFrame],
    rng: np.random.Generator,
    *,
    draws: int,
) -> pd.DataFrame:
    """Return Pearson's correlation of moments of a training with final accuracies (NAS-Bench-201, Table 6).

    Both are runs in percent: one row an architecture (index arch_index), one column a seed. In each of `draws` draws
    every architecture is measured by one of its runs, drawn for itself in every frame. Columns: recipe, epochs, column
    (the label in `finals`), n (architectures in both), mean and std over the draws (ddof 0, as in the paper). NaN below
    `LEAST` architectures.
    """
    drawn = {label: _drawn(runs, rng, draws) for label, runs in finals.items()}
    rows = []
    for (recipe, epochs), runs in moments.items():
        early = _drawn(runs, rng, draws)
        for label, late in drawn.items():
            both = early.index.intersection(late.index)
            found = _pearson(early.loc[both].to_numpy(), late.loc[both].to_numpy())
            rows.append((recipe, epochs, label, len(both), float(found.mean()), float(found.std())))
    return pd.DataFrame(rows, columns=["recipe", "epochs", "column", "n", "mean", "std"])


def moment_rows(correlations: pd.DataFrame) -> pd.DataFrame:
    """Return `moment_correlations` as the paper's table has it: training, epochs, and 'mean±std' a column each."""
    texts = correlations["mean"].map("{:.3f}".format) + correlations["std"].map("±{:.3f}".format)
    named = correlations.assign(text=texts.where(correlations["mean"].notna()))
    wide = named.pivot_table(
        index=["recipe", "epochs"], columns="column", values="text", aggfunc="first", sort=False
    )
    return wide.reset_index().rename(columns={"recipe": "training"}).rename_axis(columns=None)


def _drawn(runs: pd.DataFrame, rng: np.random.Generator, draws: int) -> pd.DataFrame:
    return pd.concat([draw_runs(runs, rng) for _ in range(draws)], axis=1)


def _pearson(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the correlation of each column of `a` with the same column of `b`."""
    if len(a) < LEAST:
        return np.full(a.shape[1], np.nan)
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    return np.asarray((a * b).sum(axis=0) / np.sqrt((a * a).sum(axis=0) * (b * b).sum(axis=0)))


def shorter_pairs(shorter: Iterable[Column], longest: Sequence[Column]) -> list[tuple[Column, Column]]:
    """Return the columns of a shorter training, each with those of the longest one that it may be asked to foretell.

    That is the same dataset's, validation before test.
    """
    return [
        (early, late)
        for early in shorter
        for late in longest
        if late.title == early.title and late.epochs > early.epochs
        if (early.split, late.split) != ("test", "valid")
    ]


def recipe_agreement(
    values: Callable[..., np.ndarray],
    pairs: Iterable[tuple[Column, Column]],
    selected: Mapping[str, npt.NDArray[np.bool_]],
) -> pd.DataFrame:
    """Return how a shorter training agrees with a longer one, a row a pair of `shorter_pairs`.

    Columns: early and late ('C10-V after 12', 'C10-T after 200'), n (architectures), one a correlation of `METHODS`,
    and of each part of the space in `selected` (bool by architecture index) Kendall's, under its name. Seed means;
    `values` is the table's method. NaN below `LEAST` architectures. Raises `NotMeasured` where there is no pair.
    """
    rows = []
    for early, late in pairs:
        a, b = (pd.Series(values("accuracy", **column.key)) for column in (early, late))
        measured = a.notna() & b.notna()
        row: dict[str, object] = {
            "early": f"{early.label} after {early.epochs}",
            "late": f"{late.label} after {late.epochs}",
            "n": int(measured.sum()),
        }
        row |= {METHODS[method]: _correlation(a[measured], b[measured], method) for method in METHODS}
        for name, part in selected.items():
            row[name] = _correlation(a[measured & part], b[measured & part], "kendall")
        rows.append(row)
    if not rows:
        raise NotMeasured("this source has no training that was planned shorter than the whole one")
    return pd.DataFrame(rows)


def shorter_rows(agreement: pd.DataFrame) -> pd.DataFrame:
    """Return `recipe_agreement` as a table has it: every correlation with three decimals, None for what is NaN."""
    correlations = agreement.columns[3:]
    texts = agreement[correlations].map(lambda value: None if pd.isna(value) else f"{value:.3f}")
    return agreement.assign(**texts)


def _correlation(a: pd.Series, b: pd.Series, method: str) -> float:
    return correlate(a, b, method) if len(a) >= LEAST else float("nan")
