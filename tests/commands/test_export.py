"""`natslib export` writes what the official reader opens."""

import json
from pathlib import Path

import pytest

from natslib.commands import main
from natslib.spaces import get_space

STAMP = {"scale": "small"}


def log(folder: Path, dataset: str = "digits", stamp: dict = STAMP, seed: int = 777) -> Path:
    """Write one run of cell 11 as `natslib train` does."""
    curve = {
        "epoch": [0, 1],
        "loss": [2.0, 1.0],
        "accuracy": [20.0, 40.0],
        "top5": [60.0, 80.0],
        "time_s": [1.0, 1.0],
    }
    record = {
        "space": "tss", "arch_index": 11, "dataset": dataset, "recipe": "12", "seed": seed, "params_m": 0.1,
        "flops_m": 1.0, "latency_s": 0.1, "splits": {"train": curve, "valid": curve, "test": curve}, "stamp": stamp,
    }  # fmt: skip
    (folder / "tss").mkdir(parents=True, exist_ok=True)
    with (folder / "tss" / "shard-0-of-1.jsonl").open("a") as file:
        file.write(json.dumps(record) + "\n")
    return folder / "tss"


@pytest.mark.filterwarnings("ignore")  # the official reader's own
def test_the_official_reader_opens_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nats_bench = pytest.importorskip("nats_bench")
    assert main(["export", str(log(tmp_path)), str(tmp_path / "archive")]) == 0
    assert "1 runs of 1 architectures" in capsys.readouterr().out
    api = nats_bench.create(str(tmp_path / "archive"), "tss", fast_mode=True, verbose=False)
    assert api[11] == get_space("tss").string(11)


def test_own_images_need_their_number_of_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = log(tmp_path, "pets")
    assert main(["export", str(logs), str(tmp_path / "archive")]) == 1
    assert "records of pets" in capsys.readouterr().err
    assert main(["export", str(logs), str(tmp_path / "archive"), "--classes", "pets=37"]) == 0
    assert main(["export", str(logs), str(tmp_path / "other"), "--classes", "pets"]) == 1
    assert "allowed is DATASET=N, such as pets=37" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["{}", "[1]", "same"])
def test_damaged_logs_are_refused_before_anything_is_written(
    tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = log(tmp_path) / "shard-0-of-1.jsonl"
    file.write_text(file.read_text() + (file.read_text() if damage == "same" else f"{damage}\n"))
    assert main(["export", str(file.parent), str(tmp_path / "archive")]) == 1
    assert "shard-0-of-1.jsonl, line 2: not the record of a run" in capsys.readouterr().err
    assert not (tmp_path / "archive").exists()


def test_what_cannot_be_exported_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(tmp_path / "nowhere"), str(tmp_path / "archive")]) == 1
    assert "no folder of own logs of one space" in capsys.readouterr().err
    log(tmp_path)
    logs = log(tmp_path, stamp={"scale": "paper"}, seed=888)
    assert main(["export", str(logs), str(tmp_path / "archive")]) == 1
    assert "runs of the scales ['paper', 'small']; an archive holds one" in capsys.readouterr().err
