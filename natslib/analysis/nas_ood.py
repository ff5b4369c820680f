"""What searches on shifted data find, what it is worth out of distribution, and how NAS-OoD's generator fares."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import t

from natslib.analysis.weight_sharing import RUN

Floats = npt.NDArray[np.float64]
BY_HAND = {"all 3×3 convolutions": 1462, "ResNet": 11472}
"""Simple cells of the topology space, by their indices."""


class Cells(NamedTuple):
    """What is known of the cells of a space on one dataset, by index; NaN where nothing is.

    `valid`, `test`: accuracies in percent in and out of distribution; `params`: parameters in millions; `recorded`: the
    indices of the cells that were trained themselves, where others are answered by an equal network.
    """

    valid: Floats
    test: Floats
    params: Floats
    recorded: npt.NDArray[np.int64]

    @property
    def median(self) -> float:
        """The accuracy out of distribution of the median recorded cell; NaN without any."""
        return float(np.median(self.test[self.recorded])) if len(self.recorded) else np.nan

    def percentiles(self, cells: npt.ArrayLike) -> Floats:
        """Return which share of the recorded cells is worse out of distribution, in percent."""
        known, values = np.sort(self.test[self.recorded]), self.test[np.asarray(cells)]
        worse = 100 * np.searchsorted(known, values) / max(1, len(known))
        return np.where(np.isnan(values), np.nan, worse)


class Gain(NamedTuple):
    """A mean difference of `pairs`, its interval, and what may be said of it."""

    pairs: int
    mean: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Whether the interval leaves out zero; "too few pairs" of fewer than two."""
        if self.pairs < 2:
            return "too few pairs"
        return "not significant" if self.low <= 0 <= self.high else "significant"

    def __str__(self) -> str:
        if not self.pairs:
            return "no pairs"
        interval = f", 95 % interval {self.low:+.1f} to {self.high:+.1f}" if self.pairs > 1 else ""
        return f"{self.mean:+.1f} points ({self.pairs} pairs{interval}): {self.verdict}"


def paired_gain(gains: npt.ArrayLike) -> Gain:
    """Return the mean of paired differences with Student's interval of 95 %; missing ones do not count."""
    known = np.asarray(gains, float)
    known = known[~np.isnan(known)]
    if len(known) < 2:
        return Gain(len(known), float(known.mean()) if len(known) else np.nan, np.nan, np.nan)
    half = t.ppf(0.975, len(known) - 1) * known.std(ddof=1) / len(known) ** 0.5
    return Gain(len(known), known.mean(), known.mean() - half, known.mean() + half)


def last_cells(runs: pd.DataFrame, cells: Cells) -> pd.DataFrame:
    """Return the cell that each search ends with: method, seed, arch_index, valid, test, percentile, params."""
    last = runs.loc[runs.groupby(RUN, sort=False)["epoch"].idxmax(), ["method", "seed", "arch_index"]]
    found = last["arch_index"].to_numpy()
    return last.assign(
        valid=cells.valid[found],
        test=cells.test[found],
        percentile=cells.percentiles(found),
        params=cells.params[found],
    ).reset_index(drop=True)


def search_rows(last: pd.DataFrame, cells: Cells) -> pd.DataFrame:
    """Return a row a search, and rows of cells that nobody searched for.

    `last`: `last_cells`. Columns: kind, name, seeds, known (cells that have a value), valid, test and test_se (standard
    error over the known), percentile, params; means over the known. Unsearched are the median recorded cell, the one
    that validation on the sources would pick of them, the best, and `BY_HAND`.
    """
    rows = []
    for method, some in last.groupby("method", sort=False):
        known = some.dropna(subset="test")
        rows.append(
            {
                "kind": _kind(str(method)),
                "name": method,
                "seeds": len(some),
                "known": len(known),
                **known[["valid", "test", "percentile"]].mean().to_dict(),
                "test_se": known["test"].std(ddof=1) / max(1, len(known)) ** 0.5,
                "params": some["params"].mean(),
            }
        )
    return pd.concat([pd.DataFrame(rows), _unsearched(cells)], ignore_index=True)


def _kind(method: str) -> str:
    if not method.startswith("nas-ood"):
        return "baseline"
    return "ablation" if "-no-" in method else "NAS-OoD"


def _unsearched(cells: Cells) -> pd.DataFrame:
    recorded, by_index = cells.recorded, BY_HAND
    if not len(recorded):
        return pd.DataFrame({"kind": [], "name": []})
    test, valid = cells.test[recorded], cells.valid[recorded]
    picks = {"best by validation": recorded[np.argmax(valid)], "best": recorded[np.argmax(test)]}
    median = {
        "name": "median cell",
        "valid": np.median(valid),
        "test": np.median(test),
        "percentile": 50.0,
        "params": np.median(cells.params[recorded]),
    }
    rows = [
        {
            "name": name,
            "valid": cells.valid[index],
            "test": cells.test[index],
            "percentile": float(cells.percentiles(index)),
            "params": cells.params[index],
        }
        for name, index in (picks | by_index).items()
    ]
    return pd.DataFrame([median, *rows]).assign(kind="cells")


def gains_over(last: pd.DataFrame, method: str, others: Sequence[str], median: float) -> dict[str, Gain]:
    """Return by how many points the cells of a search are better than those of others on the target, seed by seed.

    Besides with `others` it is compared with "median cell", whose accuracy is `median`.
    """
    tested = last.pivot(index="seed", columns="method", values="test").reindex(columns=[method, *others])
    found = {other: paired_gain(tested[method] - tested[other]) for other in others}
    return found | {"median cell": paired_gain(tested[method] - median)}


def over_seeds(runs: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return means over the seeds, epoch by epoch: dataset, epoch, value (the column's name), mean, low and high."""
    kept = runs[runs["epoch"] > 0]
    long = kept.melt(["dataset", "seed", "epoch"], list(columns), "value", "number")
    found = long.groupby(["dataset", "value", "epoch"], sort=False)["number"]
    return found.agg(mean="mean", low="min", high="max").reset_index()


def retraining_gains(accuracies: Mapping[str, pd.DataFrame], plain: str) -> pd.DataFrame:
    """Return by how many points recipes beat the recipe `plain`, seed by seed, and what may be said of it.

    `accuracies` maps a dataset to percents, a row a seed, a column a recipe. Columns: dataset, recipe, seed, gain, and
    alike for all seeds of a recipe mean, low and high (95 %) and verdict.
    """
    parts = []
    for dataset, runs in accuracies.items():
        for recipe in runs.columns.drop(plain):
            gains = (runs[recipe] - runs[plain]).rename("gain").rename_axis("seed").reset_index()
            told = paired_gain(gains["gain"])
            parts.append(
                gains.assign(
                    dataset=dataset,
                    recipe=recipe,
                    mean=told.mean,
                    low=told.low,
                    high=told.high,
                    verdict=told.verdict,
                )
            )
    return pd.concat(parts, ignore_index=True)
