"""Fresh runs beside stored ones, on numbers that can be checked by hand."""

import numpy as np
import pandas as pd
import pytest

from natslib.analysis.own_training import NEIGHBOURS, OWN, POOLED, compare_runs, pooled_std, spread_over_ranks

NAN = float("nan")
STORED = pd.DataFrame(
    {1: [90.0, 80.0, 70.0, NAN], 2: [94.0, 80.2, NAN, NAN]}, index=pd.RangeIndex(4, name="arch_index")
)
POOL = np.sqrt((8.0 + 0.02) / 2)  # two cells with two runs each: squares around their means over two degrees


def test_the_own_runs_count_where_they_are_spread_more_than_those_of_like_cells():
    row = compare_runs(STORED, pd.Series({0: 95.0})).loc[0]
    assert (row["mean"], row["runs"], row["std_of"]) == (92.0, 2, OWN)
    assert row["std"] == pytest.approx(np.sqrt(8))
    assert row["z"] == pytest.approx(3 / np.sqrt(8))
    assert (row["rank"], row["cells"]) == (1, 3)


@pytest.mark.parametrize(("arch", "mean"), [(1, 80.1), (2, 70.0)])
def test_two_runs_that_agree_by_chance_and_a_single_one_get_the_pooled_deviation(arch, mean):
    row = compare_runs(STORED, pd.Series({arch: 75.0})).loc[arch]
    assert (row["mean"], row["std_of"], row["rank"]) == (mean, POOLED, 3)
    assert row["std"] == pytest.approx(POOL)
    assert row["z"] == pytest.approx((75 - mean) / POOL)


def test_a_cell_that_is_not_stored_has_a_rank_but_no_z():
    row = compare_runs(STORED, pd.Series({3: 60.0})).loc[3]
    assert np.isnan([row["mean"], row["std"], row["z"]]).all()
    assert (row["runs"], row["std_of"], row["rank"], row["cells"]) == (0, "", 4, 3)


def test_without_a_repeated_cell_there_is_no_z():
    row = compare_runs(STORED[[1]], pd.Series({0: 95.0})).loc[0]
    assert (row["mean"], row["runs"], row["std_of"]) == (90.0, 1, "")
    assert np.isnan([row["std"], row["z"]]).all()


def test_the_pooled_deviation_is_that_of_cells_of_like_accuracy():
    n = NEIGHBOURS
    means, half = (
        np.r_[np.linspace(40, 50, n), np.linspace(90, 91, n)],
        np.r_[np.full(n, 5.0), np.full(n, 0.5)],
    )
    runs = pd.DataFrame({1: means - half, 2: means + half})
    assert pooled_std(runs, 90.5) == pytest.approx(np.sqrt(2) * 0.5)
    assert pooled_std(runs, 45.0) == pytest.approx(np.sqrt(2) * 5)
    assert np.isnan(pooled_std(runs, NAN))


def test_architectures_spread_over_the_ranks_of_those_with_most_runs():
    means = np.array([50.0, 90, 60, 80, 70, 95])
    runs = pd.DataFrame({1: means, 2: [50.0, 90, 60, 80, 70, NAN]}, index=pd.RangeIndex(6, name="arch_index"))
    assert spread_over_ranks(runs, 1) == [4]
    assert spread_over_ranks(runs, 5) == [0, 2, 4, 3, 1]
    assert spread_over_ranks(runs, 2) == [2, 3]
