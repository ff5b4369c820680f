"""What the recorded trials say, held to what is known of coloured and rotated digits: the good and the bad."""

from pathlib import Path

import pandas as pd
import pytest

from natslib.analysis.ranking import RULES, chosen_trials, objective_table, ranking_score

LOGS = Path(__file__).parents[2] / "logs"
RECORD, UNSHIFTED = LOGS / "ood-algorithms.parquet", LOGS / "ood-unshifted.parquet"
SETS = ("digits-rotated", "digits-coloured")


@pytest.fixture(scope="module")
def trials() -> pd.DataFrame:
    return pd.read_parquet(RECORD)


@pytest.fixture(scope="module")
def table(trials: pd.DataFrame) -> pd.DataFrame:
    return objective_table(trials).set_index(["rule", "dataset", "objective"])


def test_every_objective_has_the_same_draws_and_seeds_at_least_three(trials: pd.DataFrame) -> None:
    for name in SETS:
        some = trials[trials["dataset"] == name]
        assert not some.duplicated(["objective", "draw", "seed"]).any()
        shared = some[some["seed"] < 3].groupby("objective")[["draw", "seed"]].nunique()
        assert (shared["seed"] == 3).all()
        assert shared["draw"].nunique() == 1
        assert shared["draw"].iloc[0] == 8
    coloured = trials[trials["dataset"] == "digits-coloured"].groupby("objective")["seed"].nunique()
    assert (coloured[["erm", "irm", "vrex"]] == 5).all()


@pytest.mark.parametrize("rule", RULES)
def test_plain_training_goes_by_the_colour(table: pd.DataFrame, rule: str) -> None:
    assert table.loc[(rule, "digits-coloured", "erm"), "mean"] <= 35


def test_without_colour_the_shape_is_learned(table: pd.DataFrame) -> None:
    assert table.loc[("oracle", "digits-coloured-grey", "erm"), "mean"] >= 68


@pytest.mark.parametrize("objective", ["irm", "vrex"])
def test_it_is_far_above_plain_training_where_the_target_chooses(table: pd.DataFrame, objective: str) -> None:
    means = table["mean"].xs("oracle").xs("digits-coloured")
    assert means[objective] >= means["erm"] + 20


def test_held_out_images_of_the_sources_never_choose_it(table: pd.DataFrame) -> None:
    means = table["mean"].xs("valid").xs("digits-coloured")
    assert means.max() < 20
    assert means["irm"] <= means["erm"] + 5


def test_no_objective_is_above_plain_training_on_both_kinds_by_both_bars(table: pd.DataFrame) -> None:
    """By ERM's bar alone, as the paper scores, GroupDRO is: by 0.2 and 2.6 points, chosen by the sources."""
    for rule in RULES:
        rows = table.xs(rule)[["mean", "error"]]
        above = (rows["mean"] - rows["error"]).unstack("dataset")[list(SETS)]
        bar = (rows["mean"] + rows["error"]).xs("erm", level="objective")[list(SETS)]
        assert not (above > bar).all(axis=1).any()
        scored = (table["score"].xs(rule).unstack("dataset")[list(SETS)] > 0).all(axis=1)
        assert set(scored[scored].index) <= {"groupdro"}


def test_the_summed_scores_are_those_of_the_parts(table: pd.DataFrame) -> None:
    rows = table.xs("valid").drop(index="digits-coloured-grey", level="dataset").reset_index()
    assert ranking_score(rows).to_dict() == rows.groupby("objective")["score"].sum().to_dict()


def test_what_the_oracle_chooses_of_irm_has_hardly_learned_its_sources(trials: pd.DataFrame) -> None:
    """The measured truth: of the sheet's second condition, 57 % on the training images, it stays short."""
    chosen = chosen_trials(trials[trials["dataset"] == "digits-coloured"], "oracle")
    irm = chosen[chosen["objective"] == "irm"]
    assert irm["train"].mean() < 57


def withstands(trials: pd.DataFrame, objective: str) -> bool:
    """The sheet's condition on coloured digits, all runs chosen by the oracle.

    20 points above plain training on the target, and 57 % of the training images right.
    """
    coloured = trials[trials["dataset"] == "digits-coloured"]
    means = chosen_trials(coloured, "oracle").groupby("objective")[["test", "train"]].mean()
    return bool(
        means.loc[objective, "test"] >= means.loc["erm", "test"] + 20 and means.loc[objective, "train"] >= 57
    )


def test_vrex_withstands_the_colour_and_a_constant_does_not(
    trials: pd.DataFrame,
) -> None:
    """IRM has not learned enough; a run that was taught the shape of digits by grey ones has."""
    assert not withstands(trials, "irm")
    assert withstands(trials, "vrex")
    without_irm = trials[trials["objective"] != "irm"]
    irm = trials[(trials["objective"] == "irm") & (trials["dataset"] == "digits-coloured")]
    constant = irm.assign(**dict.fromkeys(("train", "oracle", "oracle_test"), 50.0))
    assert not withstands(pd.concat([without_irm, constant]), "irm")
    grey = trials[trials["dataset"] == "digits-coloured-grey"]
    blind = grey.assign(dataset="digits-coloured", objective="irm")
    assert withstands(pd.concat([without_irm, blind]), "irm")


def test_on_rotated_digits_what_is_above_plain_training_is_so_by_less_than_two_points(
    table: pd.DataFrame,
) -> None:
    """By the validation of the sources: GroupDRO, CORAL, MMD and RSC are beyond ERM's narrow bar, none by much."""
    means = table["mean"].xs("valid").xs("digits-rotated")
    assert means.max() < means["erm"] + 2


def test_on_an_unshifted_target_all_but_irm_and_dann_stay_within_two_points() -> None:
    """By the validation of the sources, on other digits turned by 20 degrees as those of a source are."""
    trials = pd.read_parquet(UNSHIFTED)
    assert set(trials["dataset"]) == {"digits-rotated-20"}
    means = objective_table(trials).set_index(["rule", "objective"])["mean"].xs("valid")
    lose = means[means < means["erm"] - 2]
    assert set(lose.index) == {"irm", "dann"}
    assert lose.min() >= means["erm"] - 3.5
