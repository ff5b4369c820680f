"""Deciding an architecture position by position, as DARTS-PT does, by whatever scores a partly decided one.

Wang et al., "Rethinking Architecture Selection in Differentiable NAS" (ICLR 2021): the strength of an operation is what
its removal costs, not the size of its architecture parameter. A trained supernet and a table use the same rule.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

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
