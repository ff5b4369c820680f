"""What every registered search keeps to."""

import importlib.util
import random

import numpy as np
import pytest

from natslib.errors import UnknownName
from natslib.search import MULTI_FIDELITY, SEARCHES, Result, Subspace, Trial, get_search
from natslib.spaces import get_space

from .toy import arch_of, drive, toy_scores

NEEDS_OPTUNA = pytest.mark.skipif(
    importlib.util.find_spec("optuna") is None, reason="Optuna is not installed"
)
NAMES = [pytest.param(name, marks=NEEDS_OPTUNA if name == "tpe" else ()) for name in SEARCHES]
SPACES = ["tss", "sss"]


def proposals(name: str, space: str, seed: int, evaluations: int = 45) -> list:
    there = get_space(space)
    return drive(SEARCHES[name](there, np.random.default_rng(seed)), there, evaluations)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("name", NAMES)
def test_proposals_are_legal_codes(name: str, space: str) -> None:
    there = get_space(space)
    for proposal in proposals(name, space, 0):
        arch = arch_of(proposal)
        assert isinstance(arch, tuple)
        assert there.code(arch) == arch


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("name", NAMES)
def test_the_seed_alone_decides(name: str, space: str) -> None:
    np.random.seed(1)
    first = proposals(name, space, 3)
    before = random.getstate(), np.random.get_state()[1].tolist()
    np.random.seed(2)
    assert proposals(name, space, 3) == first
    assert random.getstate() == before[0]
    assert proposals(name, space, 4) != first


@pytest.mark.parametrize("name", NAMES)
def test_the_scores_matter(name: str) -> None:
    there = get_space("tss")
    toy = toy_scores(there)
    one, other = (
        drive(SEARCHES[name](there, np.random.default_rng(0)), there, 60, scores)
        for scores in (toy, 100.0 - toy)
    )
    assert (one == other) == (name == "random")


@pytest.mark.parametrize("name", NAMES)
def test_only_multi_fidelity_searches_ask_for_epochs(name: str) -> None:
    asked = {proposal.epochs for proposal in proposals(name, "tss", 0) if isinstance(proposal, Trial)}
    assert asked == ({1, 4, 12} if name in MULTI_FIDELITY else set())


@pytest.mark.parametrize("name", NAMES)
def test_nothing_leaves_a_subspace(name: str) -> None:
    there = get_space("tss")
    part = Subspace(there, np.random.default_rng(0).choice(len(there), size=400, replace=False))
    walked = drive(SEARCHES[name](part, np.random.default_rng(1)), there, 45)
    assert all(arch_of(proposal) in part for proposal in walked)


@pytest.mark.parametrize("name", NAMES)
def test_idle_workers_are_no_surprise(name: str) -> None:
    """Results come back late and one by one; None says that a further worker is idle."""
    there = get_space("tss")
    scores = toy_scores(there)
    search = SEARCHES[name](there, np.random.default_rng(0))
    running, answer, finished = [], None, 0
    while finished < 40:
        proposal = search.send(answer)
        answer = None
        if proposal is not None:
            running.append(proposal)
            if len(running) < 4:
                continue
        arch = arch_of(proposal := running.pop(0))
        epochs = proposal.epochs if isinstance(proposal, Trial) else 12
        answer = Result(arch, float(scores[there.index(arch)]), epochs)
        finished += 1
    search.close()


@pytest.mark.parametrize(
    ("name", "runs"),
    [
        ("rea", 20),
        ("local-search", 20),
        ("bananas", 2),
        ("bananas-ridge", 2),
        ("npenas", 2),
        pytest.param("tpe", 2, marks=NEEDS_OPTUNA),
    ],
)
def test_a_guided_search_beats_chance_on_an_easy_problem(name: str, runs: int) -> None:
    there = get_space("tss")
    scores = toy_scores(there)
    best = []
    for seed in range(runs):
        archs = map(arch_of, drive(SEARCHES[name](there, np.random.default_rng(seed)), there, 150))
        best.append(max(scores[there.index(arch)] for arch in archs))
    chance = np.mean([np.random.default_rng(seed).choice(scores, size=150).max() for seed in range(200)])
    assert np.mean(best) > chance + 3.0


def test_an_unknown_name_is_answered_with_the_closest() -> None:
    with pytest.raises(UnknownName, match=r"unknown algorithm 'reinforced'.*did you mean 'reinforce'"):
        get_search("reinforced")
