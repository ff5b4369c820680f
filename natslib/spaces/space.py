"""The generic search space: names in an official order, moves, one-hot encoding and cost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, overload

import numpy as np
import numpy.typing as npt

from natslib.datasets import Dataset, get_dataset
from natslib.errors import unknown_name
from natslib.spaces.cost import Count, Skeleton, count
from natslib.spaces.naming import Arch, Code, CodeArray, Naming

Layout: TypeAlias = Callable[[CodeArray, int], tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]]
Mutation: TypeAlias = Callable[[Code, np.random.Generator], Code]

MUTATION_RULES: tuple[str, ...] = ("clean", "official")


@dataclass(frozen=True, repr=False)
class Space(Naming):
    """A search space as a value; it holds no metric and reads no file.

    `skeleton` is the published network size; `layout(codes, width)` gives the cell codes (..., 6) and the
    widths (..., 5) of the networks; `official_mutation` is that of the published evolutionary search.
    """

    skeleton: Skeleton
    layout: Layout
    official_mutation: Mutation

    @overload
    def sample(self, rng: np.random.Generator) -> Code: ...
    @overload
    def sample(self, rng: np.random.Generator, n: int) -> CodeArray: ...
    def sample(self, rng: np.random.Generator, n: int | None = None) -> Code | CodeArray:
        """Draw uniformly with replacement: one code if `n` is None, else an array of shape (n, k)."""
        shape = (len(self.positions),) if n is None else (n, len(self.positions))
        drawn = rng.integers(len(self.choices), size=shape, dtype=np.uint8)
        return tuple(drawn.tolist()) if n is None else drawn

    def mutate(self, code: Arch, rng: np.random.Generator, rule: str = "clean") -> Code:
        """Return a mutant: `clean` changes exactly one position, `official` is the published search's rule.

        Raises `UnknownName` for another rule.
        """
        if rule not in MUTATION_RULES:
            raise unknown_name("mutation rule", rule, MUTATION_RULES)
        parent = self.code(code)
        if rule == "official":
            return self.official_mutation(parent, rng)
        return change(parent, int(rng.integers(len(parent))), len(self.choices), rng)

    def crossover(self, a: Arch, b: Arch, rng: np.random.Generator) -> Code:
        """Return a child that takes each position from `a` or `b` with equal chance."""
        coins = rng.integers(2, size=len(self.positions)).tolist()
        return tuple(pair[coin] for coin, *pair in zip(coins, self.code(a), self.code(b), strict=True))

    def neighbours(self, code: Arch) -> CodeArray:
        """Return all codes that differ at one position, in order of position: (k * (choices - 1), k)."""
        centre = np.array(self.code(code), np.uint8)
        positions, others = np.nonzero(np.arange(len(self.choices)) != centre[:, None])
        around = np.repeat(centre[None], len(others), axis=0)
        around[np.arange(len(others)), positions] = others
        return around

    def one_hot(self, codes: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return one block of indicators a position: (..., k) to (..., k * choices), float32."""
        legal = self.checked(codes)
        return np.eye(len(self.choices), dtype=np.float32)[legal].reshape(*legal.shape[:-1], -1)

    def count(self, codes: npt.ArrayLike, dataset: str | Dataset, skeleton: Skeleton | None = None) -> Count:
        """Return exact counts of parameters and multiply-accumulates, int64 of shape (...).

        `skeleton` None is the published one. Raises `UnknownName` for an unknown dataset.
        """
        size = self.skeleton if skeleton is None else skeleton
        data = get_dataset(dataset) if isinstance(dataset, str) else dataset
        cells, widths = self.layout(self.checked(codes), size.width)
        return count(cells, widths, size.cells, data)

    def params_m(
        self, codes: npt.ArrayLike, dataset: str | Dataset, skeleton: Skeleton | None = None
    ) -> npt.NDArray[np.float64]:
        """Return the learnable parameters in millions, (..., k) to (...); arguments as `count`."""
        return self.count(codes, dataset, skeleton).params / 1e6

    def flops_m(
        self, codes: npt.ArrayLike, dataset: str | Dataset, skeleton: Skeleton | None = None
    ) -> npt.NDArray[np.float64]:
        """Return the multiply-accumulates of one image in millions (the paper's FLOPs); as `params_m`."""
        return self.count(codes, dataset, skeleton).macs / 1e6


def change(code: Code, position: int, choices: int, rng: np.random.Generator) -> Code:
    """Return `code` with another choice at `position`, drawn uniformly from the `choices` - 1 others."""
    other = (code[position] + int(rng.integers(1, choices))) % choices
    return (*code[:position], other, *code[position + 1 :])
