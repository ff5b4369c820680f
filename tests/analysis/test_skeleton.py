"""Facts about the spaces as frames."""

import numpy as np
import pandas as pd

from natslib.analysis.architectures import class_sizes, cost_levels, macro_skeleton, reference_rows


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


def test_reference_rows_are_those_that_the_space_has_and_the_table_knows():
    values = np.arange(15_625.0)
    rows = reference_rows("tss", values).set_index("method")
    assert rows["mean"].to_dict() == {
        "a-random-architecture": 7812.0, "resnet": 11_472.0, "largest": 1462.0, "optimal": 15_624.0,
    }  # fmt: skip
    assert rows["std"].notna().tolist() == [True, False, False, False]
    values[1462] = np.nan
    assert "largest" not in set(reference_rows("tss", values)["method"])
    assert reference_rows("sss", np.arange(32_768.0)).set_index("method")["mean"]["largest"] == 32_767
    assert reference_rows("dag5", np.array([1.0, 3.0]))["mean"].tolist() == [2.0, 3.0]
