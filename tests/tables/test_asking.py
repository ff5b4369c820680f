"""What is stored is asked for under every name that it has; what is not is answered with what is there instead."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from bench.records import official_record, pack
from natslib.commands import main
from natslib.errors import ConfigError, NotMeasured, UnknownName
from natslib.spaces import get_space
from natslib.tables import Table, convert, load
from natslib.tables.format.schema import Block
from natslib.tables.format.writing import block_of_finals
from tests.tables.test_logs import line

ROOT = Path(__file__).resolve().parents[2]
SSS = get_space("sss")
SHIPPED = {"dataset": "digits", "recipe": "12", "split": "valid"}


def block(split: str, seed: int, **values: object) -> pa.Table:
    shared = {"arch_index": np.array([2, 5]), "epoch": np.array(11)}
    return block_of_finals(Block("cifar10", "12", split, seed), shared | values)


PARAMS_M = SSS.params_m(SSS.codes([2, 5]), "cifar10")


@pytest.fixture(scope="module")
def split_costs() -> Table:
    """Parameters stand with split 'train' as a mean, latency with one seed of split 'test' alone."""
    return Table.from_finals(
        pa.concat_tables(
            [
                block("train", -1, params_m=PARAMS_M),
                block("test", 777, accuracy=np.array([80.0, 90.0]), latency_s=np.array([0.1, np.nan])),
                block("test", 888, accuracy=np.array([81.0, 91.0])),
            ]
        ),
        SSS,
        {},
    )


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_costs_of_a_run_are_found_under_every_split(split_costs, split):
    where = {"dataset": "cifar10", "recipe": "12", "split": split}
    assert split_costs.value("params_m", 5, **where) == PARAMS_M[1]
    assert split_costs.value("params_m", 5, epoch=3, **where) == PARAMS_M[1]
    assert split_costs.value("latency_s", 2, seed=777, **where) == 0.1
    assert split_costs.value("latency_s", 2, **where) == 0.1
    assert split_costs.summary("params_m", **where).loc[5, "mean"] == PARAMS_M[1]
    assert split_costs.per_seed("latency_s", **where).columns.tolist() == [777]
    with pytest.raises(NotMeasured, match="not for 5"):
        split_costs.value("latency_s", 5, **where)
    with pytest.raises(NotMeasured):
        split_costs.value("params_m", 2, seed=777, **where)


def test_accuracies_and_times_stay_with_their_split(split_costs):
    for metric in ("accuracy", "total_time_s"):
        with pytest.raises(NotMeasured):
            split_costs.values(metric, dataset="cifar10", recipe="12", split="valid")


def in_form(form: str) -> Table:
    table = load(ROOT / "logs/embedded-tss")
    if form == "memory":
        return Table.from_finals(table._reader._finals.read(), table.space, {})
    return table.through_classes() if form == "classes" else table


@pytest.mark.parametrize("form", ["folder", "memory", "classes"])
@pytest.mark.parametrize("metric", ["loss", "accuracy", "top5", "total_time_s", "time_s", "params_m"])
def test_the_last_epoch_by_its_number_is_the_last_epoch_to_the_bit(form, metric):
    table = in_form(form)
    split = "train" if metric == "top5" else "valid"
    where = SHIPPED | {"split": split}
    for seed in ("mean", 777, np.int32(777)):
        by_number = table.values(metric, seed=seed, epoch=np.int64(11), **where)
        np.testing.assert_array_equal(by_number, table.values(metric, seed=seed, **where))
    assert table.value(metric, 137, epoch=11, **where) == table.value(metric, 137, **where)
    per_seed = (table.per_seed(metric, epoch=epoch, **where).to_numpy() for epoch in (11, None))
    np.testing.assert_array_equal(*per_seed)


@pytest.mark.parametrize("form", ["folder", "classes"])
def test_a_curve_ends_with_the_last_epoch_and_is_single_precision_before(form):
    table = in_form(form)
    curve = table.curve("accuracy", 137, seed=777, **SHIPPED)["accuracy"]
    assert curve.iloc[-1] == table.value("accuracy", 137, seed=777, **SHIPPED)
    single = curve.iloc[:-1].to_numpy()
    np.testing.assert_array_equal(single, single.astype(np.float32))
    assert curve.iloc[4] == table.value("accuracy", 137, seed=777, epoch=4, **SHIPPED)


def test_the_time_up_to_each_epoch_is_a_curve_too():
    table = in_form("folder")
    curve = table.curve("total_time_s", 137, seed=777, **SHIPPED)["total_time_s"]
    for epoch in (0, 5, 11):
        assert curve[epoch] == table.value("total_time_s", 137, seed=777, epoch=epoch, **SHIPPED)
    with pytest.raises(UnknownName, match="total_time_s"):
        table.curve("params_m", 137, seed=777, **SHIPPED)
    with pytest.raises(ConfigError, match="epoch 12"):
        table.values("params_m", epoch=12, **SHIPPED)


def said(table: Table, metric: str = "accuracy", **where: object) -> str:
    with pytest.raises(NotMeasured) as raised:
        table.value(metric, 0, **where)
    return str(raised.value)


@pytest.fixture(scope="module")
def published() -> Table:
    return load("published")


@pytest.mark.parametrize(
    ("where", "words", "not_said"),
    [
        (
            ("flops_m", "cifar10-valid", "200", "valid"),
            [
                "there is: accuracy, params_m, latency_s",
                "table.space.flops_m(table.space.code(arch), 'cifar10-valid')",
            ],
            "nearest",
        ),
        (
            ("accuracy", "cifar10-valid", "200", "train"),
            [
                "there is: time_s, total_time_s",
                "nearest in this table: cifar10-valid recipe '200' 'valid' (seeds",
            ],
            "'200' 'train' (",
        ),
        (
            ("accuracy", "cifar10", "200", "test"),
            ["nothing of split 'test', the official archives have", "cifar100 recipe '200' 'valid'"],
            "'200' 'train'",
        ),
        (("accuracy", "cifar100", "12", "valid"), ["cifar100 recipe '200' 'valid'"], "ImageNet"),
        (("loss", "cifar100", "200", "valid"), ["no loss stands anywhere else"], "nearest"),
    ],
)
def test_what_is_said_is_never_the_question(published, where, words, not_said):
    metric, dataset, recipe, split = where
    text = said(published, metric, dataset=dataset, recipe=recipe, split=split)
    for word in words:
        assert word in text
    assert not_said not in text.split(";", 1)[1]


def test_the_closed_form_that_is_named_answers(published):
    text = said(published, "flops_m", dataset="cifar100", recipe="200", split="valid")
    form = text.rsplit(": ", 1)[1]
    assert eval(form, {"table": published, "arch": 0}) == pytest.approx(15.65322)


def test_the_options_that_help_are_named(published, tmp_path):
    with pytest.raises(NotMeasured, match=r"nearest .* 'train' .*validation=False\) leaves that pass out"):
        published.cost(dataset="cifar100", recipe="200")
    where = {"dataset": "cifar100", "recipe": "200", "split": "valid"}
    assert "own training, such as logs/embedded-tss" in said(published, epoch=3, **where)
    assert "its seeds: 777, 888, 999" in said(published, seed=111, **where)
    (tmp_path / "a.jsonl").write_text(line(5) + line(3, seed=888) + line(3))
    convert(tmp_path, tmp_path / "t")
    with pytest.raises(NotMeasured, match="not for 5; other seeds: 777"):
        load(tmp_path / "t").value("accuracy", 5, dataset="cifar100", recipe="2", split="test", seed=888)


def test_single_precision_is_printed_by_its_shortest_text(capsys):
    ask = ["query", str(ROOT / "logs/embedded-tss"), "--arch", "137", "--dataset", "digits", "--recipe", "12"]
    table = load(ROOT / "logs/embedded-tss")
    for epoch in (3, 11):
        assert main([*ask, "--split", "valid", "--epoch", str(epoch), "--json"]) == 0
        (told,) = json.loads(capsys.readouterr().out)
        for seed in (777, 888, 999):
            value = table.value("accuracy", 137, seed=seed, epoch=epoch, **SHIPPED)
            assert told[str(seed)] == (value if epoch == 11 else float(str(np.float32(value))))
            assert len(str(told[str(seed)])) <= 6  # a share of 1,350 images has three decimals here
        assert told["count"] == 3
    assert main([*ask, "--split", "valid", "--epoch", "3", "--csv"]) == 0
    assert len(capsys.readouterr().out.split(",")[2]) <= 6


def test_files_of_curves_in_no_order_are_all_found(tmp_path, monkeypatch):
    """As the official single file leaves them, whose records need not be in index order."""
    monkeypatch.setattr("natslib.tables.conversion.CHUNK", 2)
    order = [7, 300, 0, 12, 299, 1, 5]
    records = {index: official_record(SSS, index) for index in order}
    (tmp_path / "whole.pickle.pbz2").write_bytes(pack({"arch2infos": records}))
    manifest = convert(tmp_path / "whole.pickle.pbz2", tmp_path / "t")
    assert len(manifest["sha256"]) == 5
    table = load(tmp_path / "t")
    for index in order:
        trial = records[index]["12"]["all_results"][("cifar100", 888)]
        where = {"dataset": "cifar100", "recipe": "12", "split": "train", "seed": 888}
        curve = table.curve("loss", index, **where)["loss"]
        np.testing.assert_allclose(curve, list(trial["train_losses"].values()), rtol=1e-6)
        assert table.value("loss", index, epoch=4, **where) == curve[4]
    with pytest.raises(NotMeasured, match="not for 8"):
        table.curve("loss", 8, **where)
