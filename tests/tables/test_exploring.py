"""A table as one explores it: what may be left out, length, indexing, and what it shows of itself."""

import numpy as np
import pyarrow as pa
import pytest

from natslib.errors import ConfigError, NotMeasured, UnknownArchitecture, UnknownName
from natslib.spaces import get_space
from natslib.tables import Table
from natslib.tables.format.schema import Block
from natslib.tables.format.writing import block_of_finals

TSS = get_space("tss")


def block(place, index, epochs=12, **values):
    last = {"arch_index": np.array(index), "epoch": np.full(len(index), epochs - 1)}
    return block_of_finals(Block(*place), last | {name: np.array(each) for name, each in values.items()})


@pytest.fixture(scope="module")
def table() -> Table:
    parts = [
        block(("cifar10-valid", "12", "train", 777), [3, 7], time_s=[1.0, 2.0], total_time_s=[12.0, 24.0]),
        block(("cifar10-valid", "12", "valid", 777), [3, 7], accuracy=[80.0, 70.0], loss=[0.5, 0.25]),
        block(("cifar10-valid", "12", "valid", 888), [3], accuracy=[82.0]),
        block(("digits", "36", "valid", 777), [3], epochs=36, accuracy=[60.0]),
        block(("digits", "36", "test", 777), [3], epochs=36, accuracy=[50.0]),
    ]
    return Table.from_finals(pa.concat_tables(parts), TSS, {"origin": "<made>"})


def test_what_is_left_out_is_the_only_choice(table):
    assert table.value("accuracy", 3, dataset="cifar10-valid") == 81.0
    assert table.value("accuracy", 3, split="test") == 50.0
    assert table.value("loss", 7) == 0.25
    assert table.values(recipe="36", split="valid")[3] == 60.0
    assert table.best(dataset="cifar10-valid", k=2)["arch_index"].tolist() == [3, 7]
    assert table.best("loss")["arch_index"].tolist() == [7]
    assert table.ranks("loss")[7] == 1
    assert table.regret("loss")[3] == 0.25
    assert table.per_seed(dataset="cifar10-valid").columns.tolist() == [777, 888]
    assert table.summary(dataset="cifar10-valid").loc[3, "count"] == 2
    with pytest.raises(NotMeasured, match="recipe '12', split 'valid'; this source has no curves"):
        table.curve("accuracy", 7, dataset="cifar10-valid", seed=777)
    assert table.cost(validation=False)[7] == 24.0
    through = table.through_classes().summary(dataset="cifar10-valid")
    assert through.loc[3, "answered_by"] == 3


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({}, ConfigError, ["dataset is not given", "'cifar10-valid', 'digits'"]),
        ({"dataset": "digits"}, ConfigError, ["split is not given", "'valid', 'test'"]),
        ({"dataset": "cifar10"}, NotMeasured, ["no accuracy for dataset 'cifar10';", "nearest"]),
        ({"split": "train"}, NotMeasured, ["no accuracy for split 'train'"]),
        ({"dataset": "cifar"}, UnknownName, ["'cifar'", "did you mean"]),
        ({"split": "validation"}, UnknownName, ["'validation'"]),
        ({"metric": "acuracy"}, UnknownName, ["'acuracy'", "'accuracy'"]),
        ({"metric": 5}, ConfigError, ["metric is 5"]),
        ({"recipe": 12}, ConfigError, ["recipe is 12"]),
    ],
)
def test_what_cannot_be_left_out_is_listed(table, asked, error, words):
    with pytest.raises(error) as raised:
        table.values(**asked)
    for word in words:
        assert word in str(raised.value)


def test_a_table_has_length_members_and_rows(table):
    assert len(table) == 15_625
    assert next(iter(table)) == TSS.string(0)
    assert 3 in table
    assert TSS.string(7) in table
    assert 4 not in table
    known = table[TSS.string(3)]
    assert known.loc[("cifar10-valid", "12", "valid"), "accuracy"] == 81.0
    assert known.loc[("digits", "36", "test"), "accuracy"] == 50.0
    assert np.isnan(known.loc[("digits", "36", "test"), "loss"])
    assert table[4].isna().all(axis=None)
    with pytest.raises(UnknownArchitecture):
        table["mine"]
    with pytest.raises(UnknownArchitecture):
        15_625 in table  # noqa: B015 (it raises)


def test_a_table_shows_itself(table):
    assert (
        repr(table)
        == "<Table of '<made>': 2 of 15,625 architectures of the topology space, 5 blocks; see runs()>"
    )
    shown = table._repr_html_()
    assert "&lt;made&gt;" in shown
    assert "<made>" not in shown
    assert "<td>cifar10-valid</td>" in shown
    assert "<td>777, 888</td>" in shown
