"""Unique strings and equivalence classes: the counts, and that `exact` is what random weights find."""

from itertools import permutations

import numpy as np
import pytest

from natslib.errors import UnknownName
from natslib.spaces import TOPOLOGY
from natslib.spaces.equivalence import exact_key, expression_key, unique_string
from natslib.spaces.topology import EDGES, EQUIVALENCES, equivalence_class, is_connected

COUNTS = {"plain": 15_625, "skip": 12_751, "zero": 6_466, "expression": 4_930, "exact": 5_234}
CHANNELS, SIDE, IMAGES = 2, 4, 3


def test_every_rule_has_its_count():
    assert {rule: len(np.unique(equivalence_class(rule))) for rule in EQUIVALENCES} == COUNTS


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("plain", "(((0)@none)@nor_conv_3x3+(0)@nor_conv_3x3)@skip_connect+((0)@none)@none+(0)@skip_connect"),
        ("skip", "((0)@none)@none+((0)@none)@nor_conv_3x3+(0)@nor_conv_3x3+0"),
        ("zero", "#+#+(0)@nor_conv_3x3+0"),
    ],
)
def test_unique_string(mode, expected):
    assert unique_string((0, 3, 3, 1, 0, 1), mode) == expected


def test_unknown_mode_names_the_allowed():
    with pytest.raises(UnknownName, match="mode None: allowed are 'plain', 'skip', 'zero'"):
        unique_string((0,) * 6, None)


def test_disconnected_cells_are_one_expression():
    """Their formula is zero, or what convolutions of zeros add: biases that do not depend on the input."""
    apart = ~is_connected(TOPOLOGY.codes())
    assert len(np.unique(equivalence_class("expression")[apart])) == 1
    assert len(np.unique(equivalence_class("exact")[apart])) > 1


def test_expressions_that_are_several_networks():
    expressions, networks = equivalence_class("expression"), equivalence_class("exact")
    parts = [len(np.unique(networks[expressions == label])) for label in np.unique(expressions)]
    assert (parts.count(1), len(parts) - parts.count(1)) == (4_552, 378)
    several = [label for label, count in zip(np.unique(expressions), parts, strict=True) if count > 1]
    assert np.isin(expressions, several).sum() == 8_619


@pytest.mark.parametrize(
    ("one", "other", "same_expression", "same_network"),
    [
        # 2 conv(x) against conv(x) + another conv(x)
        ((3, 0, 1, 0, 1, 1), (3, 3, 0, 0, 1, 1), True, False),
        # x against x + bias
        ((0, 0, 0, 1, 0, 0), (0, 0, 0, 1, 0, 3), True, False),
        # a convolution of zeros is a bias, whatever its kernel
        ((0, 0, 0, 1, 0, 2), (0, 0, 0, 1, 0, 3), True, True),
        # pool(x + conv(x)) against pool(x) + pool(conv(x))
        ((3, 1, 1, 0, 0, 4), (3, 4, 4, 0, 0, 1), False, True),
        # 2 conv(x) against conv(x)
        ((3, 0, 1, 0, 1, 1), (0, 3, 0, 0, 0, 1), False, False),
    ],
)
def test_what_the_two_rules_unite(one, other, same_expression, same_network):
    assert (expression_key(one) == expression_key(other)) is same_expression
    assert (exact_key(one) == exact_key(other)) is same_network
    assert outputs_match(one, other, make_weights(0)) is same_network


def test_cells_of_an_exact_class_compute_the_same():
    """Two members of each of 150 classes agree once their convolutions exchange weights."""
    rng, weights, classes = np.random.default_rng(1), make_weights(1), equivalence_class("exact")
    labels, sizes = np.unique(classes, return_counts=True)
    for label in rng.choice(labels[sizes > 1], 150, replace=False):
        one, other = TOPOLOGY.codes(rng.choice(np.flatnonzero(classes == label), 2, replace=False)).tolist()
        assert outputs_match(one, other, weights), (one, other)


def test_cells_of_one_expression_but_different_exact_classes_do_not():
    rng, weights = np.random.default_rng(2), make_weights(2)
    expressions, networks = equivalence_class("expression"), equivalence_class("exact")
    for index in rng.choice(np.flatnonzero(networks != networks[expressions]), 60, replace=False):
        one, other = TOPOLOGY.codes([index, expressions[index]]).tolist()
        assert not outputs_match(one, other, weights), (one, other)


def outputs_match(one, other, weights) -> bool:
    """Whether some assignment of `weights` to the other cell's convolutions gives the one cell's output."""
    target = forward(one, dict(zip(convolutions(one), range(6), strict=False)), weights)
    edges = convolutions(other)
    orders = permutations(range(max(len(edges), len(convolutions(one)))), len(edges))
    outputs = (forward(other, dict(zip(edges, order, strict=True)), weights) for order in orders)
    return any(np.allclose(output, target, rtol=0, atol=1e-9) for output in outputs)


def convolutions(code) -> list[int]:
    """Return the edges of the convolutions from which a path without `none` leads to the output."""
    reaching = {3}
    for edge in (5, 4, 3, 2, 1, 0):
        source, target = EDGES[edge]
        if target in reaching and code[edge]:
            reaching.add(source)
    return [edge for edge, op in enumerate(code) if op in (2, 3) and EDGES[edge][1] in reaching]


def forward(code, numbers, weights):
    """Run one cell on a batch in training mode; `numbers` says whose weights each used convolution has."""
    images, pool, sets = weights
    nodes = [images, *np.zeros((3, *images.shape))]
    for edge, (source, target) in enumerate(EDGES):
        if code[edge] == 1:
            nodes[target] = nodes[target] + nodes[source]
        elif code[edge] == 4:
            nodes[target] = nodes[target] + nodes[source] @ pool.T
        elif edge in numbers:
            kernels, scale, bias = sets[numbers[edge]]
            nodes[target] = nodes[target] + norm(
                np.maximum(nodes[source], 0) @ kernels[code[edge]].T, scale, bias
            )
    return nodes[3]


def norm(flat, scale, bias):
    x = flat.reshape(IMAGES, CHANNELS, -1)
    mean, variance = x.mean(axis=(0, 2), keepdims=True), x.var(axis=(0, 2), keepdims=True)
    return (scale * (x - mean) / np.sqrt(variance + 1e-5) + bias).reshape(flat.shape)


def make_weights(seed):
    """Return images, the pooling as a matrix, and six sets of kernels (as matrices), scales and biases."""
    rng, size = np.random.default_rng(seed), CHANNELS * SIDE**2
    rows, columns = np.divmod(np.arange(SIDE**2), SIDE)
    near = (abs(rows[:, None] - rows) <= 1) & (abs(columns[:, None] - columns) <= 1)
    pool = np.kron(np.eye(CHANNELS), near / near.sum(axis=1, keepdims=True))
    step = 3 * (rows - rows[:, None] + 1) + (columns - columns[:, None] + 1)
    sets = []
    for _ in range(6):
        taps = rng.normal(size=(CHANNELS, CHANNELS, 9))
        conv3 = np.where(near, taps[:, :, step.clip(0, 8)], 0).transpose(0, 2, 1, 3).reshape(size, size)
        conv1 = np.kron(rng.normal(size=(CHANNELS, CHANNELS)), np.eye(SIDE**2))
        sets.append(
            ({2: conv1, 3: conv3}, rng.uniform(0.5, 1.5, (CHANNELS, 1)), rng.normal(size=(CHANNELS, 1)))
        )
    return rng.normal(size=(IMAGES, size)), pool, sets
