"""Deciding an architecture position by position, as DARTS-PT does, by whatever scores a partly decided one.

Wang et al., "Rethinking Architecture Selection in Differentiable NAS" (ICLR 2021): the strength of an operation is what
its removal costs, not the size of its architecture parameter. A trained supernet and a table use the same rule.
"""

from collections.abc import Callable, Sequence
from itertools import permutations
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.errors import ConfigError, NotMeasured
from natslib.spaces import Space

Mask: TypeAlias = npt.NDArray[np.bool_]
"""The choices left at each position, (positions, choices); a decided position has one."""


class Score(NamedTuple):
    """How good a masked supernet is: accuracy in percent, and the loss where there is one."""

    accuracy: float
    loss: float | None


class Decision(NamedTuple):
    """One projection: the position, the choice it is set to, and the score without each of the choices, in order."""

    position: int
    choice: int
    scores: tuple[Score, ...]


def undecided(space: Space) -> Mask:
    """Return the mask in which every choice is left at every position."""
    return np.ones((len(space.positions), len(space.choices)), dtype=bool)


def project(left: Mask, position: int, evaluate: Callable[[Mask], Score]) -> Decision:
    """Mask the choices of an open position one at a time and take the one without which the score is worst.

    `evaluate` is asked once a choice, in order; the other positions stay as they are. Worst is the lowest accuracy, the
    criterion of the released code; of equal accuracies, which few validation images often give, the highest loss; of
    equals in both the first.
    """
    scores = tuple(evaluate(mask_out(left, position, choice)) for choice in range(left.shape[1]))
    choice = min(range(len(scores)), key=lambda each: (scores[each].accuracy, -(scores[each].loss or 0.0)))
    return Decision(position, choice, scores)


def mask_out(left: Mask, position: int, choice: int) -> Mask:
    """Return the mask with one choice fewer at a position."""
    masked = left.copy()
    masked[position, choice] = False
    return masked


def decide(left: Mask, position: int, choice: int) -> Mask:
    """Return the mask in which a position has one choice."""
    decided = left.copy()
    decided[position] = False
    decided[position, choice] = True
    return decided


class PerfectSupernet:
    """Scores of partly decided architectures: the mean over the measured ones among all their completions.

    `values`: accuracies in percent by architecture index, (len(space),), NaN where not measured.
    """

    def __init__(self, space: Space, values: npt.ArrayLike) -> None:
        given = np.asarray(values, dtype=np.float64)
        if given.shape != (len(space),):
            raise ConfigError(
                f"values of shape {given.shape} were given; allowed is ({len(space)},), one for each "
                f"architecture of the {space.title} space"
            )
        self.space = space
        self.values = given
        self._grid = np.empty((len(space.choices),) * len(space.positions))
        self._grid[tuple(space.codes().T)] = given
        self._known: dict[bytes, Score] = {}

    def evaluate(self, left: Mask) -> Score:
        """Return the mean accuracy of the architectures within a mask; a table has no loss.

        Raises `NotMeasured` where none of them is measured.
        """
        key = left.tobytes()
        if key not in self._known:
            self._known[key] = Score(self._mean(left), None)
        return self._known[key]

    def select(self, order: Sequence[int]) -> list[Decision]:
        """Project the positions in `order`, each given the decisions before it; raises `NotMeasured`."""
        left, decisions = undecided(self.space), []
        for position in order:
            decisions.append(project(left, position, self.evaluate))
            left = decide(left, position, decisions[-1].choice)
        return decisions

    def select_in_every_order(self) -> pd.DataFrame:
        """Return what PT selects in each order of the positions, one row an order; raises `NotMeasured`.

        Columns: order (positions as a tuple), arch_index, and accuracy in percent, NaN where the selected architecture
        itself is not measured.
        """
        orders = list(permutations(range(len(self.space.positions))))
        found = [{each.position: each.choice for each in self.select(order)} for order in orders]
        index = self.space.indices([[code[at] for at in sorted(code)] for code in found])
        return pd.DataFrame({"order": orders, "arch_index": index, "accuracy": self.values[index]})

    def select_by_marginals(self) -> tuple[int, ...]:
        """Return the choice with the best mean accuracy at each position for itself; raises `NotMeasured`.

        Independent decisions, as the largest architecture parameter of each edge makes them.
        """
        left = undecided(self.space)
        alone = [
            [self.evaluate(decide(left, position, choice)).accuracy for choice in range(left.shape[1])]
            for position in range(len(left))
        ]
        return tuple(np.argmax(alone, axis=1).tolist())

    def _mean(self, left: Mask) -> float:
        within = self._grid[np.ix_(*map(np.flatnonzero, left))]
        measured = within[~np.isnan(within)]
        if not measured.size:
            raise NotMeasured(
                f"none of the {within.size} {self.space.title} architectures that are left with "
                f"{_describe(left, self.space)} is measured; a perfect supernet needs a table with some of each"
            )
        return float(measured.mean())


def _describe(left: Mask, space: Space) -> str:
    """Return the positions that are not open, in words: '0→1 none or skip_connect, ...'."""
    told = [
        f"{position} {' or '.join(np.array(space.choices)[row])}"
        for position, row in zip(space.positions, left, strict=True)
        if not row.all()
    ]
    return ", ".join(told) or "everything open"
