"""The folder that a table is made in: whose it is, what is finished in it, and the manifest that makes it whole."""

import contextlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import natslib
from natslib.errors import BadSource, ConfigError
from natslib.files import atomic, lock
from natslib.spaces import Space
from natslib.tables.chunks import CHUNK, Chunk
from natslib.tables.format.buffers import to_numpy
from natslib.tables.format.croissant import write_croissant
from natslib.tables.format.folder import FINALS_FILE, MANIFEST, file_digests, fingerprint, read_manifest
from natslib.tables.format.schema import FORMAT
from natslib.tables.format.writing import write_finals
from natslib.tables.sources.official import Item

_OURS = re.compile(
    r"(finals\.parquet|(manifest|croissant)\.json|\.lock|(curves|\.parts)/\d{6}\.parquet|\.parts/plan"
    r"|(curves/|\.parts/)?\.(finals\.parquet|(manifest|croissant)\.json|\d{6}\.parquet|plan)\.\d+\.tmp)"
)
_BEFORE_PLAN = re.compile(r"\.lock|\.parts/\.plan\.\d+\.tmp")
"""What may lie in a folder where no conversion has begun: only a plan makes sure that the other names are its own."""


class Destination:
    """A folder `path` that holds, or will hold, the table of the source with this fingerprint and name.

    A source that is too large to be hashed first has a fingerprint of sizes and times; `same` then compares its bytes
    with what a manifest says of its source, for copies whose times alone are new.
    """

    def __init__(
        self,
        path: Path,
        origin: str,
        fingerprint: str,
        same: Callable[[dict[str, Any]], bool] = lambda source: False,
    ):
        if re.match("[A-Za-z0-9+.-]{2,}:", str(path)):  # pyarrow would look for it in a network
            raise ConfigError(f"{path} begins like a URL; a table lies in a folder of this machine")
        self.path, self.origin = path, origin
        self.fingerprint, self.same = fingerprint, same
        self.parts = path / ".parts"

    def chunk(self, first: int, items: tuple[Item, ...] = ()) -> Chunk:
        """Return the chunk whose first architecture index is `first`."""
        name = f"{first:06d}.parquet"
        return Chunk(items, self.parts / name, self.path / "curves" / name)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second conversion into the same folder away for as long as this one runs."""
        path = self.path / ".lock"
        with lock(path, busy=f"another conversion is writing to {self.path}; wait for it"):
            try:
                yield
            finally:
                path.unlink(missing_ok=True)

    def begin(self) -> dict[str, Any] | None:
        """Make the folder ready to go on or to start; return the manifest if the table is finished already.

        Raises `ConfigError` where the folder holds foreign files, a table of something else, or finished work of
        another conversion.
        """
        self._refuse_foreign_files()
        manifest = read_manifest(self.path) if (self.path / MANIFEST).exists() else None
        foreign = manifest is not None and manifest["fingerprint"] != self.fingerprint
        if manifest is not None and foreign and not self._made_of_equal_bytes(manifest):
            held = f"a table of {manifest['origin']!r}, made from other files"
            raise ConfigError(f"{self.path} holds {held}; remove it or choose another folder")
        plan = self.parts / "plan"
        begun = plan.read_text(errors="replace") if plan.exists() else None
        if manifest is None and begun not in (None, self.fingerprint) and self._is_worth_keeping(begun):
            raise ConfigError(
                f"{self.path} holds an unfinished conversion of other files, or of these before they changed; remove it"
            )
        for cut_short in self.path.rglob(".*.tmp"):  # of a process that was killed
            cut_short.unlink()
        if manifest is not None:
            shutil.rmtree(self.parts, ignore_errors=True)
            return manifest
        if begun != self.fingerprint:
            if begun is not None:  # nothing to go on with
                shutil.rmtree(self.parts, ignore_errors=True)
                shutil.rmtree(self.path / "curves", ignore_errors=True)
            with atomic(plan) as temporary:
                temporary.write_text(self.fingerprint)
        return None

    def _is_worth_keeping(self, plan: str) -> bool:
        """Whether another conversion has finished work here, or this is no plan of one."""
        return not re.fullmatch("[0-9a-f]{64}", plan) or any(self.parts.glob("*.parquet"))

    def _made_of_equal_bytes(self, manifest: dict[str, Any]) -> bool:
        return manifest["versions"].get("natslib") == natslib.__version__ and self.same(manifest["source"])

    def _refuse_foreign_files(self) -> None:
        begun = (self.parts / "plan").is_file() or (self.path / MANIFEST).is_file()
        ours = _OURS if begun else _BEFORE_PLAN
        for path in self.path.rglob("*"):
            if path.is_symlink() or (
                not path.is_dir() and not ours.fullmatch(path.relative_to(self.path).as_posix())
            ):
                raise ConfigError(
                    f"{path} is no part of a table that a conversion has begun here; choose an empty folder"
                )

    def merge(self, chunks: list[Chunk]) -> pa.Table:
        """Return the finals of finished chunks."""
        return pa.concat_tables([pq.read_table(chunk.part) for chunk in chunks])

    def finish(
        self,
        finals: pa.Table,
        space: Space,
        source: dict[str, Any],
        damaged: list[dict[str, str]],
        *,
        named: bool = False,
    ) -> dict[str, Any]:
        """Write finals and, last, the manifest: what there is, what is missing, and the SHA-256 of every file.

        `named`: the rows come from records that say which architecture they are of, as in `flag_costs`.
        """
        if not finals.num_rows:
            shutil.rmtree(self.parts, ignore_errors=True)  # a mended source starts anew
            reason = f"; the first: {damaged[0]['file']}: {damaged[0]['reason']}" if damaged else ""
            raise BadSource(f"{self.origin}: not one readable run in it{reason}")
        with atomic(self.path / FINALS_FILE) as temporary, self._nothing_kept_if_refused():
            written = write_finals(finals, temporary, space, named=named)
        measured = set(to_numpy(finals["arch_index"]).tolist())
        files = [self.path / FINALS_FILE, *sorted((self.path / "curves").glob("*.parquet"))]
        manifest = {
            "format": FORMAT,
            "space": space.name,
            "origin": self.origin,
            "source": source,
            "fingerprint": self.fingerprint,
            "architectures": {
                "measured": len(measured),
                "missing": _ranges(set(range(len(space))) - measured),
            },
            "rows": finals.num_rows,
            "blocks": [{**block._asdict(), "rows": count} for block, count in written.blocks],
            "costs": written.costs,
            "damaged": damaged,
            **file_digests(self.path, [str(file.relative_to(self.path)) for file in files]),
            "versions": {"natslib": natslib.__version__, "pyarrow": pa.__version__},
        }
        self.write_manifest(manifest)
        return manifest

    @contextlib.contextmanager
    def _nothing_kept_if_refused(self) -> Iterator[None]:
        """Leave nothing behind of rows that are refused as a whole, so that the mended source starts anew."""
        try:
            yield
        except BadSource as error:
            for folder in (self.parts, self.path / "curves"):
                shutil.rmtree(folder, ignore_errors=True)
            raise BadSource(f"{self.origin}: {error}") from None

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """Write what describes the table and, last, what makes it whole; drop what only an unfinished one needs."""
        write_croissant(self.path, manifest, pq.read_schema(self.path / FINALS_FILE))
        with atomic(self.path / MANIFEST) as temporary:
            temporary.write_text(json.dumps(manifest, indent=1) + "\n")
        shutil.rmtree(self.parts, ignore_errors=True)


def file_mark(path: Path) -> str:
    """Return the fingerprint of an official single file: its name, size and time."""
    told = path.stat()
    return fingerprint(CHUNK, path.name, told.st_size, told.st_mtime_ns)


def items_mark(items: list[Item]) -> str:
    """Return the fingerprint of the records of an archive: their names, sizes and times."""
    return fingerprint(CHUNK, [(item.name, item.size, item.changed_ns) for item in items])


def _ranges(numbers: set[int]) -> list[str]:
    """Return '3', '7-12', ... for a set of whole numbers."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return [str(first) if first == last else f"{first}-{last}" for first, last in ranges]
