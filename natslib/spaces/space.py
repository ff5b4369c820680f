"""The generic search space: names in an official order, moves, one-hot encoding and cost."""

import operator
import random
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Protocol, SupportsIndex, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from natslib.datasets import Dataset, get_dataset
from natslib.errors import UnknownArchitecture, unknown_name
from natslib.spaces.cost import PAPER_SCALE, Count, Scale

Code: TypeAlias = tuple[int, ...]
CodeArray: TypeAlias = npt.NDArray[np.uint8]
Arch: TypeAlias = SupportsIndex | str | Code | CodeArray


@dataclass(frozen=True, repr=False)
class Naming:
    """The names of all architectures of a space.

    `choices` and `positions` are labels; `template` has one `{}` a position and turns choice labels into
    the official string; `shuffle_seed` seeds the official shuffle of the odometer order (None: not shuffled).
    """

    name: str
    title: str
    choices: tuple[str, ...]
    positions: tuple[str, ...]
    template: str
    shuffle_seed: int | None

    def __len__(self) -> int:
        return len(self.choices) ** len(self.positions)

    def __repr__(self) -> str:
        return f"<Space {self.name}: {self.title}, {len(self)} architectures>"

    def __getstate__(self) -> dict[str, object]:
        """Leave the cached tables out of pickles and copies."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def code(self, arch: Arch) -> Code:
        """Return the code of an index, a string or a code; raises `UnknownArchitecture` for anything else."""
        if isinstance(arch, str):
            return self.code(self._index_of_string(arch))
        if isinstance(arch, int | np.integer):
            return tuple(self._table[self._legal_index(arch)].tolist())
        return self._legal_code(arch)

    def index(self, arch: Arch) -> int:
        """Return the official index of an index, a string or a code; raises `UnknownArchitecture`."""
        if isinstance(arch, str):
            return self._index_of_string(arch)
        if isinstance(arch, int | np.integer):
            return self._legal_index(arch)
        rank = 0
        for choice in self._legal_code(arch):
            rank = rank * len(self.choices) + choice
        return int(self._index_of_rank[rank])

    def string(self, arch: Arch) -> str:
        """Return the official string of an index, a string or a code; raises `UnknownArchitecture`."""
        return self.template.format(*(self.choices[choice] for choice in self.code(arch)))

    def codes(self, indices: npt.ArrayLike | None = None) -> CodeArray:
        """Return the codes of `indices`, (...) to (..., k); None: of the whole space, in order, read-only."""
        if indices is None:
            return self._table
        wanted = np.asarray(indices)
        if wanted.size == 0:
            return np.empty((*wanted.shape, len(self.positions)), np.uint8)
        if wanted.dtype.kind not in "iu":
            raise self._unknown(indices, self._index_form)
        wrong = (wanted < 0) | (wanted >= len(self))
        if wrong.any():
            raise self._unknown(wanted[wrong][0].item(), self._index_form)
        return self._table[wanted]

    def indices(self, archs: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return the int64 indices of codes, (..., k) to (...), or of strings, (...) to (...)."""
        given = np.asarray(archs)
        if given.size == 0:
            return np.empty(given.shape[:1], np.int64)
        if given.dtype.kind in "UOT":
            found = [self._index_of_string(string) for string in given.ravel().tolist()]
            return np.array(found, np.int64).reshape(given.shape)
        powers = len(self.choices) ** np.arange(len(self.positions))[::-1]
        return self._index_of_rank[self.checked(given).astype(np.int64) @ powers]

    def strings(self) -> tuple[str, ...]:
        """Return the strings of the whole space in index order."""
        return self._strings

    def checked(self, codes: npt.ArrayLike) -> CodeArray:
        """Return `codes` as uint8, (..., k); raises `UnknownArchitecture` for the first that is not legal."""
        given = np.asarray(codes)
        if given.dtype.kind not in "iu" or given.shape[-1:] != (len(self.positions),):
            raise self._unknown(codes, self._code_form)
        wrong = ((given < 0) | (given >= len(self.choices))).any(axis=-1)
        if wrong.any():
            raise self._unknown(tuple(given[wrong][0].tolist()), self._code_form)
        return given.astype(np.uint8, copy=False)

    @cached_property
    def _rank_of_index(self) -> npt.NDArray[np.int64]:
        ranks = list(range(len(self)))
        if self.shuffle_seed is not None:
            random.Random(self.shuffle_seed).shuffle(ranks)
        return np.array(ranks, np.int64)

    @cached_property
    def _index_of_rank(self) -> npt.NDArray[np.int64]:
        return np.argsort(self._rank_of_index)

    @cached_property
    def _table(self) -> CodeArray:
        columns = np.unravel_index(self._rank_of_index, (len(self.choices),) * len(self.positions))
        table = np.stack(columns, axis=-1).astype(np.uint8)
        table.flags.writeable = False
        return table

    @cached_property
    def _strings(self) -> tuple[str, ...]:
        labels = np.array(self.choices, dtype=object)[self._table]
        return tuple(self.template.format(*row) for row in labels.tolist())

    @cached_property
    def _indices_by_string(self) -> dict[str, int]:
        return {string: index for index, string in enumerate(self._strings)}

    def _index_of_string(self, string: str) -> int:
        index = self._indices_by_string.get(string) if isinstance(string, str) else None
        if index is None:
            raise self._unknown(string, self._string_form)
        return index

    def _legal_index(self, index: SupportsIndex) -> int:
        number = operator.index(index)
        if isinstance(index, bool) or not 0 <= number < len(self):
            raise self._unknown(number, self._index_form)
        return number

    def _legal_code(self, arch: object) -> Code:
        try:
            code = tuple(map(operator.index, arch))  # type: ignore[call-overload]
        except TypeError:
            raise self._unknown(arch, self._code_form) from None
        if len(code) != len(self.positions) or not all(0 <= choice < len(self.choices) for choice in code):
            raise self._unknown(arch, self._code_form)
        return code

    def _unknown(self, asked: object, allowed: str) -> UnknownArchitecture:
        return UnknownArchitecture(f"unknown {self.title} architecture {asked!r:.160}: allowed are {allowed}")

    @property
    def _index_form(self) -> str:
        return f"indices from 0 to {len(self) - 1}"

    @property
    def _string_form(self) -> str:
        return (
            f"strings like {self.template.replace('{}', '?')!r} with each ? one of {', '.join(self.choices)}"
        )

    @property
    def _code_form(self) -> str:
        where = ", ".join(self.positions)
        return f"codes of {len(self.positions)} numbers ({where}), each from 0 to {len(self.choices) - 1}"


Mutation: TypeAlias = Callable[[Code, np.random.Generator], Code]
Uniforms: TypeAlias = Callable[[int], npt.NDArray[np.float64]]
"""Returns the next so many uniform numbers of each of many runs, (count, runs)."""
Mutations: TypeAlias = Callable[[CodeArray, Uniforms], CodeArray]

MUTATION_RULES: tuple[str, ...] = ("clean", "official")


class Networks(Protocol):
    """The networks that the codes of a space stand for. `Skeleton` is the paper's.

    `builder` is the place of the function that builds one, "module:function": spaces need no torch.
    """

    @property
    def builder(self) -> str: ...

    def count(self, codes: CodeArray, dataset: Dataset, scale: Scale) -> Count:
        """Return what `Space.count` does."""

    def classes(self, n: int) -> npt.NDArray[np.int64]:
        """Return what `Space.classes` does; `n` is the number of architectures."""

    def removals(self, code: Code) -> CodeArray:
        """Return what `Space.removals` does; raises `ConfigError` where nothing can be removed."""

    def dense(self, rng: np.random.Generator) -> Code:
        """Return what `Space.dense` does; raises `ConfigError` as `removals`."""


@dataclass(frozen=True, repr=False)
class Space(Naming):
    """A search space as a value; it holds no metric and reads no file.

    `networks` are those that the codes stand for. `official_mutation` is that of the published evolutionary search, and
    `official_mutations` the same of many codes (runs, k) at once, drawn from uniform numbers in the same order; without
    it the runs of a search are not taken side by side.
    """

    networks: Networks
    official_mutation: Mutation
    official_mutations: Mutations | None = None

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

    def removals(self, code: Arch) -> CodeArray:
        """Return the codes with one thing less, each once, (n, k): an edge of a cell, or a step of a width.

        There are none of the least of a space. Raises `ConfigError` where the space does not say what can be removed.
        """
        return self.networks.removals(self.code(code))

    def dense(self, rng: np.random.Generator) -> Code:
        """Draw a code to remove from: everything is there that can be; raises `ConfigError` as `removals` does."""
        return self.networks.dense(rng)

    def classes(self) -> npt.NDArray[np.int64]:
        """Return the class of every architecture, (n,): one of those whose network is exactly equal.

        Where no rule is known, as in the size space, each is its own.
        """
        return self.networks.classes(len(self))

    def one_hot(self, codes: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return one block of indicators a position: (..., k) to (..., k * choices), float32."""
        legal = self.checked(codes)
        return np.eye(len(self.choices), dtype=np.float32)[legal].reshape(*legal.shape[:-1], -1)

    def count(self, codes: npt.ArrayLike, dataset: str | Dataset, scale: Scale = PAPER_SCALE) -> Count:
        """Return exact counts of parameters and multiply-accumulates, int64 of shape (...).

        Raises `UnknownName` for an unknown dataset.
        """
        data = get_dataset(dataset) if isinstance(dataset, str) else dataset
        return self.networks.count(self.checked(codes), data, scale)

    def params_m(
        self, codes: npt.ArrayLike, dataset: str | Dataset, scale: Scale = PAPER_SCALE
    ) -> npt.NDArray[np.float64]:
        """Return the learnable parameters in millions, (..., k) to (...); arguments as `count`."""
        return self.count(codes, dataset, scale).params / 1e6

    def flops_m(
        self, codes: npt.ArrayLike, dataset: str | Dataset, scale: Scale = PAPER_SCALE
    ) -> npt.NDArray[np.float64]:
        """Return the multiply-accumulates of one image in millions (the paper's FLOPs); as `params_m`."""
        return self.count(codes, dataset, scale).macs / 1e6


def change(code: Code, position: int, choices: int, rng: np.random.Generator) -> Code:
    """Return `code` with another choice at `position`, drawn uniformly from the `choices` - 1 others."""
    other = (code[position] + int(rng.integers(1, choices))) % choices
    return (*code[:position], other, *code[position + 1 :])
