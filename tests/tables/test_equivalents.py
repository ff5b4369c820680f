"""Answers through the class of equal networks: by whom, for which metrics, and what stays missing."""

import json
from pathlib import Path

import numpy as np
import pytest

from natslib.commands import main
from natslib.datasets import get_dataset
from natslib.errors import NotMeasured
from natslib.spaces import SMALL_SCALE, get_space
from natslib.spaces.topology import equivalence_class
from natslib.tables import Table, convert
from natslib.tables.equivalents import ANSWERED
from natslib.tables.format.schema import METRICS

TSS = get_space("tss")
WHERE = {"dataset": "digits", "recipe": "12", "split": "test"}
EXACT = equivalence_class("exact")
# A class whose members need not cost the same: some carry convolutions that their output does not depend on.
CLASS = next(
    cells
    for first in np.unique(EXACT)
    if len(cells := np.flatnonzero(first == EXACT)) > 4
    and len(np.unique(TSS.params_m(TSS.codes(cells), "digits"))) > 2
)
OTHER = int(np.flatnonzero(EXACT[CLASS[0]] != EXACT)[7])  # a trained cell of another class
MANY, ONE, ASKED = int(CLASS[2]), int(CLASS[1]), int(CLASS[3])
ACCURACY = {(MANY, 777): 70.0, (MANY, 888): 72.0, (ONE, 777): 60.0, (OTHER, 777): 50.0}


def record(arch: int, seed: int, accuracy: float, space: str = "tss") -> dict:
    split = {"epoch": [0, 1], "loss": [2.0, 1.0], "accuracy": [10.0, accuracy], "time_s": [0.5, 0.25]}
    found = get_space(space)
    code, digits = found.codes([arch]), get_dataset("digits")
    costs = {
        name: float(getattr(found, name)(code, digits, SMALL_SCALE)[0]) for name in ("params_m", "flops_m")
    }
    keys = {"space": space, "arch_index": arch, "dataset": "digits", "recipe": "12", "seed": seed}
    return keys | costs | {"latency_s": 0.01, "splits": {"train": split, "test": split}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classes")
    lines = [json.dumps(record(*key, accuracy)) + "\n" for key, accuracy in ACCURACY.items()]
    (folder / "runs.jsonl").write_text("".join(lines))
    convert(folder, folder / "table", processes=1)
    return folder / "table"


@pytest.fixture(scope="module")
def table(folder: Path) -> Table:
    return Table.open(folder).through_classes()


def test_the_default_answers_only_for_what_was_trained(folder: Path) -> None:
    plain = Table.open(folder)
    plain.through_classes()
    assert np.flatnonzero(~np.isnan(plain.values("accuracy", **WHERE))).tolist() == sorted([MANY, ONE, OTHER])
    assert "answered_by" not in plain.summary("accuracy", **WHERE)
    assert plain.answered_by(**WHERE)[[MANY, ASKED]].tolist() == [MANY, -1]


def test_a_trained_cell_answers_for_itself_and_the_one_with_most_seeds_for_its_class(table: Table) -> None:
    by = table.answered_by(**WHERE)
    assert by[[MANY, ONE, OTHER]].tolist() == [MANY, ONE, OTHER]
    assert set(by[CLASS]) == {MANY, ONE}
    np.testing.assert_array_equal(by >= 0, np.isin(EXACT, EXACT[[MANY, OTHER]]))
    summary = table.summary("accuracy", **WHERE).loc[[ASKED, ONE]]
    assert summary["mean"].tolist() == [71.0, 60.0]
    assert summary["count"].tolist() == [2, 1]
    assert summary["answered_by"].tolist() == [MANY, ONE]
    assert np.isnan(summary.loc[ONE, 888]), "a trained cell is not given another cell's seed"


def test_of_members_with_equally_many_seeds_the_lowest_index_answers(tmp_path: Path) -> None:
    (tmp_path / "runs.jsonl").write_text(
        "".join(json.dumps(record(arch, 777, 60.0)) + "\n" for arch in (MANY, ONE))
    )
    convert(tmp_path, tmp_path / "t", processes=1)
    assert Table.open(tmp_path / "t").through_classes().answered_by(**WHERE)[ASKED] == min(ONE, MANY)


def test_losses_and_accuracies_alone_are_answered_through_the_class(table: Table) -> None:
    told = {
        metric: table.per_seed(metric, **WHERE).loc[[ASKED, MANY], 777]
        for metric in METRICS
        if metric != "top5"
    }
    for metric, column in told.items():
        if metric in ANSWERED:
            assert column[ASKED] == column[MANY]
        elif metric not in ("params_m", "flops_m"):
            assert np.isnan(column[ASKED]), metric
            assert not np.isnan(column[MANY]), metric
    for word in ("total_time_s", "latency_s"):
        with pytest.raises(NotMeasured, match=f"no {word} of architecture {ASKED}"):
            table.value(word, ASKED, **WHERE)
    cost = table.cost(dataset="digits", recipe="12", validation=False)
    assert np.flatnonzero(~np.isnan(cost)).tolist() == sorted([MANY, ONE, OTHER])


def test_parameters_and_flops_are_the_asked_cells_own(table: Table) -> None:
    answered = np.flatnonzero(table.answered_by(**WHERE) >= 0)
    for metric in ("params_m", "flops_m"):
        own = getattr(TSS, metric)(TSS.codes(answered), get_dataset("digits"), SMALL_SCALE)
        np.testing.assert_allclose(table.values(metric, **WHERE)[answered], own, rtol=0, atol=1e-12)
        assert len(np.unique(getattr(TSS, metric)(TSS.codes(CLASS), get_dataset("digits"), SMALL_SCALE))) > 1


def test_costs_stay_missing_where_no_known_formula_gives_the_stored_ones(tmp_path: Path) -> None:
    entry = record(MANY, 777, 60.0) | {"params_m": 0.123}
    (tmp_path / "runs.jsonl").write_text(json.dumps(entry) + "\n")
    convert(tmp_path, tmp_path / "t", processes=1)
    table = Table.open(tmp_path / "t").through_classes()
    assert np.flatnonzero(~np.isnan(table.values("params_m", **WHERE))).tolist() == [MANY]


def test_epochs_and_curves_come_from_the_same_cell(table: Table) -> None:
    assert table.value("accuracy", ASKED, epoch=0, **WHERE) == 10.0
    assert table.value("loss", ASKED, epoch=0, **WHERE) == 2.0
    assert table.curve("accuracy", ASKED, seed=888, **WHERE)["accuracy"].tolist() == [10.0, 72.0]
    with pytest.raises(NotMeasured, match=f"no time_s curve of architecture {ASKED}"):
        table.curve("time_s", ASKED, seed=888, **WHERE)


def test_cells_of_no_trained_class_stay_missing(table: Table) -> None:
    unknown = int(table.missing()[0])
    assert EXACT[unknown] not in EXACT[[MANY, OTHER]]
    with pytest.raises(NotMeasured, match=f"no accuracy of architecture {unknown}"):
        table.value("accuracy", unknown, **WHERE)


def test_in_the_size_space_every_network_is_its_own_class(tmp_path: Path) -> None:
    (tmp_path / "runs.jsonl").write_text(json.dumps(record(5, 777, 60.0, "sss")) + "\n")
    convert(tmp_path, tmp_path / "t", processes=1)
    table = Table.open(tmp_path / "t").through_classes()
    assert np.flatnonzero(~np.isnan(table.values("accuracy", **WHERE))).tolist() == [5]


def test_on_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = [
        "query",
        str(folder),
        "--arch",
        str(ASKED),
        "--dataset",
        "digits",
        "--recipe",
        "12",
        "--split",
        "test",
    ]
    assert main(query) == 1
    assert f"no accuracy of architecture {ASKED}" in capsys.readouterr().err
    assert main([*query, "--through-class", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["arch_index"], row["mean"], row["answered_by"]) == (ASKED, 71.0, MANY)
    assert main(["info", str(folder)]) == 0
    total = int(np.isin(EXACT, EXACT[[MANY, OTHER]]).sum())
    words = f"measured    digits recipe 12: 3 of 15,625; {total:,} through their class of equal networks\n"
    assert words in capsys.readouterr().out
