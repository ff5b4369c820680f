"""Questions to a table: answers, and what is said where there is none."""

import functools
import json
import shutil
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from bench.records import write_archive
from natslib.errors import BadSource, ConfigError, NotMeasured, UnknownArchitecture, UnknownName
from natslib.spaces import get_space
from natslib.tables import Table, convert, load
from natslib.tables.format.schema import FORMAT, Block
from natslib.tables.format.writing import block_of_finals

SSS, TSS = get_space("sss"), get_space("tss")
WHERE = {"dataset": "cifar10", "recipe": "90", "split": "test"}


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
    best = table.best(k=5, **WHERE)
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
    assert table.value("accuracy", arch, **WHERE) == 90.0


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"dataset": "cifar"}, UnknownName, ["'cifar'", "did you mean"]),
        ({"dataset": "cifar100"}, NotMeasured, ["'cifar100'", "cifar10 recipe '90' 'test' (seeds 777, 888)"]),
        ({"recipe": "200"}, NotMeasured, ["recipe '200'", "recipe '90'"]),
        ({"split": "valid"}, NotMeasured, ["split 'valid'", "'test'"]),
        ({"split": "vaild"}, UnknownName, ["'vaild'", "did you mean 'valid'"]),
        ({"seed": 999}, NotMeasured, ["seed 999", "777, 888"]),
        ({"metric": "acc"}, UnknownName, ["'acc'", "'accuracy'"]),
        (
            {"metric": "top5"},
            NotMeasured,
            ["top5", "there is: loss, accuracy", "no top5 stands anywhere else"],
        ),
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
        table.value(asked.pop("metric"), asked.pop("arch"), **asked)
    for word in words:
        assert word in str(raised.value)


def test_answers_cannot_be_changed_by_accident(table):
    with pytest.raises(ValueError, match="read-only"):
        table.values("accuracy", **WHERE)[5] = 100


def test_costs_that_differ_from_the_closed_form_are_flagged_and_left_as_they_are():
    right = SSS.params_m(SSS.codes(np.array([2, 5])), "cifar10")
    table = Table.from_finals(rows(1, [2, 5], [1.0, 1.0], params_m=right + np.array([0, 0.001])), SSS, {})
    assert table.frame()["cost_mismatch"].tolist() == [False, True]
    assert table.value("params_m", 5, **WHERE) == right[1] + 0.001
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
    with pytest.raises(BadSource, match="not the manifest of a table, 'format' is missing"):
        load(tmp_path)
    with pytest.raises(BadSource, match="cannot be opened"):
        load("x" * 5000)


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """A folder whose table has curves: cells 0 and 7 of the topology space."""
    folder = tmp_path_factory.mktemp("converted")
    write_archive(folder / "a", TSS, [0, 7])
    convert(folder / "a", folder / "t", processes=1)
    return folder / "t"


@pytest.fixture
def folder(converted, tmp_path):
    return shutil.copytree(converted, tmp_path / "t")


def change_manifest(folder, **changes):
    manifest = json.loads((folder / "manifest.json").read_text()) | changes
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return manifest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1]", "not a readable manifest of a table"),
        ("{", "manifest.json: not a readable manifest"),
        ("[" * 100_000, "manifest.json: not a readable manifest"),
        ('{"format": 1, "space": 5}', "table format 1, this natslib reads"),
        (f'{{"format": {FORMAT}, "space": 5}}', "'space' is missing or no str"),
    ],
)
def test_a_manifest_of_another_form_is_refused(folder, text, words):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(BadSource, match=words):
        load(folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"space": "sss"}, "does not hold the blocks"),
        ({"blocks": []}, "does not hold the blocks"),
        ({"blocks": [{"dataset": "cifar10"}]}, "finals.parquet: cannot be read"),
        ({"format": 99}, "table format 99"),
        ({"sha256": {}}, "'finals.parquet'"),
        ({"sha256": {"finals.parquet": "", "../secret": ""}}, "'../secret'"),
        ({"sha256": {"finals.parquet": "", "curves/000128.parquet": ""}}, "curves/000128.parquet is missing"),
    ],
)
def test_a_manifest_that_does_not_fit_its_files_is_refused(folder, changes, words):
    change_manifest(folder, **changes)
    with pytest.raises(BadSource, match=words):
        load(folder)


def test_a_table_without_its_curves_is_not_whole(folder):
    shutil.rmtree(folder / "curves")
    with pytest.raises(BadSource, match=r"not whole, curves/000000.parquet is missing"):
        load(folder)


def test_files_that_the_manifest_does_not_list_are_not_read(folder):
    (folder / "curves" / "999999.parquet").write_bytes(b"not ours")
    assert load(folder).value("loss", 7, dataset="cifar10", recipe="12", split="train", epoch=3) > 0


@pytest.mark.parametrize("name", ["finals.parquet", "curves/000000.parquet"])
def test_a_damaged_file_is_named(folder, name):
    path = folder / name
    path.write_bytes(path.read_bytes()[:8] + b"x" * 4000 + path.read_bytes()[4008:])
    table = load(folder)
    with pytest.raises(BadSource, match=name):
        table.verify()
    with pytest.raises(BadSource, match=f"{name}: cannot be read"):  # noqa: PT012
        for run in table.runs().itertuples():
            where = {"dataset": run.dataset, "recipe": run.recipe, "split": run.split}
            table.values("accuracy", **where, seed=run.seed, epoch=run.epochs - 1)
            table.values("accuracy", **where, seed=run.seed)
    path.write_bytes(b"PAR1")
    with pytest.raises(BadSource, match=f"{name}: cannot be read"):
        load(folder).values("loss", dataset="cifar10", recipe="12", split="train", epoch=3)


def test_verify_counts_the_files_it_compared(folder):
    assert load(folder).verify() == 2


def test_a_source_without_curves_says_so(table):
    for seed in ("mean", 777):
        with pytest.raises(NotMeasured, match="this source has no curves"):
            table.values("accuracy", **WHERE, seed=seed, epoch=88)
    with pytest.raises(NotMeasured, match="this source has no curves"):
        table.curve("accuracy", 5, **WHERE, seed=777)
    assert table.curves(**WHERE) == "none"


def test_curves_are_told_by_their_extent(converted):
    table = load(converted)
    assert table.curves("cifar100", "12", "valid") == "every epoch"
    assert table.curves("cifar100", "200", "valid") == "last epoch only"
    assert table.curves("cifar100", "200", "train") == "every epoch"
    where = {"dataset": "cifar100", "recipe": "200", "split": "valid"}
    with pytest.raises(NotMeasured, match=r"at epoch 10 .*its curves: last epoch only"):
        table.values("accuracy", **where, epoch=10)


def test_missing_architectures_are_those_without_a_row(table):
    assert len(table.missing()) == 32765
    assert not {2, 5, 9} & set(table.missing())


def test_few_columns_at_an_epoch_are_kept_and_those_of_the_last_for_good(converted):
    table = load(converted)
    where = {"dataset": "cifar10-valid", "recipe": "200", "split": "train"}
    last = table.values("accuracy", **where)
    tracemalloc.start()
    for epoch in range(150):
        table.values("accuracy", **where, epoch=epoch)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 70 * last.nbytes  # 64 columns, where 150 epochs of three seeds and their means are 600
    assert table.values("accuracy", **where) is last
    assert table.values("accuracy", **where, epoch=149) is table.values("accuracy", **where, epoch=149)


def test_the_mean_is_over_the_seeds_that_have_the_metric(table):
    assert table.value("loss", 5, **WHERE) == 0.4
    assert table.per_seed("loss", **WHERE).columns.tolist() == [777]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": "777"}, ["seed is '777'", "'mean' or a whole number"]),
        ({"seed": True}, ["seed is True"]),
        ({"seed": -1}, ["seed is -1"]),
        ({"epoch": True}, ["epoch is True", "whole number"]),
        ({"epoch": 3.0}, ["epoch is 3.0"]),
        ({"epoch": "3"}, ["epoch is '3'"]),
        ({"recipe": 200}, ["recipe is 200", "a string, such as '200'"]),
        ({"dataset": ["cifar10"]}, ["dataset is ['cifar10']"]),
        ({"split": 5}, ["split is 5"]),
        ({"metric": 5}, ["metric is 5"]),
    ],
)
def test_an_argument_of_a_wrong_type_is_shown_with_what_is_allowed(table, change, words):
    asked = {"metric": "accuracy", **WHERE} | change
    for ask in (table.values, functools.partial(table.value, arch=5)):
        with pytest.raises(ConfigError) as raised:
            ask(**asked)
        for word in words:
            assert word in str(raised.value)


@pytest.mark.parametrize("k", [0, -1, True, 2.5, "3"])
def test_best_needs_a_whole_number_from_1(table, k):
    with pytest.raises(ConfigError, match="whole number from 1"):
        table.best(k=k, **WHERE)
