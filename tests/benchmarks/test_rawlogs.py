"""Logs of our own training become a table like any other source."""

import json

import pytest

from natslib.benchmarks import convert, load
from natslib.errors import BadSource


def line(index: int, seed: int = 777, **change) -> str:
    split = {
        "epoch": [0, 1],
        "loss": [2.0, None],
        "accuracy": [10.0, 20.5],
        "top5": [50.0, 60.0],
        "time_s": [1.0, 1.5],
    }
    record = {
        "space": "tss",
        "arch_index": index,
        "dataset": "cifar100",
        "budget": "2",
        "seed": seed,
        "params_m": None,
        "flops_m": None,
        "latency_s": 0.01,
        "splits": {"train": split, "test": split},
    }
    return json.dumps(record | change) + "\n"


def test_runs_of_several_files_become_one_table(tmp_path):
    (tmp_path / "a.jsonl").write_text(line(5) + line(3))
    (tmp_path / "b.jsonl").write_text(line(5, seed=888))
    convert(tmp_path, tmp_path / "t")
    table = load(tmp_path / "t")
    where = {"dataset": "cifar100", "budget": "2", "split": "test"}
    assert table.per_seed("accuracy", **where).loc[5].tolist() == [20.5, 20.5]
    assert table.value(3, "total_time_s", seed=777, **where) == 2.5
    assert table.value(3, "time_s", seed=777, epoch=0, **where) == 1.0
    assert table.curve(5, "loss", seed=888, **where)["epoch"].tolist() == [0]
    assert table.runs()["n_archs"].tolist() == [2, 1, 2, 1]


def test_a_line_that_was_being_written_is_left_out(tmp_path):
    (tmp_path / "a.jsonl").write_text(line(5) + line(3)[:40])
    convert(tmp_path, tmp_path / "t")
    assert load(tmp_path / "t").runs()["n_archs"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no finished run"),
        ("{}\n", r"a.jsonl, line 1: not the record of a run"),
        (line(5) + "junk\n", r"a.jsonl, line 2: not the record"),
        (line(5, seed="x"), r"line 1: damaged run"),
        (
            line(5, splits={"train": {"epoch": [0], "loss": [], "accuracy": [1.0], "time_s": [1.0]}}),
            "line 1: damaged run",
        ),
        (line(5) + line(6, space="sss"), "runs of 2 search spaces"),
        (line(5) + line(5), "architecture 5 stands twice"),
    ],
)
def test_a_damaged_log_is_refused_by_file_and_line(tmp_path, text, message):
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(BadSource, match=message):
        convert(tmp_path, tmp_path / "t")
