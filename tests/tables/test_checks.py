"""Mappings that contradict the benchmark, the column's name, its values or another column: refused in words."""

import numpy as np
import pandas as pd
import pytest
import yaml

from natslib.commands import main
from natslib.errors import NatslibError
from natslib.spaces import get_space
from natslib.tables import convert
from natslib.tables.format.schema import UNITS
from tests.tables.case import copied_case

SSS = get_space("sss")
N = 40
RISING = np.linspace(50, 90, N)


def target(metric, dataset="cifar10-valid", split="valid", seed="mean", recipe="200"):
    return {"dataset": dataset, "recipe": recipe, "split": split, "seed": seed, "metric": metric}


def refused(folder, columns) -> str:
    """Convert columns, by name their target and values, and return what is said; empty where they are taken."""
    frame = pd.DataFrame({"arch": np.arange(len(next(iter(columns.values()))[1]))})
    frame = frame.assign(**{name: values for name, (_, values) in columns.items()})
    frame.to_csv(folder / "mine.csv", index=False)
    mapping = {
        "space": "sss",
        "arch": "arch",
        "datasets": ["pets"],
        "columns": {name: place for name, (place, _) in columns.items()},
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(mapping))
    table = folder / f"t{len(list(folder.iterdir()))}"
    try:
        convert(folder / "mine.csv", table, columns=folder / "mine.yaml")
    except NatslibError as error:
        assert not (table / "manifest.json").exists()
        return str(error)
    return ""


def test_cifar10_has_no_validation_split(tmp_path, capsys):
    source, mapping = copied_case("c06-cifar10-validation", tmp_path)
    assert main(["convert", str(source), str(tmp_path / "t"), "--columns", str(mapping)]) == 1
    told = capsys.readouterr().err
    assert "validation accuracy of CIFAR-10 belongs to dataset 'cifar10-valid'" in told
    assert "'cifar10-val'" in told


@pytest.mark.parametrize(
    ("dataset", "split", "words"),
    [
        ("cifar10-valid", "valtest", "'cifar10-valid' has no split 'valtest', only 'train', 'valid', 'test'"),
        ("cifar10", "valtest", "'cifar10' has no split 'valtest', only 'train', 'test'"),
        ("photos", "valtest", "'photos' has no split 'valtest'"),
        ("cifar100", "valtest", ""),
        ("pets", "valtest", ""),
    ],
)
def test_a_split_that_the_dataset_does_not_have_is_refused(dataset, split, words, tmp_path):
    told = refused(tmp_path, {"a": (target("accuracy", dataset, split), RISING)})
    assert words in told
    assert bool(words) == bool(told)


def test_the_time_of_all_epochs_is_no_epochs_time(tmp_path, capsys):
    source, mapping = copied_case("c17-elapsed-time-as-epoch-time", tmp_path)
    assert main(["convert", str(source), str(tmp_path / "t"), "--columns", str(mapping)]) == 1
    told = capsys.readouterr().err
    assert "time_s (s an epoch or pass) or total_time_s (s, all epochs)" in told
    mapping.write_text(mapping.read_text().replace("time_s}", "total_time_s}"))
    assert main(["convert", str(source), str(tmp_path / "u"), "--columns", str(mapping)]) == 0


TIMES = {
    "t": (target("time_s", split="train"), RISING / 10),
    "all": (target("total_time_s", split="train"), RISING * 20),
}


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (TIMES, ""),
        (TIMES | {"all": (TIMES["all"][0], RISING / 10)}, "total_time_s is 7 and time_s 7 (middle values)"),
        (TIMES | {"t": (TIMES["t"][0], RISING * 20)}, "200 epochs make 280,000 in all"),
        ({"t": (target("time_s", split="train"), RISING * 100)}, "an epoch of 200 takes 7,000 s"),
        ({"t": (target("total_time_s", split="train"), RISING / 10)}, "total_time_s is 7 (middle value)"),
        ({"t": (target("time_s", "pets", "train"), RISING * 100)}, ""),
        ({"t": (target("latency_s"), RISING)}, "the middle value is 70, and latency_s (s a batch)"),
        ({"t": (target("latency_s", "pets"), RISING)}, ""),
        ({"latency_ms": (target("latency_s", "pets"), RISING)}, "milliseconds: divide by 1000"),
        ({"trainTime(minutes)": (target("time_s", "pets", "train"), RISING)}, "minutes: multiply by 60"),
    ],
)
def test_seconds_are_seconds_of_what_the_metric_says(columns, words, tmp_path):
    told = refused(tmp_path, columns)
    assert words in told
    assert bool(words) == bool(told)


@pytest.mark.parametrize(
    ("name", "metric", "words"),
    [
        ("test_err", "accuracy", "accuracy (%), and its name tells of an error rate: store 100 - error"),
        ("top1Error", "accuracy", "an error rate"),
        ("testerr", "accuracy", "an error rate"),
        ("ERR@5", "top5", "top5 (%), and its name tells of an error rate"),
        ("val_loss", "accuracy", "a loss: say metric: loss"),
        ("val_acc", "loss", "an accuracy: say metric: accuracy"),
        ("preferred", "accuracy", ""),
        ("val_err", "loss", ""),
        ("accuracy", "accuracy", ""),
    ],
)
def test_a_name_that_tells_of_something_else_is_refused(name, metric, words, tmp_path):
    told = refused(tmp_path, {name: (target(metric), RISING)})
    assert words in told
    assert bool(words) == bool(told)


def test_error_rates_are_known_by_falling_where_accuracies_rise(tmp_path):
    valid, test = target("accuracy", "cifar100"), target("accuracy", "cifar100", "test")
    assert "is one of them an error rate?" in refused(
        tmp_path, {"v": (valid, RISING), "t": (test, 100 - RISING)}
    )
    few = {"v": (valid, RISING[:20]), "t": (test, 100 - RISING[:20])}
    assert refused(tmp_path, few) == ""


def test_constant_columns_and_doubled_architectures_are_no_business_of_these_checks(tmp_path):
    valid, test = target("accuracy", "cifar100"), target("accuracy", "cifar100", "test")
    assert refused(tmp_path, {"v": (valid, np.full(N, 1.5)), "t": (test, np.full(N, 1.5))}) == ""
    frame = pd.DataFrame({"arch": [*range(N), 3], "v": [*RISING, 50], "t": [*RISING, 60]})
    frame.to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(NatslibError, match="architecture 3 stands twice"):
        convert(tmp_path / "mine.csv", tmp_path / "doubled", columns=tmp_path / "mine.yaml")


def test_top5_is_at_least_the_accuracy_in_every_row(tmp_path):
    below = np.where(np.arange(N) == 4, RISING - 1, RISING + 5)
    told = refused(tmp_path, {"a": (target("accuracy"), RISING), "b": (target("top5"), below)})
    assert "architecture 4 has top5" in told
    assert "are the columns exchanged?" in told


def test_one_column_is_not_meant_for_several(tmp_path):
    one, other = target("accuracy"), target("accuracy", "cifar100")
    told = refused(tmp_path, {"a": (one, RISING), "b": (other, RISING)})
    assert "accuracy of cifar10-valid 200 valid mean and accuracy of cifar100 200 valid mean" in told
    latency = [target("latency_s", name) for name in ("cifar10-valid", "cifar100")]
    assert refused(tmp_path, {"a": (latency[0], RISING / 1e4), "b": (latency[1], RISING / 1e4)}) == ""


def with_rows(values, at):
    changed = RISING.copy()
    changed[: len(at)] = at
    return changed if values is None else changed * values


@pytest.mark.parametrize(
    ("metric", "values", "words"),
    [
        ("accuracy", with_rows(None, [-1]), "-1.0 in row 1 cannot be accuracy (%); leave empty"),
        ("accuracy", with_rows(None, [50, 999]), "999.0 in row 2 cannot be accuracy (%)"),
        ("accuracy", with_rows(None, [0, 50, 0]), "exactly 0 in 2 rows (the first: row 1), below chance"),
        ("accuracy", with_rows(None, [0.93, 91]), "0.93 in row 1 is far below chance"),
        ("accuracy", with_rows(None, [0.0]), ""),
        ("loss", with_rows(0.01, [-100, 50, -100]), "-1 in 2 rows (the first: row 1), beyond all other values of loss"),
        ("time_s", with_rows(None, [50, 999, 999]), "999 in 2 rows (the first: row 2)"),
        ("time_s", with_rows(None, [999]), ""),
        ("loss", with_rows(None, [50, -np.inf]), "-inf in row 2 cannot be loss (nat)"),
        ("latency_s", with_rows(1e-4, [-1e4]), "-1.0 in row 1 cannot be latency_s (s a batch)"),
    ],
)  # fmt: skip
def test_marks_for_what_is_missing_are_no_values(metric, values, words, tmp_path):
    told = refused(tmp_path, {"x": (target(metric), values)})
    assert words in told
    assert bool(words) == bool(told)


@pytest.mark.parametrize("text", ["-", "failed", "93.1 %", "1e400x"])
def test_text_among_numbers_is_named_with_its_row(text, tmp_path):
    values = pd.Series(RISING.round(2)).astype(object)
    values[7] = text
    assert f"'{text}' in row 8; leave empty" in refused(tmp_path, {"x": (target("accuracy"), values)})


def test_units_stand_in_the_help_and_in_the_refusal_of_a_metric(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["convert", "--help"])
    told = capsys.readouterr().out
    refusal = refused(tmp_path, {"x": (target("acc"), RISING)})
    for name, unit in UNITS.items():
        assert f"{name}: {unit}" in told
        assert f"{name}: {unit}" in refusal
