"""Files are written whole or not at all; a lock keeps others away for as long as its process lives."""

import errno
import fcntl
import hashlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from natslib.errors import BadSource, ConfigError, NatslibError
from natslib.files import atomic, lock, read_json, sha256, write_atomic


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    write_atomic(tmp_path / "new/folder/file", b"content")
    assert (tmp_path / "new/folder/file").read_bytes() == b"content"
    assert sha256(tmp_path / "new/folder/file") == hashlib.sha256(b"content").hexdigest()


def test_what_fails_half_way_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    write_atomic(tmp_path / "file", b"old")

    def write_half() -> None:
        with atomic(tmp_path / "file") as temporary:
            temporary.write_bytes(b"ne")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NatslibError, match=r"cannot write .*file/below"):
        write_atomic(tmp_path / "file/below", b"")
    with pytest.raises(NatslibError, match=r"cannot write to .*file: "), lock(tmp_path / "file/.lock"):
        pass


@pytest.mark.parametrize("content", ["", "{", "[1]", "[" * 100_000, "\udcff"])
def test_json_of_another_form_is_refused_by_kind(tmp_path: Path, content: str) -> None:
    (tmp_path / "file").write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(BadSource, match="file: not a readable description of a search"):
        read_json(tmp_path / "file", "description of a search")


def test_a_json_object_is_returned(tmp_path: Path) -> None:
    write_atomic(tmp_path / "file", '{"name": "é"}'.encode())
    assert read_json(tmp_path / "file", "description of a search") == {"name": "é"}
    with pytest.raises(BadSource, match="missing: not a readable description"):
        read_json(tmp_path / "missing", "description of a search")


def test_a_pipe_or_a_folder_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, kind in (("pipe", "a pipe or a device"), (".", "a folder")):
        for read in (sha256, lambda path: read_json(path, "description of a search")):
            with pytest.raises(BadSource, match=f"{kind}, where a file belongs"):
                read(tmp_path / name)


def test_who_comes_second_is_refused_with_the_message_given(tmp_path: Path) -> None:
    busy = pytest.raises(ConfigError, match="somebody is at work")
    with lock(tmp_path / "new/.lock"), busy, lock(tmp_path / "new/.lock", busy="somebody is at work"):
        pass
    with lock(tmp_path / "new/.lock", busy="somebody is at work"):  # it is free again
        pass


def test_without_a_message_who_comes_second_waits(tmp_path: Path) -> None:
    order = []

    def second() -> None:
        with lock(tmp_path / ".lock"):
            order.append("second")

    thread = threading.Thread(target=second)
    with lock(tmp_path / ".lock"):
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def hold(path: Path, held: "multiprocessing.synchronize.Event") -> None:
    with lock(path):
        held.set()
        time.sleep(600)


def test_a_killed_process_frees_its_lock(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    held = spawn.Event()
    child = spawn.Process(target=hold, args=(tmp_path / ".lock", held))
    child.start()
    assert held.wait(60)
    with pytest.raises(ConfigError), lock(tmp_path / ".lock", busy="it lives"):
        pass
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    with lock(tmp_path / ".lock", busy="it lives"):
        pass


@pytest.mark.parametrize("reads", [sha256, lambda path: read_json(path, "x")])
def test_what_is_no_file_is_not_read(tmp_path: Path, reads: Callable[[Path], object]) -> None:
    """A pipe would keep the reader waiting, a device might never end."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(BadSource, match=r"(a folder|a pipe or a device), where a file belongs"):
            reads(path)


def test_locking_empties_no_file_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("years of work")
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    for name in ("mine", "link"):
        with pytest.raises(ConfigError, match="is no lock file of natslib"), lock(tmp_path / name):
            pass
    assert (tmp_path / "mine").read_text() == "years of work"


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    refused = pytest.raises(
        NatslibError, match=r"the file system of .* cannot lock files \(.*two processes could"
    )
    with refused, lock(tmp_path / ".lock"):
        pass
