"""Correlation between columns, against counting pairs by hand and against the real results."""

import itertools

import numpy as np
import pandas as pd
import pytest

from natslib.analysis.correlation import (
    correlate,
    correlation_matrix,
    correlation_pairs,
    explain_few,
    pair_agreement,
    select_above,
)
from natslib.errors import NotMeasured, UnknownName


def tau_b_by_hand(a, b):
    pairs = [
        (np.sign(a[i] - a[j]), np.sign(b[i] - b[j])) for i, j in itertools.combinations(range(len(a)), 2)
    ]
    agree = sum(x * y for x, y in pairs)
    return agree / np.sqrt(sum(x != 0 for x, _ in pairs) * sum(y != 0 for _, y in pairs))


def test_kendall_is_tau_b_with_ties():
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 6, 40), rng.integers(0, 6, 40)
    assert correlate(pd.Series(a), pd.Series(b), "kendall") == pytest.approx(tau_b_by_hand(a, b), abs=1e-12)


def test_spearman_sees_order_and_pearson_distance():
    a, b = pd.Series([1.0, 2.0, 3.0, 4.0]), pd.Series([1.0, 10.0, 100.0, 1000.0])
    assert correlate(a, b, "spearman") == pytest.approx(1)
    assert correlate(a, b, "pearson") < 0.9


def test_a_constant_column_correlates_with_nothing():
    assert np.isnan(correlate(pd.Series([1.0, 1.0, 1.0]), pd.Series([1.0, 2.0, 3.0]), "pearson"))


def test_all_pairs_are_over_the_same_architectures():
    frame = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [2.0, 1, 3, np.nan], "c": [3.0, 2, 1, 9]})
    matrix = correlation_matrix(frame, "kendall")
    assert matrix.loc["a", "c"] == -1
    assert matrix.equals(matrix.T)
    assert correlation_pairs(frame)["n"].tolist() == [3, 3, 3]


def test_too_few_architectures_correlate_with_nothing_and_words_say_so():
    frame = pd.DataFrame({"a": [1.0, np.nan, 2.0], "b": [1.0, 2.0, 3.0]})
    assert correlation_matrix(frame, "kendall").isna().all(axis=None)
    assert correlation_pairs(frame)["kendall"].isna().tolist() == [True]
    assert explain_few(frame) == "2 architectures with every accuracy: 3 are needed to correlate"
    assert explain_few(frame.fillna(0)) == ""


def test_refusals_say_why():
    frame = pd.DataFrame({"a": [1.0, np.nan, 2.0], "b": [1.0, 2.0, 3.0]})
    with pytest.raises(UnknownName, match="unknown correlation 'tau'"):
        correlate(frame["b"], frame["b"], "tau")


def test_selection_never_takes_another_column():
    frame = pd.DataFrame({"C10-V": [91.0, 93.0], "C10-T": [93.0, 92.0]})
    assert select_above(frame, "C10-T", 92).index.tolist() == [0]
    with pytest.raises(NotMeasured, match="no column 'C10-T' to select by: there are C10-V"):
        select_above(frame[["C10-V"]], "C10-T", 92)


def test_the_agreement_of_a_pair_is_over_its_own_architectures():
    frame = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [1.0, 2, 3, np.nan], "c": [1.0, 2, np.nan, np.nan]})
    agreement = pair_agreement(frame, [("a", "b"), ("a", "c")])
    assert agreement[["x", "y", "n"]].to_numpy().tolist() == [["a", "b", 3], ["a", "c", 2]]
    assert agreement["kendall"].tolist() == [1.0, pytest.approx(np.nan, nan_ok=True)]
