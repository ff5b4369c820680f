"""NAS-Bench-201's Tables 3 and 4: what is computed, and what is printed beside it."""

import pytest

from natslib.analysis.nas_bench_201 import FAMILIES, compared_table, profit_table
from natslib.analysis.printed import read_numbers, read_properties
from natslib.errors import UnknownName
from natslib.search import MULTI_FIDELITY, SEARCHES
from natslib.weight_sharing import METHODS


def test_the_counts_are_computed_and_the_others_printed_with_their_evidence():
    found = compared_table(["loss", "top5"], ["params_m"], SEARCHES).set_index("property")
    assert found.loc["cells", "NAS-Bench-201"] == "15,625"
    assert found.loc["unique cells", "NAS-Bench-201"] == "6,466"
    assert found.loc["datasets"].tolist() == ["3", "1", "read"]
    assert found.loc["recorded of every epoch", "NAS-Bench-201"] == "loss, top-5"
    assert found.loc["searches that it serves"].tolist() == [
        "multi-trial (4 in its paper), weight-sharing (6)",
        "all multi-trial q",
        "quoted",
    ]
    assert set(read_properties("nas-bench-101")["property"]) <= set(found.index)


def test_every_search_of_the_paper_is_one_of_ours():
    assert set(FAMILIES) <= set(SEARCHES) | set(METHODS)


def test_what_scores_one_cell_at_a_time_profits_twice():
    found = profit_table(SEARCHES, MULTI_FIDELITY).set_index("search")
    assert len(found) == 10
    assert found.groupby("kind", sort=False).size().to_dict() == {"multi-trial": 4, "weight-sharing": 6}
    assert set(found.loc[found["kind"] == "weight-sharing", "its search"]) == {"a supernet is trained"}
    assert found.loc["bohb", "its search"] == "looked up, at any epoch"
    assert found.loc["gdas", "printed"] == "31,610 c; BN0 28,926 q"
    assert found.loc["gdas", "evidence"] == "recomputed; quoted"
    assert found.loc["rea", "printed"] == "12,000 q"


def test_the_recomputed_times_are_means_of_the_three_that_the_released_code_draws():
    times = read_numbers("nas-bench-201-search-times").set_index("network")["printed"]
    assert times["rsps"] == pytest.approx((8082.5 + 7794.2 + 8144.7) / 3, abs=0.01)
    assert times["setn"] == pytest.approx((33528.8 + 33831.5 + 35058.3) / 3, abs=0.01)


def test_an_unknown_benchmark_is_refused_with_those_that_are_known():
    with pytest.raises(UnknownName, match="nas-bench-101"):
        read_properties("nas-bench-301")
