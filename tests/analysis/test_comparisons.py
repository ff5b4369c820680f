"""Corrected tests and the critical-difference numbers, by hand."""

import numpy as np
import pandas as pd
import pytest

from natslib.analysis.statistics import cliques, critical_difference, holm, paired_tests
from natslib.errors import ConfigError

wilcoxon = pytest.importorskip("scipy.stats").wilcoxon


def finals(rows: int = 60) -> pd.DataFrame:
    """Three searches: a and b alike, c clearly worse."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0.0, 0.3, size=(rows, 3))
    return pd.DataFrame(np.add(noise, [94.0, 94.0, 93.0]), columns=["a", "b", "c"])


def test_holm_by_hand() -> None:
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.4, 0.9, 0.6]), [1.0, 1.0, 1.0])
    np.testing.assert_allclose(holm([0.02]), [0.02])


def test_pairs_are_told_apart_only_where_they_differ() -> None:
    tests = paired_tests(finals()).set_index(["first", "second"])
    assert tests.loc[("a", "b"), "p_holm"] > 0.05
    assert tests.loc[("a", "c"), "p_holm"] < 1e-6
    assert tests.loc[("b", "c"), "difference"] == pytest.approx(1.0, abs=0.15)
    assert (tests["p_holm"] >= tests["p"]).all()


@pytest.mark.parametrize("rows", [2, 5, 10, 13, 14])
def test_few_pairs_with_ties_and_zeros_are_tested_as_scipy_does(rows: int) -> None:
    rng = np.random.default_rng(0)
    for low, high in ((-3, 8), (-1, 9), (-400, 400)):
        difference = rng.integers(low, high, rows) / 4
        difference[:2] = 0, 1
        pair = pd.DataFrame({"a": difference, "b": 0.0})
        assert paired_tests(pair)["p"].item() == pytest.approx(wilcoxon(difference).pvalue, rel=1e-9)


def test_no_difference_at_all_is_no_evidence() -> None:
    same = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0]})
    assert paired_tests(same)["p"].tolist() == [1.0]


def test_the_diagram_ranks_and_groups() -> None:
    diagram = critical_difference(finals())
    assert diagram.ranks.index[-1] == "c"
    assert diagram.ranks.sum() == pytest.approx(6.0)
    assert diagram.ranks.is_monotonic_increasing
    assert [set(clique) for clique in diagram.cliques] == [{"a", "b"}]
    assert diagram.p < 1e-6


def test_cliques_are_the_longest_stretches() -> None:
    separate = {frozenset(pair) for pair in ("ad", "bd", "ae", "be", "ce")}
    assert cliques("abcde", separate) == [("a", "b", "c"), ("c", "d"), ("d", "e")]
    assert cliques("abc", {frozenset("ab"), frozenset("bc"), frozenset("ac")}) == []
    assert cliques("abc", set()) == [("a", "b", "c")]


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs two searches and two rows"):
        paired_tests(finals()[["a"]])
    with pytest.raises(ConfigError, match="needs at least 3"):
        critical_difference(finals()[["a", "b"]])
    with pytest.raises(ConfigError, match="missing values"):
        paired_tests(finals().where(finals() > 93.0))
