"""From raw logs to a table, in parallel, with a progress bar; killed at any moment, the same command goes on.

A conversion works through chunks of architectures. A finished chunk leaves its curves in `DEST/curves/` and
its finals in `DEST/.parts/`; at the end the parts are merged and the manifest is written last: a folder
with a manifest is whole.
"""

import contextlib
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

import natslib
from natslib.benchmarks import official
from natslib.benchmarks.chunks import CHUNK, Chunk, convert_chunks, read_note, write_chunk
from natslib.benchmarks.published import read_published
from natslib.benchmarks.rawlogs import read_rawlogs
from natslib.benchmarks.schema import FORMAT, Run
from natslib.benchmarks.store import Rows, atomic, sha256, write_finals
from natslib.benchmarks.tidy import read_tidy
from natslib.benchmarks.wholefile import read_whole_file
from natslib.errors import BadSource, ConfigError, NatslibError
from natslib.spaces import Space, get_space

_T = TypeVar("_T")
_KINDS = (
    "'published', an official archive (directory, .tar or .pickle.pbz2), a .csv or .parquet table with its columns, "
    "or a folder of our own raw logs (*.jsonl)"
)


@dataclass
class _Job:
    """One conversion: from where to where, and what its manifest will say of the source."""

    origin: str | Path
    dest: Path
    processes: int
    progress: bool
    source: dict[str, Any] = field(default_factory=dict)
    damaged: list[dict[str, str]] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return Path(self.origin)

    @property
    def name(self) -> str:
        """What the manifest calls the origin: the last part of its path."""
        return str(self.origin) if self.origin == "published" else self.path.resolve().name

    @property
    def parts(self) -> Path:
        return self.dest / ".parts"

    def chunk(self, first: int, items: tuple[official.Item, ...] = ()) -> Chunk:
        """The chunk whose first architecture index is `first`."""
        name = f"{first:06d}.parquet"
        return Chunk(items, self.parts / name, self.dest / "curves" / name)

    def bar(self, total: int, unit: str) -> "tqdm[Any]":
        return tqdm(
            total=total,
            unit=unit,
            unit_scale=unit == "B",
            disable=not self.progress,
            desc=f"convert {self.name}",
        )


def convert(
    origin: str | Path,
    dest: str | Path,
    *,
    columns: str | Path | None = None,
    processes: int | None = None,
    progress: bool = False,
) -> dict[str, Any]:
    """Turn raw results into a table in the folder `dest` and return its manifest.

    `origin` is 'published', an official archive (directory, .tar, .pickle.pbz2), a CSV or Parquet file
    together with the YAML file `columns` that maps its columns, or a folder of our own raw logs.
    `processes` None takes one a core. Damaged files are left out and listed under 'damaged' in the
    manifest. Raises `BadSource` when nothing can be read, `ConfigError` when `dest` holds something else,
    `NatslibError` when the disk is full. Interrupted, call it again.
    """
    job = _Job(origin, Path(dest), processes or os.cpu_count() or 1, progress)
    tidy = job.path.suffix in (".csv", ".parquet")
    if origin != "published" and not job.path.exists():
        raise BadSource(f"{origin}: no such file or directory; a source is {_KINDS}")
    if tidy != (columns is not None):
        raise ConfigError(f"{origin}: a column mapping goes with a .csv or .parquet table, and only with one")
    with _locked(job.dest):
        return _finished(job) or _convert(job, columns)


def _convert(job: _Job, columns: str | Path | None) -> dict[str, Any]:
    path = job.path
    if not (job.parts / "plan").exists():  # nothing to go on with: what lies here is of another conversion
        for folder in (job.parts, job.dest / "curves"):
            shutil.rmtree(folder, ignore_errors=True)
    if job.origin == "published":
        finals, job.source = read_published()
        return _finish(job, finals, get_space("tss"))
    if columns is not None:
        finals, space, job.source = read_tidy(path, Path(columns))
        return _finish(job, finals, space)
    if path.is_dir() and any(path.glob("*.jsonl")):
        return _convert_rawlogs(job)
    if path.name.endswith(".pickle.pbz2"):
        return _WholeFile(job).convert()
    if path.is_dir() or path.suffix == ".tar":
        return _convert_archive(job)
    raise BadSource(f"{path}: not a source; a source is {_KINDS}")


def _finished(job: _Job) -> dict[str, Any] | None:
    """Return the manifest if `dest` is already a whole table of the same origin."""
    path = job.dest / "manifest.json"
    if not path.exists():
        return None
    manifest: dict[str, Any] = json.loads(path.read_text())
    if manifest["origin"] != job.name:
        raise ConfigError(
            f"{job.dest} holds a table of {manifest['origin']!r}; choose another folder or remove it"
        )
    shutil.rmtree(job.parts, ignore_errors=True)
    return manifest


@contextlib.contextmanager
def _locked(dest: Path) -> Iterator[None]:
    """Keep a second conversion into the same folder away for as long as this one runs."""
    try:
        dest.mkdir(parents=True, exist_ok=True)
        lock = (dest / ".lock").open("w")
    except OSError as error:
        raise NatslibError(f"cannot write to {dest}: {error.strerror}") from error
    with lock:
        if sys.platform != "win32":
            import fcntl

            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConfigError(f"another conversion is writing to {dest}; wait for it") from None
        try:
            yield
        finally:
            (dest / ".lock").unlink(missing_ok=True)


def _convert_archive(job: _Job) -> dict[str, Any]:
    items = official.list_items(job.path)
    space = _space_of_first_readable(items, job.path)
    _plan(job, [(item.name, item.size) for item in items])
    chunks = [job.chunk(group[0].index, group) for group in _batches(items, CHUNK)]
    todo = [chunk for chunk in chunks if not chunk.part.exists()]
    with job.bar(len(items), "arch") as bar:
        bar.update(len(items) - sum(len(chunk.items) for chunk in todo))
        convert_chunks(todo, space.name, job.processes, bar.update)
    notes = [read_note(chunk.part) for chunk in chunks]
    job.damaged = [damage for note in notes for damage in note["damaged"]]
    listing = "".join(f"{digest}  {name}\n" for note in notes for name, digest in note["digests"])
    job.source = {"files": len(items), "sha256_of_sha256sum": hashlib.sha256(listing.encode()).hexdigest()}
    return _finish(job, _merge(job), space)


def _space_of_first_readable(items: list[official.Item], path: Path) -> Space:
    reason = ""
    for item in items[:CHUNK]:
        try:
            return official.space_of(official.read_record(item))
        except BadSource as error:
            reason = reason or f"{item.name}: {error}"
    raise BadSource(f"{path}: none of its first {min(len(items), CHUNK)} records can be read; {reason}")


def _plan(job: _Job, files: list[tuple[str, int]]) -> None:
    """Note what is being converted, and refuse to go on with a folder that was begun from something else."""
    plan = hashlib.sha256(json.dumps([FORMAT, CHUNK, natslib.__version__, files]).encode()).hexdigest()
    note = job.parts / "plan"
    if note.exists() and note.read_text() != plan:
        raise ConfigError(f"{job.dest} holds an unfinished conversion of other files; remove it")
    with atomic(note) as temporary:
        temporary.write_text(plan)


class _WholeFile:
    """Converts the official single file; finished chunks are not written again, but the file is read from its start."""

    def __init__(self, job: _Job):
        self.job = job
        self.space: Space | None = None
        self.rows: Rows | None = None
        self.indices: list[int] = []

    def convert(self) -> dict[str, Any]:
        size = self.job.path.stat().st_size
        _plan(self.job, [(self.job.name, size)])
        with self.job.bar(size, "B") as bar:
            digest = read_whole_file(self.job.path, self.on_record, bar.update)
        if self.space is None:
            raise BadSource(f"{self.job.path}: it holds no record of an architecture")
        self.flush()
        self.job.source = {"sha256": digest}
        return _finish(self.job, _merge(self.job), self.space)

    def on_record(self, record: dict[str, Any]) -> None:
        index = next(iter(official.check_record(record).values())).get("arch_index")
        self.space = self.space or official.space_of(record)
        if not self.indices:
            self.rows = None if self.job.chunk(index).part.exists() else Rows(self.space)
        self.indices.append(index)
        if self.rows is not None:
            self.rows.add_all(official.runs_of(record, self.space, index))
        if len(self.indices) == CHUNK:
            self.flush()

    def flush(self) -> None:
        if self.rows is not None and self.indices:
            chunk = self.job.chunk(self.indices[0])
            write_chunk(self.rows, {"digests": [], "damaged": []}, chunk.part, chunk.curves)
        self.rows, self.indices = None, []


def _convert_rawlogs(job: _Job) -> dict[str, Any]:
    runs, space, job.source = read_rawlogs(job.path)
    by_arch: dict[int, list[Run]] = {}
    for run in sorted(runs, key=lambda run: (run.arch_index, run.seed)):
        by_arch.setdefault(run.arch_index, []).append(run)
    for group in _batches(list(by_arch), CHUNK):
        rows, chunk = Rows(space), job.chunk(group[0])
        rows.add_all(run for index in group for run in by_arch[index])
        write_chunk(rows, {"digests": [], "damaged": []}, chunk.part, chunk.curves)
    return _finish(job, _merge(job), space)


def _batches(items: list[_T], size: int) -> list[tuple[_T, ...]]:
    return [tuple(items[start : start + size]) for start in range(0, len(items), size)]


def _merge(job: _Job) -> pa.Table:
    return pa.concat_tables([pq.read_table(part) for part in sorted(job.parts.glob("*.parquet"))])


def _finish(job: _Job, finals: pa.Table, space: Space) -> dict[str, Any]:
    """Write finals and manifest; the manifest says what there is, what is missing, and the SHA-256 of every file."""
    if not finals.num_rows:
        reason = f"; the first: {job.damaged[0]['file']}: {job.damaged[0]['reason']}" if job.damaged else ""
        raise BadSource(f"{job.origin}: not one readable run in it{reason}")
    with atomic(job.dest / "finals.parquet") as temporary:
        blocks = write_finals(finals, temporary, space)
    measured = set(finals["arch_index"].to_numpy().tolist())
    files = [job.dest / "finals.parquet", *sorted((job.dest / "curves").glob("*.parquet"))]
    manifest = {
        "format": FORMAT,
        "space": space.name,
        "origin": job.name,
        "source": job.source,
        "architectures": {"measured": len(measured), "missing": _ranges(set(range(len(space))) - measured)},
        "rows": finals.num_rows,
        "blocks": [{**block._asdict(), "rows": count} for block, count in blocks],
        "damaged": job.damaged,
        "sha256": {str(file.relative_to(job.dest)): sha256(file) for file in files},
        "versions": {"natslib": natslib.__version__, "pyarrow": pa.__version__},
    }
    with atomic(job.dest / "manifest.json") as temporary:
        temporary.write_text(json.dumps(manifest, indent=1) + "\n")
    shutil.rmtree(job.parts, ignore_errors=True)
    return manifest


def _ranges(numbers: set[int]) -> list[str]:
    """Return '3', '7-12', ... for a set of whole numbers."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return [str(first) if first == last else f"{first}-{last}" for first, last in ranges]
