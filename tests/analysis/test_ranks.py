"""Ranks: 1 is the best."""

import numpy as np
import pandas as pd
import pytest

from natslib.analysis.architectures import landmarks
from natslib.analysis.ranks import optima, rank_frame, rank_pairs, rank_table, select_top
from natslib.errors import ConfigError

FRAME = pd.DataFrame({"x": [90.0, 91.0, 91.0, np.nan, 10.0]})


def test_equals_share_the_better_rank_and_gaps_stay():
    assert rank_frame(FRAME)["x"].fillna(0).tolist() == [3, 1, 1, 0, 4]


def test_top_is_best_first_with_ties_by_index():
    assert select_top(FRAME["x"], 0.5).tolist() == [1, 2]
    assert select_top(FRAME["x"], 0.01).tolist() == [1]


def test_top_counts_exactly_despite_float_rounding():
    values = pd.Series(np.arange(1000.0))
    assert len(select_top(values, 0.29)) == 290  # 0.29 * 1000 is a little below 290


@pytest.mark.parametrize("fraction", [0, -0.1, 1.5])
def test_top_refuses_an_impossible_fraction(fraction):
    with pytest.raises(ConfigError, match=r"allowed is 0 < fraction <= 1"):
        select_top(FRAME["x"], fraction)


def test_rank_table_and_optima():
    table = rank_table(FRAME, [4, 0])
    assert table["x"].tolist() == [10, 4, 90, 3]
    assert table.index.tolist() == [(4, "accuracy"), (4, "rank"), (0, "accuracy"), (0, "rank")]
    assert optima(FRAME).loc["x"].tolist() == [1, 91]


def test_landmarks_of_both_spaces():
    assert landmarks("tss")["arch_index"].tolist() == [11472, 1462]
    assert landmarks("sss")["arch_index"].tolist() == [668, 751, 14711, 32767]
    none = landmarks("a space of one's own")
    assert none.empty
    assert none.columns.tolist() == ["arch_index", "name", "kind"]
    assert FRAME.loc[none["arch_index"]].empty


def test_pairs_are_ranked_among_what_both_columns_hold():
    frame = pd.DataFrame({"a": [9.0, 8.0, 7.0], "b": [np.nan, 1.0, 2.0]}).rename_axis("arch_index")
    ranks = rank_pairs(frame, [("a", "b")])
    assert ranks.to_dict("list") == {
        "x": ["a", "a"],
        "y": ["b", "b"],
        "arch_index": [1, 2],
        "rank_x": [1.0, 2.0],
        "rank_y": [2.0, 1.0],
    }
    assert list(rank_pairs(frame, [])) == list(ranks)
