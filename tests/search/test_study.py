"""Settings of searches follow what a table holds, and say what is not the paper's."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from natslib.errors import NotMeasured, UnknownName
from natslib.search import Protocol, get_search
from natslib.search.study import (
    EVALUATIONS,
    describe_settings,
    explain_lacking,
    find_pairs,
    find_settings,
    full_values,
    nas_bench_201,
    reported_values,
    run_folder,
    searchable,
    shown_values,
)
from natslib.spaces import get_space
from natslib.tables.format.schema import FINALS, Block
from natslib.tables.format.writing import block_of_finals
from natslib.tables.table import Table

TSS = get_space("tss")


def table_of(*blocks, timed=("train", "valid"), archs=50, few=""):
    """Return a table with (dataset, recipe, epochs, split) blocks of the first `archs` cells, one seed; 4 of `few`."""
    parts = []
    for dataset, recipe, epochs, split in blocks:
        index = np.arange(4 if dataset == few else archs)
        values = {"arch_index": index, "epoch": np.array(epochs - 1), "accuracy": 50.0 + index / archs}
        if split in timed:
            values |= {"time_s": np.full(len(index), 2.0), "total_time_s": np.full(len(index), 2.0 * epochs)}
        parts.append(block_of_finals(Block(dataset, recipe, split, 777), values))
    return Table.from_finals(pa.concat_tables(parts), TSS, {"origin": "made"})


def both(dataset, recipe, epochs):
    return [(dataset, recipe, epochs, split) for split in ("train", "valid")]


def test_the_papers_setting_is_taken_where_the_table_has_it():
    table = table_of(*both("cifar10-valid", "12", 12), *both("cifar10-valid", "200", 200))
    (setting,) = find_settings(table, "paper")
    assert (setting.title, setting.dataset, setting.recipe) == ("CIFAR-10", "cifar10", "12")
    assert setting.budget_s == 20_000
    assert setting.oracle.source["charge_validation"]
    assert setting.oracle.costs_s[0, 0] == 12 * 2 + 2
    assert "scaled" not in describe_settings([setting])


def test_the_longest_and_a_named_recipe_scale_the_budget():
    table = table_of(*both("cifar10-valid", "12", 12), *both("cifar10-valid", "200", 200))
    for recipe in ("longest", "200"):
        (setting,) = find_settings(table, recipe)
        assert setting.budget_s == pytest.approx(20_000 * 200 / 12)
        assert "scaled by 200/12" in describe_settings([setting])
    with pytest.raises(UnknownName, match="unknown recipe '90': allowed are 'paper', 'longest', '12', '200'"):
        find_settings(table, "90")


def test_without_its_time_the_validation_pass_is_free_and_that_is_said():
    (setting,) = find_settings(table_of(*both("cifar100", "12", 12), timed=("train",)), "paper")
    assert not setting.oracle.source["charge_validation"]
    assert setting.oracle.costs_s[0, 0] == 24
    assert "validation passes not charged" in describe_settings([setting])


def test_another_dataset_is_paid_by_average_evaluations():
    (setting,) = find_settings(table_of(*both("digits", "12", 12)), "paper")
    assert setting.budget_s == pytest.approx(EVALUATIONS * 26)
    told = describe_settings([setting])
    assert f"{EVALUATIONS} evaluations of average cost" in told


def test_a_table_without_costs_says_why_nothing_can_be_searched():
    with pytest.raises(NotMeasured, match="this table allows no search at recipe 'paper': cifar100: "):
        find_settings(table_of(("cifar100", "12", 12, "valid"), timed=()), "paper")


def test_datasets_come_in_the_papers_order_and_cifar10_needs_its_validation_half():
    names = ["digits", "ImageNet16-120", "cifar10-valid", "mine", "cifar100"]
    runs = pd.DataFrame({"dataset": [*names, "cifar10"], "split": ["valid"] * 5 + ["test"]})
    assert searchable(runs) == ["cifar10", "cifar100", "ImageNet16-120", "digits", "mine"]


def test_a_dataset_with_scores_of_few_architectures_is_not_searched_and_named():
    table = table_of(*both("digits", "12", 12), *both("photos", "12", 12), few="photos")
    (setting,) = find_settings(table, "paper")
    assert setting.dataset == "digits"
    assert explain_lacking(table, [setting], ["random"]).endswith("few architectures have scores: photos")
    assert len(find_settings(table_of(*both("digits", "12", 12), *both("photos", "12", 12)), "paper")) == 2


def test_searches_that_need_short_trainings_are_left_out_and_named():
    table = table_of(*both("digits", "12", 12))
    (setting,) = find_settings(table, "paper")
    found = setting.search(table, ["random", "bohb"], runs=2, seed=0, processes=1)
    assert list(found) == ["random"]
    assert explain_lacking(table, [setting], ["random", "bohb"]).endswith("so no bohb")
    assert explain_lacking(table, [setting], ["random"]) == ""


def test_a_function_of_ones_own_is_searched_under_its_name():
    table = table_of(*both("digits", "12", 12))
    (setting,) = find_settings(table, "paper")
    both_ways = setting.search(
        table, {"mine": get_search("random"), "random": "random"}, runs=2, seed=0, processes=1
    )
    pd.testing.assert_frame_equal(both_ways["mine"], both_ways["random"])


def test_reported_accuracies_are_those_of_the_longest_recipe_on_the_right_split():
    table = table_of(*both("cifar10-valid", "12", 12), ("cifar10", "200", 200, "test"))
    assert shown_values(table, "cifar10")[0] == "test"
    assert reported_values(table, "cifar10", "valid")[:50] == pytest.approx(50 + np.arange(50) / 50)
    only_valid = table_of(*both("cifar100", "12", 12))
    assert reported_values(only_valid, "cifar100", "test") is None
    assert shown_values(only_valid, "cifar100")[0] == "valid"


def test_a_pair_shares_the_budget_of_the_paper_or_of_the_full_recipe():
    recipes = [*both("cifar10-valid", "12", 12), *both("cifar10-valid", "200", 200)]
    recipes += [*both("cifar100", "12", 12), *both("cifar100", "200", 200), *both("digits", "12", 12)]
    pairs, lacking = find_pairs(table_of(*recipes), "paper")
    assert [(short.epochs, full.epochs) for short, full in pairs] == [(12, 200), (12, 200)]
    assert [short.budget_s for short, _ in pairs] == pytest.approx([1_200_000, 666_666.67], abs=0.01)
    assert [full.budget_s for _, full in pairs] == [short.budget_s for short, _ in pairs]
    assert list(lacking) == ["digits"]
    assert "after 12 epochs only" in lacking["digits"]


def test_nas_bench_201_has_twelve_thousand_seconds_and_drops_what_exceeds_them():
    table = table_of(*both("cifar10-valid", "12", 12))
    setting = nas_bench_201(find_settings(table, "paper")[0])
    assert (setting.budget_s, setting.overshoot) == (12_000, "discard")
    frame = setting.search(table, ["random"], runs=2, seed=0, processes=1)["random"]
    assert frame["time_s"].max() <= 12_000 < frame["time_s"].max() + 26


def test_a_changed_search_has_another_folder(tmp_path):
    (setting,) = find_settings(table_of(*both("digits", "12", 12)), "paper")
    folders = {
        run_folder(tmp_path, search, setting.oracle, Protocol(budget_s), runs=runs, seed=seed)
        for search, budget_s, runs, seed in
        [("random", 9.0, 2, 0), ("rea", 9.0, 2, 0), ("random", 8.0, 2, 0), ("random", 9.0, 3, 0), ("random", 9.0, 2, 1)]
    }  # fmt: skip
    assert len(folders) == 5
    assert run_folder(tmp_path, "random", setting.oracle, Protocol(9.0), runs=2, seed=0) in folders


def joined(*tables):
    """Return one table with the rows of several."""
    frames = [pa.Table.from_pandas(table.frame(), schema=FINALS, preserve_index=False) for table in tables]
    return Table.from_finals(pa.concat_tables(frames), TSS, {"origin": "made"})


def test_a_longer_training_of_a_few_cells_is_not_what_is_reported():
    table = joined(
        table_of(*both("digits", "12", 12)),
        table_of(*both("digits", "36", 36), archs=44),
        table_of(*both("digits", "24", 24), archs=45),
    )
    what, values = shown_values(table, "digits")
    assert (what, (~np.isnan(values)).sum()) == ("valid", 45)


def test_a_pair_searches_what_both_recipes_measured():
    table = joined(table_of(*both("digits", "12", 12)), table_of(*both("digits", "36", 36), archs=20))
    ((short, full),), _ = find_pairs(table, "paper")
    assert [len(each.oracle.measured) for each in (short, full)] == [20, 20]
    what, values = full_values(table, full)
    assert (what, (~np.isnan(values)).sum()) == ("valid", 20)
