"""The keys of the jobs in a log, kept beside it: what is trained is known without reading the log again.

`.NAME.keys` beside `NAME.jsonl` has a line a record: where the record ends, when the log was last written, the record's
checksum, the job, what else tells runs apart, and a checksum of all keys up to here. Where the last checksum holds, and
size and time of the log are those of the last line, the keys are believed; else every record is held to its checksum,
and what has none is read. So a log without keys, keys without a log, or either of them changed, cut or damaged costs
time and nothing else.
"""

import contextlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from sys import intern
from typing import Any, BinaryIO, NamedTuple

from natslib.errors import BadSource, NatslibError
from natslib.files import lock, write_atomic
from natslib.training.jobs import Job
from natslib.training.logs import parse_record

TAIL = 2048
"""Bytes that hold the last line of a file of keys; a longer one is not found, and the keys are made again."""
AT_ONCE = 1 << 20
"""Bytes of keys that are parsed at once."""


class Apart(NamedTuple):
    """What of a record's stamp tells runs of one job apart; None where it does not say."""

    scale: str | None
    precision: str | None


class Key(NamedTuple):
    """One record of a log: the byte behind it, the log's time after it was written, and the checksum of its bytes."""

    end: int
    written_ns: int
    checksum: int
    job: Job
    apart: Apart


def apart_of(stamp: Mapping[str, Any]) -> Apart:
    """Return what a stamp says of this."""
    told = (stamp.get(name) for name in Apart._fields)
    return Apart(*(value if isinstance(value, str) else None for value in told))


def finished_jobs(folder: Path) -> dict[Job, Apart]:
    """Return the jobs that the logs of a farm's folder (a folder a space in it) hold already, whoever wrote them.

    Raises `BadSource` for a line that is no record, `NatslibError` where the folder cannot be written to.
    """
    found: dict[Job, Apart] = {}
    for log in sorted(folder.glob("*/*.jsonl")):
        known = _known(log)
        if known is None:
            with lock(log.parent / ".keys.lock"):  # who comes first reads the log, the others its keys
                known = _known(log) or {key.job: key.apart for key in _renewed(log)}
        found |= known
    return found


def note(log: Path) -> None:
    """Add the keys of records that were appended to a log; what fails here is made up for at the next start."""
    with contextlib.suppress(OSError, ValueError, BadSource), _keys_of(log).open("ab+") as kept:
        kept.seek(max(0, kept.tell() - TAIL))
        *_, line = kept.read().splitlines(keepends=True) or [b""]
        end, chain = (json.loads(line)[0], _chained(line, json.loads(line)[-1])) if line else (0, 0)
        with log.open("rb") as file:
            kept.write(_lines(_read(log, file, end, number=0), chain))


def _keys_of(log: Path) -> Path:
    return log.with_name(f".{log.stem}.keys")


def _lines(keys: Iterable[Key], chain: int = 0) -> bytes:
    """Return the lines of keys behind others whose checksum is `chain`."""
    lines = []
    for key in keys:
        body = json.dumps([*key[:3], *key.job, *key.apart], separators=(",", ":")).encode()[:-1] + b","
        checksum = zlib.crc32(body, chain)
        lines.append(b"%s%d]\n" % (body, checksum))
        chain = _chained(lines[-1], checksum)
    return b"".join(lines)


def _chained(line: bytes, checksum: int) -> int:
    """Return the checksum of all up to the end of a line whose last number is the checksum of what is before it."""
    return zlib.crc32(line[line.rindex(b",") + 1 :], checksum)


def _parsed(content: bytes) -> list[Key]:
    """Return the keys of whole lines."""
    keys = []
    for row in json.loads(b"[%s]" % content[:-1].replace(b"\n", b",")):
        end, written_ns, checksum, space, index, dataset, recipe, seed, *apart, _ = row
        job = Job(intern(space), index, intern(dataset), intern(recipe), seed)
        keys.append(Key(end, written_ns, checksum, job, _shared(*apart)))
    return keys


def _shared(scale: str | None, precision: str | None, made: dict[Apart, Apart] = {}) -> Apart:  # noqa: B006
    """Return one object for all that are equal: a log holds as many as records."""
    apart = Apart(scale, precision)
    return made.setdefault(apart, apart)


def _known(log: Path) -> dict[Job, Apart] | None:
    """Return what the keys beside a log hold; None unless all hold, and the log is as it was after the last."""
    try:
        stat, content = log.stat(), _keys_of(log).read_bytes()
        last = content.rindex(b",", 0, -2) + 1 if content else 0
        if content and zlib.crc32(memoryview(content)[:last]) != int(content[last:-2]):
            return None
        known: dict[Job, Apart] = {}
        end = written_ns = start = 0
        while start < len(content):
            stop = content.find(b"\n", start + AT_ONCE) + 1 or len(content)
            keys = _parsed(content[start:stop])
            known.update((key.job, key.apart) for key in keys)
            end, written_ns, start = keys[-1].end, keys[-1].written_ns, stop
    except (OSError, ValueError, IndexError):
        return None
    same = end == stat.st_size and (end == 0 or written_ns == stat.st_mtime_ns)
    return known if same else None


def _kept(log: Path) -> Iterator[Key]:
    """Yield the keys beside a log up to the first that is damaged."""
    chain = 0
    with contextlib.suppress(OSError, ValueError), _keys_of(log).open("rb") as file:
        for line in file:
            last = line.rindex(b",") + 1
            chain = zlib.crc32(line[:last], chain)
            if chain != int(line[last:-2]) or line[-2:] != b"]\n":
                return
            chain = _chained(line, chain)
            yield from _parsed(line)


def _renewed(log: Path) -> list[Key]:
    """Return the keys of a log, those that hold and those of records read now, and keep them beside it."""
    keys: list[Key] = []
    try:
        with log.open("rb") as file:
            written_ns = os.fstat(file.fileno()).st_mtime_ns
            end = 0
            for key in _kept(log):
                record = file.read(key.end - end)
                if zlib.crc32(record) != key.checksum or len(record) != key.end - end:
                    break
                keys.append(key)
                end = key.end
            keys += _read(log, file, end, number=len(keys))
    except OSError as error:
        raise BadSource(f"{log}: cannot be read ({error.strerror})") from error
    with contextlib.suppress(NatslibError):  # the next start reads the log again
        write_atomic(_keys_of(log), _lines(key._replace(written_ns=written_ns) for key in keys))
    return keys


def _read(log: Path, file: BinaryIO, start: int, *, number: int) -> Iterator[Key]:
    """Yield the keys of the records from byte `start` on, before which there are `number`, but of a torn last one."""
    stat = os.fstat(file.fileno())
    file.seek(start)
    while start < stat.st_size and (line := file.readline()).endswith(b"\n"):
        number += 1
        entry = parse_record(line, log, number)
        job = Job(*(entry[name] for name in Job._fields))
        start += len(line)
        yield Key(start, stat.st_mtime_ns, zlib.crc32(line), job, apart_of(entry.get("stamp", {})))
