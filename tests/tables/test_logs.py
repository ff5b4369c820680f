"""Logs of our own training become a table like any other source."""

import json
import os

import pytest

from natslib.errors import BadSource
from natslib.tables import convert, load
from natslib.tables.sources.logs import read_rawlogs


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
        "recipe": "2",
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
    where = {"dataset": "cifar100", "recipe": "2", "split": "test"}
    assert table.per_seed("accuracy", **where).loc[5].tolist() == [20.5, 20.5]
    assert table.value("total_time_s", 3, seed=777, **where) == 2.5
    assert table.value("time_s", 3, seed=777, epoch=0, **where) == 1.0
    assert table.curve("loss", 5, seed=888, **where)["epoch"].tolist() == [0]
    assert table.runs()["n_archs"].tolist() == [2, 1, 2, 1]


def test_a_farms_folder_is_refused_with_the_folders_of_its_spaces(tmp_path):
    for space in ("tss", "sss"):
        (tmp_path / space).mkdir()
    (tmp_path / "tss/a.jsonl").write_text(line(5))
    with pytest.raises(BadSource, match=r"a table holds one search space; convert \S+/tss$"):
        convert(tmp_path, tmp_path / "t")


def test_a_line_that_was_being_written_is_left_out(tmp_path):
    (tmp_path / "a.jsonl").write_text(line(5) + line(3)[:40])
    convert(tmp_path, tmp_path / "t")
    assert load(tmp_path / "t").runs()["n_archs"].tolist() == [1, 1]


def split(**change) -> dict:
    return {"epoch": [0], "loss": [1.0], "accuracy": [50.0], "time_s": [1.0]} | change


DAMAGED = {
    "junk": "junk\n",
    "no object": "[1, 2]\n",
    "no keys": "{}\n",
    "nested too deep": "[" * 100_000 + "\n",
    "index not whole": line(6, arch_index=3.9),
    "index a truth value": line(6, arch_index=True),
    "index negative": line(6, arch_index=-1),
    "index beyond the space": line(6, arch_index=15625),
    "seed a text": line(6, seed="x"),
    "seed too large": line(6, seed=2**31),
    "seed negative": line(6, seed=-1),
    "space unknown": line(6, space="nds"),
    "space a list": line(6, space=["tss"]),
    "dataset empty": line(6, dataset=""),
    "dataset too long": line(6, dataset="d" * 65),
    "dataset not encodable": line(6, dataset="\ud800"),
    "recipe a number": line(6, recipe=12),
    "latency a text": line(6, latency_s="1"),
    "latency infinite": line(6, latency_s=float("inf")),
    "parameters beyond a float": line(6, params_m=10**400),
    "digits beyond an int": line(6, params_m=0).replace('"params_m": 0', '"params_m": ' + "9" * 5000),
    "splits a list": line(6, splits=[1]),
    "no train": line(6, splits={"test": split()}),
    "unknown split": line(6, splits={"train": split(), "tset": split()}),
    "split a text": line(6, splits={"train": "epoch loss accuracy time_s"}),
    "no epoch": line(6, splits={"train": {name: [] for name in split()}}),
    "epochs a text": line(6, splits={"train": split(epoch="")}),
    "uneven": line(6, splits={"train": split(loss=[])}),
    "no loss": line(
        6, splits={"train": {name: values for name, values in split().items() if name != "loss"}}
    ),
    "two dimensions": line(6, splits={"train": split(loss=[[1.0]])}),
    "a text among numbers": line(6, splits={"train": split(loss=["1.5"])}),
    "a truth value among numbers": line(6, splits={"train": split(loss=[True])}),
    "loss beyond a float": line(6, splits={"train": split(loss=[10**400])}),
    "loss infinite": line(6, splits={"train": split(loss=[1.5])}).replace("1.5", "1e999"),
    "accuracy above 100": line(6, splits={"train": split(accuracy=[100.1])}),
    "time negative": line(6, splits={"train": split(time_s=[-1.0])}),
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_line_costs_its_run_alone_and_is_listed(tmp_path, text):
    (tmp_path / "a.jsonl").write_text(line(5) + "\n" + text + line(7))
    runs, space, source, damaged = read_rawlogs(tmp_path)
    assert [run.arch_index for run in runs] == [5, 7]
    assert (space.name, list(source["sha256"])) == ("tss", ["a.jsonl"])
    assert [entry["file"] for entry in damaged] == ["a.jsonl, line 3"]
    assert damaged[0]["reason"].startswith("not the record of a run (")
    assert len(damaged[0]["reason"]) < 300


def test_bytes_that_are_no_text_damage_their_line(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(line(5).encode() + line(6).encode().replace(b"cifar100", b"cif\xffr"))
    runs, _, _, damaged = read_rawlogs(tmp_path)
    assert [run.arch_index for run in runs] == [5]
    assert "can't decode byte 0xff" in damaged[0]["reason"]


def test_a_run_that_stands_twice_counts_once_and_both_lines_are_named(tmp_path):
    (tmp_path / "a.jsonl").write_text(line(5, latency_s=1.0) + line(6))
    (tmp_path / "b.jsonl").write_text(line(5, latency_s=2.0) + line(5, recipe="3"))
    runs, _, _, damaged = read_rawlogs(tmp_path)
    assert [(run.arch_index, run.recipe, run.latency_s) for run in runs] == [
        (5, "2", 1.0),
        (6, "2", 0.01),
        (5, "3", 0.01),
    ]
    assert [entry["file"] for entry in damaged] == ["b.jsonl, line 1"]
    assert "seed as a.jsonl, line 1" in damaged[0]["reason"]


def test_only_plain_files_are_read(tmp_path):
    (tmp_path / "a.jsonl").write_text(line(5))
    (tmp_path / "b.jsonl").mkdir()
    os.mkfifo(tmp_path / "c.jsonl")
    runs, _, source, damaged = read_rawlogs(tmp_path)
    assert (len(runs), list(source["sha256"]), damaged) == (1, ["a.jsonl"], [])


def test_the_names_of_a_space_are_one_space(tmp_path):
    (tmp_path / "a.jsonl").write_text(line(5) + line(6, space="topology"))
    assert len(read_rawlogs(tmp_path)[0]) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no finished run"),
        (
            "{}\n",
            r"no finished run .*the first: a\.jsonl, line 1: not the record of a run \(it needs space, ",
        ),
        (line(5) + line(6, space="sss"), "runs of 2 search spaces"),
    ],
)
def test_a_log_without_a_run_or_of_two_spaces_is_refused(tmp_path, text, message):
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(BadSource, match=message):
        read_rawlogs(tmp_path)


@pytest.mark.parametrize(("farm", "origin"), [("embedded", "embedded-tss"), ("mine-tss", "mine-tss")])
def test_a_farms_folder_is_named_by_farm_and_space(tmp_path, farm, origin):
    logs = tmp_path / farm / "tss"
    logs.mkdir(parents=True)
    (logs / "a.jsonl").write_text(line(5))
    assert convert(logs, tmp_path / "t")["origin"] == origin
