"""The quality of a benchmark, on series whose agreement can be counted by hand."""

import numpy as np
import pandas as pd
import pytest

from natslib.analysis.own_training import agreement, quality_table, seed_agreement

NAN = float("nan")
RUNS = pd.DataFrame({1: [1.0, 2, 3, 4, NAN], 2: [1.0, 2, 4, 3, NAN], 3: [NAN, NAN, 1, 2, 3]})
PARAMS, REAL = pd.Series([4.0, 3, 2, 1, 9]), pd.Series([10.0, 20, 30, NAN, 0])


def test_agreement_is_over_what_both_have():
    assert agreement(pd.Series([1.0, 2, 3, NAN]), pd.Series([2.0, 1, 3, 4])) == (pytest.approx(1 / 3), 3)
    tau, cells = agreement(pd.Series([1.0, 2, NAN]), pd.Series([1.0, 2, 3]))
    assert np.isnan(tau)
    assert cells == 2


def test_seeds_agree_by_the_mean_of_all_pairs_that_share_enough():
    tau, cells = seed_agreement(RUNS)
    assert tau == pytest.approx(2 / 3)  # one of six pairs is swapped; the third seed shares two cells only
    assert cells == 4
    assert np.isnan(seed_agreement(RUNS[[1]])[0])
    assert seed_agreement(RUNS[[1]])[1] == 0


def test_the_baseline_is_over_the_same_cells_as_the_accuracies():
    table = quality_table({"a": RUNS[[1, 2]]}, {"a": PARAMS}, REAL).loc[0]
    assert table[["column", "cells", "seeds_cells", "real_cells"]].tolist() == ["a", 4, 4, 3]
    assert table[["real_tau", "params_real_tau"]].tolist() == [1.0, -1.0], "the fifth cell has no run"
    assert table["params_tau"] == pytest.approx(-5 / np.sqrt(30))  # two means are equal


def test_without_real_accuracies_there_is_nothing_to_compare_with():
    table = quality_table({"a": RUNS}, {"a": PARAMS}, pd.Series(dtype=float)).loc[0]
    assert table["real_cells"] == 0
    assert table[["real_tau", "params_real_tau"]].isna().all()
