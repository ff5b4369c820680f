"""Reducers of repeated runs and their bootstrap intervals.

A sample has one row a run: shape (runs,) for final values or (runs, times) for anytime curves. A reducer takes such a
sample, reduces the axis it is told, and can be given to `bootstrap`. Randomness comes from the generator passed in.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from natslib.errors import ConfigError

Floats: TypeAlias = npt.NDArray[np.float64]
Reducer: TypeAlias = Callable[..., Floats]


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
    ordered = np.sort(np.asarray(sample, dtype=np.float64), axis=axis)
    cut = ordered.shape[axis] // 4
    kept = np.take(ordered, range(cut, ordered.shape[axis] - cut), axis=axis)
    return np.asarray(kept.mean(axis=axis))


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
    runs = np.asarray(sample, dtype=np.float64)
    check(len(runs), level, resamples)
    draws = np.stack(
        [reducer(runs[rng.integers(len(runs), size=len(runs))], axis=0) for _ in range(resamples)]
    )
    return Interval(reducer(runs, axis=0), *percentiles(draws, level))


def probability_of_improvement(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Return the chance that a run of `first` ends higher than one of `second`; a tie counts half."""
    one, two = (np.asarray(sample, dtype=np.float64) for sample in (first, second))
    if not (one.size and two.size):
        raise ConfigError("a probability of improvement needs at least one run on either side")
    ordered = np.sort(two)
    below = np.searchsorted(ordered, one, side="left")
    not_above = np.searchsorted(ordered, one, side="right")
    return float((below + not_above).sum() / (2 * one.size * two.size))


def improvement_interval(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    level: float = 0.95,
    resamples: int = 2000,
) -> Interval:
    """Return the probability of improvement with its percentile bootstrap interval."""
    one, two = (np.asarray(sample, dtype=np.float64) for sample in (first, second))
    check(min(len(one), len(two)), level, resamples)
    draws = [
        probability_of_improvement(rng.choice(one, size=len(one)), rng.choice(two, size=len(two)))
        for _ in range(resamples)
    ]
    value = np.asarray(probability_of_improvement(one, two))
    return Interval(value, *percentiles(np.array(draws), level))


def percentiles(draws: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the two ends that hold the middle `level` of the draws (first axis)."""
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(draws, [tail, 1.0 - tail], axis=0)
    return np.asarray(low), np.asarray(high)


def check(runs: int, level: float, resamples: int) -> None:
    """Raise `ConfigError` for a sample, a level or a number of resamples that gives no interval."""
    if runs < 2:
        raise ConfigError(f"{runs} runs were given; a bootstrap interval needs at least 2")
    if not 0.0 < level < 1.0 or resamples < 1:
        raise ConfigError(
            f"level={level}, resamples={resamples}: allowed are 0 < level < 1 and resamples >= 1"
        )
