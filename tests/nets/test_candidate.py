"""Networks are put together layer by layer as the benchmark's, from any name of an architecture."""

import pytest
import torch
from torch import nn

from natslib.errors import UnknownArchitecture, UnknownName
from natslib.nets import Network, build_network
from natslib.nets.cell import Cell, ReductionBlock
from natslib.spaces import PAPER_SCALE, SMALL_SCALE, Scale, get_space


def build(arch: int | str | tuple[int, ...], space: str = "tss", scale: Scale = PAPER_SCALE) -> Network:
    torch.manual_seed(0)
    return build_network(space, arch, in_channels=3, classes=10, scale=scale)


def test_the_published_topology_network_has_seventeen_blocks() -> None:
    kinds = [type(block) for block in build(0).body]
    assert kinds == [Cell] * 5 + [ReductionBlock] + [Cell] * 5 + [ReductionBlock] + [Cell] * 5


def test_widths_of_the_size_space_stand_where_the_code_puts_them() -> None:
    network = build("8:16:24:32:40", "sss")
    blocks = list(network.body)
    assert [type(block) for block in blocks] == [Cell, ReductionBlock, Cell, ReductionBlock, Cell]
    convs = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert convs[0].out_channels == 8
    outs = [blocks[0].c_out, blocks[1].shortcut[1].out_channels, blocks[2].c_out]
    assert [*outs, blocks[3].shortcut[1].out_channels, blocks[4].c_out] == [8, 16, 24, 32, 40]
    assert network.classifier.in_features == 40


def test_the_small_scale_divides_widths_and_keeps_one_cell() -> None:
    assert build("8:24:40:64:8", "sss", SMALL_SCALE).classifier.in_features == 2
    assert len(build(0, scale=SMALL_SCALE).body) == 5


@pytest.mark.parametrize("space", ["tss", "sss"])
def test_index_string_and_code_build_the_same_network(space: str) -> None:
    found = get_space(space)
    images = torch.randn(2, 3, 16, 16)
    outputs = [build(arch, space).eval()(images) for arch in (77, found.string(77), found.code(77))]
    assert torch.equal(outputs[0], outputs[1])
    assert torch.equal(outputs[0], outputs[2])


def test_a_cell_adds_its_edges_in_the_order_of_the_string() -> None:
    # node 1 = x, node 2 = x + node 1 = 2x, node 3 = node 1 + node 2 = 3x
    cell = Cell((1, 1, 1, 0, 1, 1), 4, 4)
    x = torch.randn(2, 4, 5, 5)
    torch.testing.assert_close(cell(x), 3 * x)


def test_a_cell_without_edges_is_zero_and_still_trains() -> None:
    network = build(1651)  # all edges none
    loss = network(torch.randn(4, 3, 32, 32)).square().sum()
    loss.backward()
    assert torch.equal(Cell((0,) * 6, 4, 6)(torch.randn(2, 4, 5, 5)), torch.zeros(2, 6, 5, 5))
    assert network.classifier.bias.grad.abs().sum() > 0


def test_features_are_what_the_classifier_sees() -> None:
    network, images = build(9930).eval(), torch.randn(2, 3, 32, 32)
    assert network.features(images).shape == (2, 64)
    torch.testing.assert_close(network.classifier(network.features(images)), network(images))


def test_unknown_architectures_and_spaces_are_refused() -> None:
    with pytest.raises(UnknownArchitecture):
        build(15625)
    with pytest.raises(UnknownName, match="unknown space 'nasnet'"):
        build(0, "nasnet")
