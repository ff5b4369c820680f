"""The paper's searches are held to Table 4: means at once, spread and order where there are as many runs."""

import numpy as np
import pandas as pd

from natslib.analysis.search_verdicts import FEW, RUNS, search_frame
from natslib.analysis.verdicts import AGREES, CONTRADICTS, NOT_JUDGED

PRINTED = {"rea": (94.02, 0.31), "reinforce": (93.90, 0.26), "random": (93.86, 0.23), "bohb": (93.94, 0.28)}


def ends(runs: int = RUNS, **changed: tuple[float, float]) -> pd.DataFrame:
    """Return what searches end with on CIFAR-10's test images: the printed numbers, but for those that are changed."""
    rows = [(name, *numbers) for name, numbers in (PRINTED | changed).items()]
    frame = pd.DataFrame(rows, columns=["method", "mean", "std"])
    return frame.assign(dataset="cifar10", split="test", runs=runs, why="")


def verdicts(finals: pd.DataFrame, column: str = "C10-T") -> pd.Series:
    facts = search_frame("tss", finals).set_index("what")
    found = facts.loc[facts.index.str.endswith(f", {column}"), "verdict"]
    return found.rename(lambda what: what.removesuffix(f", {column}"))


def test_the_printed_numbers_agree_with_themselves() -> None:
    found = verdicts(ends())
    assert len(found) == 2 * len(PRINTED) + 2
    assert set(found) == {AGREES}


def test_a_mean_may_differ_by_a_tenth_of_a_point_and_a_spread_by_a_quarter() -> None:
    assert verdicts(ends(random=(93.77, 0.18)))[["mean of random", "std of random"]].tolist() == [AGREES] * 2
    apart = verdicts(ends(random=(93.75, 0.17)))
    assert apart[apart == CONTRADICTS].index.tolist() == ["mean of random", "std of random"]


def test_two_searches_that_changed_places_are_a_contradiction() -> None:
    found = verdicts(ends(reinforce=(93.87, 0.26), random=(93.88, 0.23)))
    assert found[found == CONTRADICTS].index.tolist() == ["reinforce above random"]


def test_of_fewer_runs_the_means_alone_are_judged() -> None:
    facts = search_frame("tss", ends(runs=RUNS - 1, rea=(94.02, 9.0))).set_index("what")
    assert facts.loc["mean of rea, C10-T", "verdict"] == AGREES
    told = facts.loc[["std of rea, C10-T", "rea above reinforce, C10-T"]]
    assert set(told["verdict"]) == {NOT_JUDGED}
    assert set(told["why"]) == {FEW}


def test_a_remembered_number_contradicts_nothing() -> None:
    found = verdicts(ends(bohb=(50.0, 9.0), rea=(50.0, 0.31)))
    assert found[["mean of bohb", "std of bohb", "mean of rea"]].tolist() == [
        NOT_JUDGED, NOT_JUDGED, CONTRADICTS
    ]  # fmt: skip


def test_what_is_not_judged_names_what_the_source_lacks() -> None:
    found = ends().assign(split="valid")
    found.loc[found["method"] == "bohb", ["mean", "std", "runs", "why"]] = np.nan, np.nan, 0, "no curves"
    facts = search_frame("tss", found).set_index("what")
    whys = ["no curves", "no curves", "the source lacks: C10-T", "the source lacks: C100-V@12"]
    asked = ["mean of bohb, C10-V", "std of bohb, C10-V", "std of rea, C10-T", "rea above reinforce, C100-T"]
    assert facts.loc[asked, "why"].tolist() == whys
    assert (search_frame("tss", found.iloc[:0], "no runs")["why"] == "no runs").all()
