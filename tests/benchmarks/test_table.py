"""Questions to a table: answers, and what is said where there is none."""

import numpy as np
import pyarrow as pa
import pytest

from natslib.benchmarks import Table, load
from natslib.benchmarks.schema import Block
from natslib.benchmarks.store import block_of_finals
from natslib.errors import BadSource, ConfigError, NotMeasured, UnknownArchitecture, UnknownName
from natslib.spaces import get_space

SSS = get_space("sss")
WHERE = {"dataset": "cifar10", "budget": "90", "split": "test"}


def rows(seed, index, accuracy, **more):
    values = {"arch_index": np.array(index), "epoch": np.array(89), "accuracy": np.array(accuracy)} | more
    return block_of_finals(Block("cifar10", "90", "test", seed), values)


@pytest.fixture(scope="module")
def table() -> Table:
    finals = pa.concat_tables(
        [
            rows(888, [5, 2, 9], [90.0, 80.0, 70.0]),
            rows(777, [2, 5], [82.0, 90.0], loss=np.array([0.5, 0.4])),
        ]
    )
    return Table.from_finals(finals, SSS, {"origin": "test"})


def test_values_mean_spread_and_count(table):
    mean = table.values("accuracy", **WHERE)
    assert mean.shape == (32768,)
    assert (mean[2], mean[5], mean[9]) == (81.0, 90.0, 70.0)
    assert np.isnan(mean).sum() == 32765
    summary = table.summary("accuracy", **WHERE).loc[[2, 9]]
    assert summary["count"].tolist() == [2, 1]
    assert summary["std"].iloc[0] == pytest.approx(np.sqrt(2))
    assert np.isnan(summary["std"].iloc[1])
    runs = table.per_seed("accuracy", **WHERE).loc[9]
    assert np.isnan(runs[777])
    assert runs[888] == 70.0


def test_best_ranks_and_regret(table):
    best = table.best(5, **WHERE)
    assert best["arch_index"].tolist() == [5, 2, 9]
    assert best["arch"][0] == SSS.string(5)
    lowest = table.best(metric="loss", seed=777, **WHERE)
    assert lowest["arch_index"].tolist() == [5]
    ranks = table.ranks(**WHERE)
    assert (ranks[5], ranks[2], ranks[9]) == (1, 2, 3)
    assert table.regret(**WHERE)[[5, 2]].tolist() == [0.0, 9.0]


def test_of_equals_the_lowest_index_is_best_and_ranks_are_shared():
    table = Table.from_finals(rows(1, [7, 3, 8], [50.0, 50.0, 40.0]), SSS, {})
    assert table.best(**WHERE)["arch_index"].tolist() == [3]
    assert table.ranks(**WHERE)[[3, 7, 8]].tolist() == [1, 1, 3]


@pytest.mark.parametrize("arch", [5, SSS.string(5), SSS.code(5), np.int64(5)])
def test_an_architecture_by_any_of_its_names(table, arch):
    assert table.value(arch, "accuracy", **WHERE) == 90.0


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"dataset": "cifar"}, UnknownName, ["'cifar'", "did you mean"]),
        ({"dataset": "cifar100"}, NotMeasured, ["'cifar100'", "cifar10 budget '90' 'test' (seeds 777, 888)"]),
        ({"budget": "200"}, NotMeasured, ["budget '200'", "budget '90'"]),
        ({"split": "valid"}, NotMeasured, ["split 'valid'", "'test'"]),
        ({"split": "vaild"}, UnknownName, ["'vaild'", "did you mean 'valid'"]),
        ({"seed": 999}, NotMeasured, ["seed 999", "777, 888"]),
        ({"metric": "acc"}, UnknownName, ["'acc'", "'accuracy'"]),
        ({"metric": "top5"}, NotMeasured, ["top5"]),
        ({"metric": "loss", "seed": 888}, NotMeasured, ["loss of seed 888"]),
        ({"arch": 6}, NotMeasured, ["architecture 6", "not for 6"]),
        ({"arch": 9, "seed": 777}, NotMeasured, ["architecture 9 of seed 777"]),
        ({"arch": 32768}, UnknownArchitecture, ["32768", "32767"]),
        ({"arch": -1}, UnknownArchitecture, ["-1"]),
        ({"arch": "8:8:8:8:9"}, UnknownArchitecture, ["8:8:8:8:9"]),
        ({"epoch": 90}, ConfigError, ["epoch 90", "0 to 89"]),
        ({"epoch": -1}, ConfigError, ["epoch -1"]),
        ({"epoch": 10}, NotMeasured, ["epoch 10"]),
    ],
)
def test_what_is_not_there_is_named_with_what_is(table, change, error, words):
    asked = {"arch": 5, "metric": "accuracy", **WHERE} | change
    with pytest.raises(error) as raised:
        table.value(asked.pop("arch"), asked.pop("metric"), **asked)
    for word in words:
        assert word in str(raised.value)


def test_answers_cannot_be_changed_by_accident(table):
    with pytest.raises(ValueError, match="read-only"):
        table.values("accuracy", **WHERE)[5] = 100


def test_costs_that_differ_from_the_closed_form_are_flagged_and_left_as_they_are():
    right = SSS.params_m(SSS.codes(np.array([2, 5])), "cifar10")
    table = Table.from_finals(rows(1, [2, 5], [1.0, 1.0], params_m=right + np.array([0, 0.001])), SSS, {})
    assert table.frame()["cost_mismatch"].tolist() == [False, True]
    assert table.value(5, "params_m", **WHERE) == right[1] + 0.001
    none = Table.from_finals(rows(1, [2, 5], [1.0, 1.0]), SSS, {})
    assert none.frame()["cost_mismatch"].isna().all()


def test_an_architecture_that_stands_twice_is_refused():
    with pytest.raises(BadSource, match="architecture 2 stands twice"):
        Table.from_finals(rows(1, [2, 2], [1.0, 2.0]), SSS, {})


def test_what_is_no_table_is_refused(tmp_path):
    for source in (tmp_path / "nowhere", "publishd"):
        with pytest.raises(BadSource, match="neither 'published' nor the folder of a converted table"):
            load(source)
    with pytest.raises(BadSource, match=r"no finished table here \(.*manifest.json is missing\)"):
        load(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "finals.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(BadSource, match="not a readable table"):
        load(tmp_path)
    pa.parquet.write_table(pa.table({"a": [1]}), tmp_path / "finals.parquet")
    with pytest.raises(BadSource, match="not a table that natslib wrote"):
        load(tmp_path)
