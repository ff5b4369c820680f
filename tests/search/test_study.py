"""Settings of searches follow what a table holds, and say what is not the paper's."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from natslib.commands import main
from natslib.errors import ConfigError, NotMeasured, UnknownName
from natslib.search import Oracle, Protocol, get_search
from natslib.search.store import read_runs, repeat_into, run_folder
from natslib.search.study import (
    DEFAULT_EVALUATIONS,
    describe_studies,
    explain_lacking,
    find_pairs,
    find_studies,
    full_values,
    nas_bench_201,
    parse_budget,
    searchable,
    study_of,
)
from natslib.spaces import get_space
from natslib.tables.format.schema import FINALS, Block
from natslib.tables.format.writing import block_of_finals
from natslib.tables.reported import reported_values, shown_values
from natslib.tables.table import Table

TSS = get_space("tss")
EMBEDDED = Path(__file__).resolve().parents[2] / "logs/embedded-tss"


def embedded():
    return Table.open(EMBEDDED)


def table_of(*blocks, timed=("train", "valid"), archs=50, few=""):
    """Return a table with (dataset, recipe, epochs, split) blocks of the first `archs` cells, one seed; 2 of `few`."""
    parts = []
    for dataset, recipe, epochs, split in blocks:
        index = np.arange(2 if dataset == few else archs)
        values = {"arch_index": index, "epoch": np.array(epochs - 1), "accuracy": 50.0 + index / archs}
        if split in timed:
            values |= {"time_s": np.full(len(index), 2.0), "total_time_s": np.full(len(index), 2.0 * epochs)}
        parts.append(block_of_finals(Block(dataset, recipe, split, 777), values))
    return Table.from_finals(pa.concat_tables(parts), TSS, {"origin": "made"})


def both(dataset, recipe, epochs):
    return [(dataset, recipe, epochs, split) for split in ("train", "valid")]


def test_the_papers_setting_is_taken_where_the_table_has_it():
    table = table_of(*both("cifar10-valid", "12", 12), *both("cifar10-valid", "200", 200))
    (study,) = find_studies(table, "paper")
    assert (study.title, study.dataset, study.recipe) == ("CIFAR-10", "cifar10", "12")
    assert study.budget == 20_000
    assert study.oracle.source["charge_validation"]
    assert study.oracle.costs[0, 0] == 12 * 2 + 2
    assert study.deviations == ["scores of 50 of 15,625 architectures"]
    (whole,) = find_studies(table_of(*both("cifar10-valid", "12", 12), archs=len(TSS)), "paper")
    assert whole.deviations == []
    assert len(describe_studies([whole])) == 2


def test_the_longest_and_a_named_recipe_scale_the_budget():
    table = table_of(*both("cifar10-valid", "12", 12), *both("cifar10-valid", "200", 200))
    for recipe in ("longest", "200"):
        (study,) = find_studies(table, recipe)
        assert study.budget == pytest.approx(20_000 * 200 / 12)
        assert "the paper's budgets scaled by 200/12" in describe_studies([study])
    with pytest.raises(UnknownName, match="unknown recipe '90': allowed are 'paper', 'longest', '12', '200'"):
        find_studies(table, "90")


def test_without_its_time_the_validation_pass_is_free_and_that_is_said():
    (study,) = find_studies(table_of(*both("cifar100", "12", 12), timed=("train",)), "paper")
    assert not study.oracle.source["charge_validation"]
    assert study.oracle.costs[0, 0] == 24
    assert "validation passes not charged" in describe_studies([study])


def test_another_dataset_is_paid_by_average_evaluations():
    (study,) = find_studies(table_of(*both("digits", "12", 12)), "paper")
    assert study.budget == pytest.approx(DEFAULT_EVALUATIONS * 26)
    told = describe_studies([study])
    assert f"{DEFAULT_EVALUATIONS} evaluations of average cost: the paper has no budget" in told


def test_a_table_of_accuracies_alone_is_searched_by_evaluations():
    table = table_of(("cifar100", "12", 12, "valid"), timed=())
    (study,) = find_studies(table, "paper")
    assert (study.budget, study.unit) == (DEFAULT_EVALUATIONS, "evaluations")
    assert "a budget in evaluations, not in seconds" in study.deviations
    frame = study.search(["random", "rea"], runs=3, seed=0)["rea"]
    assert frame.groupby("run").size().tolist() == [DEFAULT_EVALUATIONS] * 3
    assert frame["spent"].max() == DEFAULT_EVALUATIONS


def test_a_budget_in_evaluations_can_be_given_for_any_table():
    for table in (
        table_of(*both("cifar100", "12", 12)),
        table_of(("cifar100", "12", 12, "valid"), timed=()),
    ):
        study = study_of(table, "cifar100", budget="25 evaluations")
        frame = study.search(["random"], runs=2, seed=0)["random"]
        assert frame.groupby("run").size().tolist() == [25, 25]
        assert set(frame["cost"]) == {1.0}


def test_a_budget_in_seconds_needs_times_and_says_the_way_out():
    with pytest.raises(NotMeasured, match=r"no total_time_s.*give one such as '180 evaluations'"):
        study_of(table_of(("cifar100", "12", 12, "valid"), timed=()), "cifar100", budget="100 s")


@pytest.mark.parametrize(
    "budget", ["100", "s", "-5 s", "1e3 minutes", "ten evaluations", "paper 12", "nan s", ""]
)
def test_a_budget_without_amount_or_unit_is_refused(budget):
    table = table_of(*both("cifar100", "12", 12))
    with pytest.raises(
        ConfigError, match=r"allowed are 'paper', simulated seconds such as '20000 s', and a number"
    ):
        study_of(table, "cifar100", budget=budget)


@pytest.mark.parametrize(
    ("text", "read"),
    [("20000 s", (20000.0, "s")), ("20,000s", (20000.0, "s")), ("1.5e3 s", (1500.0, "s")),
     ("100 evaluations", (100.0, "evaluations")), ("paper", None)],
)  # fmt: skip
def test_budgets_are_read(text, read):
    assert parse_budget(text) == read


def test_short_trainings_cost_their_share_of_an_evaluation():
    oracle = Oracle.from_table(
        embedded(),
        dataset="digits",
        recipe="12",
        split="valid",
        draw="random",
        epochs=(1, 4, 12),
        unit="evaluations",
    )
    assert oracle.costs[0].tolist() == [1 / 12, 4 / 12, 1.0]


def test_one_study_serves_both_the_command_and_the_notebooks(capsys, tmp_path):
    (study,) = (s for s in find_studies(embedded(), "12", "400 s") if s.dataset == "digits")
    frame = study.search(["random"], runs=3, seed=0)["random"]
    code = main(
        ["search", "--algorithm", "random", "--dataset", "digits", "--table", str(EMBEDDED), "--recipe", "12",
         "--budget", "400 s", "--runs", "3", "--seed", "0", "--out", str(tmp_path / "runs")]
    )  # fmt: skip
    said = capsys.readouterr().out
    assert code == 0
    assert "nan" not in said
    assert "valid accuracy (recipe 12" in said
    pd.testing.assert_frame_equal(read_runs(tmp_path / "runs"), frame)


def test_datasets_come_in_the_papers_order_and_cifar10_needs_its_validation_half():
    names = ["digits", "ImageNet16-120", "cifar10-valid", "mine", "cifar100"]
    runs = pd.DataFrame({"dataset": [*names, "cifar10"], "split": ["valid"] * 5 + ["test"]})
    assert searchable(runs) == ["cifar10", "cifar100", "ImageNet16-120", "digits", "mine"]


def test_a_dataset_with_scores_of_few_architectures_is_not_searched_and_named():
    table = table_of(*both("digits", "12", 12), *both("photos", "12", 12), few="photos")
    (study,) = find_studies(table, "paper")
    assert study.dataset == "digits"
    assert explain_lacking([study], ["random"]).endswith("few architectures have scores: photos")
    assert len(find_studies(table_of(*both("digits", "12", 12), *both("photos", "12", 12)), "paper")) == 2


def test_searches_that_need_short_trainings_are_left_out_and_named():
    table = table_of(*both("digits", "12", 12))
    (study,) = find_studies(table, "paper")
    found = study.search(["random", "bohb"], runs=2, seed=0, processes=1)
    assert list(found) == ["random"]
    assert explain_lacking([study], ["random", "bohb"]).endswith("so no bohb")
    assert explain_lacking([study], ["random"]) == ""


def test_a_function_of_ones_own_is_searched_under_its_name():
    table = table_of(*both("digits", "12", 12))
    (study,) = find_studies(table, "paper")
    both_ways = study.search({"mine": get_search("random"), "random": "random"}, runs=2, seed=0, processes=1)
    pd.testing.assert_frame_equal(both_ways["mine"], both_ways["random"])


def test_reported_accuracies_are_those_of_the_longest_recipe_on_the_right_split():
    table = table_of(*both("cifar10-valid", "12", 12), ("cifar10", "200", 200, "test"))
    assert shown_values(table, "cifar10")[0] == "test"
    assert reported_values(table, "cifar10", "valid").values[:50] == pytest.approx(50 + np.arange(50) / 50)
    only_valid = table_of(*both("cifar100", "12", 12))
    assert reported_values(only_valid, "cifar100", "test") is None
    assert shown_values(only_valid, "cifar100")[0] == "valid"


def test_a_pair_shares_the_budget_of_the_paper_or_of_the_full_recipe():
    recipes = [*both("cifar10-valid", "12", 12), *both("cifar10-valid", "200", 200)]
    recipes += [*both("cifar100", "12", 12), *both("cifar100", "200", 200), *both("digits", "12", 12)]
    pairs, lacking = find_pairs(table_of(*recipes), "paper")
    assert [(short.epochs, full.epochs) for short, full in pairs] == [(12, 200), (12, 200)]
    assert [short.budget for short, _ in pairs] == pytest.approx([1_200_000, 666_666.67], abs=0.01)
    assert [full.budget for _, full in pairs] == [short.budget for short, _ in pairs]
    assert list(lacking) == ["digits"]
    assert "after 12 epochs only" in lacking["digits"]


def test_without_a_second_recipe_the_first_third_of_the_same_training_is_the_short_one():
    pairs, lacking = find_pairs(embedded(), "paper")
    assert [(full.dataset, short.epochs, full.epochs) for short, full in pairs] == [
        ("digits", 12, 36), ("digit-pairs", 4, 12), ("photos", 4, 12)
    ]  # fmt: skip
    assert not lacking
    for short, full in pairs[1:]:
        assert short.budget == full.budget
        assert short.oracle.measured.tolist() == full.oracle.measured.tolist()
        where = {"dataset": full.dataset, "recipe": "12"}
        scores = embedded().values("accuracy", **where, split="valid", epoch=3)
        np.testing.assert_array_equal(short.oracle.scores[0, :, 0], scores)
        np.testing.assert_array_equal(short.oracle.costs[:, 0], embedded().cost(**where, epoch=3))


def test_nas_bench_201_has_twelve_thousand_seconds_and_drops_what_exceeds_them():
    table = table_of(*both("cifar10-valid", "12", 12))
    study = nas_bench_201(find_studies(table, "paper")[0])
    assert (study.budget, study.protocol.overshoot) == (12_000, "discard")
    frame = study.search(["random"], runs=2, seed=0, processes=1)["random"]
    assert frame["spent"].max() <= 12_000 < frame["spent"].max() + 26


def test_a_changed_search_has_another_folder(tmp_path):
    (study,) = find_studies(table_of(*both("digits", "12", 12)), "paper")
    folders = {
        run_folder(tmp_path, search, study.oracle, Protocol(budget), runs=runs, seed=seed)
        for search, budget, runs, seed in
        [("random", 9.0, 2, 0), ("rea", 9.0, 2, 0), ("random", 8.0, 2, 0), ("random", 9.0, 3, 0), ("random", 9.0, 2, 1)]
    }  # fmt: skip
    assert len(folders) == 5
    assert run_folder(tmp_path, "random", study.oracle, Protocol(9.0), runs=2, seed=0) in folders


def test_runs_that_were_kept_are_taken_and_no_others(tmp_path):
    (study,) = find_studies(table_of(*both("digits", "12", 12)), "paper")
    how = {"runs": 2, "seed": 0}
    asked = ("random", study.oracle, study.protocol)
    folder = run_folder(tmp_path, *asked, **how)
    repeat_into(folder, *asked, **how)
    fresh = study.search(["random"], **how)["random"]
    pd.testing.assert_frame_equal(study.search(["random"], **how, trajectories=tmp_path)["random"], fresh)

    (part,) = folder.glob("runs-*.parquet")
    pd.read_parquet(part).assign(score=7.0).to_parquet(part)
    assert (study.search(["random"], **how, trajectories=tmp_path)["random"]["score"] == 7).all()
    other = study.search(["random"], runs=2, seed=1, trajectories=tmp_path)["random"]
    assert not (other["score"] == 7).any()
    pd.read_parquet(part).query("run == 0").to_parquet(part)
    pd.testing.assert_frame_equal(study.search(["random"], **how, trajectories=tmp_path)["random"], fresh)


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
    what, values, recipe = shown_values(table, "digits")
    assert (what, (~np.isnan(values)).sum(), recipe) == ("valid", 45, "24")


def test_a_pair_searches_what_both_recipes_measured():
    table = joined(table_of(*both("digits", "12", 12)), table_of(*both("digits", "36", 36), archs=20))
    ((short, full),), _ = find_pairs(table, "paper")
    assert [len(each.oracle.measured) for each in (short, full)] == [20, 20]
    what, values, _ = full_values(full)
    assert (what, (~np.isnan(values)).sum()) == ("valid", 20)


def test_a_table_of_test_accuracies_alone_says_what_scores_a_search():
    table = table_of(("cifar10", "200", 200, "test"), timed=())
    for asked in (find_studies, find_pairs):
        with pytest.raises(NotMeasured, match=r"scored by validation accuracies.*it holds test only"):
            asked(table)
    with pytest.raises(NotMeasured, match=r"no validation scores of cifar10.*it holds test only"):
        study_of(table, "cifar10")


def test_a_search_by_short_trainings_says_what_it_needs_and_what_can_be_run():
    study = study_of(table_of(("cifar100", "12", 12, "valid"), timed=()), "cifar100", budget="20 evaluations")
    with pytest.raises(NotMeasured, match=r"bohb needs scores of cifar100 .* after 1, 4, 12 epochs.*rea"):
        study.oracle_of("bohb")
