"""Anytime curves by hand, and against a plain loop."""

import numpy as np
import pandas as pd
import pytest

from natslib.analysis.multi_trial import (
    anytime,
    area_under,
    evaluations,
    finals,
    interpolated,
    mean_and_std,
    regret,
)
from natslib.errors import ConfigError, UnknownName

VALUES = np.array([90.0, 91.0, 93.0, 92.0])


def frame() -> pd.DataFrame:
    """Two runs: architectures 0, 2 at 10 and 30 s; 1, 3, 3 at 5, 20 and 40 s."""
    return pd.DataFrame(
        {"run": [0, 0, 1, 1, 1], "spent": [10.0, 30.0, 5.0, 20.0, 40.0], "incumbent": [0, 2, 1, 3, 3]}
    )


def test_steps_hold_the_last_finished_incumbent() -> None:
    curves = anytime(frame(), VALUES, [4.0, 5.0, 10.0, 29.9, 30.0, 99.0], "step")
    nan = np.nan
    np.testing.assert_array_equal(
        curves, [[nan, nan, 90.0, 90.0, 93.0, 93.0], [nan, 91.0, 91.0, 92.0, 92.0, 92.0]]
    )


def test_the_official_rule_is_the_line_through_the_two_nearest() -> None:
    """At 20 s between 10 and 30; at 34 s between 20 and 40 (not 5); beyond the end it goes on as a line."""
    curves = anytime(frame(), VALUES, [20.0, 34.0], "official")
    np.testing.assert_allclose(curves, [[91.5, 93.0 + 4 * 3.0 / 20], [92.0, 92.0]])
    np.testing.assert_allclose(
        interpolated(np.array([10.0, 30.0]), np.array([90.0, 93.0]), np.array([40.0])), [94.5]
    )


def test_the_official_rule_where_there_is_no_line() -> None:
    grid = np.array([1.0, 99.0])
    np.testing.assert_array_equal(interpolated(np.array([10.0]), np.array([90.0]), grid), [90.0, 90.0])
    same_time = interpolated(np.array([10.0, 10.0, 50.0]), np.array([90.0, 91.0, 92.0]), np.array([11.0]))
    np.testing.assert_array_equal(same_time, [90.0])


def test_curves_agree_with_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    values = rng.random(50)
    rows = [
        (run, time_s, rng.integers(50))
        for run in (3, 1, 7)
        for time_s in np.cumsum(rng.random(30) * 9).tolist()
    ]
    shuffled = pd.DataFrame(rows, columns=["run", "spent", "incumbent"]).sample(frac=1.0, random_state=0)
    grid = np.linspace(0, 150, 40)
    expected = np.full((3, 40), np.nan)
    for place, run in enumerate((1, 3, 7)):
        for column, tick in enumerate(grid):
            before = [(time_s, arch) for number, time_s, arch in rows if number == run and time_s <= tick]
            if before:
                expected[place, column] = values[max(before)[1]]
    np.testing.assert_array_equal(anytime(shuffled, values, grid, "step"), expected)


def test_finals_and_counts() -> None:
    assert finals(frame(), VALUES, 30.0, "step").tolist() == [93.0, 92.0]
    assert evaluations(frame()).tolist() == [2, 3]
    assert mean_and_std([93.0, 92.0]) == (92.5, 0.5)  # the population's, not the sample's 0.71


def test_regret_is_the_distance_to_the_optimum() -> None:
    np.testing.assert_allclose(regret([[93.0, np.nan], [92.0, 94.37]], 94.37), [[1.37, np.nan], [2.37, 0.0]])


def test_the_area_is_the_time_average_of_steps() -> None:
    areas = area_under([[90.0, 92.0, 94.0], [np.nan, 92.0, 94.0]], [10.0, 20.0, 60.0], 110.0)
    np.testing.assert_allclose(areas, [(10 * 90 + 40 * 92 + 50 * 94) / 100, np.nan])


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(
        UnknownName, match="unknown rule of anytime curves 'line': allowed are 'step', 'official'"
    ):
        anytime(frame(), VALUES, [1.0], "line")
    with pytest.raises(ConfigError, match="must ascend"):
        anytime(frame(), VALUES, [2.0, 1.0], "step")
    with pytest.raises(ConfigError, match="without rows"):
        anytime(frame().iloc[:0], VALUES, [1.0], "step")
    with pytest.raises(ConfigError, match="must not end later"):
        area_under([[1.0, 2.0]], [10.0, 20.0], 15.0)
