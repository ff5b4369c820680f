"""Dataset files: wrong checksums, missing and hostile files are refused by name; what is fetched is checked."""

import hashlib
import os
import pickle
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from natslib.errors import BadSource, NatslibError
from natslib.training import paper_sets
from natslib.training.batches import open_batch
from natslib.training.paper_sets import DataFile, checked


def batch_bytes(protocol: int = 2) -> bytes:
    return pickle.dumps({b"data": np.arange(12, dtype=np.uint8), b"labels": [1, 2]}, protocol=protocol)


def known(content: bytes, **rest: str | None) -> DataFile:
    return DataFile("set/batch", hashlib.md5(content).hexdigest(), **{"url": None, **rest})


def test_a_file_with_the_right_checksum_is_returned(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set/batch").write_bytes(b"right")
    assert checked(known(b"right"), tmp_path, verify=True) == tmp_path / "set/batch"


def test_a_wrong_checksum_is_refused_unless_the_user_says_so(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set/batch").write_bytes(b"wrong")
    expected = hashlib.md5(b"right").hexdigest()
    with pytest.raises(BadSource, match=rf"set/batch has the md5 \w+; allowed is {expected}"):
        checked(known(b"right"), tmp_path, verify=True)
    assert checked(known(b"right"), tmp_path, verify=False).read_bytes() == b"wrong"


def test_a_missing_file_that_needs_an_account_says_where_it_is(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="set/batch is missing and cannot be fetched: ask the owner"):
        checked(known(b"", where="ask the owner"), tmp_path / "nowhere", verify=True)


def test_an_archive_is_fetched_checked_and_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pooch = pytest.importorskip("pooch", reason="the downloader is not installed")
    (tmp_path / "set").mkdir()
    (tmp_path / "set/batch").write_bytes(b"right")
    archive = tmp_path / "set.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "set", "set")
    file = DataFile("set/batch", hashlib.md5(b"right").hexdigest(), "https://example.org/set.tar.gz", "?")
    file = DataFile(file.path, file.md5, file.url, hashlib.md5(archive.read_bytes()).hexdigest())

    def copy(url: str, output_file: str, _pooch: object) -> None:
        Path(output_file).write_bytes(archive.read_bytes())

    monkeypatch.setattr(pooch.core, "choose_downloader", lambda url, progressbar: copy)
    assert checked(file, tmp_path / "data", verify=True).read_bytes() == b"right"
    bad = DataFile("other", file.md5, file.url, "0" * 32)
    with pytest.raises(BadSource, match=r"cannot fetch https://example\.org/set\.tar\.gz"):
        checked(bad, tmp_path / "more", verify=True)


def test_processes_that_start_together_fetch_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = []

    def slowly(file: DataFile, url: str, root: Path) -> None:
        fetched.append(url)
        (root / "set").mkdir()
        (root / file.path).write_bytes(b"ri")
        time.sleep(0.2)
        (root / file.path).write_bytes(b"right")

    monkeypatch.setattr(paper_sets, "fetch", slowly)
    file = known(b"right", url="https://example.org/set")
    with ThreadPoolExecutor(
        4
    ) as pool:  # a lock of one opened file holds against another's, in one process too
        paths = list(pool.map(lambda _: checked(file, tmp_path / "data", verify=True), range(4)))
    assert fetched == ["https://example.org/set"]
    assert {path.read_bytes() for path in paths} == {b"right"}


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NatslibError, match=r"cannot write to .*/file/data"):
        checked(known(b"right", url="https://example.org/set"), tmp_path / "file/data", verify=True)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_batches_of_any_age_open(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "batch"
    path.write_bytes(batch_bytes(protocol))
    batch = open_batch(path)
    assert batch[b"data"].tolist() == list(range(12))
    assert batch[b"labels"] == [1, 2]


def test_a_batch_of_python_2_opens(tmp_path: Path) -> None:
    path = tmp_path / "batch"
    path.write_bytes(batch_bytes(2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    assert open_batch(path)[b"labels"] == [1, 2]


class Hostile:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("false",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            pickle.dumps({b"data": Hostile()}),
            r"batch is refused: it asks for \w+\.system, which no batch of images",
        ),
        (b"not a pickle", "batch is not a pickled batch"),
        (batch_bytes()[:-20], "batch is not a pickled batch"),
        (b"", "batch is not a pickled batch"),
        (pickle.dumps([1, 2]), "batch holds a list; allowed is a dict"),
    ],
)
def test_damaged_and_hostile_batches_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "batch"
    path.write_bytes(content)
    with pytest.raises(BadSource, match=message):
        open_batch(path)
