"""How much of the accuracies each position of a code explains, alone and together with others: fANOVA, exact.

Hutter et al. (ICML 2014) estimate the decomposition through a forest, for they have a part of a space. Where every
combination of some choices is measured, it is a matter of means (Sobol 1993): the effect of a set of positions is the
mean accuracy given their choices, less the effects of all its subsets. Effects of different sets are orthogonal, so the
mean squares of the effects add up to the variance.

A cube holds one value for each combination, an axis a position.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from natslib.errors import NotMeasured
from natslib.spaces import Space

Floats = npt.NDArray[np.float64]
Positions = tuple[int, ...]
ACCURACIES, RANKS = "accuracies", "ranks"


@dataclass(frozen=True)
class Factorial:
    """All combinations of some choices of each position: `archs` are their indices, an axis a position."""

    positions: tuple[str, ...]
    choices: tuple[tuple[str, ...], ...]
    archs: npt.NDArray[np.int64]

    def cube(self, accuracy: pd.Series) -> Floats:
        """Return the accuracies (index arch_index) of all combinations; NaN where there is none."""
        return accuracy.reindex(self.archs.ravel()).to_numpy(np.float64).reshape(self.archs.shape)

    def described(self, space: Space) -> str:
        """Return how much of a space it is, in words; nothing where it is all of it."""
        if self.archs.size == len(space):
            return ""
        alike = len(set(self.choices)) == 1
        kept = [f"{{{', '.join(choices)}}}" for choices in (self.choices[:1] if alike else self.choices)]
        shown = f"{kept[0]} at each position" if alike else " × ".join(kept)
        return f"all {self.archs.size:,} combinations of {shown}, of {len(space):,}"


def find_factorial(space: Space, accuracy: pd.Series) -> Factorial:
    """Return the combinations of choices that are measured without a gap: those of the whole space where it is.

    `accuracy` has index arch_index. Otherwise the choice that fewest measured architectures have goes, one after
    another, until there is no gap left; that finds a sub-grid beside which a few others were measured. Raises
    `NotMeasured` where a position would keep fewer than two choices.
    """
    shape = (len(space.choices),) * len(space.positions)
    every = space.indices(np.moveaxis(np.indices(shape), 0, -1))
    measured = np.isin(every, accuracy.dropna().index)
    kept = [list(range(size)) for size in shape]
    while not (block := measured[np.ix_(*kept)]).all():
        shares = {
            (block.take(place, axis).mean(), axis, place): choice
            for axis, choices in enumerate(kept)
            if len(choices) > 2
            for place, choice in enumerate(choices)
        }
        if not shares or not block.any():
            raise NotMeasured(
                f"no full factorial: {measured.sum():,} of {measured.size:,} architectures are measured, and not "
                "all combinations of two choices of every position are found among them"
            )
        _, axis, place = min(shares)
        del kept[axis][place]
    choices = tuple(tuple(space.choices[choice] for choice in some) for some in kept)
    return Factorial(space.positions, choices, every[np.ix_(*kept)])


def find_factorials(space: Space, accuracy: pd.DataFrame) -> tuple[dict[str, Factorial], str]:
    """Return `find_factorial` of each column that has one, and a sentence that names the others, or ''.

    Raises `NotMeasured` where none has.
    """
    found, lacking = {}, {}
    for label, column in accuracy.items():
        try:
            found[str(label)] = find_factorial(space, column)
        except NotMeasured as error:
            lacking[str(label)] = error
    if not found:
        raise next(iter(lacking.values()), NotMeasured("no accuracy, so no full factorial"))
    return found, f"no full factorial, left out: {', '.join(lacking)}" if lacking else ""


def effects(cube: Floats) -> dict[Positions, Floats]:
    """Return the effect of each set of positions, the empty one's first: arrays that broadcast to the cube."""
    found: dict[Positions, Floats] = {}
    for order in range(cube.ndim + 1):
        for some in combinations(range(cube.ndim), order):
            others = tuple(axis for axis in range(cube.ndim) if axis not in some)
            given = cube.mean(axis=others, keepdims=True)
            found[some] = given - sum((found[part] for part in found if set(part) < set(some)), np.zeros(1))
    return found


def variance_frame(cube: Floats, positions: Sequence[str]) -> pd.DataFrame:
    """Return the share of the variance of each set of positions: columns axes, positions, order, share.

    `axes` numbers the positions; shares sum to 1, and are NaN where nothing varies.
    """
    variance = float(cube.var())
    rows = [
        (some, " & ".join(positions[axis] for axis in some), len(some), float(np.mean(effect**2)))
        for some, effect in effects(cube).items()
        if some
    ]
    frame = pd.DataFrame(rows, columns=["axes", "positions", "order", "share"])
    return frame.assign(share=frame["share"] / variance if variance else np.nan)


def variances(cube: Floats, positions: Sequence[str]) -> pd.DataFrame:
    """Return `variance_frame` of the accuracies and of their ranks, which a few broken networks do not rule.

    The column `of` tells them apart.
    """
    kinds = {ACCURACIES: cube, RANKS: scipy.stats.rankdata(cube).reshape(cube.shape)}
    return pd.concat([variance_frame(each, positions).assign(of=kind) for kind, each in kinds.items()])


def share_by_order(shares: pd.DataFrame) -> pd.DataFrame:
    """Return the share of what so many positions do together: a row an order, a column each of `of`."""
    return shares.pivot_table(index="order", columns="of", values="share", aggfunc="sum")


def pair_shares(shares: pd.DataFrame, positions: Sequence[str]) -> pd.DataFrame:
    """Return the share of each position on the diagonal, and below it what two do together besides; NaN above.

    `shares` is that of `variance_frame`.
    """
    matrix = pd.DataFrame(np.nan, index=list(positions), columns=list(positions))
    for axes, share in shares.loc[shares["order"] <= 2, ["axes", "share"]].itertuples(index=False):
        matrix.iloc[axes[-1], axes[0]] = share
    return matrix


def choice_effects(cube: Floats, factorial: Factorial) -> pd.DataFrame:
    """Return by how much each choice at each position moves the mean, in points: columns position, choice, effect."""
    found = effects(cube)
    rows = [
        (position, choice, float(effect))
        for axis, position in enumerate(factorial.positions)
        for choice, effect in zip(factorial.choices[axis], found[(axis,)].ravel(), strict=True)
    ]
    return pd.DataFrame(rows, columns=["position", "choice", "effect"])
