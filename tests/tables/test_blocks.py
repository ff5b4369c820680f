"""Rows that are runs or epochs: what they become, and what is missing or said twice."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from natslib.errors import BadSource, ConfigError
from natslib.tables import Table, convert, load

WHERE = {"dataset": "mine", "recipe": "short"}
HEAD = "space: tss\narch: arch\nepochs: {short: 3}\ndatasets: [mine]\n"
EPOCHS = (
    f"{HEAD}keys: {{epoch: epoch, seed: seed}}\n"
    "columns:\n"
    "  loss: {dataset: mine, recipe: short, split: train, metric: loss}\n"
    "  time: {dataset: mine, recipe: short, split: train, metric: time_s}\n"
    "  acc: {dataset: mine, recipe: short, split: valid, metric: accuracy}\n"
)


def epochs(first: int = 0) -> pd.DataFrame:
    rows = [
        {"arch": arch, "seed": seed, "epoch": first + epoch, "time": 0.1 * (epoch + 1)}
        | {"loss": 2.5 - epoch + arch / 1e4 + seed / 1e6, "acc": 60.0 + 10 * epoch + seed / 1000}
        for arch in (11, 5, 2000)
        for seed in (777, 888)
        for epoch in range(3)
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


def converted(frame: pd.DataFrame, mapping: str, folder: Path) -> Table:
    frame.to_csv(folder / "in.csv", index=False)
    (folder / "m.yaml").write_text(mapping)
    convert(folder / "in.csv", folder / "t", columns=folder / "m.yaml")
    return load(folder / "t")


@pytest.mark.parametrize("first", [0, 1])
def test_rows_of_epochs_are_curves_and_their_last_the_result(tmp_path, first):
    table = converted(epochs(first), EPOCHS, tmp_path)
    valid, train = WHERE | {"split": "valid"}, WHERE | {"split": "train"}
    assert table.value("accuracy", 5, seed=777, **valid) == 80.777
    assert table.value("accuracy", 2000, seed=888, epoch=0, **valid) == pytest.approx(60.888, abs=1e-4)
    assert table.value("loss", 11, seed=888, epoch=1, **train) == pytest.approx(1.501988, abs=1e-6)
    assert table.value("total_time_s", 11, seed=888, **train) == np.cumsum([0.1, 0.2, 0.1 * 3])[-1]
    assert table.value("total_time_s", 11, seed=888, epoch=1, **train) == pytest.approx(0.3)
    assert table.curves("mine", "short", "valid") == "every epoch"
    assert (table.verify(), table.frame()["epoch"].unique().tolist()) == (2, [2])


def test_an_elapsed_time_of_its_own_is_kept(tmp_path):
    frame = epochs().assign(time=lambda frame: 100.0 + frame["epoch"])
    table = converted(frame, EPOCHS.replace("time_s", "total_time_s"), tmp_path)
    assert table.value("total_time_s", 11, seed=888, split="train", **WHERE) == 102


def test_epochs_without_a_value_and_architectures_without_any(tmp_path):
    frame = epochs()
    frame.loc[frame["epoch"] != 1, "acc"] = np.nan
    frame.loc[frame["arch"] == 5, "acc"] = np.nan
    table = converted(frame, EPOCHS, tmp_path)
    valid = WHERE | {"split": "valid", "seed": 777}
    assert table.value("accuracy", 11, epoch=1, **valid) == pytest.approx(70.777, abs=1e-4)
    rows = table.frame()
    assert sorted(set(rows.loc[rows["split"] == "valid", "arch_index"])) == [11, 2000]


def test_many_architectures_go_to_several_files_of_curves(tmp_path, monkeypatch):
    monkeypatch.setattr("natslib.tables.conversion.RAWLOG_CHUNK", 2)
    table = converted(epochs(), EPOCHS, tmp_path)
    names = sorted(path.name for path in (tmp_path / "t" / "curves").iterdir())
    assert names == ["000005.parquet", "002000.parquet"]
    where = WHERE | {"split": "valid", "seed": 888}
    assert [table.value("accuracy", arch, epoch=0, **where) for arch in (5, 11, 2000)] == [
        pytest.approx(60.888, abs=1e-4)
    ] * 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda frame: frame[frame.index != 4],
            r"architecture 11 of mine, short, train, 888 has 2 epochs, 0 to 2 \(row",
        ),
        (
            lambda frame: pd.concat([frame, frame[:1]]),
            r"epoch \d of architecture \d+ stands twice in .*: row 1 of in\.csv and",
        ),
        (lambda frame: frame.assign(epoch=frame["epoch"] + 2), "2 to 4 .*in a block that counts from 2"),
        (lambda frame: frame[frame["epoch"] < 2], "has 2 epochs, 0 to 1"),
        (
            lambda frame: frame[frame["epoch"] == 2],
            "has 1 epochs, 2 to 2 .*For the last epoch alone, keep its rows",
        ),
        (
            lambda frame: frame.assign(epoch=frame["epoch"] + (frame["arch"] == 11)),
            "architecture 11 .* 1 to 3 .*from 0",
        ),
        (lambda frame: frame.assign(epoch=frame["epoch"] + 0.5), r"row 1: epoch '\d\.5' is no whole number"),
    ],
)
def test_epochs_that_are_not_whole_are_refused(tmp_path, change, message):
    with pytest.raises(BadSource, match=message):
        converted(change(epochs()), EPOCHS, tmp_path)


KEYS = f"{HEAD}keys: {{dataset: d, split: s, seed: seed}}\ncolumns: {{acc: {{recipe: short, metric: accuracy}}}}\n"


def runs(**change: object) -> pd.DataFrame:
    return pd.DataFrame([{"arch": 5, "d": "mine", "s": "test", "seed": 777, "acc": 80.0} | change])


@pytest.mark.parametrize(
    ("frame", "mapping", "message"),
    [
        (runs(d="C10"), KEYS, "unknown dataset .*'C10'"),
        (runs(s="val"), KEYS, "unknown split .*'val'"),
        (runs(seed="a"), KEYS, "seed 'a'"),
        (runs(seed=None), KEYS, "row 1 has no seed in column 'seed'"),
        (
            runs(),
            KEYS.replace("recipe: short,", "recipe: short, seed: 1,"),
            "'acc' says seed, and so does 'keys'",
        ),
        (runs(), KEYS.replace("split: s", "set: s"), "unknown key under 'keys' .*'set'"),
        (runs(), KEYS.replace("split: s", "split: x"), "no column 'x'"),
        (runs(), KEYS.replace("split: s, ", ""), "needs exactly dataset, recipe, split, seed, metric"),
        (runs(), KEYS + "files: {in.csv: {}}\n", "giving their folder"),
        (runs(), KEYS + "names: [val]\n", "'names' maps"),
    ],
)
def test_keys_that_say_nothing_of_ours_are_refused(tmp_path, frame, mapping, message):
    with pytest.raises((BadSource, ConfigError, ValueError), match=message):
        converted(frame, mapping, tmp_path)


def test_the_same_seed_in_two_spellings_is_the_same_run(tmp_path):
    frame = pd.concat([runs(seed="0777"), runs(seed="777")])
    with pytest.raises(
        BadSource, match=r"stands twice in mine, short, test, 777: row 1 of in\.csv and row 2"
    ):
        converted(frame, KEYS, tmp_path)


def test_a_run_that_stands_in_two_files_is_named_with_both(tmp_path):
    (tmp_path / "f").mkdir()
    for name in ("a.csv", "b.csv"):
        runs().to_csv(tmp_path / "f" / name, index=False)
    (tmp_path / "m.yaml").write_text(KEYS + "files: {a.csv: {}, b.csv: {}}\n")
    with pytest.raises(BadSource, match=r"row 1 of a\.csv and row 1 of b\.csv"):
        convert(tmp_path / "f", tmp_path / "t", columns=tmp_path / "m.yaml")


def test_a_refused_or_interrupted_table_does_not_spoil_the_folder(tmp_path, monkeypatch):
    with pytest.raises(BadSource, match="no whole number"):
        converted(epochs().assign(epoch="x"), EPOCHS, tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("natslib.tables.destination.write_finals", interrupt)
        with pytest.raises(KeyboardInterrupt):
            converted(epochs().assign(acc=1.5), EPOCHS, tmp_path)
    assert [path.name for path in (tmp_path / "t" / "curves").iterdir()] == ["000005.parquet"]
    table = converted(epochs()[lambda frame: frame["arch"] != 5], EPOCHS, tmp_path)
    assert table.value("accuracy", 11, seed=777, split="valid", **WHERE) == 80.777
    assert [path.name for path in (tmp_path / "t" / "curves").iterdir()] == ["000011.parquet"]


def interrupt(*args: object, **named: object) -> None:
    raise KeyboardInterrupt
