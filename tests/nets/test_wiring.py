"""Networks of wirings: what is counted on their modules is the closed form, and what is concatenated is joined."""

import numpy as np
import pytest
import torch

from natslib.datasets import get_dataset
from natslib.nets import build_network, count_flops, count_params
from natslib.nets.wiring import WiringCell
from natslib.spaces import SCALES, WIRING
from natslib.spaces.wiring import CONV_1X1, SEP_CONV_3X3


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("dataset", ["digits", "cifar10"])
def test_counts_equal_the_closed_form(dataset: str, scale: str) -> None:
    facts = get_dataset(dataset)
    chosen = np.random.default_rng(0).choice(np.unique(WIRING.classes()), 40, replace=False)
    for index in [0, 1023, *chosen.tolist()]:
        network = build_network(
            "dag5", index, in_channels=facts.in_channels, classes=facts.classes, scale=SCALES[scale]
        )
        expected = WIRING.count(WIRING.codes([index]), dataset, SCALES[scale])
        counted = count_params(network), count_flops(network, facts.in_channels, facts.resolution)
        assert counted == (expected.params[0], expected.macs[0]), index


def test_every_class_is_one_network() -> None:
    """Cells with the same live edges are the same function of image and weights, which are drawn in the same order."""
    images = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    for lowest in np.unique(WIRING.classes())[::40]:
        alike = np.flatnonzero(WIRING.classes() == lowest)
        outputs = []
        for index in alike[[0, -1]].tolist():
            torch.manual_seed(0)
            network = build_network("dag5", index, in_channels=1, classes=10, scale=SCALES["small"])
            outputs.append(network.eval()(images))
        assert torch.equal(*outputs)


def test_nodes_concatenate_and_leaves_are_joined() -> None:
    # 0→1, 0→2, 1→2 and 0→3: node 2 reads input and node 1, the output joins nodes 2 and 3
    cell = WiringCell((1, 1, 1, 1, 0, 0), (CONV_1X1, SEP_CONV_3X3, CONV_1X1), 3, 4).eval()
    x = torch.randn(2, 3, 5, 5)
    first = cell.nodes["1"](x)
    second = cell.nodes["2"](torch.cat([x, first], dim=1))
    third = cell.nodes["3"](x)
    torch.testing.assert_close(cell(x), torch.cat([second, third], dim=1) + cell.shortcut(x))
    assert cell.c_out == 8
    assert (first >= 0).all()  # a ReLU ends an inner node
    assert (second < 0).any()  # and none a leaf
    assert (third < 0).any()


def test_the_empty_cell_hands_its_input_on() -> None:
    cell = WiringCell((0,) * 10, (CONV_1X1,) * 4, 3, 8)
    x = torch.randn(2, 3, 4, 4)
    assert torch.equal(cell(x), x)
    assert list(cell.parameters()) == []
