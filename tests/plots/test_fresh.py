"""The panels of fresh runs show the numbers of their comparison."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from natslib.analysis.own_training import compare_runs
from natslib.plots import own_training

STORED = pd.DataFrame(
    {1: [90.0, 80.0, 70.0], 2: [92.0, 81.0, np.nan]}, index=pd.RangeIndex(3, name="arch_index")
)
COLOUR = {0: "#0072b2", 2: "#d55e00"}


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture
def rows():
    return compare_runs(STORED, pd.Series({0: 94.0, 2: 69.0}))


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_curves_begin_at_epoch_one_in_the_colour_of_their_architecture(ax):
    curves = pd.DataFrame(
        {
            "arch_index": [0, 0, 2, 2] * 2,
            "split": ["test"] * 4 + ["train"] * 4,
            "epoch": [0, 1] * 4,
            "accuracy": [10.0, 20, 30, 40, 50, 60, 70, 80],
        }
    )
    own_training.draw_learning(ax, curves, split="test", title="test", colour=COLOUR)
    drawn = [line for line in ax.lines if len(line.get_xdata())]
    assert [line.get_xdata().tolist() for line in drawn] == [[1, 2]] * 4
    assert [to_hex(line.get_color()) for line in drawn] == ["#0072b2", "#d55e00"] * 2
    assert drawn[0].get_ydata().tolist() == [10, 20]


def test_the_place_is_the_rank_among_all_stored_means(ax, rows):
    own_training.draw_place(ax, STORED.mean(axis=1), rows, colour=COLOUR)
    assert [group.get_offsets().tolist() for group in ax.collections] == [[[1.0, 94.0]], [[4.0, 69.0]]]
    assert ax.lines[0].get_ydata().tolist() == [91.0, 80.5, 70.0]
    assert ax.get_ylim()[0] < 69


def test_bars_reach_three_deviations_around_the_stored_mean(ax, rows):
    own_training.draw_apart(ax, STORED, rows, colour=COLOUR)
    bars = [(bar.get_x(), bar.get_width()) for bar in ax.patches]
    for (left, width), std in zip(bars, rows["std"], strict=True):
        assert (left, width) == pytest.approx((-3 * std, 6 * std))
        assert ax.get_xlim()[0] < left
    assert texts(ax) == [f"z = {z:+.1f}".replace("-", "−") for z in rows["z"]]


def test_a_table_without_repeats_says_so(ax):
    own_training.draw_apart(ax, STORED[[1]], compare_runs(STORED[[1]], pd.Series({0: 94.0})), colour=COLOUR)
    assert "No z-scores" in texts(ax)[0]
