"""Converting the records of an official archive in worker processes, chunk by chunk."""

import contextlib
import gc
import hashlib
import json
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from natslib.benchmarks import official
from natslib.benchmarks.store import Rows, atomic
from natslib.benchmarks.unpickle import decompress, loads
from natslib.errors import BadSource, NatslibError
from natslib.spaces import get_space

CHUNK = 128  # architectures; some 13 MB of curves in memory
CRASHED = "it makes the reader crash; damaged or hostile"


@dataclass(frozen=True)
class Chunk:
    """Some records and the two files that they are converted to: finals (`part`) and curves."""

    items: tuple[official.Item, ...]
    part: Path
    curves: Path


def convert_chunks(
    todo: list[Chunk], space_name: str, processes: int, progress: Callable[[int], object]
) -> None:
    """Convert all chunks; `progress` gets the number of records done. Raises `NatslibError` when workers keep dying.

    A record that kills its process (not just fails) is found by reading the suspects one at a time, and
    then left out.
    """
    todo, crashers = list(todo), frozenset[str]()
    while todo:
        try:
            for chunk in _in_pool(todo, space_name, processes, crashers):
                todo.remove(chunk)
                progress(len(chunk.items))
        except BrokenProcessPool:
            started = todo[: 2 * processes + 1]
            found = frozenset(name for chunk in started for name in _find_crashers(chunk, crashers))
            if not found:
                raise NatslibError(
                    "a worker process was killed (out of memory?); run the same again"
                ) from None
            crashers |= found


def _in_pool(todo: list[Chunk], space_name: str, processes: int, crashers: frozenset[str]) -> Iterator[Chunk]:
    """Yield the chunks as they are finished."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(processes, len(todo)), mp_context=context, initializer=_quiet_worker)
    try:
        futures = {pool.submit(_convert_chunk, chunk, space_name, crashers): chunk for chunk in todo}
        for future in as_completed(futures):
            future.result()
            yield futures[future]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _quiet_worker() -> None:
    """Leave Ctrl-C to the main process, and the garbage collector off: records hold no cycles."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    pa.set_cpu_count(1)


def _convert_chunk(chunk: Chunk, space_name: str, crashers: frozenset[str]) -> None:
    rows, digests, damaged = Rows(get_space(space_name)), [], []
    for item in chunk.items:
        try:
            if item.name in crashers:
                raise BadSource(CRASHED)
            packed = item.read()
            digests.append((item.name, hashlib.sha256(packed).hexdigest()))
            record = official.check_record(loads(decompress(packed)))
            rows.add_all(official.runs_of(record, rows.space, item.index))
        except BadSource as error:
            damaged.append({"file": item.name, "reason": str(error)})
    write_chunk(rows, {"digests": digests, "damaged": damaged}, chunk.part, chunk.curves)


def write_chunk(rows: Rows, note: dict[str, Any], part: Path, curves: Path) -> None:
    """Write the curves, then the finals with a note beside them: a part that exists is a chunk that is done."""
    finals = rows.finals()
    if finals.num_rows:
        rows.write_curves(curves)
    with atomic(part) as temporary:
        pq.write_table(
            finals.replace_schema_metadata({"note": json.dumps(note)}), temporary, compression="lz4"
        )


def read_note(part: Path) -> dict[str, Any]:
    """Return the note of a finished chunk: its files' digests, and the damaged ones with reasons."""
    note: dict[str, Any] = json.loads(pq.read_schema(part).metadata[b"note"])
    return note


def _find_crashers(chunk: Chunk, known: frozenset[str]) -> list[str]:
    """Return the names of the records whose reading kills a process, trying them in processes of their own."""
    context = multiprocessing.get_context("spawn")
    position = context.Value("i", 0)
    items, crashers = [item for item in chunk.items if item.name not in known], []
    while position.value < len(items):
        process = context.Process(target=_read_on, args=(items, position))
        process.start()
        process.join()
        if process.exitcode:
            crashers.append(items[position.value].name)
            position.value += 1
    return crashers


def _read_on(items: list[official.Item], position: Any) -> None:
    while position.value < len(items):
        with contextlib.suppress(BadSource):
            official.read_record(items[position.value])
        position.value += 1
