import numpy as np
import pytest

from natslib.errors import ConfigError
from natslib.search import Result, Trial
from natslib.search.algorithms.successive_halving import bracket, hyperband, hyperband_brackets, rung_epochs
from natslib.spaces import get_space

from .toy import drive


def test_the_brackets_are_those_of_the_paper() -> None:
    """HpBandSter with eta 3, budgets 1 to 12: rungs of 1.33, 4 and 12 epochs."""
    assert rung_epochs(12, 1, 3) == [1, 4, 12]
    assert hyperband_brackets(12, 1, 3) == [[(9, 1), (3, 4), (1, 12)], [(3, 4), (1, 12)], [(3, 12)]]


def test_other_schedules() -> None:
    assert rung_epochs(200, 1, 3) == [2, 7, 22, 66, 200]
    assert rung_epochs(9, 1, 3) == [1, 3, 9]  # a whole power must not be lost to rounding
    assert rung_epochs(1, 1, 3) == [1]
    sizes = [[size for size, _ in rungs] for rungs in hyperband_brackets(81, 1, 3)]
    assert sizes == [[81, 27, 9, 3, 1], [27, 9, 3, 1], [9, 3, 1], [6, 2], [5]]


@pytest.mark.parametrize(("most", "least", "eta"), [(12, 0, 3), (3, 4, 3), (12, 1, 1)])
def test_impossible_schedules_are_refused(most: int, least: int, eta: int) -> None:
    with pytest.raises(ConfigError, match="1 <= min_epochs <= max_epochs and eta >= 2"):
        rung_epochs(most, least, eta)


def test_hyperband_cycles_through_its_brackets() -> None:
    space = get_space("tss")
    asked = [trial.epochs for trial in drive(hyperband(space, np.random.default_rng(0)), space, 40)]
    assert asked == ([1] * 9 + [4] * 3 + [12] + [4] * 3 + [12] + [12] * 3) * 2


def test_the_best_of_a_rung_go_on() -> None:
    names = iter("abcdefghi")
    heard: list[Result] = []
    scores = dict(zip("abcdefghi", [3, 9, 1, 7, 5, 8, 2, 6, 4], strict=True))
    search = bracket([(9, 1), (3, 4), (1, 12)], lambda: next(names), heard.append)
    asked, answer = [], None
    while True:
        try:
            trial = search.send(answer)
        except StopIteration:
            break
        assert isinstance(trial, Trial)
        asked.append((trial.arch, trial.epochs))
        answer = Result(trial.arch, float(scores[trial.arch]), trial.epochs)
    assert asked[9:] == [("b", 4), ("f", 4), ("d", 4), ("b", 12)]
    assert len(heard) == 13
