import numpy as np

from natslib.search import Result
from natslib.search.algorithms.asha import asha
from natslib.spaces import get_space

TSS = get_space("tss")


def test_about_a_third_of_a_rung_is_promoted_and_no_arch_twice() -> None:
    search = asha(TSS, np.random.default_rng(0))
    trial, asked = search.send(None), []
    scores = np.random.default_rng(1).permutation(60).astype(float)
    for step in range(60):
        asked.append(trial)
        trial = search.send(Result(trial.arch, scores[step], trial.epochs))
    count = {epochs: sum(trial.epochs == epochs for trial in asked) for epochs in (1, 4, 12)}
    for low, high in (
        (1, 4),
        (4, 12),
    ):  # the best third changes as results come in, so some more are promoted
        assert count[low] // 3 <= count[high] <= count[low] // 2
    promoted = [trial.arch for trial in asked if trial.epochs == 4]
    assert len(promoted) == len(set(promoted))


def test_the_best_of_three_is_promoted_at_once() -> None:
    search = asha(TSS, np.random.default_rng(0))
    first = search.send(None)
    second = search.send(Result(first.arch, 10.0, 1))
    third = search.send(Result(second.arch, 30.0, 1))
    promotion = search.send(Result(third.arch, 20.0, 1))
    assert (promotion.arch, promotion.epochs) == (second.arch, 4)


def test_no_worker_waits() -> None:
    search = asha(TSS, np.random.default_rng(0))
    assert all(search.send(None).epochs == 1 for _ in range(20))
