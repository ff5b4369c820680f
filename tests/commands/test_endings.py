"""How commands end that cannot go on: outputs that take nothing, encodings that lack a sign, signals, odd arguments."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.records import write_archive
from natslib.commands import main
from natslib.commands.exits import FAULT
from natslib.errors import NatslibError
from natslib.spaces import get_space
from natslib.training.jobs import Job
from natslib.training.logs import append_lines
from tests.conftest import ROOT
from tests.search.small_table import small_table
from tests.training.test_logs import entry

FULL = Path("/dev/full")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, a log, a file, an empty one, a folder, a pipe and a link to itself."""
    folder = tmp_path_factory.mktemp("odd")
    small_table(folder)
    (folder / "file").write_text("hello")
    (folder / "empty").touch()
    (folder / "dir").mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "own.py").write_text(SLOW)
    (folder / "m.yaml").write_text("space: tss\narch: arch\ncolumns: {}\n")
    (folder / "logs" / "tss").mkdir(parents=True)
    append_lines(folder / "logs" / "tss" / "a.jsonl", [entry(Job("tss", 5, "digits", "12", 777))])
    return folder


SLOW = """
import os, pathlib, time
def slow(space, rng):
    pathlib.Path(f"worker-{os.getpid()}").touch()
    time.sleep(600)
    yield space.sample(rng)
"""


def start(folder: Path, *words: str, **options: object) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | options.pop("env", {})  # type: ignore[operator]
    return subprocess.Popen(
        [sys.executable, "-m", "natslib", *words],
        cwd=folder,
        env=environment,
        text=True,
        stderr=subprocess.PIPE,
        **{"stdout": subprocess.PIPE} | options,
    )


@pytest.mark.parametrize("words", [["info", "table"], ["--help"]])
def test_an_output_that_takes_nothing_is_said(place: Path, words: list[str]) -> None:
    with FULL.open("w") as full:
        process = start(place, *words, stdout=full)
        _, said = process.communicate(timeout=120)
    assert (process.returncode, said) == (1, f"natslib {words[0]}: cannot print: No space left on device\n")


def test_a_closed_output_is_said_and_a_reader_that_left_is_not(place: Path) -> None:
    closed = start(place, "info", "table", preexec_fn=lambda: os.close(1))
    assert closed.communicate(timeout=120)[1].startswith("natslib info: the standard output is closed")
    assert closed.returncode == 1
    read, write = os.pipe()
    os.close(read)
    left = start(place, "info", "table", stdout=write)
    os.close(write)
    assert (left.communicate(timeout=120)[1], left.returncode) == ("", 0)


def test_closed_error_streams_stop_nothing(place: Path) -> None:
    process = start(place, "convert", "table", "copied", preexec_fn=lambda: os.close(2))
    assert "rows of" in process.communicate(timeout=120)[0]
    assert process.returncode == 0


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_every_text_can_be_printed_in_every_encoding(
    place: Path, encoding: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    streams = {name: (tmp_path / name).open("w", encoding=encoding) for name in ("stdout", "stderr")}
    for name, stream in streams.items():
        monkeypatch.setattr(sys, name, stream)
    monkeypatch.chdir(place)
    options = ["--dataset", "cifar100", "--budget", "3000 s", "--runs", "2", "--seed", "0"]
    out = str(tmp_path / "漢\udcff")
    assert main(["search", "--algorithm", "random", "--table", "table", *options, "--out", out]) == 0
    assert main(["info", "漢\udcff"]) == 1
    for stream in streams.values():
        stream.close()
    assert re.search(r"accuracy \(recipe 12\): [\d.]+ (±|\\xb1) ", (tmp_path / "stdout").read_text(encoding))
    assert "\\u6f22\\udcff" in (tmp_path / "stderr").read_text(encoding)


def workers(folder: Path) -> list[int]:
    return [int(path.name.partition("-")[2]) for path in folder.glob("worker-*")]


def gone(pid: int) -> bool:
    """Whether a process has ended; one that only waits for its parent to notice has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_for(what: object) -> None:
    deadline = time.monotonic() + 60
    while not what():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def searching(place: Path, tmp_path: Path) -> Iterator[subprocess.Popen]:
    """A search whose two workers are busy for ten minutes, as the leader of a process group."""
    words = ["--algorithm", f"{place}/own.py:slow", "--table", f"{place}/table", "--dataset", "cifar100"]
    words += ["--budget", "3000 s", "--runs", "4", "--seed", "0", "--processes", "2", "--out", "out"]
    process = start(tmp_path, "search", *words, start_new_session=True)
    wait_for(lambda: len(workers(tmp_path)) == 2)
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("whole_group", [False, True])
def test_sigterm_ends_a_command_and_its_workers_as_ctrl_c_does(
    searching: subprocess.Popen, tmp_path: Path, number: signal.Signals, code: int, whole_group: bool
) -> None:
    (os.killpg if whole_group else os.kill)(searching.pid, number)
    _, said = searching.communicate(timeout=60)
    assert (searching.returncode, said.strip().count("\n")) == (code, 0), said
    assert "interrupted; what was finished is kept, run the same again" in said
    assert all(gone(pid) for pid in workers(tmp_path))


def test_workers_end_with_a_command_that_is_killed(searching: subprocess.Popen, tmp_path: Path) -> None:
    searching.kill()
    wait_for(lambda: all(gone(pid) for pid in workers(tmp_path)))


def test_a_conversion_ends_its_workers_at_once(tmp_path: Path) -> None:
    write_archive(tmp_path / "archive", get_space("tss"), [0, 130])  # two chunks, so two workers
    process = start(tmp_path, "convert", "archive", "t", "--processes", "2", start_new_session=True)
    wait_for((tmp_path / "t" / ".parts" / "plan").exists)
    process.terminate()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 143, said
    assert "interrupted" in said
    assert "Traceback" not in said
    wait_for(lambda: not alive_in_session(process.pid))


def alive_in_session(leader: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(session) == leader and state != "Z":
            found.append(int(stat.parent.name))
    return found


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (PermissionError(13, "Permission denied", "/closed/x"), "/closed/x: Permission denied"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (MemoryError(), "more memory is needed than there is; what was finished is kept"),
        (RecursionError("maximum"), "something that was read is nested too deeply"),
        (UnicodeEncodeError("utf-8", "\udcff", 0, 1, "no"), "a name or text is no valid Unicode ("),
        (NatslibError("two\nlines"), "two lines"),
    ],
)
def test_what_the_system_refuses_is_one_sentence(
    raised: Exception, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(args: object) -> int:
        raise raised

    monkeypatch.setattr("natslib.commands.info.run", refused)
    assert main(["info", "table"]) == 1
    assert capsys.readouterr().err.startswith(f"natslib info: {said}")


@pytest.mark.parametrize(
    "words", [["info", "table"], ["info", "table", "--debug"], ["--debug", "info", "table"]]
)
def test_a_fault_of_natslib_itself_is_said_with_its_place_and_shown_by_debug(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("natslib.commands.info.run", lambda args: {}["x"])
    assert main(words) == FAULT
    *before, last = capsys.readouterr().err.splitlines()
    place = r"test_endings\.py, line \d+"
    assert re.match(
        rf"natslib info: a fault of natslib itself, KeyError: 'x' \({place}\); please report it", last
    )
    assert bool(before) == ("--debug" in words)
    assert not before or before[0] == "Traceback (most recent call last):"


def test_debug_shows_where_a_refusal_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "nowhere", "--debug"]) == 1
    *before, last = capsys.readouterr().err.splitlines()
    assert last == "natslib info: nowhere: neither 'published' nor the folder of a converted table"
    assert "Traceback" in before[0]


def test_a_missing_package_of_natslib_itself_is_a_fault(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(args: object) -> int:
        raise ModuleNotFoundError("No module named 'natslib.lost'", name="natslib.lost")

    monkeypatch.setattr("natslib.commands.info.run", lost)
    assert main(["info", "table"]) == FAULT
    assert "a fault of natslib itself, ModuleNotFoundError" in capsys.readouterr().err


def test_a_warning_is_a_line_without_its_place_in_the_code(place: Path) -> None:
    (place / "half.py").write_text(
        "def half(space, rng):\n    assert rng.random() < 0.5\n    while True:\n        yield space.sample(rng)\n"
    )
    words = ["search", "--algorithm", "half.py:half", "--table", "table", "--dataset", "cifar100"]
    process = start(place, *words, "--runs", "6", "--seed", "0", "--budget", "300 s", "--out", "halved")
    said = process.communicate(timeout=120)[1].splitlines()
    assert process.returncode == 1
    assert re.match(r"natslib search: \d of 6 runs failed; the first: half, run", said[0])
    assert not any("Warning" in line or "warnings.warn" in line for line in said)


MANY_DIGITS = "9" * 5000
ODD = [
    *("", " ", ".", "..", "/", "nowhere", "file", "empty", "dir", "pipe", "loop", "own.py", "m.yaml"),
    *("/dev/null", "/dev/full", "/proc/self/mem", "/proc/nothing/x", "file/below", "x" * 300, "x" * 5000),
    *("a\udcff", "±é漢", "\u202e", "a\nb", "{}", "{0}", "%s", "'", "*", "~nobody/x", "$HOME", "s3://x/y"),
    *(
        "http://x",
        "file:///",
        "--",
        "-",
        "-1",
        "0",
        "1",
        "1.5",
        "1,2",
        "0x10",
        "²",
        "٣",
        "1e309",
        "nan",
        "inf",
    ),
    *(
        "-inf",
        MANY_DIGITS,
        f"-{MANY_DIGITS}",
        f"{MANY_DIGITS} s",
        "0 s",
        "1e400 s",
        "0/0",
        "1/0",
        "0-99999999",
    ),
    *("0-2147483646", f"0/{MANY_DIGITS}", "mine=²", f"mine={MANY_DIGITS}", "null", "cuda:99", "table"),
]
ON_TABLE = ["search", "--table=table", "--dataset=cifar100", "--runs=1", "--seed=0", "--out=out"]
TRAINED = ["train", "--space=tss", "--dataset=nowhere.npz", "--scale=small", "--recipe=12", "--out=trained"]
SUPERNET = ["search", "--algorithm=rsps", "--dataset=nowhere.npz", "--settings=smoke", "--seed=0"]
ASKED = {  # where the odd value goes; nothing here trains
    "info": ["info", "{}"],
    "query a table": ["query", "{}", "--dataset=cifar100", "--recipe=12", "--split=test"],
    **{
        f"query {name}": [
            "query",
            "table",
            "--dataset=cifar100",
            "--recipe=12",
            "--split=test",
            f"--{name}={{}}",
        ]
        for name in ("arch", "dataset", "recipe", "split", "metric", "epoch")
    },
    "convert": ["convert", "{}", "converted", "--columns=m.yaml"],
    "convert columns": ["convert", "file.csv", "converted", "--columns={}"],
    "convert processes": ["convert", "nowhere", "converted", "--processes={}"],
    **{
        f"search {name}": [*ON_TABLE, "--algorithm=random", "--budget=300 s", f"--{name}={{}}"]
        for name in ("algorithm", "budget", "draw", "epochs", "recipe", "overshoot", "dataset")
    },
    **{f"search {name}": [*SUPERNET, f"--{name}={{}}"] for name in ("settings", "device", "seed", "warm-up")},
    **{
        f"train {name}": [*TRAINED, f"--{name}={{}}"] for name in ("arch", "seed", "shard", "group", "device")
    },
    "retrain a table": ["retrain", "{}", "--arch=0", "--dataset=digits", "--recipe=12"],
    "retrain": ["retrain", "table", "--arch={}", "--dataset=digits", "--recipe=12", "--device=cpu"],
    "export": ["export", "{}", "exported"],
    "export classes": ["export", "nowhere", "exported", "--classes={}"],
}


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: f"{odd[:12]!a}-{len(odd)}")
def test_no_argument_gives_a_traceback(
    place: Path, odd: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    for name, words in ASKED.items():
        try:
            code = main([word.replace("{}", odd) for word in words])
        except SystemExit as refused:  # by argparse
            code = int(str(refused.code))
        said = capsys.readouterr().err
        assert code in (0, 1, 2), name
        assert code != 1 or (len(said.splitlines()) == 1 and len(said) < 1200), (name, said)
