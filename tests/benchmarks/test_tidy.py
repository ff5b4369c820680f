"""Somebody else's table, mapped column by column."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from natslib.benchmarks import convert, load
from natslib.errors import NatslibError, NotMeasured
from natslib.spaces import get_space

MAPPING = {
    "space": "sss",
    "arch": "net",
    "columns": {
        "acc": {"dataset": "cifar10", "budget": "90", "split": "test", "seed": 777, "metric": "accuracy"},
        "sec": {"dataset": "cifar10", "budget": "90", "split": "train", "seed": 777, "metric": "time_s"},
    },
}


def write(folder: Path, frame: pd.DataFrame, mapping: dict, suffix: str = ".csv") -> tuple[Path, Path]:
    path, columns = folder / f"mine{suffix}", folder / "columns.yaml"
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
    columns.write_text(yaml.safe_dump(mapping))
    return path, columns


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame({"net": ["8:8:8:8:16", "64:64:64:64:64"], "acc": [80.5, np.nan], "sec": [2.0, 3.0]})


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("by", ["string", "index"])
def test_a_table_keyed_by_string_or_index(tmp_path, frame, suffix, by):
    if by == "index":
        frame["net"] = [1, 32767]
    path, columns = write(tmp_path, frame, MAPPING, suffix)
    table = load_converted(path, columns, tmp_path)
    where = {"dataset": "cifar10", "budget": "90"}
    assert table.value(1, "accuracy", split="test", seed=777, **where) == 80.5
    assert table.value(32767, "total_time_s", split="train", **where) == 270
    with pytest.raises(NotMeasured, match="not for 32767"):
        table.value(32767, "accuracy", split="test", **where)


def load_converted(path, columns, tmp_path):
    convert(path, tmp_path / "t", columns=columns)
    return load(tmp_path / "t")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"space": "nds"}, "unknown .*'nds'"),
        ({"arch": "nett"}, "no column 'nett'"),
        (
            {"columns": {"accu": MAPPING["columns"]["acc"]}},
            "no column 'accu' in mine.csv; it has net, acc, sec",
        ),
        (
            {"columns": {"acc": MAPPING["columns"]["acc"] | {"split": "tset"}}},
            "unknown split .*'tset'.*did you mean 'test'",
        ),
        ({"columns": {"acc": MAPPING["columns"]["acc"] | {"metric": "top1"}}}, "unknown metric"),
        ({"columns": {"acc": MAPPING["columns"]["acc"] | {"seed": "all"}}}, "'mean' and whole numbers"),
        (
            {"columns": {"acc": MAPPING["columns"]["acc"] | {"budget": "long"}}},
            "how many epochs budget 'long' has",
        ),
        ({"columns": {"acc": {"dataset": "cifar10"}}}, "needs exactly dataset, budget, split, seed, metric"),
        ({"columns": {"net": MAPPING["columns"]["acc"]}}, "'net' holds something other than numbers"),
        ({"colums": {}}, "unknown key"),
        ({"columns": {}}, "at least one column"),
    ],
)
def test_a_wrong_mapping_is_said_so(tmp_path, frame, change, message):
    path, columns = write(tmp_path, frame, MAPPING | change)
    with pytest.raises(NatslibError, match=message):
        convert(path, tmp_path / "t", columns=columns)
    assert not (tmp_path / "t" / "manifest.json").exists()


@pytest.mark.parametrize("nets", [["8:8:8:8:9", "8:8:8:8:8"], ["8:8:8:8:8", "8:8:8:8:8"], [0, 32768]])
def test_unknown_and_double_architectures_are_refused(tmp_path, frame, nets):
    path, columns = write(tmp_path, frame.assign(net=nets, acc=1.0), MAPPING)
    with pytest.raises(NatslibError, match=r"8:8:8:8:9|stands twice|32768"):
        convert(path, tmp_path / "t", columns=columns)


def test_the_real_cifar10_table(shared_data, tmp_path):
    columns = Path(__file__).with_name("nats-tss-cifar10.yaml")
    table = load_converted(shared_data / "nats-tss-cifar10.csv", columns, tmp_path)
    best = table.best(dataset="cifar10", budget="200", split="test")
    assert best["arch"][0] in (get_space("tss").string(6111), get_space("tss").string(13714))
    assert best["accuracy"][0] == pytest.approx(94.3733, abs=1e-3)
    assert (
        np.isfinite(
            table.values("accuracy", dataset="cifar10-valid", budget="200", split="valid", seed=999)
        ).sum()
        == 8169
    )
    assert table.cost(dataset="cifar10-valid", budget="12")[0] == pytest.approx(89.2020952247438, abs=1e-6)
    with pytest.raises(NotMeasured, match="seeds mean"):
        table.values("accuracy", dataset="cifar10", budget="200", split="test", seed=777)
    with pytest.raises(NotMeasured, match="single runs"):
        table.per_seed("accuracy", dataset="cifar10", budget="200", split="test")
    summary = table.summary("accuracy", dataset="cifar10", budget="200", split="test")
    assert summary["std"].isna().all()
    assert (summary["count"] == 0).all()
