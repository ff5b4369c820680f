"""Codes, indices and strings: three names of an architecture, and the official order that joins them.

The *code* is a tuple of choice numbers, one a position. Arrays of architectures are `uint8` arrays whose
last axis is the position. The tables behind the names are built on first use.
"""

import operator
import random
from dataclasses import dataclass, fields
from functools import cached_property
from typing import SupportsIndex, TypeAlias

import numpy as np
import numpy.typing as npt

from natslib.errors import UnknownArchitecture

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
