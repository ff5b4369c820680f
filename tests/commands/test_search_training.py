"""`natslib search --train`: from the options to trajectories and logs, and what it refuses."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from natslib.commands import main
from natslib.search.store import read_runs
from natslib.training.logs import read_records
from tests.commands.own_images import write_folder, write_npz

ROOT = Path(__file__).resolve().parents[2]
HERE = ["search", "--train", "--space", "dag5", "--seed", "0", "--algorithm", "autoshrink"]
DIGITS = [*HERE, "--dataset", "digits"]


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """Two classes of images in an `.npz`."""
    path = tmp_path / "packed.npz"
    write_npz(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The same as pictures in folders."""
    write_folder(tmp_path / "pets")
    return tmp_path / "pets"


def own(images: Path, out: Path, *words: str) -> list[str]:
    return [*HERE, "--dataset", str(images), "--scale", "small", "--out", str(out), *words]


def logged(out: Path) -> list[str]:
    """Every record of a search, by index, without times."""
    logs = [*out.glob("logs/*/*.jsonl"), *out.glob("logs/final/*/*.jsonl")]
    records = [(str(log.relative_to(out)), record) for log in logs for record in read_records(log)]
    for _, record in records:
        del record["latency_s"]
        for columns in record["splits"].values():
            del columns["time_s"]
    return sorted((json.dumps([log, record]) for log, record in records))


def test_a_search_trains_what_it_proposes_and_is_known_the_next_time(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = own(folder, tmp_path / "out", "--budget", "2 evaluations")
    assert main(words) == 0
    first = capsys.readouterr()
    assert "1 runs, 2.0 evaluations a run, 2 networks trained by recipe 12 on pets" in first.out
    said = first.out.splitlines()
    assert len(said) == 3
    assert said[1].startswith("run 0: architecture ")
    assert said[1].endswith(" %")
    assert " valid " in said[1]
    assert ", test " in said[1]
    assert said[2].startswith(f"trajectories and logs of training in {tmp_path / 'out'}, sha256 ")
    assert first.err == ""  # in a pipe
    before = logged(tmp_path / "out")
    assert len(before) == 3  # of two networks, and of one of them with its test images
    assert main(words) == 0
    again = capsys.readouterr()
    assert (again.out, again.err) == (first.out, "")
    assert logged(tmp_path / "out") == before


def test_on_a_terminal_a_bar_shows_what_is_spent(
    tmp_path: Path, packed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr("natslib.commands.search_training.DELAY_S", 0)
    assert main(own(packed, tmp_path / "out", "--budget", "2 evaluations")) == 0
    bar = capsys.readouterr().err
    assert "autoshrink:   0%|" in bar
    assert "| 2/2 evaluations [" in bar
    assert "dag5 " in bar


def test_workers_and_processes_leave_the_answer_of_a_search_in_batches(
    tmp_path: Path, packed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(own(packed, tmp_path / "one", "--budget", "4 evaluations")) == 0
    with_two = ("--workers", "2", "--processes", "2")
    assert main(own(packed, tmp_path / "two", "--budget", "4 evaluations", *with_two)) == 0
    one, two = capsys.readouterr().out.replace("/two", "/one").split("1 runs")[1:]
    assert one == two
    assert logged(tmp_path / "one") == logged(tmp_path / "two")
    assert read_runs(tmp_path / "one").equals(read_runs(tmp_path / "two"))


BATCHES = ("--budget", "8 evaluations", "--workers", "4", "--processes", "2")


def test_kills_change_nothing_but_times_and_leave_no_process(tmp_path: Path, packed: Path) -> None:
    assert main(own(packed, tmp_path / "whole", *BATCHES)) == 0
    command = [sys.executable, "-m", "natslib", *own(packed, tmp_path / "killed", *BATCHES)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for finished in (1, 5):  # of eight, four of which are trained at a time
        process = subprocess.Popen(
            command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL
        )
        while len(logged(tmp_path / "killed")) < finished:
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
        process.wait()
        deadline = time.monotonic() + 60
        while alive(process.pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not alive(process.pid)
    assert main(own(packed, tmp_path / "killed", *BATCHES)) == 0
    assert logged(tmp_path / "killed") == logged(tmp_path / "whole")
    assert read_runs(tmp_path / "killed").equals(read_runs(tmp_path / "whole"))


def alive(group: int) -> list[str]:
    """The living processes of a process group."""
    found = subprocess.run(
        ["ps", "-o", "stat=", "-g", str(group)], capture_output=True, text=True, check=False
    ).stdout
    return [line for line in found.splitlines() if "Z" not in line]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--table", "mine"],
            "trains what it proposes (--train) and does not know --table; allowed are --set, --runs,",
        ),
        (
            ["--table", "published"],
            "trains what it proposes (--train) and does not know --table; allowed are",
        ),
        (["--settings", "digits"], "does not know --settings"),
        (["--metric", "energy_j"], "does not know --metric"),
        ([], "--train needs --budget, such as '60 evaluations' or, of training, '3600 s'\n"),
        (
            ["--budget", "60"],
            "--train needs --budget, such as '60 evaluations' or, of training, '3600 s'; '60' was",
        ),
        (["--budget", "60 epochs"], "'3600 s'; '60 epochs' was given"),
        (["--budget", "0 evaluations"], "budget=0.0 was given; it must be above 0"),
        (["--budget", "0.5 evaluations"], "the cheapest training costs 1"),
        (["--budget", "9 evaluations", "--recipe", "200"], "unknown recipe '200': allowed are '12', '36'"),
        (["--budget", "9 evaluations", "--dataset", "pets"], "unknown dataset 'pets'"),
        (["--budget", "9 evaluations", "--processes", "2"], "allowed are as many processes or fewer"),
        (
            ["--budget", "60 s", "--workers", "2", "--processes", "2"],
            "2 processes were asked to train at once under a budget in s",
        ),
        (["--budget", "9 evaluations", "--device", "cuda:77"], "cannot compute on the device 'cuda:77'"),
    ],
)
def test_what_it_refuses(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scale = ["--scale", "small"] if "pets" in words else []
    assert main([*DIGITS, *words, *scale, "--out", str(tmp_path / "o")]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_a_space_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    without = [word for word in DIGITS if word not in ("--space", "dag5")]
    assert main([*without, "--budget", "3 evaluations"]) == 1
    assert "--train needs --space" in capsys.readouterr().err


def test_own_images_that_cannot_be_searched_on(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = own(folder, tmp_path / "out", "--budget", "2 evaluations")
    assert main([word for word in words if word not in ("--scale", "small")]) == 1
    assert "say --scale paper or --scale small" in capsys.readouterr().err
    large = folder / "valid" / "class0" / "large.png"
    Image.new("RGB", (12, 12)).save(large)
    assert main(words) == 1
    said = capsys.readouterr().err
    assert "large.png has (12, 12) pixels, others (8, 8); resize all to one size first" in said
    large.unlink()
    (folder / "valid").rename(tmp_path / "elsewhere")
    assert main(words) == 1
    said = capsys.readouterr().err
    assert (
        "pets has no validation images, which score a search; it has test: allowed are sets with a folder"
        in said
    )
    assert not (tmp_path / "out").exists()
