"""From raw results to a table, in parallel, with a progress bar; killed at any moment, the same command goes on.

A conversion works through chunks of architectures. A finished chunk leaves its curves in `DEST/curves/` and its
finals in `DEST/.parts/`; at the end the parts are merged and the manifest is written last: a folder with a manifest
is whole.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from natslib.errors import BadSource, ConfigError, shown
from natslib.files import atomic, check_plain, sha256
from natslib.spaces import SPACES, Space, get_space
from natslib.tables.chunks import CHUNK, convert_chunks, read_note, source_facts, source_of, write_chunk
from natslib.tables.destination import Destination, file_mark, items_mark
from natslib.tables.format.folder import MANIFEST, altered_files, fingerprint, open_folder
from natslib.tables.format.schema import Run
from natslib.tables.format.writing import Rows, check_runs
from natslib.tables.sources import official
from natslib.tables.sources.frames import kind
from natslib.tables.sources.logs import read_rawlogs
from natslib.tables.sources.published import FILES, read_published
from natslib.tables.sources.single_file import read_whole_file
from natslib.tables.sources.tidy import read_tidy, tidy_files

_T = TypeVar("_T")
RAWLOG_CHUNK = 1024
"""Architectures to a file of our own curves: they are in memory anyway, and many small files take a third more."""
_KINDS = (
    "'published', an official archive (directory, .tar or .pickle.pbz2), a table of your own (.csv, .parquet, ...) "
    "with a mapping of its columns, a folder of our own raw logs (*.jsonl), or a finished table"
)
_PACKED = re.compile(r"\.(tar\.\w+|tgz|tbz2?|txz|zip|7z|rar)$", re.IGNORECASE)
Progress = Callable[[int, str], "tqdm[Any]"]  # total and unit -> a bar


def convert(
    origin: str | Path,
    dest: str | Path,
    *,
    columns: str | Path | None = None,
    processes: int | None = None,
    progress: bool = False,
) -> dict[str, Any]:
    """Turn raw results into a table in the folder `dest` and return its manifest.

    `origin` is 'published', an official archive (directory, .tar, .pickle.pbz2), a table of your own (or a folder of
    some) together with the YAML file `columns` that maps its columns, a folder of our own raw logs, or a finished
    table, which is checked against its SHA-256 and copied. `processes` None takes one a core. Damaged files are left
    out and listed under 'damaged' in the manifest, as is a tar that ends early. Raises `BadSource` when nothing can be
    read, `ConfigError` when `dest` holds something else, `NatslibError` when the disk is full. Interrupted, call it
    again.
    """
    path = Path(origin)
    workers = (os.cpu_count() or 1) if processes is None else processes
    if workers < 1:
        raise ConfigError(f"{workers} processes; at least 1 is needed")
    if not str(dest):
        raise ConfigError("the destination is empty; name a folder for the table")
    if origin == "published" and columns is not None:
        raise ConfigError(
            "'published' is a table already; a mapping of columns goes with a table of your own"
        )
    if origin != "published" and columns is None and not path.is_dir() and kind(path):
        raise ConfigError(
            f"{origin}: a table of your own needs a mapping of its columns, --columns mine.yaml; `natslib convert "
            f"{origin} {dest} --explain` drafts one (own training logs: give the folder of the .jsonl files)"
        )

    def bar(total: int, unit: str) -> "tqdm[Any]":
        name, scale = f"convert {path.name}", unit == "B"
        return tqdm(total=total, unit=unit, unit_scale=scale, disable=not progress, desc=name)

    try:
        return _convert(origin, Path(dest), columns, workers, bar)
    except OSError as error:
        raise BadSource(f"{origin}: cannot be read ({error.strerror or error})") from error


def _convert(
    origin: str | Path, dest: Path, columns: str | Path | None, processes: int, bar: Progress
) -> dict[str, Any]:
    path = Path(origin)
    if origin == "published":
        return _convert_frame(Destination(dest, "published", fingerprint(FILES)), _published)
    if not path.exists():
        raise BadSource(f"{origin}: no such file or directory; a source is {_KINDS}")
    if not path.is_dir():
        check_plain(path)
    name = _name(path.resolve())
    if columns is not None:
        mark = fingerprint([sha256(file) for file in tidy_files(path, Path(columns))])
        return _convert_frame(Destination(dest, name, mark), lambda: read_tidy(path, Path(columns)))
    if (path / MANIFEST).exists():
        return _copy_table(path, dest)
    if path.is_dir() and (logs := [log for log in sorted(path.glob("*.jsonl")) if log.is_file()]):
        return _convert_rawlogs(path, Destination(dest, name, fingerprint([sha256(log) for log in logs])))
    if path.is_file() and name.endswith(".pickle.pbz2"):
        to = Destination(
            dest, name, file_mark(path.resolve()), lambda source: source.get("sha256") == sha256(path)
        )
        return _WholeFile(path, to).convert(bar)
    if farmed := [str(path / space) for space in SPACES if any((path / space).glob("*.jsonl"))]:
        raise BadSource(f"{path}: a table holds one search space; convert {' and '.join(farmed)}")
    if path.is_dir() or path.suffix == ".tar":
        items, damaged = official.list_items(path)
        to = Destination(
            dest, name, items_mark(items), lambda source: not damaged and source == source_of(items)
        )
        return _convert_archive(items, damaged, to, processes, bar)
    if _PACKED.search(path.name):
        raise BadSource(f"{path}: a packed archive; unpack it and convert the folder that comes out")
    raise BadSource(f"{path}: not a source; a source is {_KINDS}")


def _name(path: Path) -> str:
    """Return how a table calls its origin: by the file or folder; a farm's folder of one space, by farm and space."""
    if path.name not in SPACES:
        return path.name
    farm = path.parent.name
    return farm if farm.endswith(f"-{path.name}") else f"{farm}-{path.name}"


def _published() -> tuple[Any, Space, dict[str, Any], list[Run]]:
    finals, source = read_published()
    return finals, get_space("tss"), source, []


def _convert_frame(
    dest: Destination, read: Callable[[], tuple[Any, Space, dict[str, Any], list[Run]]]
) -> dict[str, Any]:
    """Convert a source that is read at once: its finals, its space, where it comes from, and runs with curves."""
    with dest.locked():
        if done := dest.begin():
            return done
        finals, space, source, runs = read()
        for group, of_group in _by_architecture(runs):
            rows = Rows(space)
            for run in of_group:
                rows.add(run)
            rows.write(dest.chunk(group[0]).curves)
        return dest.finish(finals, space, source, [])


def _copy_table(path: Path, dest: Path) -> dict[str, Any]:
    """Copy a finished table whose files still have the SHA-256 that its manifest gives."""
    _, manifest = open_folder(path)
    to = Destination(dest, manifest["origin"], manifest["fingerprint"])
    with to.locked():
        if done := to.begin():
            return done
        if altered := altered_files(path, manifest):
            raise BadSource(
                f"{path / altered[0]}: its SHA-256 is not the one in the manifest; it was altered"
            )
        for name in manifest["sha256"]:
            with atomic(dest / name) as temporary:
                shutil.copyfile(path / name, temporary)
        to.write_manifest(manifest)
    return manifest


def _convert_archive(
    items: list[official.Item],
    damaged: list[dict[str, str]],
    dest: Destination,
    processes: int,
    bar: Progress,
) -> dict[str, Any]:
    chunks = [dest.chunk(group[0].index, group) for group in _batches(items, CHUNK)]
    with dest.locked():
        if done := dest.begin():
            return done
        todo = [chunk for chunk in chunks if not chunk.part.exists()]
        with bar(len(items), "arch") as shown:
            shown.update(len(items) - sum(len(chunk.items) for chunk in todo))
            convert_chunks(todo, processes, shown.update)
        notes = [read_note(chunk.part) for chunk in chunks]
        damaged = damaged + [damage for note in notes for damage in note["damaged"]]
        source = source_facts(len(items), [digest for note in notes for digest in note["digests"]])
        space = _one_space(notes, dest.origin)
        return dest.finish(dest.merge(chunks), space, source, damaged, named=True)


def _one_space(notes: list[dict[str, Any]], origin: str) -> Space:
    names = {note["space"] for note in notes} - {None}
    if len(names) > 1:
        raise BadSource(f"{origin}: records of {len(names)} search spaces lie together; a table holds one")
    return get_space(
        names.pop() if names else "tss"
    )  # without one readable record, no table is written anyway


class _WholeFile:
    """Converts the official single file; finished chunks are not written again, but it is read from its start."""

    def __init__(self, path: Path, dest: Destination):
        self.path, self.dest = path, dest
        self.space: Space | None = None
        self.rows: Rows | None = None
        self.indices: list[int] = []
        self.seen: set[int] = set()
        self.firsts: list[int] = []
        self.damaged: list[dict[str, str]] = []

    def convert(self, bar: Progress) -> dict[str, Any]:
        with self.dest.locked():
            if done := self.dest.begin():
                return done
            with bar(self.path.stat().st_size, "B") as shown:
                self.read(shown.update)
            if self.space is None:
                raise BadSource(f"{self.path}: it holds no record of an architecture")
            finals = self.dest.merge([self.dest.chunk(first) for first in self.firsts])
            source = {"sha256": sha256(self.path)}
            return self.dest.finish(finals, self.space, source, self.damaged, named=True)

    def read(self, progress: Callable[[int], object]) -> None:
        """Read to the end, or to the first damage that ends it: what came before is kept and the damage is listed."""
        try:
            read_whole_file(self.path, self.on_record, progress)
        except BadSource as error:
            if self.space is None:
                raise
            last = self.indices[-1] if self.indices else "the last chunk"
            self.damaged.append({"file": self.path.name, "reason": f"{error}, after architecture {last}"})
        self.flush()

    def on_record(self, record: dict[str, Any]) -> None:
        index = next(iter(record.values())).get("arch_index")
        try:
            official.check_record(record)
            space = self.space = self.space or official.space_of(record)
            if type(index) is int and index in self.seen:
                raise BadSource(f"a second record of architecture {index}")
            self.rows = self.rows or Rows(space)
            runs = official.runs_of(record, space, index if type(index) is int else -1)
            self.rows.add_all(check_runs(runs, space))
        except BadSource as error:
            self.damaged.append({"file": f"{self.path.name}, record {shown(index)}", "reason": str(error)})
            return
        if not self.indices:
            self.firsts.append(index)
        self.seen.add(index)
        self.indices.append(index)
        if len(self.indices) == CHUNK:
            self.flush()

    def flush(self) -> None:
        if self.rows is not None and self.indices:
            chunk = self.dest.chunk(self.indices[0])
            if not chunk.part.exists():
                write_chunk(self.rows, {}, chunk)
        self.rows, self.indices = None, []


def _convert_rawlogs(path: Path, dest: Destination) -> dict[str, Any]:
    with dest.locked():
        if done := dest.begin():
            return done
        runs, space, source, damaged = read_rawlogs(path)
        chunks = []
        for group, of_group in _by_architecture(runs):
            rows = Rows(space)
            rows.add_all(of_group)
            chunks.append(dest.chunk(group[0]))
            write_chunk(rows, {}, chunks[-1])
        return dest.finish(dest.merge(chunks), space, source, damaged)


def _by_architecture(runs: list[Run]) -> Iterator[tuple[tuple[int, ...], list[Run]]]:
    """Yield `RAWLOG_CHUNK` architectures at a time, each time with all of their runs."""
    by_arch: dict[int, list[Run]] = {}
    for run in sorted(runs, key=lambda run: (run.arch_index, run.dataset, run.recipe, run.seed)):
        by_arch.setdefault(run.arch_index, []).append(run)
    for group in _batches(list(by_arch), RAWLOG_CHUNK):
        yield group, [run for index in group for run in by_arch[index]]


def _batches(items: list[_T], size: int) -> list[tuple[_T, ...]]:
    return [tuple(items[start : start + size]) for start in range(0, len(items), size)]
