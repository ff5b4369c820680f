"""Official order, channels and mutation of the size space (spec A2, E1)."""

import bz2
import pickle
from pathlib import Path

import numpy as np
import pytest

from natslib.spaces import SIZE, TOPOLOGY
from natslib.spaces.size import CELL, channels

LANDMARKS = {
    0: "8:8:8:8:8",
    1: "8:8:8:8:16",
    11: "8:8:8:16:32",
    12: "8:8:8:16:40",
    284: "8:8:40:32:40",
    668: "8:16:24:32:40",
    751: "8:16:32:48:64",
    4831: "16:16:32:32:64",
    14711: "32:40:48:56:64",
    32767: "64:64:64:64:64",
}


def test_order_and_strings_are_the_official_ones(shared_data: Path):
    path = shared_data / "official-fragments" / "NATS-sss-v1_0-50262-simple" / "meta.pickle.pbz2"
    with bz2.open(path) as file:
        official = pickle.load(file)["meta_archs"]
    assert list(SIZE.strings()) == official
    assert [SIZE.index(string) for string in official] == list(range(32_768))


@pytest.mark.parametrize(("index", "string"), LANDMARKS.items())
def test_landmark(index: int, string: str):
    assert SIZE.string(index) == string
    assert SIZE.index(string) == index
    assert ":".join(map(str, channels(SIZE.code(index)).tolist())) == string


def test_cell_is_the_topology_best_on_cifar100():
    assert TOPOLOGY.index(CELL) == 9930


def test_official_mutation_may_change_nothing():
    rng, parent, n = np.random.default_rng(3), (0, 1, 2, 3, 4), 16_000
    changed = np.array([SIZE.mutate(parent, rng, rule="official") for _ in range(n)]) != parent
    assert changed.sum(axis=1).max() == 1
    assert np.mean(~changed.any(axis=1)) == pytest.approx(1 / 8, abs=0.015)
    assert np.abs(changed.mean(axis=0) - 7 / 40).max() < 0.015
