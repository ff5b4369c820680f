"""The part of a search space that a table covers, with the moves a search needs."""

from typing import Any

import numpy as np
import numpy.typing as npt

from natslib.errors import ConfigError, UnknownArchitecture
from natslib.spaces import Space
from natslib.spaces.space import MUTATION_RULES, change

_TRIES = 8
_FEWEST = 5
"""Covered architectures that a mutation can lead to: with one or two, evolution goes back and forth between a few."""


class Subspace:
    """The architectures of `space` with the given indices (often all of them), as the space a search moves in.

    Everything that is not a move (codes, strings, encodings, costs) is the full space's; names and indices stay the
    official ones. A move that would leave the subspace is drawn again; where that keeps failing, `mutate` takes a
    random covered neighbour, or one of the nearest where there are few neighbours.
    """

    def __init__(self, space: Space, indices: npt.ArrayLike) -> None:
        self.full = space
        self.members = np.unique(np.asarray(indices, dtype=np.int64))
        if not len(self.members):
            raise ConfigError(
                f"a subspace of the {space.title} space needs at least one architecture; none is given"
            )
        self._array = space.codes(self.members)
        self._codes = [tuple(code) for code in self._array.tolist()]
        self._covered = frozenset(self._codes)
        self._near: dict[tuple[int, ...], list[tuple[int, ...]]] = {}

    def __repr__(self) -> str:
        return f"<Subspace of {self.full.name}: {len(self)} of {len(self.full)} architectures>"

    def __getattr__(self, name: str) -> Any:
        if name == "full":  # not set yet: being unpickled
            raise AttributeError(name)
        return getattr(self.full, name)

    def __len__(self) -> int:
        return len(self.members)

    def __contains__(self, code: object) -> bool:
        return code in self._covered

    def code(self, arch: Any) -> tuple[int, ...]:
        """Return the code of a covered architecture; raises `UnknownArchitecture` for any other."""
        code = self.full.code(arch)
        if code not in self._covered:
            raise UnknownArchitecture(
                f"architecture {arch!r} is not among the {len(self)} that the table covers"
            )
        return code

    def codes(self, indices: npt.ArrayLike | None = None) -> np.ndarray:
        """Return the codes of the given official indices, or of all covered ones, as uint8 (n, k)."""
        return self.full.codes(self.members if indices is None else indices)

    def sample(self, rng: np.random.Generator, n: int | None = None) -> Any:
        """Draw uniformly with replacement: one code, or with `n` an array of n codes."""
        if n is not None:
            return self.full.codes(rng.choice(self.members, size=n))
        return self._codes[int(rng.random() * len(self._codes))]

    def neighbours(self, code: tuple[int, ...]) -> np.ndarray:
        """Return the covered codes at Hamming distance one, uint8 (m, k); m may be zero."""
        return self._those_covered(self.full.neighbours(code))

    def removals(self, code: tuple[int, ...]) -> np.ndarray:
        """Return the covered codes with one thing less, uint8 (m, k); m may be zero."""
        return self._those_covered(self.full.removals(code))

    def dense(self, rng: np.random.Generator) -> tuple[int, ...]:
        """Draw a covered code to remove from; where none of some draws is covered, any covered one."""
        for _ in range(_TRIES):
            code = self.full.dense(rng)
            if code in self._covered:
                return code
        return tuple(self.sample(rng))

    def _those_covered(self, codes: np.ndarray) -> np.ndarray:
        return codes[[tuple(row) in self._covered for row in codes.tolist()]]

    def mutate(self, code: tuple[int, ...], rng: np.random.Generator, rule: str = "clean") -> tuple[int, ...]:
        """Change one position by the rule of the full space, within the subspace.

        Clean mutants are uniform among all neighbours, so those that are covered are uniform among the covered ones:
        after one miss they are drawn from these at once. The official rule of the size space may return the parent; it
        does so as often here as in the full space, by the first draw alone: if draws were repeated until covered, a
        parent, which always is, would be its own child nearly always.
        """
        for attempt in range(1 if rule == "clean" else _TRIES):
            child = self._changed(code, rng, rule)
            if child in self._covered and (child != code or not attempt):
                return child
        near = self._nearest(code)
        return near[int(rng.random() * len(near))] if near else code

    def _nearest(self, code: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Return the covered others within the smallest distance that holds `_FEWEST`: mostly the neighbours."""
        if code not in self._near:
            distances = (self._array != np.array(code)).sum(axis=1)
            radius = np.sort(distances[distances > 0])[:_FEWEST].max(initial=0)
            places = np.flatnonzero((distances > 0) & (distances <= radius))
            self._near[code] = [self._codes[place] for place in places]
        return self._near[code]

    def _changed(self, code: tuple[int, ...], rng: np.random.Generator, rule: str) -> tuple[int, ...]:
        """Mutate in the full space; a code that is known to be legal is not checked again."""
        if rule not in MUTATION_RULES or type(code) is not tuple or code not in self._covered:
            return self.full.mutate(code, rng, rule=rule)
        if rule == "official":
            return self.full.official_mutation(code, rng)
        return change(code, int(rng.integers(len(code))), len(self.full.choices), rng)

    def crossover(self, a: tuple[int, ...], b: tuple[int, ...], rng: np.random.Generator) -> tuple[int, ...]:
        """Mix two covered codes position by position; falls back to the first parent."""
        for _ in range(_TRIES):
            child = self.full.crossover(a, b, rng)
            if child in self._covered:
                return child
        return a


def covers(space: Space | Subspace, code: tuple[int, ...]) -> bool:
    """Say whether a well-formed code may be proposed: always in a full space, if measured in a subspace."""
    return not isinstance(space, Subspace) or code in space
