"""Reducers and bootstrap intervals against closed forms and the generator."""

import numpy as np
import pytest

from natslib.analysis.statistics import bootstrap, improvement_interval, iqm, mean, probability_of_improvement
from natslib.errors import ConfigError

SAMPLE = np.random.default_rng(7).normal(94.0, 0.3, size=200)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_interquartile_mean_drops_a_quarter_at_either_end() -> None:
    assert iqm([100.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, -50.0]) == pytest.approx(np.mean([2, 3, 4, 5]))
    assert iqm([1.0, 2.0, 9.0]) == pytest.approx(4.0)
    table = np.random.default_rng(0).random((37, 5))
    np.testing.assert_allclose(iqm(table), np.sort(table, axis=0)[9:-9].mean(axis=0))


def test_the_interval_of_a_mean_is_about_two_standard_errors() -> None:
    interval = bootstrap(SAMPLE, mean, rng())
    error = 1.96 * SAMPLE.std() / np.sqrt(len(SAMPLE))
    assert interval.value == pytest.approx(SAMPLE.mean())
    assert interval.low == pytest.approx(SAMPLE.mean() - error, abs=0.12 * error)
    assert interval.high == pytest.approx(SAMPLE.mean() + error, abs=0.12 * error)


def test_as_many_runs_are_resampled_as_there_are() -> None:
    """Draws of a mean spread by the population's deviation over √n, which for n - 1 runs is 12 % more at n = 5."""
    sample, draws = np.array([1.0, 2.0, 4.0, 8.0, 9.0]), []

    def recorded(runs: np.ndarray, axis: int) -> np.ndarray:
        draws.append(mean(runs, axis))
        return draws[-1]

    bootstrap(sample, recorded, rng(), resamples=20_000)
    spread = np.concatenate([some for some in draws if some.ndim]).std()
    assert spread == pytest.approx(sample.std() / np.sqrt(5), rel=0.02)


def test_the_ends_of_a_small_sample_are_those_of_a_binomial() -> None:
    """Of five draws at 1/5 at most two are right with 94 %, at most three with 99 %."""
    one_in_five = [0.0, 0.0, 1.0, 0.0, 0.0]
    assert bootstrap(one_in_five, mean, rng()) == (pytest.approx(0.2), 0.0, pytest.approx(0.6))
    better = improvement_interval(one_in_five, [0.0, 0.0], rng())  # a tie counts half
    assert better == (pytest.approx(0.6), 0.5, pytest.approx(0.8))
    worse = improvement_interval([0.0, 0.0], one_in_five, rng())
    assert worse == (pytest.approx(0.4), pytest.approx(0.2), 0.5)


def test_intervals_cover_as_often_as_they_say() -> None:
    data = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        interval = bootstrap(data.normal(5.0, 2.0, size=60), mean, data, level=0.8, resamples=300)
        hits += interval.low <= 5.0 <= interval.high
    assert 0.72 <= hits / 200 <= 0.87


def test_the_generator_is_honoured() -> None:
    first, again, other = (bootstrap(SAMPLE, iqm, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert (first.low, first.high) == (again.low, again.high)
    assert (first.low, first.high) != (other.low, other.high)
    generator = np.random.default_rng(3)
    bootstrap(SAMPLE, iqm, generator)
    assert bootstrap(SAMPLE, iqm, generator).low != first.low  # its state moved on


def test_curves_have_pointwise_intervals() -> None:
    curves = np.stack([SAMPLE, SAMPLE + 1.0, np.full(200, 3.0)], axis=1)
    interval = bootstrap(curves, mean, rng())
    assert interval.low.shape == interval.high.shape == (3,)
    np.testing.assert_allclose(interval.low[1] - interval.low[0], 1.0)
    assert interval.low[2] == interval.high[2] == 3.0


def test_the_probability_of_improvement_counts_pairs() -> None:
    one, two = [3.0, 1.0, 2.0], [2.0, 0.0]
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in one for b in two]
    assert probability_of_improvement(one, two) == pytest.approx(np.mean(pairs))
    assert probability_of_improvement(one, two) + probability_of_improvement(two, one) == pytest.approx(1.0)
    a, b = SAMPLE[:90].round(1), SAMPLE[90:].round(1)
    pairs = (a[:, None] > b) + (a[:, None] == b) / 2
    assert probability_of_improvement(a, b) == pytest.approx(pairs.mean(), abs=1e-12)


def test_its_interval_holds_a_half_for_equals_and_not_for_unequals() -> None:
    alike = improvement_interval(SAMPLE[:100], SAMPLE[100:], rng(), resamples=500)
    apart = improvement_interval(SAMPLE[:100] + 1.0, SAMPLE[100:], rng(), resamples=500)
    assert alike.low < 0.5 < alike.high
    assert apart.low > 0.9


def test_what_gives_no_interval_is_refused() -> None:
    with pytest.raises(ConfigError, match="1 runs were given; a bootstrap interval needs at least 2"):
        bootstrap([1.0], mean, rng())
    with pytest.raises(ConfigError, match="0 < level < 1"):
        bootstrap(SAMPLE, mean, rng(), level=95)
    with pytest.raises(ConfigError, match="resamples >= 2"):
        bootstrap(SAMPLE, mean, rng(), resamples=1)
    with pytest.raises(ConfigError, match="at least one run"):
        probability_of_improvement([], [1.0])
