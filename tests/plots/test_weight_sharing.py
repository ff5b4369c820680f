"""The drawing functions of weight-sharing searches put the given numbers into the panel."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from natslib.plots import tables, weight_sharing
from natslib.plots.palette import ALGORITHM_COLOURS, BLACK


@pytest.fixture
def ax():
    return Figure().subplots()


def test_searches_without_warm_up_are_dashed_and_gaps_stay(ax):
    curve = pd.DataFrame(
        {"method": "tas", "epoch": [0, 1, 2], "mean": [1.0, np.nan, 3], "low": 1.0, "high": 3.0}
    )
    curves = pd.concat([curve.assign(warm_up=0.3), curve.assign(warm_up=0.0)])
    weight_sharing.draw_epochs(ax, curves)
    assert [line.get_linestyle() for line in ax.lines] == ["-", "--"]
    assert np.isnan(ax.lines[0].get_ydata()[1])
    weight_sharing.list_searches(ax, curves)
    assert [text.get_text() for text in ax.get_legend().get_texts()][1:] == ["with warm-up", "without"]


def test_dots_are_only_where_something_is_known(ax):
    runs = pd.DataFrame({"method": "gdas", "epoch": [0, 1], "arch_index": [0, 1]})
    weight_sharing.draw_known(ax, runs, np.array([5.0, np.nan]))
    assert np.isnan(ax.lines[0].get_ydata()).tolist() == [False, True]


def test_operations_are_stacked_to_one_and_seeds_are_lines():
    shares = pd.DataFrame({"method": "gdas", "seed": [1, 1, 2, 2], "epoch": [0, 1, 0, 1]})
    shares = shares.assign(skip_connect=[0.0, 1, 0, 0.5], none=[1.0, 0, 1, 0.5])
    fig = weight_sharing.operations_figure(shares, ["skip_connect", "none"])
    top, bottom = fig.axes
    assert [line.get_ydata()[-1] for line in top.lines[:2]] == [0.5, 0.25], (
        "means over what is there of ten epochs"
    )
    assert bottom.collections[0].get_paths()[0].vertices[:, 1].max() == 0.75
    assert bottom.collections[1].get_paths()[0].vertices[:, 1].max() == 1


def test_every_operation_is_a_point(ax):
    decisions = pd.DataFrame(
        {"operation": ["none", "skip_connect"], "weight": [0.1, 0.9], "drop": [0.0, 20.0]}
    )
    weight_sharing.draw_magnitudes(ax, decisions)
    assert [line.get_xydata().tolist() for line in ax.lines] == [[[0.1, 0.0]], [[0.9, 20.0]]]


def test_two_ways_of_scoring_are_told_apart(ax):
    rows = [("tas", False, 0.4), ("tas", False, 0.6), ("tas", True, 0.8)]
    found = pd.DataFrame(rows, columns=["method", "inside", "tau"]).assign(by_size=0.3)
    weight_sharing.draw_rank_correlations(ax, found)
    hollow, filled = ax.lines[:2]
    assert hollow.get_ydata().tolist() == [0.4, 0.6]
    assert (hollow.get_markerfacecolor(), filled.get_markerfacecolor()) == ("white", ALGORITHM_COLOURS["tas"])
    assert hollow.get_xdata()[0] < filled.get_xdata()[0]
    assert ax.collections[0].get_segments()[0][0, 1] == 0.5
    assert ax.lines[-1].get_ydata()[0] == 0.3
    assert ax.lines[-1].get_color() == BLACK


def test_halves_never_share_a_column():
    common = {"space": "size", "method": "tas", "column": "C10-T"}
    rows = [
        {"origin": "printed", "mean": 93.4, "std": 0.0, "evidence": "remembered"},
        {"origin": "here", "mean": 80.0, "std": 1.0, "warm_up": 0.3, "known": 2, "seeds": 3},
        {"origin": "here", "warm_up": 0.0, "known": 0, "seeds": 3},
        {"method": "tunas", "origin": "printed", "mean": 92.78, "std": 0.3, "evidence": "quoted"},
    ]
    rows = pd.DataFrame([common | row for row in rows])
    texts = weight_sharing.halves(rows, {"printed": "paper", "here": "ours"})
    assert list(texts.columns) == [("", "space"), ("", "search"), ("paper", "C10-T"), ("ours", "C10-T")]
    assert texts.to_numpy().tolist() == [
        ["size", "TAS: interpolation", "93.40±0.00 ?", "80.00±1.00 (2 of 3)"],
        ["size", "TAS: interpolation, no warm-up", "", "0 of 3 known"],
        ["size", "TuNAS: sampled masks", "92.78±0.30 q", ""],
    ]
    fig = tables.rows_figure(texts)
    written = {text.get_text(): text.get_fontstyle() for text in fig.axes[0].texts}
    assert {"paper", "ours", "–"} <= set(written)
    assert [text for text, style in written.items() if style == "italic"] == ["93.40±0.00 ?"]
