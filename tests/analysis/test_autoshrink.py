"""What the AutoShrink notebook says of descents, chance and fronts, on frames small enough to work out by hand."""

import numpy as np
import pandas as pd
import pytest

from natslib.analysis import autoshrink as analysis
from natslib.analysis.autoshrink_networks import found_networks
from natslib.analysis.printed import EVIDENCE, read_numbers, read_printed
from natslib.errors import UnknownName

NAN = float("nan")
VALUES = pd.DataFrame(
    {
        "accuracy": [80.0, 82.0, 70.0, 60.0, NAN],
        "params_m": [4.0, 2.0, 3.0, 1.0, 5.0],
        "flops_m": [8.0, 4.0, 6.0, 2.0, 1.0],
        "score": [0.5, 0.7, 0.4, 0.6, NAN],
    }
).rename_axis("arch_index")
FOUND = pd.DataFrame(
    {
        "start": 0,
        "step": [0, 1, 1, 2],
        "edges": [3, 2, 2, 1],
        "arch_index": [0, 1, 2, 3],
        "chosen": [True, True, False, True],
    }
).join(VALUES, on="arch_index")


def test_a_search_sees_one_seed_where_all_have_two() -> None:
    mean, seen, unseen = analysis.split_seeds(np.array([[1.0, 2.0, NAN], [3.0, 6.0, NAN], [5.0, NAN, NAN]]))
    np.testing.assert_array_equal(mean, [3.0, 4.0, NAN])
    np.testing.assert_array_equal(seen, [1.0, 2.0, NAN])
    np.testing.assert_array_equal(unseen, [3.0, 6.0, NAN])


def test_a_search_sees_the_mean_where_some_have_one_seed() -> None:
    mean, seen, unseen = analysis.split_seeds(np.array([[1.0, 2.0], [3.0, NAN]]))
    assert mean.tolist() == seen.tolist() == [2.0, 2.0]
    assert unseen is None


def test_the_way_down_by_edges() -> None:
    curves = analysis.path_curves(FOUND, VALUES.assign(accuracy=[1.0, 2.0, 3.0, 4.0, 5.0]))
    told = curves.set_index(["who", "edges"])["accuracy"].to_dict()
    assert told == {
        (analysis.CANDIDATES, 1): 60.0,
        (analysis.CANDIDATES, 2): 76.0,
        (analysis.CHOSEN, 1): 60.0,
        (analysis.CHOSEN, 2): 82.0,
        (analysis.CHOSEN, 3): 80.0,
        (analysis.AGAIN, 1): 4.0,
        (analysis.AGAIN, 2): 2.0,
        (analysis.AGAIN, 3): 1.0,
    }


def test_the_spread_of_candidates_beside_that_of_seeds() -> None:
    scores = np.array([[0, 81.0, 70.0, 60.0, NAN], [0, 83.0, 70.0, 60.0, NAN]])
    (row,) = analysis.candidate_spread(FOUND, scores).itertuples(index=False)
    assert row.edges == 2
    assert row.between_candidates == pytest.approx(12 / 2**0.5)
    assert row.between_seeds == pytest.approx(1.0)  # squares of 1 and 1 over two degrees of freedom
    assert analysis.candidate_spread(FOUND, scores[:1]).empty


def test_what_the_best_of_a_path_keeps_of_its_start() -> None:
    (best,) = analysis.best_of_paths(FOUND).itertuples(index=False)
    assert (best.arch_index, best.params_left, best.flops_left, best.gained) == (1, 0.5, 0.5, 2.0)
    assert best.evaluations == 3


def test_chance_is_told_with_intervals() -> None:
    rows = pd.DataFrame(
        {"candidates": 1, "evaluations": [2, 4], "shrinking": [1.0, 3.0], "masks": 1.0, "free": 2.0}
    )
    frame = analysis.chance_frame(rows, np.random.default_rng(0), resamples=50).set_index("finder")
    assert frame["mean"].to_dict() == {"shrinking": 2.0, "masks": 1.0, "free": 2.0}
    assert frame.loc["shrinking", ["evaluations", "low", "high"]].tolist() == [3.0, 1.0, 3.0]


def test_the_best_within_so_many_flops() -> None:
    found = analysis.best_within(VALUES.dropna(), np.array([1.0, 2.0, 5.0, 6.0, 9.0]))
    np.testing.assert_array_equal(found, [NAN, 60.0, 82.0, 82.0, 82.0])


def test_fronts_and_regret() -> None:
    runs = {"rea": pd.DataFrame({"run": [0, 0, 1], "arch_index": [3, 2, 1]})}
    fronts = analysis.front_frame(runs, VALUES)
    assert fronts.query("method == 'optimal'")["mean"].iloc[-1] == 82.0
    last = fronts.query("method == 'rea'").iloc[-1]
    assert (last["mean"], last["low"], last["high"]) == (76.0, 70.0, 82.0)
    assert fronts.query("method == 'rea'")["flops_m"].min() >= 4.0  # where both runs have something so small
    assert analysis.score_regret(runs, VALUES) == {"rea": pytest.approx(0.05)}


def test_the_printed_numbers_beside_ours() -> None:
    printed = read_numbers("autoshrink")
    assert set(printed["evidence"]) <= set(EVIDENCE)
    rows = analysis.beside_printed(printed, found_networks(), analysis.best_of_paths(FOUND))
    told = rows.set_index(["network", "quantity"])
    assert told.loc[("ShrinkCNN", "FLOPs (millions)")].tolist() == ["384", "383.68", ""]
    assert told.loc[("ShrinkRNN", "parameters (millions), 12 edges")].tolist() == ["24", "23.00", ""]
    assert told.loc[("ShrinkRNN", "parameters (millions), 13 edges")].tolist() == ["", "24.11", ""]
    assert told.loc[("search", "FLOPs saved, up to (%)")].tolist() == ["34", "", "50 (mean 50)"]


def test_tables_and_single_numbers_are_asked_apart() -> None:
    with pytest.raises(UnknownName, match="unknown printed table 'autoshrink'"):
        read_printed("autoshrink")
    with pytest.raises(
        UnknownName, match=r"unknown list of printed numbers 'darts-pt-table-4'.*'autoshrink'"
    ):
        read_numbers("darts-pt-table-4")
