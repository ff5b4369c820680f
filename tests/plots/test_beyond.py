"""The figures beyond the papers put the given numbers into their panels."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from natslib.analysis import factorial, landscape
from natslib.analysis.equal_networks import FOREST, MEMORY, RANDOM, TOGETHER
from natslib.analysis.trade_offs import CHANCE, SEED, front_frame, hypervolumes, transfer_frame
from natslib.plots import equal_networks, trade_offs
from natslib.plots import landscape as drawing

NAMES = ("0→1", "0→2", "1→2")
CUBE = np.arange(27.0).reshape(3, 3, 3)


@pytest.fixture
def ax():
    return Figure().subplots()


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def effects() -> pd.DataFrame:
    rows = [(name, choice, 1.0) for name in NAMES for choice in ("none", "skip_connect")]
    return pd.DataFrame(rows, columns=["position", "choice", "effect"])


@pytest.mark.parametrize(("datasets", "panels"), [(["a"], (1, 3)), (["a", "b"], (3, 2))])
def test_one_dataset_lies_side_by_side_and_several_in_columns(datasets, panels) -> None:
    shares = dict.fromkeys(datasets, factorial.variances(CUBE, NAMES))
    fig = drawing.variance_figure(shares, dict.fromkeys(datasets, effects()))
    assert fig.axes[0].get_subplotspec().get_gridspec().get_geometry() == panels
    titles = [ax.get_title() for ax in fig.axes if ax.get_title()]
    assert titles == datasets
    assert [text.get_text() for text in fig.legends[0].get_texts()] == ["none", "skip_connect"]


def test_triangles_are_in_percent_and_additive_functions_have_a_diagonal(ax) -> None:
    drawing.draw_pairs(ax, factorial.variances(CUBE, NAMES))
    assert texts(ax) == ["89.0", "0.0", "9.9", "0.0", "0.0", "1.1"]


def test_orders_stand_side_by_side(ax) -> None:
    drawing.draw_orders(ax, factorial.variances(CUBE, NAMES))
    assert [bar.get_height() for bar in ax.patches] == pytest.approx([100, 0, 0] * 2)


def test_a_landscape_has_its_optima_and_its_walks() -> None:
    named = {}
    climbs = landscape.ascents(CUBE)
    named["optima"] = landscape.local_optima(climbs, np.arange(27))
    named["reached"] = landscape.reached_within(climbs)
    walk = landscape.walk_correlation(CUBE, 3)
    named["walks"] = walk.assign(walked=walk["correlation"])
    named["distances"] = landscape.by_distance(CUBE)
    fig = drawing.landscape_figure(*(frame.assign(dataset="digits") for frame in named.values()))
    optima, reached, walks, distances = fig.axes
    assert [text.get_text() for text in optima.get_legend().get_texts()] == ["digits: 1"]
    assert optima.lines[0].get_xydata().tolist() == [[0, 100]]
    assert reached.lines[0].get_ydata().max() == 100
    assert walks.lines[0].get_ydata()[0] == 1
    assert distances.lines[0].get_ydata()[0] == 26


def test_basins_within_a_decade_are_labelled_in_percent(ax) -> None:
    optima = pd.DataFrame({"dataset": "digits", "below": [0.0, 0.5], "basin": [0.6, 0.03]})
    drawing.draw_optima(ax, optima)
    ax.figure.draw_without_rendering()
    labels = [text.get_text() for text in ax.get_yticklabels(minor=True)]
    assert "40" in labels
    assert not any("^" in label for label in labels)


def test_a_measured_cost_has_the_front_by_flops_beside_its_own() -> None:
    accuracy = pd.DataFrame({"a-V": [1.0, 2, 3]}).rename_axis("arch_index")
    costs = pd.DataFrame({"flops_m a": [1.0, 2, 3], "latency_s a": [3.0, 9, 1]})
    titles = {"a-V": "a"}
    fronts = front_frame(accuracy, costs, titles)
    volumes = hypervolumes(accuracy, costs, fronts, titles)
    fig = trade_offs.fronts_figure({"a": accuracy["a-V"]}, costs, fronts, volumes)
    counted, measured = fig.axes
    assert (counted.get_xlabel(), measured.get_xlabel()) == ("FLOPs (millions)", "latency (seconds)")
    assert "front by FLOPs" not in [line.get_label() for line in counted.lines]
    assert "front by FLOPs" in [line.get_label() for line in measured.lines]
    assert counted.get_title().startswith("a\nhypervolume")
    assert measured.get_title() == "hypervolume 1.000; by FLOPs 1.000"


def test_costs_that_hardly_differ_have_few_ticks(ax) -> None:
    """Latencies of 13 to 19 ms, among which no 1, 2 or 5 of a decade lies."""
    cloud = pd.DataFrame({"cost": np.linspace(0.013, 0.019, 9), "accuracy": np.arange(9.0)})
    trade_offs.draw_front(ax, cloud, cloud, colour="blue")
    low, high = ax.get_xlim()
    assert 2 <= sum(low <= tick <= high for tick in ax.get_xticks()) <= 5


def test_transfer_has_a_column_a_judge_and_both_limits() -> None:
    accuracy = pd.DataFrame({"a-V": np.arange(9.0), "b-V": np.arange(9.0)[::-1]})
    runs = {"a-V": pd.DataFrame({1: np.arange(9.0), 2: np.arange(9.0)})}
    frame = transfer_frame(accuracy, runs, [1, 3])
    fig = trade_offs.transfer_figure(frame, {"a-V": "a", "b-V": "b"})
    assert [text.get_text() for text in fig.legends[0].get_texts()] == ["a", "b", SEED, CHANCE]
    by_label = {line.get_label(): line.get_ydata().tolist() for line in fig.axes[0].lines}
    assert by_label["b"] == [8, 6]
    assert by_label[SEED] == [0, 0]


def test_one_dataset_with_one_run_says_that_nothing_transfers() -> None:
    frame = transfer_frame(pd.DataFrame({"a-V": np.arange(9.0)}), {}, [1, 3])
    (ax,) = trade_offs.transfer_figure(frame, {"a-V": "a"}).axes
    assert texts(ax)[0].startswith("No two datasets of this source")
    assert ax.get_label().startswith("absent: ")


def test_equal_networks_are_counted_and_both_kinds_of_halves_drawn() -> None:
    rows = [
        (RANDOM, FOREST, 100, 0.6), (RANDOM, FOREST, 800, 0.8), (TOGETHER, FOREST, 100, 0.5), (RANDOM, MEMORY, 100, 0.9)
    ]  # fmt: skip
    means = pd.DataFrame(rows, columns=["split", "predictor", "train", "tau"]).assign(error=0.01)
    fig = equal_networks.equal_figure(np.array([*range(40), *[40] * 3, *[41] * 5]), means)
    sizes, seen, study = fig.axes
    assert [bar.get_width() for bar in sizes.patches] == [40, 3, 5]
    assert seen.get_title().startswith("a random half:")
    assert study.lines[0].get_ydata().tolist() == [0.6, 0.8]
    assert len(study.get_legend().get_texts()) == 3
