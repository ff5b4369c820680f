"""BOHB: what a cycle costs, and how its model comes about; what it finds is in `tests/experiment`."""

import numpy as np

from natslib.search import Oracle, Protocol, Result, repeat
from natslib.search.algorithms.bohb import Model, bohb
from natslib.spaces import get_space

from .toy import drive, toy_scores

TSS = get_space("tss")


def synthetic() -> Oracle:
    """Scores grow with the epochs and their noise shrinks; the best architecture is all `avg_pool`."""
    rng = np.random.default_rng(0)
    final = toy_scores(TSS)
    noise = rng.standard_normal((len(TSS), 3)) * [12.0, 6.0, 0.0]
    scores = np.stack([0.5 * final, 0.8 * final, final], axis=1) + noise
    costs = np.broadcast_to([12.0, 40.0, 110.0], (len(TSS), 3))
    return Oracle(TSS, scores[None], costs, (1, 4, 12), "valid")


def test_one_cycle_costs_what_its_rungs_cost() -> None:
    """9@1, 3@4, 1@12; 3@4, 1@12; 3@12: every training is paid from scratch."""
    frame = repeat("bohb", synthetic(), Protocol(20_000.0), runs=1, seed=0).frame
    cycle = 9 * 12.0 + 3 * 40.0 + 110.0 + 3 * 40.0 + 110.0 + 3 * 110.0
    assert frame["spent"].iloc[19] == cycle
    assert frame["epochs"].iloc[:20].tolist() == [1] * 9 + [4] * 3 + [12] + [4] * 3 + [12] * 4


def test_no_model_before_there_are_seven_good_and_seven_bad() -> None:
    model = Model(7, 0.3)
    rng = np.random.default_rng(0)
    for count in range(14):
        assert model.densities is None, count
        model.observe(Result(TSS.sample(rng), float(count), 1))
    assert model.densities is not None
    good, bad = model.densities
    assert len(good.data) == len(bad.data) == 7


def test_the_good_are_the_best_and_the_bad_the_rest() -> None:
    model = Model(7, 0.3)
    archs = [tuple(code) for code in TSS.codes(np.arange(100)).tolist()]
    for score, arch in enumerate(archs):
        model.observe(Result(arch, float(score), 4))
    assert model.densities is not None
    good, bad = model.densities
    assert {tuple(code) for code in good.data.tolist()} == set(archs[-15:])
    assert {tuple(code) for code in bad.data.tolist()} == set(archs[:85])


def test_a_model_of_more_epochs_replaces_and_outlives_one_of_fewer() -> None:
    model = Model(7, 0.3)
    rng = np.random.default_rng(0)
    for epochs in (1, 12, 4):
        for score in range(20):
            model.observe(Result(TSS.sample(rng), float(score), epochs))
    assert model.epochs == 12
    assert len(model.results[1]) == 20
    assert 4 not in model.results  # smaller than the model's: HpBandSter does not even keep them


def test_candidates_come_from_the_model_once_there_is_one() -> None:
    """All good architectures share edge 0; so do most proposals, though not all: there is a bandwidth."""
    scores = np.where(TSS.codes()[:, 0] == 4, 90.0, 10.0) + toy_scores(TSS) / 100
    proposals = drive(bohb(TSS, np.random.default_rng(0)), TSS, 400, scores)
    late = [trial.arch[0] == 4 for trial in proposals[200:]]
    assert 0.5 < np.mean(late) < 1.0
    assert np.mean([trial.arch[0] == 4 for trial in proposals[:9]]) < 0.5
