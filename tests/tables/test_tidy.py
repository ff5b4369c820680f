"""Somebody else's table, mapped column by column."""

import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from natslib.errors import BadSource, ConfigError, NatslibError, NotMeasured
from natslib.spaces import get_space
from natslib.tables import convert, load
from natslib.tables.format.schema import sum_in_order
from natslib.tables.sources.tidy import read_tidy

MAPPING = {
    "space": "sss",
    "arch": "net",
    "columns": {
        "acc": {"dataset": "cifar10", "recipe": "90", "split": "test", "seed": 777, "metric": "accuracy"},
        "sec": {"dataset": "cifar10", "recipe": "90", "split": "train", "seed": 777, "metric": "time_s"},
    },
}


def write(folder: Path, frame: pd.DataFrame, mapping: dict, suffix: str = ".csv") -> tuple[Path, Path]:
    path, columns = folder / f"mine{suffix}", folder / "columns.yaml"
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
    columns.write_text(yaml.safe_dump(mapping))
    return path, columns


def acc(**change: object) -> dict:
    return {"columns": {"acc": MAPPING["columns"]["acc"] | change}}


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
    where = {"dataset": "cifar10", "recipe": "90"}
    assert table.value("accuracy", 1, split="test", seed=777, **where) == 80.5
    assert table.value("total_time_s", 32767, split="train", **where) == 270
    with pytest.raises(NotMeasured, match="not for 32767"):
        table.value("accuracy", 32767, split="test", **where)


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
            acc(split="tset"),
            "unknown split .*'tset'.*did you mean 'test'",
        ),
        (acc(metric="top1"), "unknown metric"),
        (acc(seed="all"), "'mean' and whole numbers"),
        (
            acc(recipe="long"),
            "how many epochs recipe 'long' has",
        ),
        ({"columns": {"acc": {"dataset": "cifar10"}}}, "needs exactly dataset, recipe, split, seed, metric"),
        ({"columns": {"net": MAPPING["columns"]["acc"]}}, "'net' holds something other than numbers"),
        ({"colums": {}}, "unknown key"),
        ({"epochs": [1]}, "'epochs' maps recipes"),
        ({"epochs": {"90": 2_000_000_000}}, "how many epochs recipe '90' has, from 1 to 10000"),
        ({"epochs": {"90": "9" * 5000}}, "how many epochs"),
        ({"epochs": {"90": [90]}}, "how many epochs"),
        ({"arch": {"net": 1}}, "'arch' is one column's name, or a list"),
        ({"space": {"sss": 1}}, "'space' is one name"),
        ({"datasets": "mine"}, "'datasets' lists names"),
        (acc(recipe="²"), "how many epochs recipe '²' has"),
        (acc(recipe="\ud800"), "not a readable YAML|has recipe"),
        (acc(recipe=["90"]), "has recipe of type list"),
        (acc(seed=2**31), "seed '2147483648'.*from 0 to 2147483647"),
        (acc(seed=99999999999), "seed '99999999999'"),
        (acc(seed=True), "seed 'true'"),
        (acc(seed=[1]), "seed of type list"),
        (acc(dataset="cifra10"), r"unknown dataset of column 'acc' .*'cifra10'.*did you mean 'cifar10'"),
        (acc(dataset=["cifar10"]), "unknown dataset of column 'acc' .*of type list"),
        (acc(split="t" * 5000), r"unknown split of column 'acc' 't{80}'\.\.\. \(5,000 characters\): allowed"),
        ({"columns": {}}, "at least one column"),
        ({"columns": {"acc": []}}, "'acc' has an empty list"),
        (
            {"columns": {"acc": [dict(MAPPING["columns"]["acc"]) for _ in range(2)]}},
            "two columns for accuracy of cifar10, 90, test, 777",
        ),
        ({"encoding": "tuple"}, "unknown encoding .*'tuple': allowed are 'index', 'code', 'naslib', 'names'"),
        ({"separator": "tab"}, "unknown separator .*'tab'"),
        ({"decimal": "."} | acc(metric="top1"), "unknown metric .*loss: nat; accuracy: %"),
        ({"keys": ["seed"]}, "'keys' maps dataset, recipe"),
        ({"files": ["mine.csv"]}, "'files' maps file names"),
        ({"files": {"mine.csv": {"epoch": "1"}}}, "unknown key under .*'epoch'"),
        (
            {"files": {"a.csv": {"seed": "1"}}, "keys": {"seed": "s"}},
            "'seed' stands under 'keys' and for 'a.csv'",
        ),
    ],
)
def test_a_wrong_mapping_is_said_so(tmp_path, frame, change, message):
    path, columns = write(tmp_path, frame, MAPPING | change)
    with pytest.raises(NatslibError, match=message):
        convert(path, tmp_path / "t", columns=columns)
    assert not (tmp_path / "t" / "manifest.json").exists()


LAUGHS = "\n".join(
    [
        "a0: &a0 [x, x]",
        *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 28)),
        "space: *a27",
        "arch: net",
    ]
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS + "\ncolumns: {acc: 1}\n", "an alias"),
        ("[" * 3000, "recursion"),
        ("space: sss\narch: net\ncolumns: {acc: " + "[" * 3000, "recursion"),
        ('space: "\\UFFFFFFFF"', "not a readable YAML mapping"),
        ("space: sss\narch: net\ncolumns: {acc: 1, acc: 2}", "a key stands twice"),
        ("space: !!timestamp sss\narch: !!int y\ncolumns: {}\n", "at least one column"),
    ],
)
def test_a_hostile_mapping_is_refused_at_once(tmp_path, frame, text, message):
    path, columns = write(tmp_path, frame, MAPPING)
    columns.write_text(text)
    with pytest.raises(NatslibError, match=message) as refused:
        read_tidy(path, columns)
    assert len(str(refused.value)) < 1000


def test_an_own_dataset_is_declared_and_a_budget_is_text(tmp_path, frame):
    path, columns = write(tmp_path, frame, MAPPING | acc(dataset="mine") | {"datasets": ["mine"]})
    columns.write_text(columns.read_text().replace("'90'", "090"))
    runs = load_converted(path, columns, tmp_path).runs()
    assert runs[["dataset", "recipe", "epochs"]].to_numpy().tolist() == [["mine", "090", 90]]


@pytest.mark.parametrize(
    ("column", "change", "message"),
    [
        ([50.0, 100.5], {}, "100.5 in row 2 cannot be accuracy"),
        ([-0.1, 50.0], {}, "-0.1 in row 1 cannot be accuracy"),
        ([np.nan, np.inf], {}, "inf in row 2 cannot be accuracy"),
        ([-1.0, 2.0], {"metric": "time_s"}, "-1.0 in row 1 cannot be time_s"),
        (["9" * 400, "1"], {}, "'acc': inf in row 1 cannot be accuracy"),
        ([True, False], {}, "'acc' holds something other than numbers"),
        ([0.93, np.nan], {}, r"'acc': no value above 1; accuracy \(%\) is in percent"),
        ([0.0, 1.0], {"metric": "top5"}, r"'acc': no value above 1; top5 \(%\) is in percent"),
    ],
)
def test_values_that_cannot_be_are_refused_by_column_and_row(tmp_path, frame, column, change, message):
    path, columns = write(tmp_path, frame.assign(acc=column), MAPPING | acc(**change))
    with pytest.raises(BadSource, match=message):
        read_tidy(path, columns)


@pytest.mark.parametrize("column", [[0.0, 0.0], [np.nan, np.nan], [0.0, 100.0]])
def test_constant_zero_empty_and_extreme_accuracies_stand(tmp_path, frame, column):
    path, columns = write(tmp_path, frame.assign(acc=column), MAPPING | acc())
    finals, *_ = read_tidy(path, columns)
    np.testing.assert_array_equal(finals["accuracy"].to_numpy(), [x for x in column if x == x])


def test_an_empty_architecture_and_a_folder_are_refused(tmp_path, frame):
    path, columns = write(tmp_path, frame.assign(net=pd.array([1, None], "Int64")), MAPPING, ".parquet")
    with pytest.raises(BadSource, match=r"mine\.parquet: row 2: no architecture"):
        read_tidy(path, columns)
    with pytest.raises(ConfigError, match="each of them under 'files'"):
        read_tidy(tmp_path, columns)
    with pytest.raises(BadSource, match="no such file"):
        read_tidy(tmp_path / "absent.csv", columns)


def test_the_total_time_is_added_epoch_by_epoch(tmp_path):
    seconds = np.random.default_rng(0).uniform(0.1, 300, 50)
    strings = get_space("sss").strings()[:50]
    frame = pd.DataFrame({"net": strings, "sec": seconds})
    mapping = MAPPING | {"columns": {"sec": MAPPING["columns"]["sec"]}, "epochs": {"90": 10_000}}
    finals, *_ = read_tidy(*write(tmp_path, frame, mapping, ".parquet"))
    expected = [sum_in_order(np.array([second]), 10_000) for second in seconds]
    assert finals["total_time_s"].to_pylist() == expected
    assert expected != (seconds * 10_000).tolist()


def test_the_total_time_needs_no_array_of_all_epochs(tmp_path):
    space = get_space("sss")
    frame = pd.DataFrame({"net": np.arange(len(space)), "sec": 2.0})
    mapping = MAPPING | {"columns": {"sec": MAPPING["columns"]["sec"]}, "epochs": {"90": 500}}
    path, columns = write(tmp_path, frame, mapping, ".parquet")
    tracemalloc.start()
    read_tidy(path, columns)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 500 * len(space) / 2


@pytest.mark.parametrize("nets", [["8:8:8:8:9", "8:8:8:8:8"], ["8:8:8:8:8", "8:8:8:8:8"], [0, 32768]])
def test_unknown_and_double_architectures_are_refused(tmp_path, frame, nets):
    path, columns = write(tmp_path, frame.assign(net=nets, acc=10.0), MAPPING)
    with pytest.raises(NatslibError, match=r"8:8:8:8:9|stands twice|32768"):
        convert(path, tmp_path / "t", columns=columns)


def test_the_real_cifar10_table(shared_data, tmp_path):
    columns = Path(__file__).with_name("nats-tss-cifar10.yaml")
    table = load_converted(shared_data / "nats-tss-cifar10.csv", columns, tmp_path)
    best = table.best(dataset="cifar10", recipe="200", split="test")
    assert best["arch"][0] in (get_space("tss").string(6111), get_space("tss").string(13714))
    assert best["accuracy"][0] == pytest.approx(94.3733, abs=1e-3)
    assert (
        np.isfinite(
            table.values("accuracy", dataset="cifar10-valid", recipe="200", split="valid", seed=999)
        ).sum()
        == 8169
    )
    assert table.cost(dataset="cifar10-valid", recipe="12")[0] == pytest.approx(89.2020952247438, abs=1e-6)
    with pytest.raises(NotMeasured, match="its seeds: mean"):
        table.values("accuracy", dataset="cifar10", recipe="200", split="test", seed=777)
    with pytest.raises(NotMeasured, match="single runs"):
        table.per_seed("accuracy", dataset="cifar10", recipe="200", split="test")
    summary = table.summary("accuracy", dataset="cifar10", recipe="200", split="test")
    assert summary["std"].isna().all()
    assert (summary["count"] == 0).all()
