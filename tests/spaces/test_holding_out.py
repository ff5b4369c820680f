"""Splits for predictors: equal networks stay on one side, and where they do not, the number is said."""

import numpy as np
import pytest

from natslib.errors import ConfigError
from natslib.spaces import SIZE, TOPOLOGY, check_held_out, hold_out


def test_equal_networks_are_on_one_side_and_every_architecture_on_one():
    learnt, out = hold_out(TOPOLOGY, 0.3, np.random.default_rng(0))
    assert np.array_equal(np.sort(np.concatenate([learnt, out])), np.arange(15_625))
    assert len(out) == pytest.approx(0.3 * 15_625, rel=0.1)
    assert not np.isin(TOPOLOGY.classes()[out], TOPOLOGY.classes()[learnt]).any()
    assert check_held_out(TOPOLOGY, learnt, out) == 0


def test_halves_at_random_are_warned_of_with_the_share():
    order = np.random.default_rng(0).permutation(15_625)
    with pytest.warns(
        UserWarning, match=r"of 7,813 architectures held out \(7\d\.\d%\) have an exactly equal"
    ):
        share = check_held_out(TOPOLOGY, order[:7_812], order[7_812:])
    assert 0.69 < share < 0.72


def test_some_of_a_space_are_divided_and_sizes_are_all_different():
    among = [5, 9, 9, 300, 8_000]
    learnt, out = hold_out(SIZE, 0.5, np.random.default_rng(1), among)
    assert sorted([*learnt, *out]) == [5, 9, 300, 8_000]
    assert len(out) == 2


@pytest.mark.parametrize("share", [0, 1, -0.1, 30])
def test_a_share_lies_between_nothing_and_all(share):
    with pytest.raises(ConfigError, match="between 0 and 1"):
        hold_out(TOPOLOGY, share, np.random.default_rng(0))
