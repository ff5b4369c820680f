"""Searches over their epochs: what a table lacks stays missing, and agreement is counted as it is said."""

import numpy as np
import pandas as pd
import pytest

from natslib.analysis import weight_sharing
from natslib.analysis.printed import read_printed
from natslib.plots.palette import title_of

VALUES = np.array([10.0, 20.0, 60.0, np.nan])
OPS = ("none", "skip", "conv")


def runs(found, method="gdas", warm_up=0.0):
    """Return records: for each seed the architectures after each epoch."""
    rows = [
        {
            "method": method,
            "warm_up": warm_up,
            "seed": seed,
            "epoch": epoch,
            "arch_index": arch,
            "settings": "s",
        }
        for seed, archs in found.items()
        for epoch, arch in enumerate(archs)
    ]
    return pd.DataFrame(rows)


def test_a_curve_has_a_gap_where_one_seed_is_unknown():
    frame = weight_sharing.epoch_frame(runs({1: [0, 1, 2], 2: [1, 3, 2]}), VALUES)
    assert frame["known"].tolist() == [2, 1, 2]
    np.testing.assert_array_equal(frame[["mean", "low", "high"]], [[15, 10, 20], [np.nan] * 3, [60, 60, 60]])


def test_searches_with_and_without_warm_up_are_two():
    both = pd.concat([runs({1: [0]}, warm_up=0.3), runs({1: [2]})])
    assert weight_sharing.epoch_frame(both, VALUES)["mean"].tolist() == [10, 60]
    assert weight_sharing.describe_runs([both]) == "settings s, 0 epochs, seeds: 1"


def test_the_last_architecture_counts_of_seeds_that_have_a_value():
    frame = weight_sharing.final_frame(runs({1: [3, 0], 2: [0, 2], 3: [0, 3]}), VALUES).iloc[0]
    assert (frame["seeds"], frame["known"], frame["mean"], frame["std"]) == (3, 2, 35, 25)
    alone = weight_sharing.final_frame(runs({1: [0], 2: [3]}), VALUES).iloc[0]
    assert (alone["known"], alone["mean"]) == (1, 10)
    assert np.isnan(alone["std"])


def test_known_share():
    assert weight_sharing.known_share(runs({1: [0, 3], 2: [3, 3]}), VALUES) == 0.25


def test_shares_of_operations():
    records = runs({1: [0, 1]}).assign(code=[[1, 1, 2], [0, 1, 2]])
    shares = weight_sharing.operation_shares(records, OPS)
    np.testing.assert_allclose(shares[list(OPS)], [[0, 2 / 3, 1 / 3], [1 / 3] * 3])


@pytest.fixture
def decisions():
    """Two edges: on the first the largest weight is chosen, on the second not."""
    records = runs({1: [0, 0]}, method="darts-pt").assign(
        alphas=[[0.0] * 6, [3.0, 1, 2, 0, 5, 1]],
        projected_edges=[[], [1, 0]],
        projected_ops=[[], [0, 0]],
        masked_accuracies=[[], [70.0, 90, 80, 60, 80, 70]],
    )
    return weight_sharing.projections(records, OPS)


def test_projections_are_of_the_edge_that_was_decided(decisions):
    first = decisions[decisions["edge"] == 1]
    assert first["operation"].tolist() == list(OPS)
    assert first["drop"].tolist() == [20, 0, 10]
    assert first["chosen"].tolist() == [True, False, False]
    assert first["weight"].to_numpy().argmax() == 1
    assert first["weight"].sum() == pytest.approx(1)


def test_magnitude_and_masking_agree_where_the_largest_weight_is_chosen(decisions):
    found = weight_sharing.agreement(decisions).loc["darts-pt"]
    assert (found["decisions"], found["same"]) == (2, 0.5)
    assert found["tau"] == pytest.approx((1 - 1) / 2)


def test_supernets_are_correlated_over_what_has_a_value():
    n = 30
    values = np.arange(n, dtype=float)
    values[25:] = np.nan
    scores = pd.DataFrame(
        {"arch_index": range(n), "accuracy": -values, "method": "a", "warm_up": 0.0, "seed": 1}
    )
    scores.loc[25:, "accuracy"] = 1000
    both = pd.concat([scores.assign(inside=False), scores.assign(inside=True, accuracy=range(n))])
    found = weight_sharing.score_correlation(both, values, np.ones(n) + values)
    assert found["n"].tolist() == [25, 25]
    assert found["tau"].tolist() == pytest.approx([-1, 1])
    assert found["by_size"].tolist() == pytest.approx([1, 1])
    few = weight_sharing.score_correlation(both[both["arch_index"] < 19], values, values)
    assert few["tau"].isna().all()


def test_what_is_printed_and_what_was_found_are_rows_of_their_own():
    printed = read_printed("nats-bench-table-4")
    finals = {"digits-T": weight_sharing.final_frame(runs({1: [2]}, method="tas", warm_up=0.3), VALUES)}
    known = np.pad(VALUES, (0, 32_768 - len(VALUES)), constant_values=np.nan)
    rows = weight_sharing.table_rows("sss", printed, finals, {"digits-T": known})
    paper = rows[rows["origin"] == "printed"].set_index(["method", "column"])["mean"]
    assert paper["tas", "C10-T"] == 93.40
    assert paper["optimal", "I120-V"] == 46.73
    evidence = rows[rows["origin"] == "printed"].groupby("method")["evidence"].unique().map(list)
    lone = ["remembered", "recomputed"]
    assert evidence.to_dict() == {"tas": ["quoted"], "largest": lone, "optimal": lone}
    here = rows[rows["origin"] == "here"].set_index("method")
    assert here["evidence"].isna().all()
    assert set(here["column"]) == {"digits-T"}
    assert here["mean"].to_dict() == {"tas": 60, "a-random-architecture": 30, "optimal": 60}
    assert set(rows["method"]) == {"tas", "a-random-architecture", "largest", "optimal"}


def test_searches_with_the_statistics_of_batches_have_names_of_their_own() -> None:
    runs = pd.DataFrame({"method": ["enas"] * 3})
    runs["settings"] = ["nas-bench-201-digits", "nas-bench-201-bn0-digits", "digits"]
    named = weight_sharing.with_norms(runs)["method"]
    assert named.tolist() == ["enas", "enas-bn0", "enas"]
    assert title_of("enas-bn0") == "ENAS, BN0"
