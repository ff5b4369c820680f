"""Which columns a table holds, under the paper's names."""

import numpy as np
import pandas as pd
import pytest

from natslib.analysis.columns import (
    absent_columns,
    accuracy_frame,
    describe,
    each_column,
    explain_absent,
    find_columns,
    seed_frames,
)
from natslib.errors import NotMeasured, UnknownName


def runs_of(*blocks):
    """Return a table's `runs()` from (dataset, recipe, split, epochs, seeds)."""
    rows = [(d, b, s, seed, 4, e) for d, b, s, e, seeds in blocks for seed in seeds]
    return pd.DataFrame(rows, columns=["dataset", "recipe", "split", "seed", "n_archs", "epochs"])


def measured(metric, *, dataset, recipe, split):
    return np.array([1.0, np.nan, 3.0, 4.0])


PUBLISHED = runs_of(
    *(
        (d, "200", s, 200, (777, 888))
        for d in ("ImageNet16-120", "cifar10-valid", "cifar100")
        for s in ("train", "valid")
    )
)
OFFICIAL = runs_of(
    *(
        (d, b, s, e, (777,))
        for b, e in (("12", 12), ("200", 200))
        for d in ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")
        for s in ("train", "valid", "test", "valtest")
    )
)


def labels(columns):
    return [column.label for column in columns]


def test_official_table_gives_the_papers_six_columns_in_order():
    columns = find_columns(OFFICIAL, measured)
    assert labels(columns) == ["C10-V", "C10-T", "C100-V", "C100-T", "I120-V", "I120-T"]
    assert {column.recipe for column in columns} == {"200"}
    assert explain_absent(columns) == ""


def test_cifar10_validation_and_test_come_from_different_training_sets():
    datasets = {column.label: column.dataset for column in find_columns(OFFICIAL, measured)}
    assert (datasets["C10-V"], datasets["C10-T"]) == ("cifar10-valid", "cifar10")


def test_what_is_absent_is_named_and_never_replaced():
    columns = find_columns(PUBLISHED, measured)
    assert labels(columns) == ["C10-V", "C100-V", "I120-V"]
    assert absent_columns(columns) == ["C10-T", "C100-T", "I120-T"]
    assert explain_absent(columns) == "Not in this source: C10-T, C100-T, I120-T."


def test_one_dataset_of_the_paper_expects_the_others():
    columns = find_columns(runs_of(("cifar10", "200", "test", 200, ("mean",))), measured)
    assert absent_columns(columns, ["test"]) == ["C100-T", "I120-T"]
    assert columns[0].seeds == ()


def test_other_datasets_get_their_own_name_and_longest_budget_each():
    runs = runs_of(
        ("digits", "36", "valid", 36, (777, 888)),
        ("digits", "12", "valid", 12, (777,)),
        ("photos", "12", "valid", 12, (777,)),
        ("photos", "12", "test", 12, (777,)),
    )
    columns = find_columns(runs, measured)
    assert [(c.label, c.recipe) for c in columns] == [
        ("digits-V", "36"),
        ("photos-V", "12"),
        ("photos-T", "12"),
    ]
    assert absent_columns(columns) == ["digits-T"]
    assert labels(find_columns(runs, measured, repeated=True)) == ["digits-V"]


def test_a_named_budget_is_taken_and_an_unknown_one_refused():
    assert {column.epochs for column in find_columns(OFFICIAL, measured, recipe="12")} == {12}
    with pytest.raises(UnknownName, match="unknown recipe '13': allowed are 'longest', '12', '200'"):
        find_columns(OFFICIAL, measured, recipe="13")


def test_an_unknown_split_is_refused():
    with pytest.raises(UnknownName, match="unknown split 'validation'"):
        find_columns(OFFICIAL, measured, splits=["validation"])


def test_a_split_that_only_has_times_does_not_count():
    def only_valid(metric, *, dataset, recipe, split):
        if split == "valid":
            return np.ones(3)
        raise NotMeasured("no accuracy")

    assert labels(find_columns(PUBLISHED, only_valid, splits=["train", "valid"])) == [
        "C10-V",
        "C100-V",
        "I120-V",
    ]
    with pytest.raises(NotMeasured, match=r"no accuracy on train .*; there is some on valid$"):
        find_columns(PUBLISHED, only_valid, splits=["train"])
    with pytest.raises(NotMeasured, match="of two or more seeds"):
        find_columns(OFFICIAL, measured, repeated=True)


def test_frames_leave_out_what_nobody_measured():
    columns = find_columns(PUBLISHED, measured)
    frame = accuracy_frame(measured, columns)
    assert frame.index.tolist() == [0, 2, 3]
    assert frame.index.name == "arch_index"
    runs = seed_frames(lambda metric, **key: pd.DataFrame({777: [1.0, np.nan], 888: [2.0, np.nan]}), columns)
    assert list(runs) == ["C10-V", "C100-V", "I120-V"]
    assert len(runs["C10-V"]) == 1


def test_each_column_of_no_frame_is_empty():
    assert each_column(lambda frame: frame, {}).empty


def test_each_column_stacks_with_labels():
    frames = {"a": pd.DataFrame({"x": [1, 2]}), "b": pd.DataFrame({"x": [3]})}
    stacked = each_column(lambda frame, add: frame + add, frames, 10)
    assert stacked.to_dict("list") == {"column": ["a", "a", "b"], "x": [11, 12, 13]}


def test_describe_says_epochs_and_splits():
    assert describe(find_columns(OFFICIAL, measured)) == "200 epochs: validation and test accuracy"


def test_of_equal_epochs_plain_training_is_the_longest_recipe():
    runs = runs_of(
        *(("digits-rotated", recipe, "test", 12, (777,)) for recipe in ("12-irm", "12", "12-vrex"))
    )
    assert [column.recipe for column in find_columns(runs, measured, splits=("test",))] == ["12"]
