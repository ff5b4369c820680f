"""What accuracy costs: Pareto fronts and their hypervolume; and what the best of one dataset are worth on another.

Frames of accuracies have one row an architecture (index arch_index) and one column a label; accuracies in percent.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import gammaln

from natslib.analysis.ranks import select_top

Floats = npt.NDArray[np.float64]
SEED, CHANCE = "another seed of it", "random choice"


def front(points: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that no other dominates, cheapest first: none has less cost at no less accuracy, or the reverse.

    `points` has the columns cost and accuracy; rows that lack one are left out. Equal points are all there or none is.
    """
    ordered = points.dropna().sort_values(["cost", "accuracy"], ascending=[True, False], kind="stable")
    before = ordered.groupby("cost")["accuracy"].max().cummax().shift(fill_value=-np.inf)
    cheapest = ordered.groupby("cost")["accuracy"].transform("max")
    return ordered[(ordered["accuracy"] == cheapest) & (cheapest > ordered["cost"].map(before))]


def hypervolume(points: pd.DataFrame, within: pd.DataFrame) -> float:
    """Return the area that a set of points dominates, as a share of the box that all of `within` span.

    Both have the columns cost and accuracy. The cost is logarithmic, as drawn: halving it counts alike everywhere. The
    box reaches from the lowest accuracy and the highest cost of `within` to the highest accuracy and the lowest cost;
    NaN where one of the two is the same everywhere.
    """
    held = within.dropna()
    low, high = held["accuracy"].min(), held["accuracy"].max()
    cheap, dear = np.log(held["cost"].min()), np.log(held["cost"].max())
    steps = front(points)
    widths = np.diff([*np.log(steps["cost"]), dear])
    box = (dear - cheap) * (high - low)
    return float((widths * (steps["accuracy"] - low)).sum() / box) if box > 0 else float("nan")


def front_frame(accuracy: pd.DataFrame, costs: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Return the front of every accuracy against every cost: dataset, metric, arch_index, cost, accuracy.

    `costs` are those of `analysis.architectures.cost_frame`, columns 'METRIC TITLE'; `titles` maps the labels of
    `accuracy` to datasets' titles. A cost that is not measured on a dataset has no rows.
    """
    parts = [pd.DataFrame(columns=["dataset", "metric", "arch_index", "cost", "accuracy"])]
    for label, metric, points in _pairs(accuracy, costs, titles):
        found = front(points).rename_axis("arch_index").reset_index()
        parts.append(found.assign(dataset=titles[label], metric=metric)[parts[0].columns])
    return pd.concat(parts[1:] or parts, ignore_index=True)


def hypervolumes(
    accuracy: pd.DataFrame, costs: pd.DataFrame, fronts: pd.DataFrame, titles: Mapping[str, str]
) -> pd.DataFrame:
    """Return the hypervolume of every front, and how much of it the fronts of other costs and datasets reach.

    `fronts` is that of `front_frame`. Columns: dataset, metric, of_dataset, of_metric (whose front is judged), number
    (of its architectures), hypervolume, and reached (its share of the hypervolume of the own front).
    """
    rows = []
    for label, metric, points in _pairs(accuracy, costs, titles):
        judged = {
            key: hypervolume(points.reindex(group["arch_index"]), points) for key, group in _each(fronts)
        }
        own = judged[titles[label], metric]
        for (of_dataset, of_metric), group in _each(fronts):
            area = judged[of_dataset, of_metric]
            rows.append((titles[label], metric, of_dataset, of_metric, len(group), area, area / own))
    columns = ["dataset", "metric", "of_dataset", "of_metric", "number", "hypervolume", "reached"]
    return pd.DataFrame(rows, columns=columns)


def _pairs(
    accuracy: pd.DataFrame, costs: pd.DataFrame, titles: Mapping[str, str]
) -> Iterable[tuple[str, str, pd.DataFrame]]:
    """Yield label, metric and points (columns cost, accuracy) of what is measured in both."""
    for label, title in titles.items():
        for name in map(str, costs):
            metric = name.removesuffix(f" {title}")
            points = pd.DataFrame({"cost": costs[name], "accuracy": accuracy[label]}).dropna()
            if name != metric and len(points):
                yield label, metric, points


def _each(fronts: pd.DataFrame) -> Iterable[tuple[tuple[str, str], pd.DataFrame]]:
    for key, group in fronts.groupby(["dataset", "metric"], sort=False):
        yield (str(key[0]), str(key[1])), group


def transfer_frame(
    accuracy: pd.DataFrame, runs: Mapping[str, pd.DataFrame], counts: Sequence[int]
) -> pd.DataFrame:
    """Return what the `k` best by one column are worth in another: columns chosen_by, judged_by, k, regret, overlap.

    regret: points from the best of the `k` to the best of all; overlap: the share of them that are among the `k` best
    there. Over the architectures that all columns measure; counts above their number are left out. As limits, of each
    column: `SEED`, the choice by its first seed judged by its second (`runs`, a column a seed), where two are complete;
    and `CHANCE`, the mean over all random choices, exact.
    """
    complete = accuracy.dropna()
    sizes = [count for count in counts if count <= len(complete)]
    rows = []
    for judge in map(str, complete):
        for name in map(str, complete):
            if name != judge:
                rows += _worth(complete[name], complete[judge], (name, judge), sizes)
        seeds = runs.get(judge, pd.DataFrame()).reindex(complete.index).dropna(axis="columns")
        if seeds.shape[1] > 1:
            rows += _worth(seeds.iloc[:, 0], seeds.iloc[:, 1], (SEED, judge), sizes)
        best = np.sort(complete[judge].to_numpy())[::-1]
        rows += [(CHANCE, judge, k, best[0] - expected_best(best, k), k / len(best)) for k in sizes]
    return pd.DataFrame(rows, columns=["chosen_by", "judged_by", "k", "regret", "overlap"])


def _worth(
    chosen_by: pd.Series, judged_by: pd.Series, names: tuple[str, str], counts: Iterable[int]
) -> list[tuple[str, str, int, float, float]]:
    ranked, best = (select_top(values, 1.0) for values in (chosen_by, judged_by))
    top = judged_by.max()
    return [
        (*names, k, float(top - judged_by[ranked[:k]].max()), len(ranked[:k].intersection(best[:k])) / k)
        for k in counts
    ]


def expected_best(descending: Floats, k: int) -> float:
    """Return the mean of the best of `k` values drawn without replacement, over all draws."""
    n = len(descending)
    places = np.arange(n - k + 1)  # the best drawn can have these: with it come k - 1 of those behind it
    weights = np.exp(_log_choose(n - 1 - places, k - 1) - _log_choose(np.array(n), k))
    return float(weights @ descending[: n - k + 1])


def _log_choose(n: npt.NDArray[np.int64], k: int) -> Floats:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
