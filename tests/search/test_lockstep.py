"""REA side by side is REA run by run, to the last bit."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from natslib.search import SEARCHES, Oracle, Protocol, lockstep, repeat, run
from natslib.search.simulate import run_seed
from natslib.search.trajectory import trajectory_frame
from natslib.spaces import SIZE, Space, get_space

SEEDS = [run_seed(0, number) for number in range(12)]


def oracle(space: str, seeds: int, missing: float = 0.0) -> Oracle:
    rng = np.random.default_rng(0)
    there = get_space(space)
    scores = rng.random((seeds, len(there), 1))
    scores[1:][rng.random(scores[1:].shape) < missing] = np.nan
    return Oracle(there, scores, 5.0 + 10.0 * rng.random((len(there), 1)), (12,), "valid")


def one_by_one(answers: Oracle, protocol: Protocol) -> pd.DataFrame:
    records = [run(SEARCHES["rea"], answers, protocol, seed) for seed in SEEDS]
    return trajectory_frame(range(12), SEEDS, records)


def side_by_side(answers: Oracle, protocol: Protocol) -> pd.DataFrame:
    return lockstep.trajectories(answers, protocol, range(12), SEEDS)


@pytest.mark.parametrize("space", ["tss", "sss"])
@pytest.mark.parametrize(("seeds", "missing"), [(1, 0.0), (3, 0.0), (3, 0.5)])
def test_trajectories_are_equal(space: str, seeds: int, missing: float) -> None:
    answers, protocol = oracle(space, seeds, missing), Protocol(1800.0)
    pd.testing.assert_frame_equal(
        side_by_side(answers, protocol), one_by_one(answers, protocol), check_exact=True
    )


@pytest.mark.parametrize("budget", [5.1, 16.0, 120.0])
def test_short_budgets_too(budget: float) -> None:
    answers, protocol = oracle("tss", 2), Protocol(budget)
    pd.testing.assert_frame_equal(
        side_by_side(answers, protocol), one_by_one(answers, protocol), check_exact=True
    )


def test_groups_and_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, protocol = oracle("tss", 2), Protocol(300.0)
    together = side_by_side(answers, protocol)
    monkeypatch.setattr(lockstep, "AT_ONCE", 5)
    monkeypatch.setattr(lockstep, "BLOCK", 7)
    pd.testing.assert_frame_equal(side_by_side(answers, protocol), together, check_exact=True)


def test_it_is_used_where_it_fits_and_only_there(monkeypatch: pytest.MonkeyPatch) -> None:
    used = []
    monkeypatch.setattr(lockstep, "trajectories", lambda *job: used.append(job) or TRAJECTORIES(*job))
    answers = oracle("tss", 1)
    part = Oracle(answers.space, answers.scores.copy(), answers.costs, (12,), "valid")
    part.scores[0, 7] = np.nan
    for protocol in (
        Protocol(99.0, workers=2),
        Protocol(99.0, repeats="cache"),
        Protocol(99.0, overshoot="discard"),
    ):
        repeat("rea", answers, protocol, runs=2, seed=0)
    repeat("rea", part, Protocol(99.0), runs=2, seed=0)
    repeat("random", answers, Protocol(99.0), runs=2, seed=0)
    assert not lockstep.fits(SEARCHES["rea"], answers, Protocol(1e9))
    assert not used
    repeat("rea", answers, Protocol(99.0), runs=2, seed=0)
    assert len(used) == 1


def wide_space(**options: Any) -> Space:
    """A space that natslib does not have: 6 positions of 8 choices, as long as a topology, as wide as a size."""
    return replace(
        SIZE, name="wide", title="wide", choices=SIZE.choices, positions=tuple("abcdef"), template=":".join(["{}"] * 6),
        **options,
    )  # fmt: skip


def test_another_space_runs_one_by_one_with_its_own_mutation() -> None:
    space = wide_space(official_mutations=None)
    scores = np.random.default_rng(0).random((1, len(space), 1))
    answers = Oracle(space, scores, np.ones_like(scores[0]), (12,), "valid")
    assert not lockstep.fits(SEARCHES["rea"], answers, Protocol(99.0))
    found = repeat("rea", answers, Protocol(200.0), runs=5, seed=0).frame
    alone = [run(SEARCHES["rea"], answers, Protocol(200.0), run_seed(0, number)) for number in range(5)]
    np.testing.assert_array_equal(
        found["arch_index"], [each[0] for record in alone for each in record.evaluations]
    )


def test_another_space_that_says_its_mutations_runs_side_by_side() -> None:
    space = wide_space()
    scores = np.random.default_rng(0).random((1, len(space), 1))
    answers, protocol = Oracle(space, scores, np.ones_like(scores[0]), (12,), "valid"), Protocol(60.0)
    assert lockstep.fits(SEARCHES["rea"], answers, protocol)
    pd.testing.assert_frame_equal(
        side_by_side(answers, protocol), one_by_one(answers, protocol), check_exact=True
    )


TRAJECTORIES = lockstep.trajectories
