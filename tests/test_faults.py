"""Whatever the disk refuses: one sentence, nothing half-written taken for whole, and the same command finishes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from natslib.commands import main
from natslib.errors import NatslibError
from natslib.plots.figure import new_figure, save
from natslib.search.leaderboard import check_entry, read_entry, save_entry
from natslib.search.oracle import Oracle
from natslib.search.simulate import Protocol
from natslib.search.store import read_runs, repeat_into
from natslib.training.logs import read_records
from tests.faults import Disk
from tests.search.small_table import small_table

Doing = Callable[[Path], int]
Seeing = Callable[[Path], Any]  # what is whole in the folder, None where nothing is


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, images of one's own and finished runs."""
    folder = tmp_path_factory.mktemp("given")
    table = small_table(folder)
    rng = np.random.default_rng(0)
    images = {f"{name}_images": rng.integers(0, 256, (128, 4, 4, 1), np.uint8) for name in ("train", "test")}
    labels = {f"{name}_labels": np.arange(128) % 2 for name in ("train", "test")}
    np.savez(folder / "mine.npz", **images, **labels)
    oracle = Oracle.from_table(table, dataset="cifar100", recipe="12", split="valid", draw="random")
    repeat_into(folder / "runs", mine, oracle, Protocol(3000.0), runs=3, seed=4)
    return folder


def mine(space: Any, rng: np.random.Generator) -> Any:
    while True:
        yield space.sample(rng)


def tried(doing: Callable[[], object]) -> int:
    """Return 1 where it is refused as natslib refuses, 0 where it is done."""
    try:
        doing()
    except NatslibError:
        return 1
    return 0


def search(given: Path) -> tuple[Doing, Seeing]:
    words = ["--algorithm", "random", "--table", str(given / "table"), "--dataset", "cifar100", "--seed", "3"]
    words += ["--budget", "200 s", "--runs", "60"]

    def see(folder: Path) -> Any:
        return read_runs(folder).to_csv() if any(folder.glob("runs-*.parquet")) else None

    return lambda folder: main(["search", *words, "--out", str(folder)]), see


def weight_sharing(given: Path) -> tuple[Doing, Seeing]:
    words = [
        "--algorithm",
        "rsps",
        "--dataset",
        "digits",
        "--settings",
        "smoke",
        "--seed",
        "3",
        "--device",
        "cpu",
    ]

    def see(folder: Path) -> Any:
        if not (folder / "run.parquet").exists():
            return None
        records, scores = (pd.read_parquet(folder / name) for name in ("run.parquet", "scores.parquet"))
        assert json.loads((folder / "stamp.json").read_text())
        return records.drop(columns="time_s").to_csv() + scores.to_csv()

    return lambda folder: main(["search", *words, "--out", str(folder)]), see


def train(given: Path) -> tuple[Doing, Seeing]:
    words = ["--space", "tss", "--arch", "0,1462", "--seed", "777,888", "--dataset", str(given / "mine.npz")]
    words += ["--scale", "small", "--recipe", "12", "--device", "cpu"]

    def see(folder: Path) -> Any:
        records = [record for log in sorted(folder.glob("*/*.jsonl")) for record in read_records(log)]
        told = [
            (record["arch_index"], record["seed"], record["splits"]["test"]["loss"]) for record in records
        ]
        assert len({each[:2] for each in told}) == len(told)
        return sorted(told) if len(told) == 4 else None

    return lambda folder: main(["train", *words, "--out", str(folder)]), see


def figure(given: Path) -> tuple[Doing, Seeing]:
    def see(folder: Path) -> Any:
        files = {path.name: path.read_bytes() for path in folder.glob("f.*")}
        return files if len(files) == 7 else None

    def do(folder: Path) -> int:
        fig, axes = new_figure(1, 1)
        axes[0, 0].plot([1, 2])
        rows = pd.DataFrame({"a": [1]})
        return tried(lambda: save(fig, rows, folder / "f", {"seed": 0}, rows=rows))

    return do, see


def leaderboard(given: Path) -> tuple[Doing, Seeing]:
    def see(folder: Path) -> Any:
        if not (folder / "e" / "entry.json").exists():
            return None
        check_entry(folder / "e", given / "runs")
        return read_entry(folder / "e"), (folder / "e" / "algorithm.py").read_text()

    def do(folder: Path) -> int:
        values, told = {"test": np.arange(3)}, {"table": "t", "author": "me"}
        return tried(lambda: save_entry(folder / "e", given / "runs", values, **told, own=mine))

    return do, see


def hold(
    kind: Any, given: Path, n: int, place: Path, patch: pytest.MonkeyPatch, capsys: Any, whole: Any
) -> bool:
    """Hold a command to its word while the n-th operation fails; return whether it came so far."""
    do, see = kind(given)
    place.mkdir()
    folder = place / "out"
    with patch.context() as broken:
        disk = Disk(broken, folder, n)
        capsys.readouterr()
        code = do(folder)
        said = capsys.readouterr().err
    if code == 0:
        assert see(folder) == whole, disk.failed
    else:
        assert "Traceback" not in said, disk.failed
        assert sum(line.startswith("natslib ") for line in said.splitlines()) <= 1, (disk.failed, said)
        assert see(folder) in (None, whole) or kind is search, disk.failed
        if kind is search and (left := see(folder)) is not None:
            assert whole.startswith(left), disk.failed  # the first runs
    assert do(folder) == 0, disk.failed
    assert see(folder) == whole, disk.failed
    assert not [path for path in place.rglob("*.tmp") if "unlink" not in disk.failed], disk.failed
    return bool(disk.failed)


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        (search, range(1, 23)),
        (figure, range(1, 44, 6)),
        (leaderboard, range(1, 17)),
        (weight_sharing, (4, 7, 13)),
        (train, (2, 12, 15, 19)),
    ],
)
def test_a_disk_that_fails_at_any_moment(
    kind: Any,
    numbers: Any,
    given: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    do, see = kind(given)
    assert do(tmp_path / "whole") == 0
    whole = see(tmp_path / "whole")
    assert whole is not None
    reached = [hold(kind, given, n, tmp_path / str(n), monkeypatch, capsys, whole) for n in numbers]
    assert any(reached)
