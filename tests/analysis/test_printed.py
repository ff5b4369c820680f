"""The printed numbers hang together, and no measuring code reads them."""

import re
from pathlib import Path

import pytest

import natslib
from natslib.analysis.printed import EVIDENCE, read_printed, read_shifts
from natslib.errors import UnknownName

TABLES = ["nats-bench-table-4", "nas-bench-201-table-5"]


def test_a_printed_value_and_its_source() -> None:
    table = read_printed("nats-bench-table-4")
    row = table.query("space == 'tss' and method == 'rea' and dataset == 'cifar10' and split == 'test'").iloc[
        0
    ]
    assert (row["mean"], row["std"]) == (94.02, 0.31)
    assert "TPAMI 2021, Table 4" in row["source"]


@pytest.mark.parametrize("name", TABLES)
def test_every_row_is_complete_and_below_the_optimum(name: str) -> None:
    table = read_printed(name)
    keys = ["space", "method", "dataset", "split"]
    assert not table.duplicated(keys).any()
    assert (table.groupby(["space", "method"]).size() == 6).all()
    assert set(table["evidence"]) <= {"quoted", "recomputed", "remembered"}
    lone = table["std"].isna()
    assert set(table.loc[lone, "method"]) == set(table["method"]) & {"optimal", "resnet", "largest"}
    best = table[table["method"] == "optimal"].set_index(["space", "dataset", "split"])["mean"]
    others = table.set_index(["space", "dataset", "split"])["mean"]
    assert (others <= best.reindex(others.index)).all()


def test_the_paper_of_darts_pt_prints_one_architecture_a_method_by_its_test_accuracy() -> None:
    table = read_printed("darts-pt-table-4")
    tested = table[table["split"] == "test"].set_index("method")["mean"]
    assert tested.to_dict() == {"darts-v1": 54.30, "darts-pt": 88.11, "darts-pt-fixed": 93.80}
    assert table.loc[table["split"] == "valid", "mean"].isna().all()


@pytest.mark.parametrize("name", [*TABLES, "darts-pt-table-4"])
def test_every_row_says_how_it_came_down_to_us(name: str) -> None:
    assert set(read_printed(name)["evidence"]) <= set(EVIDENCE)


@pytest.mark.parametrize(
    ("space", "method", "dataset", "split", "evidence"),
    [
        ("tss", "bohb", "cifar10", "test", "remembered"),
        ("tss", "gdas", "cifar100", "valid", "recomputed"),
        ("tss", "darts-v2", "cifar100", "test", "recomputed"),
        ("tss", "darts-v2", "ImageNet16-120", "test", "remembered"),
        ("tss", "enas", "cifar10", "valid", "recomputed"),
        ("tss", "enas", "cifar100", "valid", "remembered"),
        ("tss", "enas", "ImageNet16-120", "test", "recomputed"),
        ("sss", "largest", "cifar10", "test", "recomputed"),
        ("sss", "largest", "cifar10", "valid", "remembered"),
        ("sss", "optimal", "ImageNet16-120", "test", "recomputed"),
        ("sss", "optimal", "ImageNet16-120", "valid", "remembered"),
    ],
)
def test_a_row_may_have_numbers_of_different_evidence(
    space: str, method: str, dataset: str, split: str, evidence: str
) -> None:
    table = read_printed("nats-bench-table-4").set_index(["space", "method", "dataset", "split"])
    assert table.loc[(space, method, dataset, split), "evidence"] == evidence


def test_an_unknown_table_is_named() -> None:
    with pytest.raises(UnknownName, match="unknown printed table 'table-4'"):
        read_printed("table-4")


def test_nothing_that_measures_reads_them() -> None:
    package = Path(natslib.__file__).parent
    for part in ("tables", "search", "weight_sharing", "training", "nets", "spaces", "commands"):
        files = list((package / part).rglob("*.py"))
        assert files, part
        for path in files:
            assert not re.search(r"analysis(\.| import .*)printed", path.read_text()), path


@pytest.mark.parametrize(("form", "correlation"), [("original", 0.5468), ("plus", 0.43)])
def test_printed_shifts_are_those_of_one_form(form: str, correlation: float) -> None:
    shifts = read_shifts(form).set_index("data")
    assert shifts.loc["Coloured MNIST", "correlation"] == correlation
    assert len(shifts) == {"original": 11, "plus": 13}[form]
    assert shifts[["diversity", "correlation"]].stack().between(0, 1).all()
    assert set(shifts["evidence"]) == {"read"}


def test_shifts_are_no_table_of_accuracies_and_have_two_forms() -> None:
    with pytest.raises(UnknownName, match="printed table"):
        read_printed("ood-bench-shift")
    with pytest.raises(UnknownName, match="'original', 'plus'"):
        read_shifts("hellinger")
