"""`natslib fetch` from mirrors of small archives: whole or not at all, gone on with when killed, by hand otherwise."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from natslib import load
from natslib.commands import main
from natslib.tables import archives
from natslib.tables.archives import ARCHIVES
from tests.conftest import ROOT
from tests.dropin.archives import FOLDERS, invented, tar_of, whole_file

CHUNK = 2**19  # bytes that the downloader writes at once
TAR, FOLDER = ARCHIVES["tss"].file, FOLDERS["tss"]


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a packed archive of three architectures, and the single file of the same."""
    folder = tmp_path_factory.mktemp("mirror")
    made = invented(tmp_path_factory.mktemp("made"))
    (made / "notes").write_bytes(np.random.default_rng(0).bytes(3 * CHUNK))
    tar_of(made, folder / TAR)
    whole_file(made, folder / ARCHIVES["tss-whole"].file)
    return folder


@pytest.fixture
def small(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The mirror, whose archives are the official ones as far as natslib knows."""
    whole = mirror / ARCHIVES["tss-whole"].file
    end = hashlib.md5(whole.read_bytes()).hexdigest()[-5:]
    monkeypatch.setitem(archives.ARCHIVES, "tss", replace(ARCHIVES["tss"], records=3))
    monkeypatch.setitem(archives.ARCHIVES, "tss-whole", replace(ARCHIVES["tss-whole"], md5_end=end))
    return mirror


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


class Mirror(BaseHTTPRequestHandler):
    """Serves the files of a folder, parts of them too; `pause_s` after each block, `break_at` ends a connection."""

    folder: Path
    pause_s = 0.0
    break_at: int | None = None
    asked: list[str | None]

    def do_GET(self) -> None:
        path = self.folder / self.path.lstrip("/")
        if not path.is_file():
            self.send_error(404)
            return
        content, begin = path.read_bytes(), 0
        self.asked.append(self.headers.get("Range"))
        if wanted := self.headers.get("Range"):
            begin = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Type", "application/x-tar")
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        for start in range(begin, len(content), 65_536):
            if self.break_at is not None and start >= self.break_at:
                self.close_connection = True
                return
            try:
                self.wfile.write(content[start : start + 65_536])
            except OSError:
                return
            time.sleep(self.pause_s)

    def log_message(self, *told: object) -> None:
        pass


@pytest.fixture
def served(mirror: Path) -> Iterator[tuple[str, type[Mirror]]]:
    """The address of a server of the mirror, and how it serves; both end with the test."""
    pytest.importorskip("gdown", reason="the downloader is not installed")
    handler = type("Handler", (Mirror,), {"folder": mirror, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()


def test_all_that_is_known_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch"]) == 0
    said = capsys.readouterr().out
    assert f"{TAR}, 1.3 GB, Google Drive id 17_saCsj_krKjlCBLOJEpNtzPXArMCqxU" in said
    assert "NATS-sss-v1_0-50262.pickle.pbz2, size unknown, md5 ends in 50262" in said
    assert "NAS-Bench-201-v1_1-096897.pth, 4.7 GB, md5 ends in 096897" in said
    assert main(["fetch", "--json"]) == 0
    told = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert list(told) == list(ARCHIVES)
    assert told["sss"]["records"] == 32_768
    assert told["tss-full"]["url"] == ""


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}", "folder", "unpacked"])
def test_a_mirror_on_the_disk_becomes_a_table_without_a_copy(
    form: str, small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = form.format(small)
    if form in ("folder", "unpacked"):
        where = str(tmp_path / "mirror with space")
        invented(Path(where))
    if form == "unpacked":  # already where downloads lie
        Path("data").symlink_to(where)
        where = str(tmp_path)
    assert main(["fetch", "tss", "--from", where, "--processes", "1"]) == 0
    assert "tables/tss: 165 rows of 3 architectures (tss)" in capsys.readouterr().out
    assert load("tables/tss").value("accuracy", 2, dataset="cifar10", recipe="200", split="test") > 0
    assert not list(Path().glob("data/*.tar"))


def test_a_mirror_of_the_web_is_downloaded_verified_and_converted_once(
    small: Path, served: tuple[str, type[Mirror]], capsys: pytest.CaptureFixture[str]
) -> None:
    address, handler = served
    words = ["fetch", "tss", "--from", address, "--processes", "1", "--json"]
    for _ in range(2):
        assert main(words) == 0
        assert json.loads(capsys.readouterr().out)["architectures"]["measured"] == 3
    assert handler.asked == [None]
    assert (Path("data") / TAR).read_bytes() == (small / TAR).read_bytes()


def test_a_connection_that_breaks_is_taken_up_again(
    small: Path,
    served: tuple[str, type[Mirror]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At first within the call; where all tries break, nothing stands under the name and the next call goes on."""
    monkeypatch.setattr(archives, "RETRIES", 0)
    address, handler = served
    handler.break_at = 5 * CHUNK // 4
    words = ["fetch", "tss", "--from", address, "--processes", "1"]
    assert main(words) == 1
    said = capsys.readouterr()
    assert re.search(
        "natslib fetch: cannot download http.*what has come is kept, and the same command goes on", said.err
    )
    assert f"2. download {TAR} (1.3 GB)" in said.out
    assert not (Path("data") / TAR).exists()
    handler.break_at = None
    assert main(words) == 0
    assert handler.asked[-1] == f"bytes={CHUNK}-"
    assert (Path("data") / TAR).read_bytes() == (small / TAR).read_bytes()


def test_killed_it_goes_on_where_it_was(mirror: Path, served: tuple[str, type[Mirror]]) -> None:
    address, handler = served
    handler.pause_s = 0.05
    words = ["fetch", "tss", "--from", address, "--processes", "1", "--unverified"]
    command = [sys.executable, "-m", "natslib", *words]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while sum(part.stat().st_size for part in Path("data").glob(".*.part")) < CHUNK:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (part,) = Path("data").glob(".*.part")
    kept = part.stat().st_size
    assert 0 < kept < (mirror / TAR).stat().st_size
    assert not (Path("data") / TAR).exists()
    handler.pause_s = 0.0
    assert main(words) == 0
    assert handler.asked[-1] == f"bytes={kept}-"
    assert (Path("data") / TAR).read_bytes() == (mirror / TAR).read_bytes()
    assert not list(Path("data").glob(".*.part"))


def test_the_md5_of_a_single_file_is_that_of_its_name(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = ARCHIVES["tss-whole"].file
    assert main(["fetch", "tss-whole", "--from", str(small)]) == 0
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    (wrong / file).write_bytes((small / file).read_bytes()[:-1])
    assert main(["fetch", "tss-whole", "--from", str(wrong), "--out", "t"]) == 1
    md5 = hashlib.md5((wrong / file).read_bytes()).hexdigest()
    end = archives.ARCHIVES["tss-whole"].md5_end
    assert f"its md5 {md5} does not end in {end}, as that of {file} does" in capsys.readouterr().err
    assert not Path("t").exists()


@pytest.mark.parametrize("kept", [0.3, 0.99])
def test_half_an_archive_is_never_taken_for_whole(
    kept: float, small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = (small / TAR).read_bytes().rstrip(b"\0")  # without its end mark
    Path("data").mkdir()
    (Path("data") / TAR).write_bytes(content[: int(kept * len(content))])
    for more in ([], ["--unverified"]):
        assert main(["fetch", "tss", *more]) == 1
        assert f"natslib fetch: data/{TAR}: not all of it (" in capsys.readouterr().err
    assert not Path("tables").exists()


def test_what_comes_as_another_file_is_removed(
    served: tuple[str, type[Mirror]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Three records are not the official number."""
    assert main(["fetch", "tss", "--from", served[0]]) == 1
    said = capsys.readouterr().err
    assert f"3 records, {TAR} has 15,625; it is removed, try again or by hand" in said
    assert [path.name for path in Path("data").iterdir()] == [f".{TAR}.lock"]
    assert main(["fetch", "tss", "--from", served[0], "--processes", "1", "--unverified"]) == 0


def test_an_archive_of_another_space_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = invented(tmp_path / "made", "sss")
    made.rename(made.with_name(FOLDER))
    assert main(["fetch", "tss", "--from", str(made.parent), "--unverified", "--processes", "1"]) == 1
    assert "is of the space sss, tss of tss; tables/tss holds its table" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said", "step"),
    [
        (
            "tss-whole",
            "no place is known from where NATS-tss-v1_0-3ffb9.pickle.pbz2 comes",
            "put it into data/",
        ),
        (
            "sss-full",
            "no place is known from where NATS-sss-v1_0-50262-full.tar comes",
            "or unpack it there to",
        ),
        ("nas-bench-201-v1_1", "natslib does not read NAS-Bench-201-v1_1-096897.pth", "natslib fetch tss"),
    ],
)
def test_what_no_program_gets_is_told_step_by_step(
    words: str, said: str, step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fetch", words]) == 1
    told = capsys.readouterr()
    assert told.err.startswith(f"natslib fetch: {said}")
    assert len(told.err.splitlines()) == 1
    assert step in told.out
    assert main(["fetch", words, "--json"]) == 1
    assert any(step in each for each in json.loads(capsys.readouterr().out)["by_hand"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tsss"], "unknown archive 'tsss'.*did you mean 'tss'"),
        (
            ["tss", "--from", "ftp://x/y"],
            "'ftp://x/y' was given; allowed is a folder, or a URL with file:, http: or https:",
        ),
        (["tss", "--from", "file://elsewhere/x"], "allowed is a folder, or a URL"),
        (["tss", "--from", "nowhere"], f"nowhere: neither {TAR} nor {FOLDER}/ in it"),
        (["--out", "x"], "--from and --out are for one archive; say which"),
    ],
)
def test_what_cannot_be_is_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", *words]) == 1
    assert re.search(said, capsys.readouterr().err)


def test_a_file_is_known_by_its_own_name_too() -> None:
    for archive in ARCHIVES.values():
        assert {archives.get_archive(name) for name in (archive.name, archive.file, archive.folder)} == {
            archive
        }


def test_two_processes_do_not_fetch_the_same(
    served: tuple[str, type[Mirror]], capsys: pytest.CaptureFixture[str]
) -> None:
    with archives.lock(Path("data") / f".{TAR}.lock"):
        assert main(["fetch", "tss", "--from", served[0]]) == 1
    assert "another process fetches" in capsys.readouterr().err
