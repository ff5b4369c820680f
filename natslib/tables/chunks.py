"""Converting the records of an official archive in worker processes, chunk by chunk."""

import contextlib
import ctypes
import gc
import hashlib
import json
import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from natslib.errors import BadSource, NatslibError
from natslib.files import atomic
from natslib.tables.format.schema import FINALS
from natslib.tables.format.writing import Rows, check_runs
from natslib.tables.sources import official
from natslib.tables.sources.template import Templates
from natslib.tables.sources.unpickle import decompress, loads
from natslib.workers import hidden_main, quiet_worker, uninterrupted

CHUNK = 512  # architectures; some 60 MB of numbers in memory
LIMIT_S = 60  # for one record, which takes some milliseconds
CRASHED = "it makes the reader crash or hang; damaged or hostile"


@dataclass(frozen=True)
class Chunk:
    """Some records and the two files that they are converted to: finals (`part`) and curves."""

    items: tuple[official.Item, ...]
    part: Path
    curves: Path


def convert_chunks(todo: list[Chunk], processes: int, progress: Callable[[int], object]) -> None:
    """Convert all chunks; `progress` gets the number of records done. Raises `NatslibError` when workers keep dying.

    A record that kills its process or keeps it busy for longer than `LIMIT_S` is found by reading the suspects one
    at a time, and then left out.
    """
    todo, crashers = list(todo), frozenset[str]()
    while todo:
        try:
            for chunk in _in_pool(todo, processes, crashers):
                todo.remove(chunk)
                progress(len(chunk.items))
        except BrokenProcessPool:
            started = todo[: 2 * processes + 1]
            found = frozenset(name for chunk in started for name in _find_crashers(chunk, crashers))
            if not found:
                message = "a worker process was killed (out of memory?); run the same again"
                raise NatslibError(message) from None
            crashers |= found


def _in_pool(todo: list[Chunk], processes: int, crashers: frozenset[str]) -> Iterator[Chunk]:
    """Yield the chunks as they are finished."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(processes, len(todo)), mp_context=context, initializer=_quiet_worker)
    others = set(multiprocessing.active_children())
    try:
        with hidden_main(), uninterrupted():
            futures = {pool.submit(_convert_chunk, chunk, crashers): chunk for chunk in todo}
        for future in as_completed(futures):
            future.result()
            yield futures[future]
    except KeyboardInterrupt:
        for worker in set(multiprocessing.active_children()) - others:
            worker.terminate()  # what it was at is done again
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _quiet_worker() -> None:
    """As other workers; and without the garbage collector, since records hold no cycles."""
    quiet_worker()
    gc.disable()
    pa.set_cpu_count(1)
    _keep_memory()


def _keep_memory() -> None:
    """Tell glibc not to give memory back after every record, only to ask for it again: a tenth of the time."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        for option in (-1, -3):  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
            libc.mallopt(option, 32 * 2**20)


@contextlib.contextmanager
def _limited_time() -> Iterator[None]:
    """Let the system end this process when one record takes too long; a loop inside C code stops for nothing less."""
    if hasattr(signal, "alarm"):
        signal.alarm(LIMIT_S)
    try:
        yield
    finally:
        if hasattr(signal, "alarm"):
            signal.alarm(0)


_TEMPLATES = Templates()  # what this process has learned


def _convert_chunk(chunk: Chunk, crashers: frozenset[str]) -> None:
    rows: Rows | None = None
    digests, damaged = [], []
    for item in chunk.items:
        try:
            with _limited_time():
                packed = item.read()
                digests.append((item.name, hashlib.sha256(packed).hexdigest()))
                if item.name in crashers:
                    raise BadSource(CRASHED)
                rows = _add_record(decompress(packed), item.index, rows)
        except NatslibError as error:
            damaged.append({"file": item.name, "reason": str(error)})
    write_chunk(rows, {"digests": digests, "damaged": damaged}, chunk)


def _add_record(data: bytes, index: int, rows: Rows | None) -> Rows:
    """Add the unpacked record of an architecture to rows of its space; raises `BadSource` where it is damaged."""
    known = _TEMPLATES.read(data, index)
    if known is not None and (rows is None or rows.space is known.space):
        rows = rows or Rows(known.space)
        rows.stack(known.form, known.seeds).add(index, known.numbers)
        return rows
    record = official.check_record(loads(data))
    rows = rows or Rows(official.space_of(record))
    runs = check_runs(official.runs_of(record, rows.space, index), rows.space)
    rows.add_all(runs)
    _TEMPLATES.learn(data, runs, rows.space)
    return rows


def write_chunk(rows: Rows | None, note: dict[str, Any], chunk: Chunk) -> None:
    """Write the curves, then the finals with a note beside them: a part that exists is a chunk that is done."""
    finals = rows.write(chunk.curves) if rows is not None else FINALS.empty_table()
    note = note | {"space": rows.space.name if rows is not None else None}
    with atomic(chunk.part) as temporary:
        pq.write_table(
            finals.replace_schema_metadata({"note": json.dumps(note)}), temporary, compression="lz4"
        )


def read_note(part: Path) -> dict[str, Any]:
    """Return the note of a finished chunk: its files' digests, and the damaged ones with reasons."""
    note: dict[str, Any] = json.loads(pq.read_schema(part).metadata[b"note"])
    return note


def source_facts(files: int, digests: Iterable[Iterable[str]]) -> dict[str, Any]:
    """Return what a manifest says of an archive: its number of records, and a digest of what `sha256sum` lists."""
    listing = "".join(f"{digest}  {name}\n" for name, digest in digests)
    return {"files": files, "sha256_of_sha256sum": hashlib.sha256(listing.encode()).hexdigest()}


def source_of(items: list[official.Item]) -> dict[str, Any]:
    """Return what a manifest of these records says of its source; reads them all."""
    digests = []
    for item in items:
        with contextlib.suppress(BadSource):  # what cannot be read has no digest in a manifest either
            digests.append((item.name, hashlib.sha256(item.read()).hexdigest()))
    return source_facts(len(items), digests)


def _find_crashers(chunk: Chunk, known: frozenset[str]) -> list[str]:
    """Return the names of the records whose reading kills a process, trying them in processes of their own."""
    context = multiprocessing.get_context("spawn")
    position = context.Value("i", 0)
    items, crashers = [item for item in chunk.items if item.name not in known], []
    while position.value < len(items):
        process = context.Process(target=_read_on, args=(items, position))
        with hidden_main(), uninterrupted():
            process.start()
        try:
            process.join()
        finally:
            process.kill()  # where the main process is interrupted
        if process.exitcode:
            crashers.append(items[position.value].name)
            position.value += 1
    return crashers


def _read_on(items: list[official.Item], position: Any) -> None:
    while position.value < len(items):
        item = items[position.value]
        with contextlib.suppress(NatslibError), _limited_time():
            record = official.read_record(item)
            for _ in official.runs_of(record, official.space_of(record), item.index):
                pass
        position.value += 1
