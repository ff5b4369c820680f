"""A merged network is the plain one with fewer kernels: same numbers, same weights, same counts, no random draws."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from natslib.nets import Network, build_network, count_flops, count_params
from natslib.nets.cell import Cell
from natslib.nets.merged import Fan, MergedCell, MergedNetwork
from natslib.spaces import SMALL_SCALE

#: All none, all skip, all 1x1, all pool, all 3x3, cells that mix operations and leave out edges; narrow and wide sizes.
CANDIDATES = [("tss", arch) for arch in (1651, 1835, 4317, 7581, 1462, 0, 11, 284, 13283, 7982)] + [
    ("sss", "8:24:40:64:8"),
    ("sss", "64:32:16:8:56"),
]


def plain_and_merged(space: str, arch: int | str) -> tuple[Network, Network, MergedNetwork]:
    """A network in double precision, and a twin of it with its merged form."""
    torch.manual_seed(0)
    plain = build_network(space, arch, in_channels=3, classes=7, scale=SMALL_SCALE).double()
    twin = copy.deepcopy(plain).to(memory_format=torch.channels_last)
    return plain, twin, MergedNetwork(twin)


def trained_losses(network: nn.Module, images: Tensor, labels: Tensor) -> list[float]:
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize(("space", "arch"), CANDIDATES)
def test_training_equals_the_plain_network_and_reaches_its_weights(space: str, arch: int | str) -> None:
    plain, twin, merged = plain_and_merged(space, arch)
    images, labels = torch.randn(12, 3, 8, 8, dtype=torch.float64), torch.arange(12) % 7
    losses = trained_losses(plain, images, labels)
    assert losses[0] > losses[-1]
    assert trained_losses(merged, images, labels) == pytest.approx(losses, rel=1e-9)
    torch.testing.assert_close(merged.eval()(images), plain.eval()(images), rtol=1e-8, atol=1e-9)
    torch.testing.assert_close(twin.state_dict(), plain.state_dict(), rtol=1e-7, atol=1e-8)
    torch.testing.assert_close(twin.eval()(images), merged(images), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(("space", "arch"), CANDIDATES)
def test_counts_stay_those_of_the_plain_network(space: str, arch: int | str) -> None:
    network = build_network(space, arch, in_channels=3, classes=7, scale=SMALL_SCALE)
    counts = count_params(network), count_flops(network, 3, 8)
    merged = MergedNetwork(network)
    assert (count_params(merged), count_flops(merged, 3, 8)) == counts
    assert (count_params(network), count_flops(network, 3, 8)) == counts


def layers(module: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(layer, kind) for layer in module.modules())


def test_what_edges_of_a_node_share_is_one_layer() -> None:
    cell = Cell((3, 3, 4, 2, 4, 3), 4, 4)  # node 0: two 3x3 and a 1x1; node 1: two poolings; node 2: a 3x3
    merged = MergedCell(cell)
    assert (layers(cell, nn.Conv2d), layers(merged, nn.Conv2d)) == (4, 3)
    assert (layers(cell, nn.BatchNorm2d), layers(merged, nn.BatchNorm2d)) == (4, 3)
    assert (layers(cell, nn.AvgPool2d), layers(merged, nn.AvgPool2d)) == (2, 1)
    assert layers(merged, nn.ReLU) == 0


def test_edges_with_weights_but_no_relu_stay_apart() -> None:
    torch.manual_seed(0)
    cell = Cell((4, 1, 0, 1, 0, 0), 3, 5).eval()  # all that leaves node 0 changes the width
    images = torch.randn(2, 3, 8, 8)
    expected = cell(images)
    assert torch.equal(MergedCell(cell).eval()(images), expected)


def test_merging_draws_no_random_number() -> None:
    network = build_network("tss", 1462, in_channels=3, classes=7, scale=SMALL_SCALE)
    state = torch.get_rng_state()
    MergedNetwork(network)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_fan_tells_where_each_output_goes() -> None:
    edges = Cell((3, 4, 0, 3, 0, 0), 4, 4).edges
    fan = Fan({1: edges["0-1"], 2: edges["0-2"], 3: edges["0-3"]})
    x = torch.randn(2, 4, 6, 6)
    found = dict(fan.eval()(x))
    assert sorted(found) == [1, 2, 3]
    for target, out in found.items():
        torch.testing.assert_close(out, edges[f"0-{target}"].eval()(x))
