"""One's own search beside the baselines, in one call."""

import numpy as np
import pytest

import natslib
from natslib.errors import ConfigError, NotMeasured, UnknownName


def climb(space, rng):
    best = yield space.sample(rng)
    while True:
        seen = yield space.mutate(best.arch, rng)
        best = max(best, seen, key=lambda result: result.score)


def first(space, rng):
    while True:
        yield 0


def test_a_function_is_compared_with_every_baseline(published_table):
    options = {"runs": 6, "budget": "30 evaluations"}
    found = natslib.compare(climb, "cifar10", published_table, **options)
    assert found["method"].tolist() == ["climb", "random", "rea", "reinforce", "local-search"]
    assert (found["runs"] == 6).all()
    assert ((found["low"] <= found["mean"]) & (found["mean"] <= found["high"])).all()
    assert found["mean"].max() <= found.attrs["optimum"]
    assert found.attrs["split"] == "valid"
    assert np.isnan(found.loc[0, "improvement"])
    assert found.loc[1:, "improvement"].between(0, 1).all()
    assert found.equals(natslib.compare(climb, "cifar10", published_table, **options))


def test_a_bad_search_ends_below_all(published_table):
    found = natslib.compare(
        first, "cifar10", published_table, runs=6, budget="10 evaluations", baselines=["random"]
    )
    accuracy = published_table.values("accuracy", dataset="cifar10-valid")
    assert found.loc[0, "mean"] == pytest.approx(accuracy[0])
    assert found.loc[1, "improvement"] == 0


def test_a_name_alone_has_no_one_to_be_compared_with(published_table):
    found = natslib.compare(
        "random", "cifar100", published_table, runs=2, budget="3 evaluations", baselines=[]
    )
    assert found.columns.tolist() == ["method", "runs", "mean", "std", "low", "high", "iqm"]


@pytest.mark.parametrize(
    ("search", "dataset", "error", "words"),
    [
        ("rea", "cifar10", ConfigError, "one of the baselines"),
        ("reaa", "cifar10", UnknownName, "reaa"),
        ("hyperband", "cifar10", NotMeasured, "no curves"),
        (climb, "digits", NotMeasured, "no validation scores of digits"),
    ],
)
def test_what_cannot_be_compared_is_said(published_table, search, dataset, error, words):
    with pytest.raises(error, match=words):
        natslib.compare(search, dataset, published_table, runs=2)
