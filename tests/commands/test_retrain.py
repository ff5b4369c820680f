"""`natslib retrain`: a stored candidate trained again lands where it did, one of another result does not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from natslib.commands import main
from natslib.commands.retrain import APART
from natslib.errors import UnknownName
from natslib.tables import convert, load
from natslib.training import fresh
from natslib.training.fresh import curves_of, last_epoch, train_fresh
from natslib.training.jobs import Job
from natslib.training.recipes import SMALL_RECIPES

HOW = {"data": Path("data"), "verify": True, "device": "cpu", "progress": False}
JOBS = [Job("tss", arch, "digits", "12", seed) for seed in (1, 2) for arch in (5, 1835)]
ASKED = ["--dataset", "digits", "--recipe", "12", "--device", "cpu"]


@pytest.fixture(scope="module")
def records() -> list[dict]:
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        return train_fresh(JOBS, **HOW)


def shorten(patch: pytest.MonkeyPatch) -> None:
    """Let every recipe last one epoch."""
    patch.setattr(fresh, "recipe_on", lambda dataset, name: replace(SMALL_RECIPES[name], epochs=1))


def table(folder: Path, records: list[dict]) -> str:
    (folder / "runs.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in records))
    convert(folder, folder / "t", processes=1)
    return str(folder / "t")


def test_the_last_epoch_of_the_curves_is_the_records_accuracy(records: list[dict]) -> None:
    curves = curves_of(records[:2])
    assert set(curves["split"]) == {"train", "valid", "test"}
    assert curves["epoch"].tolist() == [0] * 6
    found = last_epoch(curves, "test")
    assert found.to_dict() == {e["arch_index"]: e["splits"]["test"]["accuracy"][-1] for e in records[:2]}


def test_the_same_seed_gives_the_stored_run(
    records: list[dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shorten(monkeypatch)
    stored = table(tmp_path, records)
    assert main(["retrain", stored, "--arch", "5", "--seed", "1", *ASKED]) == 0
    said = capsys.readouterr().out
    run = load(stored).per_seed("accuracy", dataset="digits", recipe="12", split="test").loc[5]
    (row,) = [line.split() for line in said.splitlines() if line.startswith(" test")]
    assert [float(number) for number in row[1:4]] == pytest.approx([run[1], run.mean(), 2], abs=0.006)
    assert "architecture 5 |" in said
    assert "within 3 standard deviations of the stored runs" in said
    assert "NOT" not in said


def test_a_run_that_is_apart_is_told_by_words_and_exit_code(
    records: list[dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shorten(monkeypatch)
    better = json.loads(json.dumps(records))
    for number, entry in enumerate(better):
        for split in entry["splits"].values():
            split["accuracy"] = [99.0 + number / 10]
    stored = table(tmp_path, better)
    assert main(["retrain", stored, "--arch", "1835", *ASKED]) == APART
    assert "NOT within 3 standard deviations" in capsys.readouterr().out


def test_splits_that_the_table_lacks_are_not_compared(
    records: list[dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shorten(monkeypatch)
    fewer = json.loads(json.dumps(records))
    for entry in fewer:
        del entry["splits"]["test"]
    assert main(["retrain", table(tmp_path, fewer), "--arch", "5", "--seed", "1", *ASKED]) == 0
    said = capsys.readouterr().out
    assert "valid" in said
    assert "test" not in said


def test_what_cannot_be_compared_is_refused_before_training(
    records: list[dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("natslib.training.fresh.train_fresh", None)
    (tmp_path / "one").mkdir()
    stored, single = table(tmp_path, records), table(tmp_path / "one", records[:2])
    for where, arch, recipe, words in (
        (stored, "7", "12", "no accuracy of architecture 7"),
        (single, "5", "12", "no architecture with two seeds"),
        (stored, "5", "36", "no accuracy for dataset 'digits', recipe '36'"),
        (stored, "5", "13", "unknown recipe '13'"),
    ):
        assert main(["retrain", where, "--arch", arch, "--dataset", "digits", "--recipe", recipe]) == 1
        assert words in capsys.readouterr().err


def test_own_images_are_no_dataset_of_a_benchmark() -> None:
    with pytest.raises(UnknownName, match=r"unknown dataset 'mine\.npz'"):
        train_fresh([Job("tss", 5, "mine.npz", "12", 1)], **HOW)
