"""Seed noise, on simulated data whose truth is known."""

import numpy as np
import pandas as pd
import pytest

from natslib.analysis.seed_noise import (
    coincidences,
    noise_table,
    noise_variance,
    pair_differences,
    reliability,
    seed_summary,
)
from natslib.errors import ConfigError


def simulate(rng, *, n=4000, truth_std=2.0, noise_std=1.0, missing=0.5):
    truth = rng.normal(80, truth_std, n)
    runs = pd.DataFrame(truth[:, None] + rng.normal(0, noise_std, (n, 3)), columns=[777, 888, 999])
    runs.loc[rng.random(n) < missing, 999] = np.nan
    return truth, runs


def test_summary_is_the_population_formula():
    runs = pd.DataFrame({777: [1.0, 5.0], 888: [3.0, np.nan]})
    assert seed_summary(runs).to_dict("list") == {"mean": [2.0], "std": [1.0], "count": [2]}


def test_noise_variance_is_unbiased_with_unequal_numbers_of_runs():
    rng = np.random.default_rng(0)
    assert noise_variance(simulate(rng, noise_std=1.5)[1]) == pytest.approx(1.5**2, rel=0.04)


def test_reliability_is_the_squared_correlation_with_the_truth():
    truth, runs = simulate(np.random.default_rng(1))
    found = np.corrcoef(truth, runs.mean(axis=1))[0, 1] ** 2
    assert reliability(runs) == pytest.approx(found, abs=0.01)
    assert reliability(runs) < 0.95


def test_one_run_says_nothing_about_noise():
    with pytest.raises(ConfigError, match="at least two runs"):
        noise_variance(pd.DataFrame({777: [1.0, 2.0]}))


def test_equivalent_cells_are_as_far_apart_as_two_seeds():
    rng = np.random.default_rng(2)
    n, classes = 6000, np.repeat(np.arange(3000), 2)
    truth = rng.normal(0, 5, 3000)[classes]
    runs = pd.DataFrame(truth[:, None] + rng.normal(0, 1, (n, 2)), columns=[777, 888])
    medians = pair_differences(runs, classes, rng).groupby("kind")["difference"].median()
    assert medians["equal networks"] == pytest.approx(medians["same architecture"], rel=0.08)
    assert medians["same architecture"] == pytest.approx(0.954, rel=0.05)  # 0.6745 √2
    assert medians["other architectures"] > 4


def test_cells_that_are_not_equivalent_show():
    rng = np.random.default_rng(2)
    _, runs = simulate(rng, missing=0)
    wrong = np.arange(len(runs)) // 2
    medians = pair_differences(runs, wrong, rng).groupby("kind")["difference"].median()
    assert medians["equal networks"] > 1.5 * medians["same architecture"]


def test_without_classes_two_kinds_remain_and_copies_are_left_out():
    runs = pd.DataFrame({777: [1.0, 2.0, 3.0], 888: [1.0, 2.5, 3.5]})
    found = pair_differences(runs, np.arange(3), np.random.default_rng(0))
    assert set(found["kind"]) == {"same architecture", "other architectures"}
    assert found.loc[found["kind"] == "same architecture", "difference"].tolist() == [0.5, 0.5]


def test_coincidences_are_counted_by_class_and_seed():
    one = pd.DataFrame({777: [50.0, 50.0, 60.0], 888: [51.0, np.nan, 50.0]})
    counts = coincidences({"a": one, "b": one + 1}, np.array([0, 0, 2]))
    assert counts.to_dict() == {
        "records": 5,
        "pairs": 3,
        "pairs of equal networks": 1,
        "pairs of one seed": 1,
    }


def test_table_has_a_column_a_label():
    table = noise_table({"x": simulate(np.random.default_rng(0))[1]})
    assert table.index.tolist() == ["mean_std", "noise_std", "reliability"]
    assert table["x"]["mean_std"] < table["x"]["noise_std"]  # the population formula is biased
