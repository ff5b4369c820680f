"""Official order, landmarks and mutation of the topology space (spec A1, E1)."""

import bz2
import pickle
import random
from pathlib import Path

import numpy as np
import pytest

from natslib.errors import UnknownName
from natslib.spaces import TOPOLOGY
from natslib.spaces.topology import equivalence_class, unique_string

RESNET = 11472
LANDMARKS = {
    0: (4, 2, 1, 2, 1, 1),
    1: (3, 3, 4, 1, 3, 1),
    9: (4, 0, 0, 1, 0, 3),
    11: (3, 3, 4, 0, 3, 4),
    123: (4, 4, 2, 0, 4, 3),
    284: (1, 1, 1, 0, 2, 0),
    857: (2, 2, 3, 1, 3, 3),
    1462: (3, 3, 3, 3, 3, 3),
    1651: (0, 0, 0, 0, 0, 0),
    1835: (1, 1, 1, 1, 1, 1),
    4317: (2, 2, 2, 2, 2, 2),
    6111: (3, 3, 3, 1, 3, 2),
    7581: (4, 4, 4, 4, 4, 4),
    9930: (3, 3, 3, 1, 3, 3),
    10676: (3, 2, 2, 1, 3, 3),
    RESNET: (3, 0, 3, 1, 0, 1),
    13714: (3, 3, 3, 1, 2, 3),
    15624: (2, 0, 2, 0, 2, 2),
}


def test_order_and_strings_are_the_official_ones(shared_data: Path):
    path = shared_data / "official-fragments" / "NATS-tss-v1_0-3ffb9-simple" / "meta.pickle.pbz2"
    with bz2.open(path) as file:
        official = pickle.load(file)["meta_archs"]
    assert list(TOPOLOGY.strings()) == official
    assert [TOPOLOGY.index(string) for string in official] == list(range(15_625))


@pytest.mark.parametrize(("index", "code"), LANDMARKS.items())
def test_landmark(index: int, code: tuple[int, ...]):
    assert TOPOLOGY.code(index) == code
    assert TOPOLOGY.index(code) == index


def test_string_of_the_first_asserted_cell():
    assert TOPOLOGY.string(0) == (
        "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
    )


def test_the_order_neither_uses_nor_disturbs_the_global_generator():
    random.seed(1)
    before = random.getstate()
    fresh = type(TOPOLOGY)(**TOPOLOGY.__getstate__())
    assert fresh.index((3,) * 6) == 1462
    assert random.getstate() == before


def test_official_mutation_draws_a_node_before_an_edge():
    """Node i has i incoming edges, so the edges change with chance 1/3, 1/6 (twice) and 1/9 (thrice)."""
    rng, parent, n = np.random.default_rng(3), (0, 1, 2, 3, 4, 0), 18_000
    changed = np.array([TOPOLOGY.mutate(parent, rng, rule="official") for _ in range(n)]) != parent
    assert (changed.sum(axis=1) == 1).all()
    expected = np.array([1 / 3, 1 / 6, 1 / 6, 1 / 9, 1 / 9, 1 / 9])
    assert np.abs(changed.mean(axis=0) - expected).max() < 0.015


def test_unique_string_takes_any_name():
    key = "(0)@avg_pool_3x3+(0)@avg_pool_3x3+(0)@nor_conv_1x1+(0)@nor_conv_1x1"
    assert unique_string(0, "zero") == unique_string(TOPOLOGY.string(0), "zero") == key


def test_classes_are_lowest_indices_and_read_only():
    classes = equivalence_class("exact")
    assert classes.dtype == np.int64
    assert (classes <= np.arange(15_625)).all()
    np.testing.assert_array_equal(classes[classes], classes)
    with pytest.raises(ValueError, match="read-only"):
        classes[0] = 1


def test_unknown_equivalence_names_the_allowed():
    with pytest.raises(TypeError, match="rule"):  # the rules differ: none of them goes without saying
        equivalence_class()
    with pytest.raises(UnknownName, match="equivalence rule 'official': allowed are 'plain', 'skip', 'zero'"):
        equivalence_class("official")
