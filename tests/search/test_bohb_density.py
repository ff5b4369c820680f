import numpy as np
import pytest

from natslib.search.algorithms.bohb import CategoricalDensity, best_ratio

STATSMODELS = [0.04416349028449024, 0.14150190582930583, 0.18716730194310194, 0.15891102661369638]
DATA = np.array([[0, 1, 3], [0, 2, 3], [4, 1, 3], [0, 1, 3], [2, 1, 3]])


def test_bandwidths_follow_the_rule_of_thumb_and_the_floor() -> None:
    density = CategoricalDensity(DATA, 0.3)
    thumb = 1.06 * np.array([1.6, 0.4]) * 5 ** (-1 / 7)
    np.testing.assert_allclose(density.bandwidth, [thumb[0], thumb[1], 0.3])


def test_densities_equal_those_of_statsmodels() -> None:
    """Values of KDEMultivariate (statsmodels 0.15, var_type "uuu", normal reference, bandwidths at least 0.3)."""
    density = CategoricalDensity(DATA, 0.3)
    codes = [[0, 1, 3], [4, 2, 3], [2, 1, 3], [3, 3, 3]]
    np.testing.assert_allclose(density.pdf(codes), STATSMODELS, rtol=1e-12)


def test_another_choice_at_a_constant_position_is_infinitely_dense() -> None:
    density = CategoricalDensity(np.array([[0, 1], [1, 1], [0, 1]]), 0.3)
    assert np.isinf(density.pdf([[0, 2]])[0])


def test_draws_stay_near_the_data_as_often_as_the_bandwidth_says() -> None:
    density = CategoricalDensity(np.array([[0, 1]] * 7), 0.3)
    drawn = density.draw_near(5, 40_000, np.random.default_rng(0))
    assert set(drawn.ravel()) == set(range(5))
    np.testing.assert_allclose((drawn == [0, 1]).mean(axis=0), 0.7 + 0.3 / 5, atol=0.01)


@pytest.mark.parametrize(
    ("good", "bad", "best"),
    [
        ([1.0, 2.0, 0.5], [1.0, 1.0, 1.0], 1),
        ([-1.0, 2.0], [1.0, 1.0], 1),  # a negative density counts as the floor
        ([1.0, np.inf], [1.0, 5.0], 1),  # infinitely dense among the good
        ([1.0, 1.0, 9.0], [2.0, np.inf, 1.0], 1),  # unusable ratio, finite good: taken at once
        ([np.inf, np.nan], [np.inf, 1.0], None),
        ([1.0, 4.0, 2.0], [np.nan, np.nan, 1.0], 1),  # a bad density that is NaN counts as the floor
        ([np.inf, 1.0], [np.inf, 2.0], 1),
    ],
)
def test_the_best_ratio_is_chosen_as_hpbandster_does(good: list, bad: list, best: int | None) -> None:
    assert best_ratio(np.array(good), np.array(bad)) == best
