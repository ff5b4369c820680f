"""Facts about the spaces as frames."""

import numpy as np
import pandas as pd

from natslib.analysis.architectures import class_sizes, cost_levels, macro_skeleton


def test_skeleton_has_seven_blocks_from_stem_to_head():
    blocks = macro_skeleton()
    assert blocks["kind"].tolist() == ["stem", "cell", "reduction", "cell", "reduction", "cell", "head"]
    assert blocks["shrink"].tolist() == [1, 1, 2, 2, 4, 4, 0]


def test_class_sizes_count_every_architecture_once():
    sizes = class_sizes(pd.Series([0, 0, 2, 3, 3, 3, 6]))
    assert sizes.to_dict("list") == {"size": [1, 2, 3], "classes": [2, 1, 1], "architectures": [2, 2, 3]}


def test_cost_levels_are_distinct_pairs():
    levels = cost_levels(np.array([1.0, 0.5, 1.0]), np.array([10.0, 5.0, 10.0]))
    assert levels["architectures"].tolist() == [1, 2]
    assert levels["params_m"].tolist() == [0.5, 1.0]
