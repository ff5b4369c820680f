"""Fronts and hypervolumes against slow counts, transfer on columns made for it, and the spec's overlaps."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from natslib.analysis.architectures import cost_frame
from natslib.analysis.columns import accuracy_frame, find_columns
from natslib.analysis.trade_offs import (
    CHANCE,
    SEED,
    expected_best,
    front,
    front_frame,
    hypervolume,
    hypervolumes,
    transfer_frame,
)
from natslib.search.algorithms.nsga2 import fronts
from natslib.tables import load


def cloud(number: int, seed: int, levels: int = 12) -> pd.DataFrame:
    """Return points with many ties."""
    rng = np.random.default_rng(seed)
    points = rng.integers(1, levels, size=(number, 2)).astype(float)
    return pd.DataFrame(points, columns=["cost", "accuracy"])


@pytest.mark.parametrize("seed", range(20))
def test_the_front_is_that_of_nsga2(seed: int) -> None:
    points = cloud(60, seed)
    slow = fronts(points.assign(accuracy=-points["accuracy"]).to_numpy()) == 0
    found = front(points)
    assert sorted(found.index) == np.flatnonzero(slow).tolist()
    assert found["cost"].is_monotonic_increasing
    assert found["accuracy"].is_monotonic_increasing


def test_what_was_not_measured_is_on_no_front() -> None:
    points = pd.DataFrame({"cost": [1.0, np.nan, 2], "accuracy": [5.0, 9, np.nan]})
    assert front(points).index.tolist() == [0]


def counted(points: pd.DataFrame, within: pd.DataFrame) -> float:
    """Return the hypervolume by many small boxes."""
    ends = np.log([within["cost"].min(), within["cost"].max()])
    costs = np.exp(np.linspace(*ends, 2001))[:-1] * np.exp((ends[1] - ends[0]) / 4000)
    low, high = within["accuracy"].min(), within["accuracy"].max()
    heights = [points.loc[points["cost"] <= cost, "accuracy"].max() for cost in costs]
    return float((np.nan_to_num(np.array(heights) - low)).mean() / (high - low))


@pytest.mark.parametrize("seed", range(5))
def test_the_hypervolume_is_the_area_below_the_steps(seed: int) -> None:
    points = cloud(30, seed)
    some = points.iloc[:6]
    assert hypervolume(some, points) == pytest.approx(counted(some, points), abs=2e-3)
    assert hypervolume(front(points), points) == hypervolume(points, points) <= 1


def test_the_hypervolume_is_that_of_the_box_where_one_point_is_best_in_both() -> None:
    points = pd.DataFrame({"cost": [1.0, 10, 100], "accuracy": [9.0, 1, 2]})
    assert hypervolume(points, points) == pytest.approx(1)
    middle = pd.DataFrame({"cost": [10.0], "accuracy": [5.0]})
    assert hypervolume(middle, points) == pytest.approx(0.25)
    assert np.isnan(hypervolume(points.iloc[:1], points.iloc[:1]))


def test_another_costs_front_reaches_at_most_the_own() -> None:
    rng = np.random.default_rng(0)
    accuracy = pd.DataFrame({"a-V": rng.random(200), "b-V": rng.random(200)}).rename_axis("arch_index")
    costs = pd.DataFrame({f"{m} {t}": rng.random(200) + 0.1 for m in ("flops_m", "latency_s") for t in "ab"})
    costs["latency_s b"] = np.nan
    titles = {"a-V": "a", "b-V": "b"}
    found = front_frame(accuracy, costs, titles)
    assert set(zip(found["dataset"], found["metric"], strict=True)) == {
        ("a", "flops_m"), ("a", "latency_s"), ("b", "flops_m")
    }  # fmt: skip
    volumes = hypervolumes(accuracy, costs, found, titles)
    assert len(volumes) == 9
    own = volumes[(volumes["dataset"] == volumes["of_dataset"]) & (volumes["metric"] == volumes["of_metric"])]
    assert own["reached"].eq(1).all()
    assert volumes["reached"].max() == 1
    assert volumes["reached"].min() < 0.9


@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_best_of_a_random_choice_is_the_mean_over_all_choices(k: int) -> None:
    values = np.array([9.0, 7, 7, 4, 1])
    slow = np.mean([max(each) for each in combinations(values, k)])
    assert expected_best(values, k) == pytest.approx(slow)


def transferred(accuracy: pd.DataFrame, counts: list[int], **runs: pd.DataFrame) -> pd.DataFrame:
    return transfer_frame(accuracy, runs, counts).set_index(["chosen_by", "judged_by", "k"])


def test_equal_orders_transfer_and_opposite_ones_do_not() -> None:
    up = np.arange(10.0)
    found = transferred(pd.DataFrame({"a": up, "b": 2 * up, "c": -up}), [1, 3, 50])
    assert found.loc[("a", "b", 3)].tolist() == [0, 1]
    assert found.loc[("a", "c", 3)].tolist() == [7, 0]
    assert found.loc[("a", "b", 1)].tolist() == [0, 1]
    assert found.loc[(CHANCE, "a", 1)].tolist() == pytest.approx([4.5, 0.1])
    assert 50 not in found.index.get_level_values("k")


def test_seeds_of_one_dataset_are_a_limit() -> None:
    accuracy = pd.DataFrame({"a": [1.0, 2, 3], "b": [1.0, 2, 3]})
    runs = pd.DataFrame({1: [1.0, 2, 3], 2: [3.0, 2, 1], 3: [1.0, np.nan, 3]})
    found = transferred(accuracy, [1, 2], a=runs, b=runs[[1, 3]])
    assert found.loc[(SEED, "a", 1)].tolist() == [2, 0]
    assert found.loc[(SEED, "a", 2)].tolist() == [1, 0.5]
    assert (SEED, "b") not in found.index.droplevel("k")


def test_only_what_all_columns_measure_is_compared() -> None:
    accuracy = pd.DataFrame({"a": [1.0, 2, 3], "b": [np.nan, 2, 3]})
    assert transferred(accuracy, [1, 2, 3]).index.get_level_values("k").max() == 2


def test_the_papers_cells() -> None:
    """Overlaps of the best hundred by validation; nats-bench.md, F3, has 68, 45 and 55 of them by test."""
    table = load("published")
    columns = find_columns(table.runs(), table.values, splits=["valid"])
    accuracy = accuracy_frame(table.values, columns)
    found = transferred(accuracy, [100])["overlap"]
    assert found["C10-V", "C100-V", 100] == pytest.approx(0.68, abs=0.05)
    assert found["C10-V", "I120-V", 100] == pytest.approx(0.45, abs=0.01)
    assert found["C100-V", "I120-V", 100] == pytest.approx(0.55, abs=0.08)
    titles = {column.label: column.title for column in columns}
    costs = cost_frame(table.space, table.values, columns, ["flops_m", "params_m"])
    sizes = front_frame(accuracy, costs, titles).groupby(["metric", "dataset"]).size()
    assert sizes["flops_m"].equals(sizes["params_m"])
    assert sizes["flops_m"].max() <= 28  # cost levels, nats-bench.md, A4
