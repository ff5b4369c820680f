"""The attainable rank correlation, on simulated data: the estimate against the correlation with the known truth."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from natslib.analysis.ranks import select_top
from natslib.analysis.seed_noise import local_noise, noise_ceiling, repeat_correlation
from natslib.errors import ConfigError


@pytest.fixture(scope="module")
def simulated():
    """Skewed truth, noise that is larger among poor architectures, and a third run for half of them."""
    rng = np.random.default_rng(5)
    truth = 90 - rng.gamma(1.2, 4.0, 6000)
    noise = 0.2 + 0.08 * (90 - truth)
    runs = pd.DataFrame(
        truth[:, None] + noise[:, None] * rng.standard_normal((6000, 3)), columns=[777, 888, 999]
    )
    runs.loc[rng.random(6000) < 0.5, 999] = np.nan
    return pd.Series(truth), noise, runs


def test_local_noise_follows_the_noise(simulated):
    _, noise, runs = simulated
    assert np.corrcoef(local_noise(runs), noise)[0, 1] > 0.9
    assert (local_noise(runs) / noise).median() == pytest.approx(1, abs=0.1)


def test_local_noise_is_an_average_over_a_window_around_the_rank():
    """One architecture in 401 differs between its runs, by a variance of 2: its 50 neighbours either side share it."""
    means = np.random.default_rng(0).permutation(401).astype(float)
    differ = np.where(means == 200, 1.0, 0.0)
    found = local_noise(pd.DataFrame({777: means - differ, 888: means + differ}))
    np.testing.assert_allclose(found, np.where(np.abs(means - 200) <= 50, np.sqrt(2 / 101), 0.0))


def test_ceiling_is_what_a_perfect_predictor_reaches(simulated):
    truth, _, runs = simulated
    mean = runs.mean(axis=1)
    found = noise_ceiling(runs, np.random.default_rng(0), fractions=(0.2, 1.0)).set_index("fraction")
    for fraction, tolerance in ((1.0, 0.01), (0.2, 0.05)):
        top = select_top(mean, fraction)
        reached = stats.kendalltau(truth[top], mean[top]).statistic
        assert found["perfect_mean"][fraction] == pytest.approx(reached, abs=tolerance)
    assert found["count"].tolist() == [1200, 6000]


def test_repeats_agree_with_the_stored_runs(simulated):
    _, _, runs = simulated
    found = noise_ceiling(runs, np.random.default_rng(0))
    assert found["repeat_one"][0] == pytest.approx(repeat_correlation(runs), abs=0.02)
    assert found["perfect_mean"][0] > found["perfect_one"][0] > found["repeat_one"][0]


def test_same_generator_same_numbers(simulated):
    _, _, runs = simulated
    few = runs[:500]
    once, again = (noise_ceiling(few, np.random.default_rng(1)) for _ in range(2))
    assert once.equals(again)


def test_single_runs_are_refused():
    with pytest.raises(ConfigError, match="at least two runs"):
        noise_ceiling(pd.DataFrame({777: [1.0, 2.0, 3.0]}), np.random.default_rng(0))
