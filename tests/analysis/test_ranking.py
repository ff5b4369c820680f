"""Trials are chosen by what the rule may see; scores follow the rule of OoD-Bench, ends of bars included."""

import numpy as np
import pandas as pd
import pytest

from natslib.analysis.printed import read_printed
from natslib.analysis.ranking import RULES, chosen_trials, objective_table, ranking_score
from natslib.errors import ConfigError, NotMeasured, UnknownName

#: The column *score* of the two remembered tables.
DIVERSITY = {
    "rsc": 2, "mmd": 2, "sagnet": 1, "erm": 0, "iga": 0, "coral": 0, "irm": -1, "vrex": -1, "groupdro": -1,
    "erdg": -2, "dann": -2, "mtl": -2, "mixup": -2, "andmask": -2, "arm": -3, "mldg": -4,
}  # fmt: skip
CORRELATION = {
    "rsc": -1, "mmd": -1, "sagnet": -2, "erm": 0, "iga": -1, "coral": -1, "irm": 0, "vrex": 1, "groupdro": 1,
    "erdg": 0, "dann": -3, "mtl": 0, "mixup": -1, "andmask": -2, "arm": 0, "mldg": -1,
}  # fmt: skip


def remembered(kind: str) -> pd.DataFrame:
    table = read_printed("ood-bench-table")
    assert set(table["evidence"]) == {"remembered"}
    rows = table[(table["space"] == kind) & (table["split"] == "test")]
    return rows.rename(columns={"method": "objective", "std": "error"})


@pytest.mark.parametrize(("kind", "scores"), [("diversity", DIVERSITY), ("correlation", CORRELATION)])
def test_remembered_means_give_the_remembered_scores(kind: str, scores: dict[str, int]) -> None:
    assert ranking_score(remembered(kind)).to_dict() == scores


@pytest.mark.parametrize(
    ("kind", "dataset", "objective"),
    [
        ("diversity", "Office-Home", "vrex"),
        ("correlation", "CelebA", "arm"),
        ("diversity", "Camelyon17", "mixup"),
    ],
)
def test_the_ends_of_the_bar_lie_within_it(kind: str, dataset: str, objective: str) -> None:
    rows = remembered(kind)
    one = rows[rows["dataset"] == dataset]
    bar = one[one["objective"] == "erm"].iloc[0]
    mean = one[one["objective"] == objective]["mean"].iloc[0]
    assert abs(mean - bar["mean"]) == pytest.approx(bar["error"])
    assert ranking_score(one)[objective] == 0


def test_no_remembered_objective_is_above_erm_on_both_kinds() -> None:
    both = pd.concat([ranking_score(remembered(kind)) for kind in ("diversity", "correlation")], axis=1)
    assert not (both > 0).all(axis=1).any()


def test_a_score_needs_the_reference_once_on_every_dataset() -> None:
    rows = remembered("diversity")
    with pytest.raises(NotMeasured, match="no erm on PACS"):
        ranking_score(rows[rows["objective"] != "erm"])
    with pytest.raises(NotMeasured, match="no plain on PACS"):
        ranking_score(rows, "plain")
    with pytest.raises(ConfigError, match="twice on one dataset"):
        ranking_score(pd.concat([rows, rows]))


def trials() -> pd.DataFrame:
    """Two objectives, three draws, four seeds; every rule prefers another draw, and says so nowhere else."""
    rng = np.random.default_rng(0)
    rows = [
        {"dataset": "some", "objective": objective, "draw": draw, "seed": seed}
        for objective in ("erm", "irm")
        for draw in range(3)
        for seed in range(4)
    ]
    frame = pd.DataFrame(rows)
    for place, rule in enumerate(RULES):
        frame[rule] = np.where(frame["draw"] == place, 90.0, 10.0) + rng.random(len(frame))
        frame[f"{rule}_test"] = (
            10 * frame["draw"] + frame["seed"] + np.where(frame["objective"] == "irm", 5, 0)
        )
    return frame


@pytest.mark.parametrize(("place", "rule"), list(enumerate(RULES)))
def test_a_rule_chooses_one_draw_a_seed_by_its_own_column_alone(place: int, rule: str) -> None:
    frame = trials()
    chosen = chosen_trials(frame, rule)
    assert (chosen["draw"] == place).all()
    assert len(chosen) == 8
    assert (chosen["test"] == chosen[f"{rule}_test"]).all()
    rng = np.random.default_rng(1)
    hidden = [name for name in frame if name not in ("dataset", "objective", "draw", "seed", rule)]
    others = frame.assign(**{name: rng.random(len(frame)) for name in hidden})
    assert chosen_trials(others, rule).index.equals(chosen.index), (
        "no other column takes part, least the target's"
    )


def test_the_first_of_equal_draws_is_taken() -> None:
    frame = trials().assign(valid=50.0)
    assert (chosen_trials(frame.sample(frac=1, random_state=0), "valid")["draw"] == 0).all()


def test_the_table_has_mean_and_error_bar_of_the_chosen_and_their_scores() -> None:
    table = objective_table(trials()).set_index(["rule", "objective"])
    assert len(table) == 6
    row = table.loc[("elsewhere", "irm")]
    assert row["mean"] == pytest.approx(10 + 5 + 1.5)
    assert row["error"] == pytest.approx(np.std([0, 1, 2, 3]) / 2)  # over the number of seeds, not one less
    assert (row["seeds"], row["score"]) == (4, 1)
    assert (table.xs("erm", level="objective")["score"] == 0).all()


def test_without_a_further_environment_that_rule_is_left_out() -> None:
    table = objective_table(trials().assign(elsewhere=np.nan, elsewhere_test=np.nan))
    assert set(table["rule"]) == {"valid", "oracle"}


def test_an_unknown_rule_is_named() -> None:
    with pytest.raises(UnknownName, match="unknown rule 'test': allowed are 'valid', 'elsewhere', 'oracle'"):
        chosen_trials(trials(), "test")
