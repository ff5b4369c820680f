"""The drawing functions put the given numbers into the panel."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from natslib.analysis.architectures import class_sizes, cost_levels, landmarks, macro_skeleton
from natslib.analysis.columns import Column
from natslib.plots import draw_absent, draw_heatmap, heatmap, noise, scatter, search_spaces, tables
from natslib.plots.figure import TWO_COLUMNS, new_figure, new_mosaic, write_caption
from natslib.plots.palette import OPERATION_COLOURS


@pytest.fixture
def ax():
    return Figure().subplots()


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_heatmap_writes_every_value_on_one_scale(ax):
    matrix = pd.DataFrame([[1, 0.5], [0.5, 1]], index=["a", "b"], columns=["a", "b"])
    draw_heatmap(ax, matrix, title="τ")
    assert texts(ax) == ["1.00", "0.50", "0.50", "1.00"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert ax.collections[0].get_clim() == (0.0, 1.0)


def test_heatmaps_have_a_bar(ax):
    heatmap.draw_scale(ax.figure, [ax])
    assert ax.figure.axes[-1].get_ylabel() == "correlation"


def test_scatter_is_one_raster_and_marks_what_is_there(ax):
    frame = pd.DataFrame({"params": [1.0, 2.0], "acc": [90.0, 91.0]}, index=[11472, 5])
    scatter.draw_cost_scatter(ax, frame, x="params", y="acc", colour="black")
    scatter.draw_landmarks(ax, frame, landmarks("tss"), x="params", y="acc")
    points, star = ax.collections
    assert points.get_rasterized()
    assert points.get_offsets().tolist() == [[1, 90], [2, 91]]
    assert star.get_offsets().tolist() == [[1, 90]]
    assert ax.get_legend_handles_labels()[1] == ["ResNet"]


COLUMNS = [
    Column("C10-V", "CIFAR-10", "cifar10-valid", "valid", "12", 12, (777,)),
    Column("C100-V", "CIFAR-100", "cifar100", "valid", "12", 12, (777,)),
]
ACCURACY = pd.DataFrame({"C10-V": [90.0, 91, 95, 99], "C100-V": [60.0, 59, 70, np.nan]})
ACCURACY = ACCURACY.set_axis([5, 6, 11472, 8]).rename_axis("arch_index")


@pytest.mark.parametrize(
    ("chosen", "points", "title"),
    [
        (("CIFAR-10", "params_m"), [[1, 90], [2, 91], [3, 95], [4, 99]], "CIFAR-10"),
        (("CIFAR-100", "params_m"), [[1, 60], [2, 59], [3, 70]], "CIFAR-100 (n = 3)"),
    ],
)
def test_costs_show_the_dataset_and_the_cost_that_are_asked_for(ax, chosen, points, title):
    costs = {f"params_m {column.title}": [1.0, 2, 3, 4] for column in COLUMNS}
    frame, labels = ACCURACY.assign(**costs), {"params_m": "parameters (millions)"}
    told = dict(zip(("dataset", "cost"), chosen, strict=True), split="valid")
    scatter.draw_costs(ax, frame, COLUMNS, landmarks("tss"), labels, len(frame), **told)
    assert np.ma.compress_rows(ax.collections[0].get_offsets()).tolist() == points
    assert ax.collections[1].get_offsets().tolist() == points[2:3]
    assert (ax.get_title(), ax.get_xlabel()) == (title, labels["params_m"])


def test_costs_say_what_is_not_in_the_source(ax):
    frame = ACCURACY.assign(**{"params_m CIFAR-10": np.nan})
    told = COLUMNS, landmarks("tss"), {"params_m": "parameters"}, 4
    for split, words in (("test", "no test accuracy"), ("valid", "no parameters")):
        scatter.draw_costs(ax, frame, *told, dataset="CIFAR-10", split=split, cost="params_m")
        assert words in texts(ax)[-1].replace("\n", " ")


def test_ranks_are_those_of_the_architectures_with_both_columns(ax):
    colour = {"C10-V": "black", "C100-V": "red"}
    scatter.draw_ranks(ax, ACCURACY, colour, across="C10-V", up="C100-V")
    assert ax.collections[0].get_offsets().tolist() == [[3, 2], [2, 3], [1, 1]]
    assert ax.get_title() == "τ-b = 0.333, n = 3"
    scatter.draw_ranks(ax, ACCURACY[3:], colour, across="C10-V", up="C100-V")
    assert texts(ax)[-1].replace("\n", " ") == "no architecture with C10-V and C100-V"


def test_correlations_above_a_threshold_are_of_the_good_ones_alone(ax):
    good = pd.DataFrame({"a": [1.0, 10, 20, 30], "b": [100.0, 3, 2, 1]})
    heatmap.draw_above(ax, good, column="a", threshold_pct=5, correlation="spearman")
    assert texts(ax) == ["1.00", "-1.00", "-1.00", "1.00"]
    assert ax.get_title() == "Spearman ρ, 3 with a > 5 %"
    heatmap.draw_above(ax, good, column="a", threshold_pct=15, correlation="spearman")
    assert "2 with a > 15 %: 2 architectures" in texts(ax)[-1].replace("\n", " ")


def test_rank_scatter_has_equal_axes(ax):
    frame = pd.DataFrame({"a": [1.0, 2, 3], "b": [3.0, 2, 1]})
    scatter.draw_rank_scatter(ax, frame, x="a", y="b", colour="black")
    assert ax.get_xlim() == ax.get_ylim()
    assert ax.lines[0].get_xydata().tolist() == [[1, 1], [3, 3]]


def test_cell_shows_six_operations(ax):
    operations = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "none"]
    search_spaces.draw_cell(ax, operations)
    assert [text for text in texts(ax) if text in OPERATION_COLOURS] == operations
    with pytest.raises(ValueError, match="shorter"):
        search_spaces.draw_cell(ax, operations[:5])


def test_skeleton_and_widths(ax):
    search_spaces.draw_skeleton(ax, macro_skeleton())
    assert texts(ax).count("cell × N") == 3
    widths = Figure().subplots()
    search_spaces.draw_widths(widths, (8, 16), (16, 8))
    assert widths.collections[0].get_offsets().tolist() == [[0, 8], [0, 16]]
    assert len({tuple(face) for face in widths.collections[0].get_facecolor()}) == 2


def test_counts_say_their_totals(ax):
    search_spaces.draw_class_sizes(ax, class_sizes(pd.Series([0, 0, 1])))
    assert ax.get_title() == "2 classes of 3 architectures"
    levels = Figure().subplots()
    search_spaces.draw_cost_levels(levels, cost_levels(np.array([1.0, 1.0]), np.array([2.0, 2.0])))
    assert levels.get_title() == "1 levels of cost"


def test_differences_are_cumulative_shares(ax):
    frame = pd.DataFrame(
        {"kind": ["same architecture"] * 2 + ["other architectures"], "difference": [0.2, 0.1, 5.0]}
    )
    noise.draw_differences(ax, frame)
    assert ax.lines[0].get_xydata().tolist() == [[0.1, 0.5], [0.2, 1.0]]
    assert ax.get_legend_handles_labels()[1] == ["same architecture", "other architectures"]


def test_ceiling_panel_shows_negative_values(ax):
    values = {"perfect_mean": [0.6], "perfect_one": [0.3], "repeat_one": [-0.2]}
    noise.draw_ceiling(ax, pd.DataFrame({"fraction": [0.01], **values}), colour="black")
    assert ax.get_ylim()[0] < -0.2
    assert ax.get_xticklabels()[0].get_text() == "top\n1 %"


def test_spread_leaves_out_what_never_varies(ax):
    runs = pd.DataFrame({777: [10.0, 80.0, 70.0], 888: [10.0, 81.0, 70.5]})
    noise.draw_seed_spread(ax, runs, colour="black")
    assert ax.collections[0].get_offsets().tolist() == [[80.5, 0.5], [70.25, 0.25]]
    assert texts(ax) == ["33.3% below 0.01"]


def test_stability_panel_and_labels():
    _, axes = new_figure(1, 2)
    ranks = pd.DataFrame({"by_mean": [1.0, 2.0], "by_one_seed": [2.0, 1.0]})
    noise.draw_stability(axes[0, 0], ranks, colour="black", tau=-1)
    noise.label_stability(axes, ["CIFAR-10"], [0.01, 0.2])
    assert [ax.get_title() for ax in axes[0]] == ["top 1 %\nτ-b = -1.00", "top 20 %"]
    assert axes[0, 0].get_xlim() == axes[0, 0].get_ylim()
    assert axes[0, 0].get_ylabel().startswith("CIFAR-10")


def test_an_absent_panel_says_so(ax):
    draw_absent(ax, "no test accuracy in this source")
    assert not ax.axison
    assert texts(ax) == ["no test accuracy in this source"]


def test_mosaic_keeps_room_for_title_and_caption():
    fig, axes = new_mosaic("AB", 2)
    write_caption(fig, "source: test", title="title")
    fig.draw_without_rendering()
    assert sorted(axes) == ["A", "B"]
    above, below = (text.get_window_extent() for text in fig.texts)
    panel = axes["A"].get_tightbbox()
    assert below.y1 < panel.y0 < panel.y1 < above.y0


def test_rows_are_written_once_a_group_with_dashes_for_what_is_missing():
    rows = pd.DataFrame(
        {"origin": ["a", "a", "b"], "n": pd.array([1200, None, 3], "Int64"), "rate": [0.1, 1e-5, 2]}
    )
    fig = tables.rows_figure(rows)
    words = [text.get_text() for text in fig.axes[0].texts]
    assert (words.count("a"), words.count("b")) == (1, 1)
    assert {"1,200", "–", "0.1", "1e-05"} <= set(words)
    assert len(fig.axes[0].collections) == 3, "rules at the top, below the header and at the bottom alone"


def test_headers_are_broken_where_a_table_would_be_wider_than_a_page():
    rows = pd.DataFrame({f"a header of column {place}": [1.0] for place in range(12)})
    fig = tables.rows_figure(rows)
    assert fig.get_figwidth() == TWO_COLUMNS
    fig.draw_without_rendering()
    headers = [text.get_window_extent() for text in fig.axes[0].texts if text.get_text().startswith("a")]
    assert len(headers) == 12
    assert all(left.x1 < right.x0 for left, right in pairwise(headers))


def test_groups_of_columns_that_do_not_fit_stand_below_one_another():
    names = [("", "search"), *((group, f"column {place}") for group in ("one", "two") for place in range(6))]
    found = [["REA", *["93.10±0.20"] * 12], ["BOHB", *["93.10±0.20"] * 6, *[None] * 6]]
    fig = tables.rows_figure(pd.DataFrame(found, columns=pd.MultiIndex.from_tuples(names)))
    at = {text.get_text(): text.get_position() for text in fig.axes[0].texts}
    words = [text.get_text() for text in fig.axes[0].texts]
    assert words.count("search") == words.count("REA") == 2
    assert (words.count("BOHB"), words.count("–")) == (1, 0), "a row that has nothing there is left out"
    assert at["two"][1] > at["one"][1]


def test_a_heading_that_is_wider_than_its_columns_has_room():
    names = [("", "search"), *((f"a heading that is long: {name}", name) for name in ("one", "two"))]
    fig = tables.rows_figure(pd.DataFrame([["REA", 1.0, 2.0]], columns=pd.MultiIndex.from_tuples(names)))
    fig.draw_without_rendering()
    one, two = (text.get_window_extent() for text in fig.axes[0].texts if text.get_text().startswith("a "))
    assert one.x1 < two.x0
