"""What an API is opened from: an official archive, converted once into a cache; a table; or 'published'."""

import hashlib
import os
import sys
import warnings
from pathlib import Path
from typing import Any

from natslib.errors import BadSource
from natslib.spaces import Space, get_space
from natslib.tables import Table, load
from natslib.tables.cache import cache_folder, cached
from natslib.tables.destination import file_mark, items_mark
from natslib.tables.format.folder import MANIFEST, read_manifest
from natslib.tables.sources import official
from natslib.tables.sources.official import PACKED
from natslib.tables.sources.single_file import read_whole_file

META = "meta.pickle.pbz2"
_TRIED = 8  # records of a folder that may be damaged before its space is taken on trust


class NoArchive(BadSource, FileNotFoundError):
    """A folder that is no whole archive; officially a `FileNotFoundError`."""


class Unreadable(BadSource, EOFError, OSError):
    """An archive or record that is damaged or ends early; officially an `EOFError` or `OSError`."""


class _SpaceFound(Exception):
    """Stops reading a single file once its space is known."""

    def __init__(self, space: Space):
        self.space = space


def default_path(name: str) -> str:
    """Return where `nats_bench` looks for a file or folder; raises `ValueError` without TORCH_HOME and HOME."""
    if home := os.environ.get("TORCH_HOME"):
        return os.path.join(home, name)
    if home := os.environ.get("HOME"):
        return os.path.join(home, ".torch", name)
    raise ValueError("neither TORCH_HOME nor HOME is set; give the path of the archive")


def open_nats(given: Any, space_name: str, base_name: str, fast_mode: bool) -> tuple[Table, str]:
    """Return the table of what `nats_bench.create` was given, and its path; raises as that does."""
    if given is None:
        given = default_path(f"{base_name}-simple" if fast_mode else f"{base_name}{PACKED}")
        if fast_mode and not os.path.isdir(given):
            raise NoArchive(f"{given}: no such folder, where the archive is looked for if none is named")
    space = get_space(space_name)
    if isinstance(given, dict):
        raise ValueError(
            "an unpickled dict; give the path of the archive, which is read without unpickling it"
        )
    if not isinstance(given, str):
        raise ValueError(f"{given!r:.120} of type {type(given).__name__}; allowed is a path as str")
    if not os.path.exists(given):
        if given == "published":
            return _of_space(load(given), space, given), given
        raise ValueError(f"{given}: neither a file nor a folder")
    path = Path(given)
    is_table, is_tar = (path / MANIFEST).is_file(), path.suffix == ".tar"
    if path.is_dir() and not fast_mode and not is_table:
        raise ValueError(
            f"{given} is a folder; with fast_mode=False give the single file, or say fast_mode=True"
        )
    if path.is_file() and fast_mode and not is_tar:
        raise ValueError(f"{given} is a file; with fast_mode=True give the folder, or say fast_mode=False")
    return open_path(path, space), given


def open_nas_201(given: Any) -> tuple[Table, str]:
    """Return the table of what `NASBench201API` was given, and its path; raises as that does."""
    if given is None:
        given = os.path.join(os.environ["TORCH_HOME"], "NAS-Bench-201-v1_1-096897.pth")
    space = get_space("tss")
    if not isinstance(given, str | Path):
        raise ValueError(f"something of type {type(given).__name__}; allowed is the path of a file or folder")
    path = Path(given)
    if not path.exists():
        if given == "published":
            return _of_space(load(given), space, given), given
        raise AssertionError(f"{given}: no such file or folder")
    if path.suffix == ".pth":
        raise BadSource(
            f"{given}: only torch reads such a file; give the archive of NATS-Bench's topology space "
            "(NATS-tss-v1_0-3ffb9), which has the same cells by the same indices, or natslib's table of it"
        )
    return open_path(path, space), str(given)


def open_path(path: Path, space: Space) -> Table:
    """Return the table of an archive, by way of the cache, or of a folder that is one; it is of that space."""
    if (path / MANIFEST).is_file():
        return _of_space(Table.open(path), space, path)
    if path.is_dir() and not (path / META).is_file():
        raise NoArchive(f"{path}: no {META} in it: not a folder of an official archive, or not all of it")
    table = cached_table(path, space)
    if damaged := table.manifest["damaged"]:
        told = f"{damaged[0]['file']}: {damaged[0]['reason']}"
        if not path.is_dir():
            raise Unreadable(f"{path}: damaged or not all of it, download it again ({told})")
        warnings.warn(f"{path}: {len(damaged)} damaged records are left out; the first: {told}", stacklevel=5)
    return table


def _of_space(table: Table, space: Space, what: object) -> Table:
    if table.space != space:
        raise ValueError(
            f"{what} is of the {table.space.title} space; search_space={space.name!r} was asked for"
        )
    return table


# the cache


def archive_folder(path: Path) -> Path:
    """Return where the table of an archive lies in the cache, by the path of the archive."""
    whole = path.resolve()
    name = whole.name.removesuffix(PACKED).removesuffix(".tar")
    return cache_folder(f"{name}-{hashlib.sha256(os.fsencode(whole)).hexdigest()[:12]}")


def cached_table(path: Path, space: Space) -> Table:
    """Return the table of an archive from the cache, where it is made if it is not there or the archive has changed.

    One process makes it and others wait; killed, the next goes on. Raises `ValueError` for an archive of another space
    and `Unreadable` for one that is cut short, before anything is made.
    """
    folder, mark = archive_folder(path), _mark(path)
    table = _ready(folder, mark)
    if table is None and _first_space(path) not in (None, space):
        raise ValueError(f"{path} is of another search space than {space.name!r}")
    table = table or cached(folder, mark, lambda: _ready(folder, mark), lambda: _make(path, folder), _tell)
    return _of_space(table, space, path)


def _mark(path: Path) -> str:
    """Return what the table of the archive has as its fingerprint: names, sizes, times and the version of natslib."""
    if path.is_file() and path.suffix != ".tar":
        return file_mark(path.resolve())
    try:
        items, damaged = official.list_items(path)
    except BadSource as error:
        raise Unreadable(str(error)) from None
    if damaged:
        raise Unreadable(f"{path}: not all of it, download it again ({damaged[0]['reason']})")
    return items_mark(items)


def _ready(folder: Path, mark: str) -> Table | None:
    try:
        return Table.open(folder) if read_manifest(folder)["fingerprint"] == mark else None
    except BadSource:
        return None


def _make(path: Path, folder: Path) -> Table:
    from natslib.tables.conversion import convert  # only here: what answers needs none of it

    _tell(f"converting {path} once, into {folder}")
    try:
        convert(path, folder, progress=sys.stderr.isatty())
    except BadSource as error:
        raise Unreadable(str(error)) from None
    return Table.open(folder)


def _tell(message: str) -> None:
    print(f"natslib: {message}", file=sys.stderr)


def _first_space(path: Path) -> Space | None:
    """Return the space of the first record that can be read."""
    if path.is_file() and path.suffix != ".tar":
        return _space_of_file(path)
    for item in official.list_items(path)[0][:_TRIED]:
        try:
            return official.space_of(official.read_record(item))
        except BadSource:
            continue
    return None


def _space_of_file(path: Path) -> Space | None:
    def stop(record: dict[str, Any]) -> None:
        raise _SpaceFound(official.space_of(official.check_record(record)))

    try:
        read_whole_file(path, stop, lambda count: None)
    except _SpaceFound as found:
        return found.space
    except BadSource as error:
        raise Unreadable(str(error)) from None
    return None
