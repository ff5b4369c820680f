"""The wiring space: live edges, classes of equal networks, and costs worked out by hand."""

import numpy as np
import pytest

from natslib.errors import ConfigError, UnknownName
from natslib.spaces import SMALL_SCALE, WIRING, wiring_space
from natslib.spaces.wiring import CONV_1X1, adjacency, leaves, pruned


def test_a_string_has_a_column_a_node() -> None:
    assert (len(WIRING), WIRING.string(1023), WIRING.string(0)) == (
        1024,
        "|1|11|111|1111|",
        "|0|00|000|0000|",
    )
    assert WIRING.code("|1|01|011|0100|") == (1, 0, 1, 0, 1, 1, 0, 1, 0, 0)


@pytest.mark.parametrize(("nodes", "distinct"), [(2, 2), (3, 6), (4, 34), (5, 422), (6, 11_586)])
def test_the_number_of_distinct_wirings(nodes: int, distinct: int) -> None:
    space = wiring_space([CONV_1X1] * (nodes - 1))
    classes = space.classes()
    assert (len(space), len(np.unique(classes))) == (2 ** (nodes * (nodes - 1) // 2), distinct)
    np.testing.assert_array_equal(classes[classes], classes)


def test_only_what_the_input_reaches_is_live() -> None:
    # 1→2 and 2→3 hang on node 1, which nothing reaches; 0→3 is live, and 3→4 with it.
    code = (0, 0, 1, 1, 0, 1, 0, 0, 0, 1)
    assert pruned(code).tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 1]
    assert leaves(adjacency(code)).tolist() == [False, False, False, False, True]


def test_a_removal_takes_what_hangs_on_it_along() -> None:
    chain = WIRING.code("|1|01|001|0001|")
    assert [WIRING.string(tuple(code)) for code in WIRING.removals(chain).tolist()] == [
        "|0|00|000|0000|", "|1|00|000|0000|", "|1|01|000|0000|", "|1|01|001|0000|",
    ]  # fmt: skip
    assert WIRING.removals((0,) * 10).shape == (0, 10)


def test_removals_are_live_distinct_and_fewer() -> None:
    for index in np.unique(WIRING.classes())[::7].tolist():
        removals = WIRING.removals(index)
        assert len({tuple(code) for code in removals.tolist()}) == len(removals)
        assert (removals.sum(axis=1) < WIRING.codes([index]).sum()).all()
        np.testing.assert_array_equal(pruned(removals), removals)


def test_the_cost_of_a_small_cell_by_hand() -> None:
    # grey images of 8x8 pixels, 8 channels: node 1 a separable convolution, and the only leaf
    cell = WIRING.code("|1|00|000|0000|")
    params, macs = WIRING.count([cell], "digits", scale=SMALL_SCALE)
    # a stage: depthwise 9 c, pointwise c w, a norm 2 w; where c is not w, a shortcut c w with a norm of 2 w
    stages = [(1, 8, 64), (8, 16, 16), (16, 32, 4)]
    weights = [9 * c + c * w + c * w for c, w, _ in stages]
    assert params.tolist() == [sum(weights) + sum(4 * w for _, w, _ in stages) + 33 * 10]
    assert macs.tolist() == [sum(n * area for n, (*_, area) in zip(weights, stages, strict=True)) + 33 * 10]


def test_what_no_wiring_space_has() -> None:
    for ops in ((), (CONV_1X1,) * 6):
        with pytest.raises(
            ConfigError, match=rf"a cell of {len(ops) + 1} nodes was given; a wiring space has 2 to 6"
        ):
            wiring_space(ops)
    with pytest.raises(UnknownName, match=r"unknown operation of a node 'conv_2x2'.*did you mean 'conv_1x1'"):
        wiring_space(["conv_2x2", CONV_1X1])
