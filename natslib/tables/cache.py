"""Tables that natslib makes for itself, once: of official archives, and of what is published.

They lie below $XDG_CACHE_HOME or ~/.cache. A table is used if its fingerprint is that of its source and of this
version's ways, and made anew if not; one process makes it at a time, and one that was killed is gone on with.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from natslib.errors import BadSource, ConfigError, NatslibError
from natslib.files import check_plain, lock, sha256
from natslib.spaces import get_space
from natslib.tables.format import folder as format_folder
from natslib.tables.format.column_file import ColumnFile
from natslib.tables.format.costs import count_costs
from natslib.tables.format.folder import FINALS_FILE, MANIFEST, fingerprint, read_manifest
from natslib.tables.sources import published as source
from natslib.tables.sources.published import FILES, check_package, package_facts, read_published
from natslib.tables.table import Table


def cache_folder(name: str) -> Path:
    """Return where a table of that name is kept; raises `NatslibError` where nobody knows a home."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    try:
        base = Path(home) if os.path.isabs(home) else Path.home() / ".cache"
    except RuntimeError as error:
        raise NatslibError(f"no folder for the cache ({error}); name one in XDG_CACHE_HOME") from None
    return base / "natslib" / name


def cached(
    folder: Path,
    mark: str,
    ready: Callable[[], Table | None],
    make: Callable[[], Table],
    tell: Callable[[str], object] | None = None,
) -> Table:
    """Return the table that is `ready` in a folder, else have it made there, after removing what it cannot go on with.

    While another process makes it, `tell` is told, and it is waited for; without `tell`, `ConfigError` is raised.
    Raises `NatslibError` where the folder cannot be written.
    """
    if (table := ready()) is None:
        with _told_where(), _one_at_a_time(folder, tell):
            if (table := ready()) is None:
                _clear(folder, mark, tell)
                table = make()
    return table


def _clear(folder: Path, mark: str, tell: Callable[[str], object] | None) -> None:
    """Remove what is there of a source as it was, by another version, or damaged; an unfinished table goes on."""
    plan = folder / ".parts" / "plan"
    goes_on = plan.is_file() and plan.read_text(errors="replace") == mark and not (folder / MANIFEST).exists()
    if folder.exists() and not goes_on:
        if tell:
            tell(f"{folder} was made of other files, by another version, or is damaged: made anew")
        shutil.rmtree(folder)


@contextlib.contextmanager
def _told_where() -> Iterator[None]:
    """Say where the cache lies if it cannot be written."""
    try:
        yield
    except (NatslibError, OSError) as error:
        if isinstance(error, NatslibError) and type(error) is not NatslibError:
            raise
        raise NatslibError(f"{error}; the cache lies in $XDG_CACHE_HOME, else in ~/.cache") from error


@contextlib.contextmanager
def _one_at_a_time(folder: Path, tell: Callable[[str], object] | None) -> Iterator[None]:
    path, busy = folder.with_name(f"{folder.name}.lock"), f"another process makes {folder}"
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(lock(path, busy=busy))
        except ConfigError as error:
            if str(error) != busy or tell is None:
                raise
            tell(f"{busy}: waiting for it")
            held.enter_context(lock(path))
        yield


# what is published


def published_table() -> Table:
    """Return the published results, from the cache if it can be used; raises `BadSource` as `read_published` does.

    Their package is compared with its known digests each time, and so are the bytes kept. Where no cache can be
    written, or another process is writing it, the package is read.
    """
    check_package()
    try:
        folder, mark = cache_folder("published"), _published_mark()
        return cached(folder, mark, lambda: _kept(folder, mark), lambda: _made(folder, mark))
    except BadSource:
        raise
    except NatslibError:
        finals, told = read_published()
        return Table.from_finals(finals, get_space("tss"), {"origin": "published", "source": told})


def _published_mark() -> str:
    """Return a digest of the package's files and of the code that makes a table of them."""
    code = [Path(source.__file__), *sorted(Path(format_folder.__file__).parent.glob("*.py"))]
    return fingerprint(FILES, [sha256(path) for path in code])


def _kept(folder: Path, mark: str) -> Table | None:
    """Return the table whose bytes are those that its manifest tells of; None where there is none of that mark."""
    try:
        manifest = read_manifest(folder)
        check_plain(folder / FINALS_FILE)
        data = (folder / FINALS_FILE).read_bytes()
        if (manifest["fingerprint"], manifest["sha256"][FINALS_FILE]) != (
            mark,
            hashlib.sha256(data).hexdigest(),
        ):
            return None
        finals = ColumnFile("finals", pa.py_buffer(data))
        costs = count_costs(finals.read(["cost_mismatch"]))
        return Table(finals, None, {"origin": "published", "source": package_facts(), "costs": costs})
    except (BadSource, OSError):
        return None


def _made(folder: Path, mark: str) -> Table:
    from natslib.tables.destination import Destination  # only here: what answers needs none of it

    dest = Destination(folder, "published", mark)
    with dest.locked():
        finals, told = read_published()
        if not dest.begin():
            dest.finish(finals, get_space("tss"), told, [])
    return _kept(folder, mark) or Table.from_finals(
        finals, get_space("tss"), {"origin": "published", "source": told}
    )
