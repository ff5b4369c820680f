"""Files: written whole or not at all, locked, hashed, and read with a word about what is wrong."""

import contextlib
import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from natslib.errors import BadSource, ConfigError, NatslibError

NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)
"""What a system answers where a file system cannot lock."""


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` to write to, and move it there when the block ends without an error.

    Raises `NatslibError` when the disk is full or not writable; nothing half-written is left behind.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _sync(temporary)
        temporary.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise NatslibError(f"cannot write {path}: {reason}; nothing half-written is kept") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; raises `NatslibError` when the disk is full or not writable."""
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextlib.contextmanager
def lock(path: Path, *, busy: str | None = None) -> Iterator[None]:
    """Hold the lock file `path` for as long as the block runs, its folder made where it is missing.

    While another process holds it, raise `ConfigError` with the message `busy`, or wait where there is none. The system
    frees a lock when its process dies, and a lock file left behind holds nobody up. Raises `NatslibError` when the
    folder is not writable or its file system has no locks, `ConfigError` where a file with content bears that name.
    """
    from filelock import FileLock, Timeout  # only here: it takes longer to import than natslib does

    held = FileLock(path, fallback_to_soft=False)  # what stands in for flock would outlive a killed process
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() or (path.exists() and path.stat().st_size):  # locking would empty it
            raise ConfigError(f"{path} is no lock file of natslib; choose another folder or remove it")
        held.acquire(blocking=busy is None)
    except Timeout:
        raise ConfigError(busy) from None
    except OSError as error:
        if error.errno in NO_LOCKS:
            said = f"the file system of {path.parent} cannot lock files ({error.strerror})"
            raise NatslibError(f"{said}, and two processes could write at once: choose another") from error
        raise NatslibError(f"cannot write to {path.parent}: {error.strerror or error}") from error
    try:
        yield
    finally:
        held.release()


def check_plain(path: Path) -> None:
    """Raise `BadSource` for what exists and is no file: opening a pipe or a device can wait for ever."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # who opens it says why it cannot be
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise BadSource(f"{path}: {kind}, where a file belongs")


def sha256(path: Path) -> str:
    """Return the hex SHA-256 of a file's bytes; raises `BadSource` for what is no file."""
    check_plain(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path, kind: str) -> dict[str, Any]:
    """Return the object in a JSON file; raises `BadSource` that says what `kind` of file it should be."""
    check_plain(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadSource(f"{path}: not a readable {kind} ({error})") from None
    if not isinstance(content, dict):
        raise BadSource(f"{path}: not a readable {kind} (it holds no JSON object)")
    return content
