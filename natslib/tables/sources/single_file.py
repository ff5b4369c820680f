"""The official single file (`NATS-tss-v1_0-3ffb9.pickle.pbz2`): one pickle of every record, read as a stream.

Loaded at once it takes tens of gigabytes. Here the pickle's own instructions are followed one by one, each
record is handed over as soon as it is complete and then forgotten, so memory stays flat. Only the
instructions that the official file uses are followed.
"""

import bz2
import io
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from natslib.errors import BadSource
from natslib.tables.sources.unpickle import DAMAGE, Float64, Follower, bounded_memory, instructions

MAX_BETWEEN = 16 * 2**20
"""Bytes without a record in them: an official one takes 0.3 MB, what stands before the first 2 MB."""
_INSTRUCTIONS = [
    "PROTO",
    "FRAME",
    "STOP",
    "MARK",
    "MEMOIZE",
    "BINGET",
    "LONG_BINGET",
    "EMPTY_DICT",
    "EMPTY_LIST",
    "EMPTY_SET",
    "ADDITEMS",
    "EMPTY_TUPLE",
    "SETITEM",
    "SETITEMS",
    "APPEND",
    "APPENDS",
    "TUPLE",
    "TUPLE1",
    "TUPLE2",
    "TUPLE3",
    "NONE",
    "NEWTRUE",
    "NEWFALSE",
    "BININT",
    "BININT1",
    "BININT2",
    "LONG1",
    "BINFLOAT",
    "SHORT_BINUNICODE",
    "SHORT_BINBYTES",
    "STACK_GLOBAL",
    "REDUCE",
    "BUILD",
]


class _Memo:
    """What a pickle may refer back to: strings for ever (four bytes each), other objects within one record."""

    def __init__(self) -> None:
        self._string = array("i")
        self._strings: list[str] = []
        self._number: dict[str, int] = {}
        self._objects: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._string)

    def __setitem__(self, position: int, value: Any) -> None:
        if type(value) is str:
            number = self._number.get(value)
            if number is None:
                number = self._number[value] = len(self._strings)
                self._strings.append(value)
            self._string.append(number)
        else:
            self._objects[position] = value
            self._string.append(-1)

    def __getitem__(self, position: int) -> Any:
        number = self._string[position]
        return self._strings[number] if number >= 0 else self._objects[position]

    def forget_objects(self) -> None:
        """Drop everything but what later records share: strings, the stand-ins for globals, and numpy's dtype."""
        self._objects = {
            at: held for at, held in self._objects.items() if callable(held) or isinstance(held, Float64)
        }


class _RecordReader(Follower):
    """Calls `on_record` with each architecture's dict once it is filled."""

    def __init__(self, file: BinaryIO, on_record: Callable[[dict[str, Any]], None]):
        super().__init__(file)
        self.memo: Any = _Memo()
        self._on_record = on_record

    def load_additems(self) -> None:
        items = self.pop_mark()  # type: ignore[attr-defined]
        if type(self.stack[-1]) is not set or not set(map(type, items)) <= {int}:  # type: ignore[attr-defined]
            raise BadSource("a set of something other than whole numbers")
        self.stack[-1].update(items)  # type: ignore[attr-defined]

    def fill(self, target: dict[Any, Any], keys: list[Any], values: list[Any]) -> None:
        if values and isinstance(values[0], dict) and "all_results" in values[0]:
            self._on_record(dict(zip(keys, values, strict=True)))
            self.memo.forget_objects()
        else:
            super().fill(target, keys, values)


_RecordReader.dispatch = instructions(_RecordReader, _INSTRUCTIONS)


class _Watched(io.RawIOBase):
    """A file that says how far it is read."""

    def __init__(self, file: io.BufferedIOBase, progress: Callable[[int], object]):
        self._file, self._progress = file, progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = int(self._file.readinto(buffer))
        self._progress(count)
        return count


def read_whole_file(
    path: Path, on_record: Callable[[dict[str, Any]], None], progress: Callable[[int], object]
) -> None:
    """Hand every record of the file to `on_record` in file order.

    `progress` is called with the number of packed bytes read since the last call. Raises `BadSource` for a file
    that is damaged, cut short, or holds anything that the official file does not; records before the damage were
    handed over.
    """
    since = 0

    def count(size: int) -> None:
        nonlocal since
        since += size
        if since > MAX_BETWEEN:
            raise BadSource(f"more than {MAX_BETWEEN:,} bytes without a record, which no official file has")

    def hand_over(record: dict[str, Any]) -> None:
        nonlocal since
        since = 0
        on_record(record)

    try:
        with path.open("rb") as packed, bounded_memory():
            stream = bz2.BZ2File(io.BufferedReader(_Watched(packed, progress), 2**20))
            unpacked = io.BufferedReader(_Watched(stream, count), 2**20)
            _RecordReader(unpacked, hand_over).load()
            if unpacked.read(1):
                raise BadSource("bytes follow the end of its pickle")
    except BadSource as error:
        raise BadSource(f"{path}: {error}") from None
    except DAMAGE as error:
        raise BadSource(f"{path}: not a readable archive ({type(error).__name__}: {error!s:.120})") from None
