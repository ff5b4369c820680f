"""REA side by side is REA run by run, to the last bit."""

import numpy as np
import pandas as pd
import pytest

from natslib.search import SEARCHES, Oracle, Protocol, lockstep, repeat, run
from natslib.search.simulate import run_seed
from natslib.search.trajectory import trajectory_frame
from natslib.spaces import get_space

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


@pytest.mark.parametrize("budget_s", [5.1, 16.0, 120.0])
def test_short_budgets_too(budget_s: float) -> None:
    answers, protocol = oracle("tss", 2), Protocol(budget_s)
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
    part = Oracle(answers.space, answers.scores.copy(), answers.costs_s, (12,), "valid")
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


TRAJECTORIES = lockstep.trajectories
