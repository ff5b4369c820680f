"""The official reader opens an export of our logs and returns our numbers."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from natslib.errors import BadSource, ConfigError, NatslibError
from natslib.spaces import SMALL_SCALE, SPACES
from natslib.training.export import export_official

nats_bench = pytest.importorskip("nats_bench", reason="the official reader is not installed")

CLASSES = {"digits": 10, "cifar10-valid": 10}


def columns(first: float) -> dict[str, list[Any]]:
    numbers = [first, first + 1, first + 2]
    return {"epoch": [0, 1, 2], **dict.fromkeys(("loss", "accuracy", "top5", "time_s"), numbers)}


def record(seed: int = 777, dataset: str = "digits", space: str = "tss") -> dict[str, Any]:
    splits = {"train": columns(1.0), "valid": columns(seed / 10), "test": columns(30.0)}
    identity = {"space": space, "arch_index": 5, "dataset": dataset, "recipe": "12", "seed": seed}
    entry = {**identity, "params_m": 0.5, "flops_m": 7.5, "latency_s": 0.25, "splits": splits, "stamp": {}}
    return json.loads(json.dumps(entry))


@pytest.mark.parametrize("space", ["tss", "sss"])
def test_the_official_reader_returns_our_numbers(tmp_path: Path, space: str) -> None:
    logs = [record(seed, "digits", space) for seed in (888, 777)] + [record(777, "cifar10-valid", space)]
    assert export_official(logs, tmp_path / "out", classes=CLASSES, scale=SMALL_SCALE) == 1
    api = nats_bench.create(str(tmp_path / "out"), space, fast_mode=True, verbose=False)
    info = api.get_more_info(5, "digits", hp="12", is_random=888)
    assert (info["train-accuracy"], info["valid-accuracy"], info["test-accuracy"]) == (3.0, 90.8, 32.0)
    assert info["train-all-time"] == 6.0
    mean = api.get_more_info(5, "digits", iepoch=1, hp="12", is_random=False)
    assert mean["valid-loss"] == pytest.approx((77.7 + 88.8) / 2 + 1)
    half = api.get_more_info(5, "cifar10-valid", hp="12", is_random=777)
    assert (half["valid-accuracy"], half["test-accuracy"]) == (79.7, 32.0)
    cost = api.get_cost_info(5, "digits", hp="12")
    assert (cost["params"], cost["flops"], cost["latency"]) == (0.5, 7.5, 0.25)
    assert api.get_net_config(5, "digits")["num_classes"] == 10


def test_records_of_two_spaces_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"records of the spaces \['sss', 'tss'\]: allowed is exactly one"):
        export_official([record(), record(space="sss")], tmp_path / "out", classes=CLASSES, scale=SMALL_SCALE)


def test_a_space_without_official_archives_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SPACES, "mine", replace(SPACES["sss"], name="mine", title="own"))
    with pytest.raises(ConfigError, match="of the space mine: official archives are of tss or sss"):
        export_official([record(space="mine")], tmp_path / "out", classes=CLASSES, scale=SMALL_SCALE)
    assert not (tmp_path / "out").exists()


def test_datasets_without_classes_and_folders_in_use_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match="records of photos: numbers of classes are given for digits, cifar10"
    ):
        export_official([record(dataset="photos")], tmp_path / "out", classes=CLASSES, scale=SMALL_SCALE)
    with pytest.raises(ConfigError, match="exists: an export goes to a new folder"):
        export_official([record()], tmp_path, classes=CLASSES, scale=SMALL_SCALE)


def test_an_export_that_fails_half_way_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The official reader would open a part of an archive without a word."""

    def full(path: Path, content: object) -> None:
        path.parent.mkdir(exist_ok=True)
        if path.name.startswith("000006"):
            raise OSError(28, "No space left on device")
        path.touch()

    two = [record(), record() | {"arch_index": 6}]
    with monkeypatch.context() as broken:
        broken.setattr("natslib.training.export._write", full)
        with pytest.raises(NatslibError, match=r"cannot write .*out: No space left on device"):
            export_official(two, tmp_path / "out", classes=CLASSES, scale=SMALL_SCALE)
    assert list(tmp_path.iterdir()) == []
    assert export_official(two, tmp_path / "out", classes=CLASSES, scale=SMALL_SCALE) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_records_without_what_the_official_files_hold_are_refused(tmp_path: Path) -> None:
    lacking = record()
    del lacking["splits"]["valid"]["top5"], lacking["splits"]["train"]["top5"]
    with pytest.raises(BadSource, match="a record has no 'top5'"):
        export_official([lacking], tmp_path / "out", classes=CLASSES, scale=SMALL_SCALE)
