"""Tables of searches: the numbers in them, and how they stand beside printed ones."""

import numpy as np
import pandas as pd
import pytest

from natslib.analysis import multi_trial
from natslib.analysis.printed import read_printed

VALUES = np.array([10.0, 20.0, 30.0])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def trajectory(*rows):
    return pd.DataFrame(rows, columns=["run", "spent", "incumbent"])


TWO_RUNS = trajectory((0, 10.0, 0), (0, 50.0, 1), (1, 40.0, 1), (1, 90.0, 2))


def test_curves_begin_where_every_run_has_finished_something(rng):
    options = {"rule": "step", "resamples": 20, "ticks": 10}
    curves = multi_trial.curve_frame({"mine": TWO_RUNS}, VALUES, 100.0, rng, **options)
    assert curves["time_s"].tolist() == [40, 50, 60, 70, 80, 90, 100]
    assert curves["mean"].tolist() == [15, 20, 20, 20, 20, 25, 25]
    assert (curves["low"] <= curves["mean"]).all()
    assert curves["high"].iloc[-1] == 30


def test_finals_have_population_std_and_an_interval_around_the_mean(rng):
    samples = multi_trial.final_samples({"mine": TWO_RUNS}, VALUES, 100.0, rule="step")
    assert samples["mine"].tolist() == [20, 30]
    (row,) = multi_trial.final_frame(samples, rng, resamples=200).to_dict("records")
    assert (row["method"], row["runs"], row["mean"], row["std"], row["iqm"]) == ("mine", 2, 25, 5, 25)
    assert (row["low"], row["high"]) == (20, 30)


def test_the_two_comparisons_look_from_opposite_sides(rng):
    samples = {"good": np.arange(20.0) + 5, "random": np.arange(20.0), "short": np.arange(8.0)}
    against = multi_trial.against(samples, "random", rng, resamples=50)
    over = multi_trial.over_baselines(samples, "good", rng, resamples=50)
    assert against.index.tolist() == ["good", "short"]
    assert over.index.tolist() == ["random", "short"]
    assert against.loc["good", "improvement"] == over.loc["random", "improvement"] > 0.7
    assert against.loc["good", "p_holm"] < 0.001
    assert against.loc["short", "p_holm"] == 1.0  # equal on the runs that both have
    assert multi_trial.against({"random": np.arange(3.0)}, "random", rng, resamples=5).empty


def test_ranks_are_over_the_runs_that_all_have_and_letters_join_what_is_not_told_apart(rng):
    noise = rng.normal(0, 0.1, (3, 40))
    samples = {"low": noise[0], "high": 1 + noise[1], "as-high": 1 + noise[2, :30]}
    ranks = multi_trial.rank_frame(samples).set_index("method")
    assert ranks["groups"].to_dict() == {"high": "a", "as-high": "a", "low": ""}
    assert ranks.index[-1] == "low"
    assert ranks.loc["low", "rank"] == 3
    assert ranks["rank"].sum() == 6
    assert ranks["p_alike"].max() < 1e-6
    assert (multi_trial.rank_frame(dict.fromkeys("abc", noise[0]))["p_alike"] == 1).all()
    assert multi_trial.rank_frame({"a": noise[0], "b": noise[1]}).empty


def test_areas_begin_where_every_search_has_a_value():
    curves = pd.DataFrame(
        {"method": ["a", "a", "a", "b", "b"], "time_s": [10, 20, 40, 20, 40], "mean": [0.0, 50, 80, 60, 80]}
    )
    areas = multi_trial.mean_areas(curves, 50)
    assert areas.to_dict() == pytest.approx({"a": (50 * 20 + 80 * 10) / 30, "b": (60 * 20 + 80 * 10) / 30})


@pytest.mark.parametrize(("mean", "agreement"), [(94.02, "agrees"), (94.20, "near"), (93.6, "apart")])
def test_agreement_is_measured_in_printed_deviations(mean, agreement):
    found = pd.DataFrame({"method": ["rea"], "dataset": "cifar10", "split": "test", "mean": mean, "std": 0.3})
    (row,) = multi_trial.beside_printed(found, table4()).to_dict("records")
    assert row["printed_mean"] == 94.02
    assert row["difference"] == pytest.approx(mean - 94.02)
    assert row["agreement"] == agreement


def test_what_another_protocol_found_is_not_judged():
    found = pd.DataFrame(
        {"method": ["rea", "optimal"], "dataset": "cifar10", "split": "test", "mean": [94.02, 94.37]}
    )
    rows = multi_trial.beside_printed(found.assign(std=np.nan, protocol=["200 epochs", ""]), table4())
    assert rows["agreement"].tolist() == ["another protocol", "agrees"]
    assert rows["difference"].abs().max() < 0.01


def test_what_is_not_printed_has_nothing_to_agree_with():
    found = pd.DataFrame(
        {"method": ["rea", "mine"], "dataset": ["digits", "cifar10"], "split": "test", "mean": 90.0}
    )
    beside = multi_trial.beside_printed(found.assign(std=1.0), table4())
    assert beside["agreement"].tolist() == ["", ""]
    assert beside["printed_mean"].isna().all()


def test_a_remembered_number_is_shown_with_its_evidence_and_is_no_target():
    found = pd.DataFrame(
        {"method": ["rea", "bohb"], "mean": [94.02, 93.94], "dataset": "cifar10", "split": "test"}
    )
    beside = multi_trial.beside_printed(found.assign(std=0.3), table4())
    assert beside["evidence"].tolist() == ["recomputed", "remembered"]
    assert beside["difference"].abs().max() < 1e-9
    assert beside["agreement"].tolist() == ["agrees", ""]


def test_a_lone_architecture_agrees_to_a_twentieth_and_names_can_differ_in_print():
    found = pd.DataFrame({"method": ["best", "best"], "mean": [94.37, 94.5], "printed_as": "optimal"})
    beside = multi_trial.beside_printed(found.assign(dataset="cifar10", split="test", std=np.nan), table4())
    assert beside["method"].tolist() == ["best", "best"]
    assert beside["agreement"].tolist() == ["agrees", "apart"]


def table4():
    return read_printed("nats-bench-table-4").query("space == 'tss'")
