"""What the recorded trials say, held to what is known of coloured and rotated digits: the good and the bad."""

from pathlib import Path

import pandas as pd
import pytest

from natslib.analysis.ranking import RULES, chosen_trials, objective_table, ranking_score

RECORD = Path(__file__).parents[2] / "logs/ood-algorithms.parquet"
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
        assert shared["draw"].iloc[0] >= 3
    coloured = trials[trials["dataset"] == "digits-coloured"].groupby("objective")["seed"].nunique()
    assert (coloured[["erm", "irm", "vrex"]] == 5).all()


@pytest.mark.parametrize("rule", RULES)
def test_plain_training_goes_by_the_colour(table: pd.DataFrame, rule: str) -> None:
    assert table.loc[(rule, "digits-coloured", "erm"), "mean"] <= 35


def test_without_colour_the_shape_is_learned(table: pd.DataFrame) -> None:
    assert table.loc[("oracle", "digits-coloured-grey", "erm"), "mean"] >= 68


def test_irm_is_far_above_plain_training_where_the_target_chooses(table: pd.DataFrame) -> None:
    means = table["mean"].xs("oracle").xs("digits-coloured")
    assert means["irm"] >= means["erm"] + 20


def test_held_out_images_of_the_sources_never_choose_it(table: pd.DataFrame) -> None:
    means = table["mean"].xs("valid").xs("digits-coloured")
    assert means.max() < 20
    assert means["irm"] <= means["erm"] + 5


def test_no_objective_is_above_plain_training_on_both_kinds(table: pd.DataFrame) -> None:
    for rule in RULES:
        scores = table["score"].xs(rule).unstack("dataset")[list(SETS)]
        assert not (scores.drop("erm") > 0).all(axis=1).any()


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


def test_no_recorded_objective_withstands_the_colour_and_neither_does_a_constant(
    trials: pd.DataFrame,
) -> None:
    """What does is to see no colour at all."""
    assert not withstands(trials, "irm")
    assert not withstands(trials, "vrex")
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
    """By the validation of the sources: GroupDRO, CORAL and MMD are beyond ERM's narrow bar, none by much."""
    means = table["mean"].xs("valid").xs("digits-rotated")
    assert means.max() < means["erm"] + 2
