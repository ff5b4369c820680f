"""Uncertainty of means over runs, and tests between searches: Holm-corrected pairs, critical differences.

A frame of finals has one column a search and one row a pair or block: runs that share a seed, or data sets. Higher is
better. Needs SciPy.
"""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from natslib.errors import ConfigError

Floats: TypeAlias = npt.NDArray[np.float64]
Reducer: TypeAlias = Callable[..., Floats]
AT_ONCE = 2**20  # values of resampled runs that are held at once
EXACT = 13
"""Pairs of runs up to which a signed-rank test with ties looks at every choice of signs, as SciPy does."""


class Interval(NamedTuple):
    """A value and the ends of its interval; floats' arrays of one shape."""

    value: Floats
    low: Floats
    high: Floats


def mean(sample: npt.ArrayLike, axis: int = 0) -> Floats:
    """Return the mean along `axis`."""
    return np.asarray(np.mean(np.asarray(sample, dtype=np.float64), axis=axis))


def iqm(sample: npt.ArrayLike, axis: int = 0) -> Floats:
    """Return the interquartile mean along `axis`: the mean without the lowest and the highest quarter.

    A quarter that is not whole is rounded down, as usual (Agarwal et al., NeurIPS 2021).
    """
    return np.asarray(scipy.stats.trim_mean(np.asarray(sample, dtype=np.float64), 0.25, axis=axis))


def bootstrap(
    sample: npt.ArrayLike,
    reducer: Reducer,
    rng: np.random.Generator,
    *,
    level: float = 0.95,
    resamples: int = 2000,
) -> Interval:
    """Return the reduced sample with its percentile bootstrap interval; runs are resampled with replacement.

    A row is resampled as a whole, so the interval of a curve is pointwise. The same generator state gives the same
    ends.
    """
    return _interval((sample,), reducer, rng, level, resamples)


def probability_of_improvement(first: npt.ArrayLike, second: npt.ArrayLike, axis: int = 0) -> Floats:
    """Return the chance that a run of `first` ends higher than one of `second`, along `axis`; a tie counts half.

    It is the Mann-Whitney statistic over the number of pairs.
    """
    one, two = (np.asarray(sample, dtype=np.float64) for sample in (first, second))
    if not (one.size and two.size):
        raise ConfigError("a probability of improvement needs at least one run on either side")
    above = scipy.stats.mannwhitneyu(one, two, axis=axis, method="asymptotic").statistic
    return np.asarray(above / (one.shape[axis] * two.shape[axis]))


def improvement_interval(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    level: float = 0.95,
    resamples: int = 2000,
) -> Interval:
    """Return the probability of improvement with its percentile bootstrap interval."""
    return _interval((first, second), probability_of_improvement, rng, level, resamples)


def _interval(
    samples: Sequence[npt.ArrayLike], reducer: Reducer, rng: np.random.Generator, level: float, resamples: int
) -> Interval:
    runs = [np.asarray(sample, dtype=np.float64) for sample in samples]
    check(min(map(len, runs)), level, resamples)
    ends = scipy.stats.bootstrap(
        runs,
        reducer,
        n_resamples=resamples,
        batch=max(1, AT_ONCE // max(1, sum(sample.size for sample in runs))),
        vectorized=True,
        confidence_level=level,
        method="percentile",
        rng=rng,
    ).confidence_interval
    return Interval(reducer(*runs, axis=0), np.asarray(ends.low), np.asarray(ends.high))


def check(runs: int, level: float, resamples: int) -> None:
    """Raise `ConfigError` for a sample, a level or a number of resamples that gives no interval."""
    if runs < 2:
        raise ConfigError(f"{runs} runs were given; a bootstrap interval needs at least 2")
    if not 0.0 < level < 1.0 or resamples < 2:
        raise ConfigError(
            f"level={level}, resamples={resamples}: allowed are 0 < level < 1 and resamples >= 2"
        )


def holm(p_values: npt.ArrayLike) -> Floats:
    """Return Holm's step-down adjusted p-values, in the order given (Holm 1979)."""
    raw = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(raw, kind="stable")
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1)), 1.0)
    return adjusted


def paired_tests(finals: pd.DataFrame) -> pd.DataFrame:
    """Compare every two searches by the two-sided Wilcoxon signed-rank test.

    Returns one row a pair: first, second, difference (mean of first - second), p, p_holm. p is exact up to `EXACT`
    rows, and approximate beyond where there are ties, zeros, or more than 50. A pair without any difference has p = 1.
    Raises `ConfigError` for fewer than two searches or a missing value.
    """
    check_finals(finals)
    rows = []
    for first, second in combinations(finals.columns, 2):
        difference = (finals[first] - finals[second]).to_numpy(dtype=np.float64)
        rows.append((first, second, float(difference.mean()), _signed_rank_p(difference)))
    tests = pd.DataFrame(rows, columns=["first", "second", "difference", "p"])
    return tests.assign(p_holm=holm(tests["p"]))


def _signed_rank_p(difference: Floats) -> float:
    """Return the p-value of the signed-rank test: that of `scipy.stats.wilcoxon`, which ranks anew for all signs."""
    if not difference.any():
        return 1.0
    given = difference[difference != 0]
    if len(difference) > EXACT or len(given) == 1:
        return float(scipy.stats.wilcoxon(difference).pvalue)
    ranks = scipy.stats.rankdata(np.abs(given))  # the same whatever the signs

    def positive(signed: Floats, axis: int) -> Floats:
        return np.asarray(np.sum((signed > 0) * ranks, axis=axis))

    return float(
        scipy.stats.permutation_test((given,), positive, permutation_type="samples", vectorized=True).pvalue
    )


class CriticalDifference(NamedTuple):
    """What a critical-difference diagram shows (Demšar, JMLR 2006).

    `ranks`: average rank of each search (1 best), ascending. `cliques`: the groups of neighbours in rank that are not
    told apart. `p`: the Friedman test that all are alike.
    """

    ranks: pd.Series
    cliques: list[tuple[str, ...]]
    p: float


def critical_difference(finals: pd.DataFrame, alpha: float = 0.05) -> CriticalDifference:
    """Rank the searches and group those that Holm-corrected Wilcoxon tests at level `alpha` do not separate.

    Average ranks come from ranking each row; ties share their rank. Grouping by pairwise tests instead of Nemenyi's
    constant distance follows Benavoli et al. (JMLR 2016). Needs at least three searches. Where no row has a difference,
    p is 1.
    """
    check_finals(finals)
    if finals.shape[1] < 3:
        raise ConfigError(
            f"{finals.shape[1]} searches were given; a critical-difference diagram needs at least 3"
        )
    placed = finals.rank(axis=1, ascending=False)
    ranks = placed.mean(axis=0).sort_values(kind="stable")
    tests = paired_tests(finals)
    apart = tests[tests["p_holm"] <= alpha]
    separate = {frozenset(pair) for pair in zip(apart["first"], apart["second"], strict=True)}
    differ = bool((placed.nunique(axis=1) > 1).any())
    p = (
        float(scipy.stats.friedmanchisquare(*(finals[name] for name in finals.columns)).pvalue)
        if differ
        else 1.0
    )
    return CriticalDifference(ranks, cliques(list(ranks.index), separate), p)


def cliques(ranked: Sequence[str], separate: set[frozenset[str]]) -> list[tuple[str, ...]]:
    """Return the longest stretches of the ranking in which no two are separate; single names are left out."""
    stretches: list[tuple[int, int]] = []
    for start in range(len(ranked)):
        end = start
        while end + 1 < len(ranked) and all(
            frozenset((member, ranked[end + 1])) not in separate for member in ranked[start : end + 1]
        ):
            end += 1
        if end > start and (not stretches or end > stretches[-1][1]):
            stretches.append((start, end))
    return [tuple(ranked[start : end + 1]) for start, end in stretches]


def check_finals(finals: pd.DataFrame) -> None:
    """Raise `ConfigError` unless there are two searches, two rows, and no hole."""
    if finals.shape[1] < 2 or len(finals) < 2:
        raise ConfigError(
            f"finals of shape {finals.shape} were given; a comparison needs two searches and two rows"
        )
    if finals.isna().to_numpy().any():
        raise ConfigError("the finals have missing values; compare only runs that every search finished")
