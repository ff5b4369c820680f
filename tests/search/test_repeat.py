"""Many runs: independent of processes, failures apart, incumbents right."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from natslib.errors import ConfigError, UnknownName
from natslib.search import Oracle, Protocol, SearchFailed, repeat
from natslib.search.simulate import Dice, run_seed, streams
from natslib.search.trajectory import best_rows
from natslib.spaces import get_space

TSS = get_space("tss")
N = len(TSS)


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    rng = np.random.default_rng(0)
    return Oracle(TSS, rng.random((2, N, 1)) * 100, 5.0 + rng.random((N, 1)), (12,), "valid")


@pytest.mark.parametrize("name", ["random", "rea", "reinforce"])
def test_processes_change_nothing(oracle: Oracle, name: str) -> None:
    one, two, three = (
        repeat(name, oracle, Protocol(300.0), runs=13, seed=5, processes=processes).frame
        for processes in (1, 2, 3)
    )
    pd.testing.assert_frame_equal(one, two)
    pd.testing.assert_frame_equal(one, three)


def test_a_run_depends_on_its_number_alone(oracle: Oracle) -> None:
    every = repeat("rea", oracle, Protocol(300.0), runs=6, seed=5).frame
    some = repeat("rea", oracle, Protocol(300.0), runs=[4, 1], seed=5).frame
    for run in (1, 4):
        pd.testing.assert_frame_equal(
            every[every["run"] == run].reset_index(drop=True), some[some["run"] == run].reset_index(drop=True)
        )
    assert every.groupby("run")["seed"].first().tolist() == [run_seed(5, run) for run in range(6)]
    assert every.groupby("run")["arch_index"].first().nunique() == 6


def test_the_frame_tells_the_whole_story(oracle: Oracle) -> None:
    frame = repeat("random", oracle, Protocol(300.0), runs=3, seed=0).frame
    assert list(frame) == [
        "run",
        "seed",
        "step",
        "arch_index",
        "epochs",
        "score",
        "cost",
        "spent",
        "incumbent",
    ]
    for _, run in frame.groupby("run"):
        assert run["step"].tolist() == list(range(len(run)))
        np.testing.assert_allclose(run["spent"], run["cost"].cumsum())
        best = [run["arch_index"].iloc[run["score"].iloc[: end + 1].argmax()] for end in range(len(run))]
        assert run["incumbent"].tolist() == best


def test_the_incumbent_is_the_best_of_the_most_epochs() -> None:
    number, epochs = np.array([0, 0, 0, 0, 0, 1, 1]), np.array([4, 4, 12, 4, 12, 4, 4])
    score = np.array([50.0, 60.0, 40.0, 99.0, 40.0, 1.0, 0.0])
    assert best_rows(number, epochs, score).tolist() == [0, 1, 2, 2, 2, 5, 5]  # a tie stays with the first


def sometimes_broken(space: Any, rng: np.random.Generator) -> Any:
    if rng.random() < 0.5:
        raise ValueError("bad luck")
    while True:
        yield space.sample(rng)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_failed_run_does_not_stop_the_others(oracle: Oracle, processes: int) -> None:
    with pytest.warns(UserWarning, match="of 20 runs failed; the first: sometimes_broken, run"):
        runs = repeat(sometimes_broken, oracle, Protocol(50.0), runs=20, seed=0, processes=processes)
    assert runs.frame["run"].nunique() + len(runs.failures) == 20
    assert 0 < len(runs.failures) < 20
    assert all("ValueError: bad luck" in failure for failure in runs.failures)


def test_a_search_that_always_fails_is_an_error(oracle: Oracle) -> None:
    def not_a_generator(space: Any, rng: Any) -> None:
        return None

    with pytest.raises(SearchFailed, match="all 3 runs failed; the first: not_a_generator, run 0, step 0"):
        repeat(not_a_generator, oracle, Protocol(50.0), runs=3, seed=0)


def test_impossible_numbers_are_refused(oracle: Oracle) -> None:
    with pytest.raises(ConfigError, match="runs=0 was given; a search needs at least one run"):
        repeat("random", oracle, Protocol(50.0), runs=0, seed=0)
    with pytest.raises(ConfigError, match="processes=0"):
        repeat("random", oracle, Protocol(50.0), runs=1, seed=0, processes=0)
    with pytest.raises(ConfigError, match="cheapest training costs"):
        repeat("random", oracle, Protocol(1.0), runs=1, seed=0)
    with pytest.raises(UnknownName, match="unknown algorithm 'annealing'"):
        repeat("annealing", oracle, Protocol(50.0), runs=1, seed=0)
    with pytest.raises(ConfigError, match="at least 0"):
        run_seed(-1, 0)


def test_seeds_and_streams_differ() -> None:
    assert len({run_seed(root, run) for root in range(20) for run in range(100)}) == 2000
    first, second = streams(7)
    assert first.random() != second.random()


def test_dice_are_fair_and_still_numpys() -> None:
    dice, again = Dice(3), Dice(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        single = np.array([dice.integers(5) for _ in range(30_000)])
    np.testing.assert_allclose(np.bincount(single) / len(single), 0.2, atol=0.01)
    assert [again.integers(5) for _ in range(30_000)] == single.tolist()
    assert {dice.integers(2, 4) for _ in range(50)} == {2, 3}
    assert {dice.integers(1, 3, endpoint=True) for _ in range(99)} == {1, 2, 3}
    assert dice.integers(5, size=3).shape == (3,)
    assert dice.integers(np.array([1, 1])).tolist() == [0, 0]
    assert dice.random(4).shape == (4,)
    assert isinstance(dice, np.random.Generator)
    assert 0.45 < np.mean([dice.random() for _ in range(9999)]) < 0.55
    with pytest.raises(ValueError, match=r"low >= high|high <= 0"):
        dice.integers(0)
