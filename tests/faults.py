"""Disks that fail: the n-th time that something is written, opened for it, renamed, flushed or removed in a folder."""

import builtins
import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REASONS = (errno.ENOSPC, errno.EIO, errno.EROFS)


class Disk:
    """Counts the operations that change files below `folder`, and fails the n-th one; `failed` says which that was.

    Half of what is written arrives before the write fails, as on a full disk. What C++ code writes is not seen.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, n: int) -> None:
        self.folder, self.n, self.calls, self.failed = str(folder), n, 0, ""
        self.reason = OSError(REASONS[n % len(REASONS)], os.strerror(REASONS[n % len(REASONS)]))
        self.handles: set[int] = set()
        for name in ("replace", "rename", "mkdir", "unlink", "truncate"):
            monkeypatch.setattr(os, name, self.by_path(name, getattr(os, name)))
        for name in ("fsync", "ftruncate"):
            monkeypatch.setattr(os, name, self.by_handle(name, getattr(os, name)))
        monkeypatch.setattr(os, "write", self.writing(os.write))
        monkeypatch.setattr(os, "open", self.opening(os.open))
        opened = self.opening_text(io.open)
        monkeypatch.setattr(io, "open", opened)
        monkeypatch.setattr(builtins, "open", opened)

    def step(self, what: str) -> None:
        """Count one operation, and fail where it is the n-th."""
        self.calls += 1
        if self.calls == self.n:
            self.failed = what
            raise OSError(self.reason.errno, self.reason.strerror)

    def within(self, path: Any) -> bool:
        """Whether a path is one of the folder's."""
        return isinstance(path, (str, os.PathLike)) and os.fspath(path).startswith(self.folder)

    def by_path(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, counted for paths in the folder."""

        def call(path: Any, *args: Any, **options: Any) -> Any:
            if self.within(path):
                self.step(f"{name} {path}")
            return real(path, *args, **options)

        return call

    def by_handle(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, counted whatever it is called for."""

        def call(handle: int, *args: Any) -> Any:
            self.step(name)
            return real(handle, *args)

        return call

    def writing(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Return `os.write`, counted for files that were opened in the folder."""

        def write(handle: int, content: Any) -> int:
            if handle in self.handles:
                try:
                    self.step("write")
                except OSError:
                    real(handle, content[: len(content) // 2])
                    raise
            return real(handle, content)

        return write

    def opening(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Return `os.open`, counted where it opens a file of the folder for writing."""

        def call(path: Any, flags: int, *args: Any, **options: Any) -> int:
            inside = self.within(path) and bool(flags & (os.O_WRONLY | os.O_RDWR))
            if inside:
                self.step(f"open {path}")
            handle = real(path, flags, *args, **options)
            self.handles = self.handles | {handle} if inside else self.handles - {handle}
            return handle

        return call

    def opening_text(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Return `open`, counted where it opens a file of the folder for writing; the file's writes are counted too."""

        def call(path: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
            inside = self.within(path) and bool(set(mode) & set("wax+"))
            if inside:
                self.step(f"open {path}")
            file = real(path, mode, *args, **options)
            return Written(file, self) if inside else file

        return call


class Written:
    """A file of which a write may fail half-way."""

    def __init__(self, file: Any, disk: Disk) -> None:
        self._file, self._disk = file, disk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "Written":
        return self

    def __exit__(self, *error: Any) -> None:
        self._file.close()

    def write(self, content: Any) -> int:
        """Write, or write half and fail."""
        try:
            self._disk.step(f"write {self._file.name}")
        except OSError:
            self._file.write(content[: len(content) // 2])
            raise
        return int(self._file.write(content))
