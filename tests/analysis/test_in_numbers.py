"""The benchmark in numbers, against what is known of the real results."""

import numpy as np
import pandas as pd
import pytest

from natslib.analysis import in_numbers
from natslib.analysis.columns import accuracy_frame, find_columns
from natslib.analysis.printed import read_facts
from natslib.errors import NotMeasured
from natslib.spaces import SIZE, TOPOLOGY


@pytest.fixture(scope="module")
def accuracy(published_table):
    columns = find_columns(published_table.runs(), published_table.values)
    return accuracy_frame(published_table.values, columns)


def known(quantity):
    """Return the facts of a quantity by their words: {'C10-V': 83.69, ...}."""
    groups = [fact for fact in read_facts("tss") if fact["quantity"] == quantity]
    return {key: value for group in groups for key, value in group["values"].items()}


def test_what_is_recorded_says_seeds_that_some_lack(published_table):
    table = published_table
    found = in_numbers.recorded_table(table.runs(), table.measured_metrics, table.curves)
    assert found["trained on"].unique().tolist() == ["CIFAR-10 (half)", "CIFAR-100", "ImageNet16-120"]
    assert found["number"].tolist() == [25_000, 25_000, 50_000, 5_000, 151_700, 3_000]
    assert set(found["seeds"]) == {"777, 888, 999 (8,169)"}
    assert found["of an epoch"].tolist() == ["time", "accuracy"] * 3
    assert set(found["of which"]) == {"the last"}


def test_what_is_recorded_of_images_that_natslib_does_not_know_comes_last():
    runs = pd.DataFrame(
        [("mine", "9", "valtest", 1, 5, 9), ("digits", "12", "train", 1, 7, 12)],
        columns=["dataset", "recipe", "split", "seed", "n_archs", "epochs"],
    )
    curves = {"digits": "every epoch", "mine": "last epoch only"}
    found = in_numbers.recorded_table(
        runs, lambda *where: ["loss", "params_m"], lambda name, *_: curves[name]
    )
    assert found["trained on"].tolist() == ["digits", "mine"]
    assert found["images"].tolist() == ["training", "validation + test"]
    assert found["number"].isna().tolist() == [False, True]
    assert found["of an epoch"].tolist() == ["loss", "loss"]
    assert found["of which"].tolist() == ["every", "the last"]


def test_the_distributions_are_the_known_ones(accuracy):
    found = in_numbers.distribution_table(accuracy).set_index("column")
    for quantity in ("mean", "std", "median"):
        told = {label: known(quantity)[label] for label in found.index}
        assert found[quantity].to_dict() == pytest.approx(told, abs=0.006)
    assert found["90 %"].tolist() == pytest.approx([89.65, 69.36, 42.78], abs=0.006)
    assert found["99 %"].tolist() == pytest.approx([90.97, 71.03, 45.13], abs=0.006)
    assert found["best index"].tolist() == ["6111", "9930", "10676"]
    assert in_numbers.distribution_rows(found.reset_index())["best"].tolist() == ["91.61", "73.49", "46.73"]
    assert found["worst"].tolist() == pytest.approx([9.712, 1, 0.833], abs=0.001)


def test_the_counts_of_the_papers_thresholds(shared_data):
    real = pd.read_csv(shared_data / "nats-tss-cifar10.csv")
    found = in_numbers.counts_above(pd.DataFrame({"C10-T": real["c10_test200_mean"]}))
    told = {int(key.split()[1]): count for key, count in known("above").items() if key.startswith("C10-T ")}
    assert dict(zip(found["above"], found["architectures"], strict=True)) == told


def test_the_highest_threshold_is_exceeded_also_by_a_whole_percent():
    found = in_numbers.counts_above(pd.DataFrame({"a": [2.0, 1.0, np.nan]}))
    assert found.to_numpy().tolist() == [["a", 1, 1], ["a", 0, 2]]
    assert in_numbers.counts_rows(found).iloc[0].tolist() == ["a", "> 1: 1", "> 0: 2"]


def test_special_architectures_have_one_choice_everywhere_or_were_designed():
    found = in_numbers.special_architectures(TOPOLOGY).set_index("arch_index")["name"].to_dict()
    assert found == {
        1651: "only none",
        1835: "only skip_connect",
        4317: "only nor_conv_1x1",
        1462: "only nor_conv_3x3",
        7581: "only avg_pool_3x3",
        11472: "ResNet",
    }
    sizes = in_numbers.special_architectures(SIZE)
    assert sizes["arch_index"].tolist()[::7] == [0, 32767]
    assert (sizes["name"] == "pyramids").sum() == 3


def test_special_cells_have_the_known_accuracies_and_ranks(accuracy):
    special = in_numbers.special_architectures(TOPOLOGY)
    found = in_numbers.special_frame(special, accuracy, accuracy).set_index(["column", "arch_index"])
    for key, value in known("accuracy").items():
        label, arch = key.split()
        if label.endswith("V"):
            assert found.loc[(label, int(arch)), "accuracy"] == pytest.approx(value, abs=0.006)
    for label, rank in (("C10-V", 240), ("C100-V", 375), ("I120-V", 637)):
        assert found.loc[(label, 11472), "rank"] == rank


def test_what_an_equal_network_answers_is_ranked_among_the_trained():
    measured = pd.DataFrame({"a": [90.0, 80.0]}, index=[3, 4])
    through = pd.DataFrame({"a": [90.0, 80.0, 85.0]}, index=[3, 4, 5])
    special = pd.DataFrame({"arch_index": [5, 6], "name": ["equal", "unknown"]})
    found = in_numbers.special_frame(special, through, measured)
    assert found["rank"].tolist()[:1] == [2]
    assert found[["accuracy", "rank"]].iloc[1].isna().all()
    assert in_numbers.special_rows(found)["a"].tolist() == ["85.00 (2)", ""]


def test_the_costs_are_the_known_totals(published_table):
    found = in_numbers.cost_table(published_table.runs(), published_table.per_seed)
    assert found["one run of each (s)"].tolist() == [28_562_295, 57_124_591, 173_316_009]
    assert found["s an epoch"][0] == pytest.approx(9.140, abs=0.001)
    assert found["runs"].tolist() == [2 * 15_625 + 8_169] * 3
    assert found["in days"][0] == 331
    assert (found["all, in days"] > 2 * found["in days"]).all()


def test_a_table_without_times_has_no_costs():
    def lacking(metric, **where):
        raise NotMeasured("no times")

    runs = pd.DataFrame([("digits", "12", "train", 1, 5, 12)])
    runs.columns = ["dataset", "recipe", "split", "seed", "n_archs", "epochs"]
    with pytest.raises(NotMeasured, match="no training times"):
        in_numbers.cost_table(runs, lacking)
