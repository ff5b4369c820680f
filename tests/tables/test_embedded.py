"""The table of our own training that ships with the project."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from natslib.datasets import get_dataset
from natslib.spaces import SMALL_SCALE
from natslib.tables import Table, load
from natslib.training.jobs import embedded_plan, sub_grid

LOGS = Path(__file__).resolve().parents[2] / "logs"
FOLDER = LOGS / "embedded-tss"
WHERE = {"dataset": "digits", "recipe": "12"}


def shipped() -> Table:
    return load(FOLDER)


def test_its_files_are_those_of_its_manifest():
    assert shipped().verify() == len(list(FOLDER.rglob("*.parquet")))


@pytest.mark.parametrize(
    ("folder", "space"), [(FOLDER, "tss"), (LOGS / "embedded-sss", "sss"), (LOGS / "embedded-dag5", "dag5")]
)
def test_the_whole_plan_is_trained(folder: Path, space: str):
    finals = pd.read_parquet(folder / "finals.parquet", columns=["arch_index", "dataset", "recipe", "seed"])
    trained = set(finals.itertuples(index=False, name=None))
    assert {tuple(job[1:]) for job in embedded_plan() if job.space == space} <= trained


def test_every_cell_is_answered_by_one_of_its_class():
    assert np.isfinite(shipped().through_classes().values("accuracy", split="valid", **WHERE)).all()


def test_every_cell_has_all_splits_and_every_epoch():
    table = shipped()
    splits = {split: table.values("accuracy", split=split, **WHERE) for split in ("train", "valid", "test")}
    there = ~np.isnan(splits["test"])
    for values in splits.values():
        np.testing.assert_array_equal(~np.isnan(values), there)
    curve = table.curve("accuracy", int(np.flatnonzero(there)[0]), split="valid", seed=777, **WHERE)
    assert curve["epoch"].tolist() == list(range(12))


def test_its_costs_are_those_of_the_small_networks():
    table = shipped()
    stored = table.values("params_m", split="test", **WHERE)
    there = np.flatnonzero(~np.isnan(stored))
    closed = table.space.params_m(table.space.codes(there), get_dataset("digits"), SMALL_SCALE)
    np.testing.assert_allclose(stored[there], closed, atol=1e-9)


def test_accuracy_is_far_above_chance_and_validation_goes_with_test():
    table = shipped()
    frame = np.stack([table.values("accuracy", split=split, **WHERE) for split in ("valid", "test")])
    frame = frame[:, ~np.isnan(frame).any(axis=0)]
    assert np.median(frame[1]) > 85
    assert np.corrcoef(frame)[0, 1] > 0.8


def test_the_size_table_holds_the_sub_grid_and_what_searches_named_at_a_quarter_of_the_widths():
    table = load(LOGS / "embedded-sss")
    assert table.verify() == len(list((LOGS / "embedded-sss").rglob("*.parquet")))
    stored = table.values("params_m", split="test", **WHERE)
    there = np.flatnonzero(~np.isnan(stored))
    named = set(pd.read_parquet(LOGS / "weight-sharing" / "digits" / "sss-digits.parquet")["arch_index"])
    assert set(there) == named | set(sub_grid())
    closed = table.space.params_m(table.space.codes(there), get_dataset("digits"), SMALL_SCALE)
    np.testing.assert_allclose(stored[there], closed, atol=1e-9)


def test_the_table_of_wirings_holds_every_network_with_its_cost_in_closed_form():
    table = load(LOGS / "embedded-dag5")
    assert table.verify() == len(list((LOGS / "embedded-dag5").rglob("*.parquet")))
    runs = table.per_seed("accuracy", split="valid", **WHERE)
    there = np.flatnonzero(~runs.isna().any(axis=1))
    np.testing.assert_array_equal(there, np.unique(table.space.classes()))
    assert np.isfinite(table.through_classes().values("accuracy", split="valid", **WHERE)).all()
    for metric in ("params_m", "flops_m"):
        stored = table.values(metric, split="test", **WHERE)[there]
        closed = getattr(table.space, metric)(table.space.codes(there), "digits", SMALL_SCALE)
        np.testing.assert_allclose(stored, closed, atol=1e-9)


def test_all_that_ships_is_small():
    """Searches on shifted data, ninety of them, took it beyond the ten megabytes of before."""
    assert sum(path.stat().st_size for path in LOGS.rglob("*") if path.is_file()) < 13e6
