"""Records read by comparing them with one that was read before, byte by byte, instead of unpickling them.

Records of a space are the same pickle but for their numbers: the same instructions in the same order, with other
floats, another architecture and other seeds. A *template* is learned from a record that the restricted unpickler took
and whose runs passed every check. It knows which bytes are the eight of a float, an index, the string of an
architecture or a seed. A record of the same length whose other bytes are all equal runs through the same instructions,
so its numbers are taken from where they lie. Whatever differs anywhere else is no match, and is unpickled as ever.

Where a number goes is not deduced: the template's record is read once more with a mark in place of every such value,
and the marks that come out tell. A record in which the marks do anything but come out where a number belongs, as keys
of a dict or as a recipe's name, becomes no template.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from natslib.errors import NatslibError
from natslib.spaces import Space
from natslib.tables.format.schema import SEEDS, Run
from natslib.tables.format.stack import Floats, Form, form_of
from natslib.tables.sources import official
from natslib.tables.sources.unpickle import loads

KEPT = 64
"""Templates that a process keeps; a space has some thirty, by length of the strings, of the indices, and by seeds."""
_Positions = npt.NDArray[np.int64]


class Numbers(NamedTuple):
    """What a template takes from a record: the form and the seeds of its runs, and its numbers in the form's order."""

    space: Space
    form: Form
    seeds: tuple[int, ...]
    numbers: Floats


class Templates:
    """The templates that one process has learned."""

    def __init__(self) -> None:
        self._by_length: dict[int, list[Template]] = {}
        self._count = 0

    def read(self, data: bytes, index: int) -> Numbers | None:
        """Return the numbers of the unpacked record of an architecture; None where it has to be unpickled.

        That is so where no template matches, where it is of another architecture, and where a number is not possible.
        """
        for template in self._by_length.get(len(data), ()):
            if (found := template.read(data, index)) is not None:
                return found
        return None

    def learn(self, data: bytes, runs: Sequence[Run], space: Space) -> None:
        """Learn from an unpacked record whose runs are these, all checked; from some, nothing can be learned."""
        if self._count < KEPT and (template := learned(data, runs, space)) is not None:
            self._count += 1
            self._by_length.setdefault(len(data), []).append(template)


@dataclass(frozen=True)
class Template:
    """One record without its numbers.

    `words` and `mask` are its bytes and where they must be equal, eight at a time; `indices` and `strings` are where
    the architecture stands, `seeds` where the seed of each run does, and `digits` each byte of the texts of seeds.
    Number n of the form starts at `floats[n]`, those at `little` in numpy's order of bytes; those at `absent` were not
    recorded.
    """

    space: Space
    form: Form
    words: npt.NDArray[np.uint64]
    mask: npt.NDArray[np.uint64]
    indices: tuple[slice, ...]
    strings: tuple[slice, ...]
    seeds: tuple[slice, ...]
    digits: _Positions
    floats: _Positions
    little: _Positions
    absent: _Positions

    def read(self, data: bytes, index: int) -> Numbers | None:
        """Return the numbers of a record of the same length, as `Templates.read` does."""
        if ((_words(data) ^ self.words) & self.mask).any() or not self._is_of(data, index):
            return None
        bytes_ = np.frombuffer(data, np.uint8)
        seeds = self._seeds(data) if self._digits_only(bytes_) else None
        if seeds is None:
            return None
        numbers = self.numbers(data)
        return Numbers(self.space, self.form, seeds, numbers) if self.form.are_possible(numbers) else None

    def numbers(self, data: bytes) -> Floats:
        """Return the floats of a record that matches, in the form's order."""
        every = np.ndarray((len(data) - 7,), ">u8", data, strides=(1,))
        bits = every[self.floats].astype(np.uint64)
        bits[self.little] = bits[self.little].byteswap()
        numbers = bits.view(np.float64)
        numbers[self.absent] = np.nan
        return numbers

    def _is_of(self, data: bytes, index: int) -> bool:
        if not 0 <= index < len(self.space):
            return False
        string = self.space.string(index).encode()
        return all(int.from_bytes(data[at], "little") == index for at in self.indices) and all(
            data[at] == string for at in self.strings
        )

    def _digits_only(self, bytes_: npt.NDArray[np.uint8]) -> bool:
        texts = bytes_[self.digits]
        return not ((texts < ord("0")) | (texts > ord("9"))).any()

    def _seeds(self, data: bytes) -> tuple[int, ...] | None:
        """Return the seed of every run; None where two runs would be one, or a number is no seed."""
        seeds = tuple(int.from_bytes(data[at], "little") for at in self.seeds)
        runs = {(*run[:2], seed) for run, seed in zip(self.form.runs, seeds, strict=True)}
        return seeds if len(runs) == len(seeds) and max(seeds) < SEEDS else None


def _words(data: bytes) -> npt.NDArray[np.uint64]:
    """Return bytes eight at a time, the last ones filled up with zeros."""
    whole = len(data) // 8 * 8
    if whole == len(data):
        return np.frombuffer(data, np.uint64)
    return np.frombuffer(data + bytes(8 - len(data) + whole), np.uint64)


# learning


class _Fields(NamedTuple):
    """Where the bytes of a record lie that may differ from record to record.

    Of floats only where the eight bytes start; in `scalars` of numpy's they are in the other order.
    """

    floats: list[int]
    scalars: list[int]
    indices: list[slice]
    strings: list[slice]
    seeds: list[slice]
    digits: list[slice]


def learned(data: bytes, runs: Sequence[Run], space: Space) -> Template | None:
    """Return the template of an unpacked record whose runs are these, all checked; None where it makes none."""
    form, index = form_of(runs), runs[0].arch_index
    other = _alike(space, index)
    fields = _fields(data, index, space.string(index).encode(), {run.seed for run in runs})
    if other is None or fields is None or (marked := _marked(data, fields, other, space)) is None:
        return None
    try:
        record = official.check_record(loads(marked))
        again = list(official.runs_of(record, space, other))
    except NatslibError:
        return None
    of_seed = {int.from_bytes(marked[at], "little"): at for at in fields.seeds}
    if (
        form_of(again).runs != form.runs
        or not {run.seed for run in again} <= set(of_seed)
        or not _has_single_latencies(record)
    ):
        return None
    marks, starts = form.numbers(again), np.array(fields.floats + fields.scalars)
    absent = np.isnan(marks)
    places = np.where(absent, 0.5, marks) - 0.5
    if (places != np.floor(places)).any() or not 0 <= places.min() <= places.max() < len(starts):
        return None
    at = places.astype(np.int64)
    template = Template(
        space,
        form,
        words=_words(data),
        mask=_words(_mask(len(data), starts, fields).tobytes()),
        indices=tuple(fields.indices),
        strings=tuple(fields.strings),
        seeds=tuple(of_seed[run.seed] for run in again),
        digits=np.array([number for place in fields.digits for number in _range(place)], np.int64),
        floats=starts[at],
        little=np.flatnonzero(at >= len(fields.floats)),
        absent=np.flatnonzero(absent),
    )
    same = np.array_equal(template.numbers(data), form.numbers(runs), equal_nan=True)
    return template if same else None


def _mask(length: int, starts: _Positions, fields: _Fields) -> npt.NDArray[np.uint8]:
    mask = np.full(length, 0xFF, np.uint8)
    mask[starts[:, None] + np.arange(8)] = 0
    for place in itertools.chain(fields.indices, fields.strings, fields.seeds, fields.digits):
        mask[place] = 0
    return mask


def _range(place: slice) -> range:
    return range(place.start, place.stop)


@cache
def _lengths(space: Space) -> npt.NDArray[np.int64]:
    return np.array([len(string) for string in space.strings()])


def _alike(space: Space, index: int) -> int | None:
    """Return another architecture whose index and string take as many bytes in a pickle; None where there is none."""
    lengths, indices = _lengths(space), np.arange(len(space))
    alike = (lengths == lengths[index]) & (_width(indices) == _width(index)) & (indices != index)
    return int(np.argmax(alike)) if alike.any() else None


def _width(index: npt.ArrayLike) -> npt.NDArray[np.int64]:
    return np.searchsorted([2**8, 2**16], index, side="right")


_TEXT, _BYTES, _GET, _LONG_GET, _MEMOIZE, _FLOAT = b"\x8cChj\x94G"
_INTEGERS = {ord("K"): 1, ord("M"): 2, ord("J"): 4}
_PLAIN = dict.fromkeys(b"(}])subaet\x85\x86\x87N\x88\x89\x93R.", 0) | {0x80: 1, 0x95: 8}
"""Instructions that a template may have besides, and how many bytes they are followed by."""
_BY_EPOCH = re.compile(rb"(?:K.G.{8})+", re.DOTALL)  # 0: 1.9, 1: 1.7, ...


def _fields(data: bytes, index: int, string: bytes, seeds: set[int]) -> _Fields | None:
    """Return what of a record's pickle may differ in others; None where it has an instruction that none has."""
    fields = _Fields([], [], [], [], [], [])
    told = dict.fromkeys((f"{seed:04d}".encode() for seed in seeds), fields.digits) | {string: fields.strings}
    memo: dict[int, bytes] = {}
    at = memoized = 0
    key: bytes | None = None  # the text before, under which the next value may stand in a dict
    while at < len(data):
        code = data[at]
        at += 1
        if code == _TEXT:
            place = slice(at + 1, at + 1 + data[at])
            key, at = data[place], place.stop
            if key in told:
                told[key].append(place)
            if data[at : at + 2] == b"\x94G":  # it is a key of the curves
                fields.floats.append(at + 2)
                at, key, memoized = at + 10, None, memoized + 1
        elif code in _INTEGERS:
            if by_epoch := _BY_EPOCH.match(data, at - 1):
                fields.floats.extend(range(at + 2, by_epoch.end(), 11))
                at, key = by_epoch.end(), None
                continue
            place = slice(at, at + _INTEGERS[code])
            value, at = int.from_bytes(data[place], "little"), place.stop
            if key == b"arch_index":
                fields.indices.append(place)
            elif value in seeds and key != b"epochs":
                fields.seeds.append(place)
            key = None
        elif code == _FLOAT:
            fields.floats.append(at)
            at, key = at + 8, None
        elif code == _MEMOIZE:
            if key in (b"arch_index", b"epochs"):
                memo[memoized] = key
            memoized += 1
        elif code in (_GET, _LONG_GET):
            size = 1 if code == _GET else 4
            key = memo.get(int.from_bytes(data[at : at + size], "little"))
            at += size
        elif code == _BYTES:
            if data[at] == 8:
                fields.scalars.append(at + 1)
            at, key = at + 1 + data[at], None
        elif code in _PLAIN:
            at, key = at + _PLAIN[code], None
        else:
            return None
    return fields


def _marked(data: bytes, fields: _Fields, index: int, space: Space) -> bytes | None:
    """Return the record as one of architecture `index` with another number as each float, seed and text of a seed.

    None where that needs more numbers than fit.
    """
    marked = np.frombuffer(data, np.uint8).copy()
    marks = np.arange(len(fields.floats) + len(fields.scalars)) + 0.5
    for starts, some in ((fields.floats, marks.astype(">f8")), (fields.scalars, marks[len(fields.floats) :])):
        places = np.array(starts, np.int64)[:, None] + np.arange(8)
        marked[places] = some[: len(starts)].view(np.uint8).reshape(-1, 8)
    texts = [(at, f"{number:0{at.stop - at.start}d}") for number, at in enumerate(fields.digits)]
    texts += [(at, space.string(index)) for at in fields.strings]
    numbers = [(at, index) for at in fields.indices]
    following = {1: itertools.count(0), 2: itertools.count(2**8), 4: itertools.count(2**16)}
    numbers += [(at, next(following[at.stop - at.start])) for at in fields.seeds]
    try:
        for at, number in numbers:
            marked[at] = list(number.to_bytes(at.stop - at.start, "little"))
        for at, text in texts:
            marked[at] = list(text.encode())
    except (OverflowError, ValueError):  # too many for their bytes
        return None
    return marked.tobytes()


def _has_single_latencies(record: dict[str, Any]) -> bool:
    """Return whether no latency is the mean of several numbers, of which the marks would tell nothing."""
    trials = (trial for part in record.values() for trial in part["all_results"].values())
    return all(len(trial["latency"]) <= 1 for trial in trials)
