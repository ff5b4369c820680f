"""Local search, the predictor and its searches, NSGA-II, TPE's absence."""

import sys

import numpy as np
import pytest

from natslib.errors import ConfigError
from natslib.search import Result, Subspace, evaluate
from natslib.search.algorithms.bananas_ridge import mutants
from natslib.search.algorithms.local_search import local_search
from natslib.search.algorithms.nsga2 import crowding_distance, fronts, rank
from natslib.search.algorithms.tpe import tpe
from natslib.search.predictors import Networks, Ridge
from natslib.spaces import get_space

from .toy import drive, toy_scores

TSS = get_space("tss")


def test_local_search_climbs_and_never_asks_twice() -> None:
    proposals = drive(local_search(TSS, np.random.default_rng(0)), TSS, 140)
    assert len(set(proposals)) == len(proposals)
    assert (4,) * 6 in proposals  # the toy has one summit, and each step gains up to four choices


def test_local_search_starts_again_at_a_summit() -> None:
    flat = np.zeros(len(TSS))
    proposals = drive(local_search(TSS, np.random.default_rng(0)), TSS, 60, flat)
    steps = [sum(a != b for a, b in zip(proposals[0], arch, strict=True)) for arch in proposals]
    assert steps[1:25] == [1] * 24
    assert steps[25] > 1


def test_the_ensemble_ranks_what_it_has_not_seen() -> None:
    rng = np.random.default_rng(0)
    scores = toy_scores(TSS) + rng.standard_normal(len(TSS))
    seen, unseen = rng.permutation(len(TSS))[:150], rng.permutation(len(TSS))[150:1000]
    model = Ridge(30, rng)
    model.fit(TSS.one_hot(TSS.codes(seen)), scores[seen])
    guesses = model.predict(TSS.one_hot(TSS.codes(unseen)))
    assert guesses.shape == (5, len(unseen))
    assert np.corrcoef(guesses.mean(axis=0), scores[unseen])[0, 1] > 0.85
    assert guesses.std(axis=0).min() > 0.0


def test_the_networks_slopes_are_those_of_the_mean_absolute_error() -> None:
    rng = np.random.default_rng(0)
    model = Networks(8, rng, members=2, layers=3, width=5)
    model.restart()
    inputs, wanted = rng.random((2, 6, 8)), 10.0 * rng.random((2, 6, 1))
    model.differentiate(inputs, wanted)

    def loss(member: int) -> float:
        return float(np.abs(model.predict(inputs[member])[member] - wanted[member, :, 0]).mean())

    for weights, slopes in zip(model.weights, model.slopes, strict=True):
        for place in [(0, 0, 0), (1, 2, 0), (1, -1, 0)]:  # the last row is the bias
            step = 1e-6
            weights[place] += step
            above = loss(place[0])
            weights[place] -= 2 * step
            below = loss(place[0])
            weights[place] += step
            assert slopes[place] == pytest.approx((above - below) / (2 * step), abs=1e-6)


def test_the_networks_rank_what_they_have_not_seen() -> None:
    rng = np.random.default_rng(0)
    scores = toy_scores(TSS) + rng.standard_normal(len(TSS))
    seen, unseen = rng.permutation(len(TSS))[:150], rng.permutation(len(TSS))[150:1000]
    model = Networks(30, rng)
    model.fit(TSS.one_hot(TSS.codes(seen)), scores[seen])
    guesses = model.predict(TSS.one_hot(TSS.codes(unseen)))
    assert guesses.shape == (5, len(unseen))
    assert np.corrcoef(guesses.mean(axis=0), scores[unseen])[0, 1] > 0.85
    assert guesses.std(axis=0).min() > 0.0


def test_mutants_are_new_and_near_the_best() -> None:
    rng = np.random.default_rng(0)
    known = [Result(TSS.sample(rng), float(score), 12) for score in range(30)]
    pool = mutants(TSS, known, rng, count=50, parents=3)
    assert len(set(pool)) == 50
    assert not set(pool) & {seen.arch for seen in known}
    near = [
        min(sum(a != b for a, b in zip(arch, seen.arch, strict=True)) for seen in known[-3:]) for arch in pool
    ]
    assert max(near) <= 2


def test_where_nothing_new_is_near_random_ones_make_up_the_number() -> None:
    rng = np.random.default_rng(0)
    island = [0, *TSS.indices(TSS.neighbours(TSS.code(0))[:4])]
    far = [index for index in range(3000, 3040) if index not in island]
    part = Subspace(TSS, [*island, *far])
    known = [Result(TSS.code(index), 1.0, 12) for index in island]
    pool = mutants(part, known, rng, count=30, parents=2)
    assert 10 <= len(pool) <= 30
    assert {TSS.index(arch) for arch in pool} <= set(far)
    everything = [Result(TSS.code(index), 1.0, 12) for index in [*island, *far]]
    assert (
        len(mutants(part, everything, rng, count=30, parents=2)) == 1
    )  # seen before, but one may always ask


def test_fronts_and_crowding_by_hand() -> None:
    points = np.array([[1.0, 5.0], [2.0, 3.0], [4.0, 1.0], [3.0, 4.0], [5.0, 5.0], [2.0, 3.0]])
    assert fronts(points).tolist() == [0, 0, 0, 1, 2, 0]
    line = np.array([[0.0, 10.0], [1.0, 8.0], [4.0, 2.0], [5.0, 0.0]])
    np.testing.assert_allclose(crowding_distance(line), [np.inf, 0.8 + 0.8, 0.8 + 0.8, np.inf])
    crowded = np.array([[0.0, 10.0], [4.0, 4.0], [4.1, 3.9], [10.0, 0.0]])
    assert rank(crowded)[[0, 3]].max() == 1  # the ends come first


def test_fronts_agree_with_a_plain_loop() -> None:
    points = np.random.default_rng(0).integers(6, size=(40, 2)).astype(float)
    left, expected, number = set(range(40)), np.zeros(40), 0
    while left:
        best = {
            i for i in left
            if not any((points[j] <= points[i]).all() and (points[j] < points[i]).any() for j in left)
        }  # fmt: skip
        for i in best:
            expected[i] = number
        left, number = left - best, number + 1
    np.testing.assert_array_equal(fronts(points), expected)


def test_tpe_finds_its_way_in_a_space_of_which_little_is_covered() -> None:
    pytest.importorskip("optuna")
    part = Subspace(TSS, [5, 600, 7000])
    assert set(drive(tpe(part, np.random.default_rng(0)), TSS, 12)) <= {
        TSS.code(5),
        TSS.code(600),
        TSS.code(7000),
    }


def test_tpe_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match="needs Optuna, which is not installed: pip install optuna"):
        next(tpe(TSS, np.random.default_rng(0)))


def test_evaluate_waits_for_all_and_keeps_the_order_of_arrival() -> None:
    def search() -> object:
        return (yield from evaluate(["a", "b"]))

    asking = search()
    assert next(asking) == "a"
    assert asking.send(None) == "b"
    assert asking.send(None) is None
    assert asking.send(Result("b", 1.0, 12)) is None
    with pytest.raises(StopIteration) as end:
        asking.send(Result("a", 2.0, 12))
    assert [seen.arch for seen in end.value.value] == ["b", "a"]
