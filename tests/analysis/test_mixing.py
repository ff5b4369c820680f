import numpy as np
import pytest

from natslib.analysis.mixing import best_skip_weight, mixing_frame, simulate_edge, skip_weight
from natslib.errors import ConfigError

DRAWS = 50_000


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_errors_have_the_variances_and_the_correlation_that_were_asked_for() -> None:
    target, skip, conv = simulate_edge(0.25, 0.6, DRAWS, rng())
    np.testing.assert_allclose(np.cov(skip - target, conv - target), [[0.25, 0.3], [0.3, 1.0]], atol=0.02)
    assert abs(np.corrcoef(target, skip - target)[0, 1]) < 0.02
    assert target.std() == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("noise", [0.1, 0.5, 1.0, 3.0])
def test_uncorrelated_errors_are_mixed_as_proposed(noise: float) -> None:
    """Each share is that of the other's variance: 1 of 1 + noise for the skip-connection."""
    found = best_skip_weight(*simulate_edge(noise, 0.0, DRAWS, rng()))
    assert found == pytest.approx(1.0 / (1.0 + noise), abs=0.01)
    assert skip_weight(noise) == pytest.approx(1.0 / (1.0 + noise))


def test_the_weight_is_where_the_error_varies_least() -> None:
    """By weights one after the other, whatever the errors: also of estimates of another scale."""
    target, skip, conv = simulate_edge(0.4, 0.3, 2_000, rng())
    weights = np.linspace(0, 1, 1_001)
    for other in (conv, 1.5 * conv):
        spread = [np.var(weight * skip + (1 - weight) * other - target) for weight in weights]
        assert best_skip_weight(target, skip, other) == pytest.approx(weights[np.argmin(spread)], abs=1e-3)


def test_correlated_errors_are_not_and_equal_ones_are() -> None:
    frame = mixing_frame([0.25, 1.0], [-0.5, 0.0, 0.4], DRAWS, rng()).set_index(["noise", "correlation"])
    np.testing.assert_allclose(frame["found"], frame["closed_form"], atol=0.015)
    assert frame.loc[(0.25, 0.4), "gap"] > 0.1  # (1 - 0.2) / (1.25 - 0.4) = 0.94 against 0.8
    assert frame.loc[(0.25, -0.5), "gap"] < -0.05
    np.testing.assert_allclose(frame.loc[1.0, "gap"], 0.0, atol=0.015)


def test_above_the_smaller_variance_the_better_estimate_takes_all() -> None:
    """From a covariance of 0.25 on, at a correlation of one half."""
    assert skip_weight(0.25, [0.49, 0.5, 0.9]).tolist() == [pytest.approx(0.755 / 0.76), 1.0, 1.0]
    assert skip_weight(4.0, 0.6) == 0.0
    assert best_skip_weight(*simulate_edge(0.25, 0.8, DRAWS, rng())) == pytest.approx(1.0, abs=1e-4)
    assert skip_weight(1.0, 1.0) == 0.5  # the same error twice: every weight is as good


@pytest.mark.parametrize(("noise", "correlation", "draws"), [(0.0, 0.0, 9), (1.0, 1.1, 9), (1.0, 0.0, 1)])
def test_impossible_errors_are_refused(noise: float, correlation: float, draws: int) -> None:
    with pytest.raises(ConfigError, match="allowed are noise above 0"):
        simulate_edge(noise, correlation, draws, rng())
