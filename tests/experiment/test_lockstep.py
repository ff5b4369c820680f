"""REA side by side is REA run by run, to the last bit."""

import numpy as np
import pytest

from natslib.experiment import Oracle, Protocol, lockstep, repeat, run
from natslib.experiment.seeds import run_seed
from natslib.search import SEARCHES
from natslib.spaces import get_space

SEEDS = [run_seed(0, number) for number in range(12)]


def oracle(space: str, seeds: int, missing: float = 0.0) -> Oracle:
    rng = np.random.default_rng(0)
    there = get_space(space)
    scores = rng.random((seeds, len(there), 1))
    scores[1:][rng.random(scores[1:].shape) < missing] = np.nan
    return Oracle(there, scores, 5.0 + 10.0 * rng.random((len(there), 1)), (12,), "valid")


@pytest.mark.parametrize("space", ["tss", "sss"])
@pytest.mark.parametrize(("seeds", "missing"), [(1, 0.0), (3, 0.0), (3, 0.5)])
def test_records_are_equal(space: str, seeds: int, missing: float) -> None:
    answers, protocol = oracle(space, seeds, missing), Protocol(900.0)
    one_by_one = [run(SEARCHES["rea"], answers, protocol, seed) for seed in SEEDS]
    assert lockstep.records(answers, protocol, SEEDS) == one_by_one


@pytest.mark.parametrize("budget_s", [5.1, 16.0, 120.0])
def test_short_budgets_too(budget_s: float) -> None:
    answers, protocol = oracle("tss", 2), Protocol(budget_s)
    one_by_one = [run(SEARCHES["rea"], answers, protocol, seed) for seed in SEEDS]
    assert lockstep.records(answers, protocol, SEEDS) == one_by_one


def test_groups_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, protocol = oracle("tss", 2), Protocol(300.0)
    together = lockstep.records(answers, protocol, SEEDS)
    monkeypatch.setattr(lockstep, "AT_ONCE", 5)
    assert lockstep.records(answers, protocol, SEEDS) == together


def test_it_is_used_where_it_fits_and_only_there(monkeypatch: pytest.MonkeyPatch) -> None:
    used = []
    monkeypatch.setattr(lockstep, "records", lambda *job: used.append(job) or RECORDS(*job))
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
    assert not used
    repeat("rea", answers, Protocol(99.0), runs=2, seed=0)
    assert len(used) == 1


RECORDS = lockstep.records
