"""Raw logs survive kills: torn lines are dropped, full disks leave the log as it was."""

import json
import math
import os
from pathlib import Path

import pytest

from natslib.errors import BadSource
from natslib.training.jobs import Job
from natslib.training.keys import finished_jobs
from natslib.training.logs import append_lines, drop_torn_line, read_records, record
from natslib.training.loop import LearningCurve

JOB = Job("tss", 5, "digits", "12", 777)


def entry(job: Job = JOB, loss: float = 1.234567) -> dict[str, object]:
    curve = LearningCurve(loss=[loss], accuracy=[50.0], top5=[100.0], time_s=[0.123456789])
    return record(job, {"train": curve}, params=1_500_000, flops=7, latency_s=0.5, stamp={"device": "x"})


def test_a_record_has_the_agreed_fields() -> None:
    made = entry()
    assert {name: made[name] for name in Job._fields} == JOB._asdict()
    assert (made["params_m"], made["flops_m"], made["latency_s"]) == (1.5, 7e-6, 0.5)
    columns = {"epoch": [0], "loss": [1.2346], "accuracy": [50.0], "top5": [100.0], "time_s": [0.123]}
    assert made["splits"] == {"train": columns}
    assert "diverged" not in made


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_is_null_and_marks_the_run(tmp_path: Path, loss: float) -> None:
    made = entry(loss=loss)
    append_lines(tmp_path / "a.jsonl", [made])
    (read,) = read_records(tmp_path / "a.jsonl")
    assert read["diverged"] is True
    assert read["splits"]["train"]["loss"] == [None]


def test_a_torn_last_line_is_not_read_and_is_cut_off(tmp_path: Path) -> None:
    log = tmp_path / "a.jsonl"
    append_lines(log, [entry()])
    whole = log.read_bytes()
    log.write_bytes(whole + whole[:40])
    assert len(list(read_records(log))) == 1
    drop_torn_line(log)
    assert log.read_bytes() == whole


def test_a_log_that_is_one_torn_line_becomes_empty(tmp_path: Path) -> None:
    log = tmp_path / "a.jsonl"
    log.write_bytes(b'{"space":"ts')
    drop_torn_line(log)
    assert log.read_bytes() == b""


def test_a_damaged_line_names_file_and_line(tmp_path: Path) -> None:
    log = tmp_path / "a.jsonl"
    log.write_text(json.dumps(entry()) + "\n{broken}\n")
    with pytest.raises(BadSource, match=r"a\.jsonl, line 2 is not a JSON record"):
        list(read_records(log))


@pytest.mark.parametrize(
    "line",
    ["7", "null", "[]", '"x"', "{}", '{"space":"tss"}', json.dumps(entry() | {"seed": "777"}),
     json.dumps(entry() | {"arch_index": True}), json.dumps(entry() | {"stamp": []}), "[" * 100_000],
)  # fmt: skip
def test_json_of_another_shape_is_no_record(tmp_path: Path, line: str) -> None:
    (tmp_path / "tss").mkdir()
    log = tmp_path / "tss" / "a.jsonl"
    log.write_text(json.dumps(entry()) + f"\n{line}\n")
    with pytest.raises(BadSource, match=r"a\.jsonl, line 2 is not (the record of a run|a JSON record)"):
        finished_jobs(tmp_path)


def test_a_log_that_is_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "tss" / "a.jsonl").mkdir(parents=True)
    with pytest.raises(BadSource, match=r"a\.jsonl: cannot be read"):
        finished_jobs(tmp_path)
    with pytest.raises(BadSource, match=r"cannot go on with .*a\.jsonl"):
        drop_torn_line(tmp_path / "tss" / "a.jsonl")


def test_a_full_disk_leaves_the_log_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "a.jsonl"
    append_lines(log, [entry()])
    before, write = log.read_bytes(), os.write
    monkeypatch.setattr(os, "write", lambda handle, line: write(handle, line[:10]))
    with pytest.raises(BadSource, match=r"cannot append to .*a\.jsonl: .*disk full"):
        append_lines(log, [entry()])
    assert log.read_bytes() == before


def test_a_log_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").mkdir()
    with pytest.raises(BadSource, match=r"cannot append to .*a\.jsonl"):
        append_lines(tmp_path / "a.jsonl", [entry()])
