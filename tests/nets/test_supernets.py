import numpy as np
import pytest
import torch
from torch.nn.functional import avg_pool2d, batch_norm, conv2d, relu

from natslib.nets.candidate import size_network
from natslib.nets.size_supernet import UNIT_ROWS, SizeSupernet
from natslib.nets.topology_supernet import (
    KERNELS,
    LEAVING,
    MixedCell,
    TopologySupernet,
    one_hot_weights,
    unbound,
)
from natslib.spaces import Scale, get_space
from natslib.spaces.cell import EDGES

SCALE = Scale(channels=4, cells=2, width_divisor=8)
CLASSES = 3


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(6, 1, 8, 8).to(memory_format=torch.channels_last)


def topology(**options: bool) -> TopologySupernet:
    return TopologySupernet(1, CLASSES, SCALE, **options)


def random_codes(space: str, n: int) -> list[tuple[int, ...]]:
    return [tuple(code) for code in get_space(space).sample(np.random.default_rng(0), n).tolist()]


def plain_operations(cell: MixedCell, edge: int, x: torch.Tensor) -> list[torch.Tensor]:
    """What the five operations of an edge make of a node, one by one."""
    node = EDGES[edge][0]
    outputs = [torch.zeros_like(x), x, avg_pool2d(x, 3, 1, 1, count_include_pad=False)]
    for place, (op, kernel) in enumerate(KERNELS.items(), start=2):
        weight = cell.convs[f"{node}-{op}"].weight.split(cell.width)[LEAVING[node].index(edge)]
        convolved = conv2d(relu(x), weight, padding=kernel // 2)
        outputs.insert(place, batch_norm(convolved, None, None, training=True))
    return outputs


def plain_cell(cell: MixedCell, x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    nodes = [x, 0, 0, 0]
    for edge, (source, target) in enumerate(EDGES):
        outputs = plain_operations(cell, edge, nodes[source])
        nodes[target] = nodes[target] + sum(w * out for w, out in zip(weights[edge], outputs, strict=True))
    return nodes[3]


def test_a_mixture_is_the_weighted_sum_of_all_operations() -> None:
    cell = MixedCell(4, running_statistics=False).double()
    x = torch.randn(5, 4, 6, 6, dtype=torch.double)
    weights = torch.rand(6, 5, dtype=torch.double, requires_grad=True)
    everything = [[True] * 5] * 6
    inputs = [weights, *cell.parameters()]
    mixed, plain = cell(x, unbound(weights[None])[0], everything, ()), plain_cell(cell, x, weights)
    torch.testing.assert_close(mixed, plain)
    probe = torch.randn_like(mixed)
    gradients = (torch.autograd.grad((out * probe).sum(), inputs) for out in (mixed, plain))
    for mine, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("code", [*random_codes("tss", 12), (0,) * 6, (1,) * 6])
def test_a_cut_out_cell_equals_the_stand_alone_candidate(code: tuple[int, ...], images: torch.Tensor) -> None:
    network = topology()
    weights, active = one_hot_weights(code)
    candidate = network.cut_out(code)
    for masked in (network(images, weights, active), network(images, weights)):
        torch.testing.assert_close(masked, candidate(images), atol=1e-5, rtol=1e-5)


def test_what_is_not_active_is_not_computed(images: torch.Tensor) -> None:
    """The weights of an operation that is not active may be anything."""
    network = topology()
    code = (3, 2, 4, 1, 0, 3)
    weights, active = one_hot_weights(code)
    before = network(images, weights, active)
    with torch.no_grad():
        for cell in network.body:
            if isinstance(cell, MixedCell):
                cell.convs["0-2"].weight[: cell.width] = torch.nan
                cell.convs["1-3"].weight.fill_(torch.nan)
    assert torch.equal(network(images, weights, active), before)
    assert network(images, weights).isnan().any()


def test_what_is_not_active_adds_its_weight_where_that_is_learned(images: torch.Tensor) -> None:
    network = topology().double()
    weights, active = one_hot_weights((3, 3, 1, 2, 3, 3))
    weights = (weights.double() + 0.1 * ~active).requires_grad_()
    images = images.double()
    loss = network(images, weights, active).square().sum()
    (gradient,) = torch.autograd.grad(loss, [weights])
    assert (gradient != 0).all()
    moved = weights.detach().clone().requires_grad_()
    moved.data[0, 4] += 1e-6
    above = network(images, moved, active).square().sum()
    slope = float((above - loss).detach() / 1e-6)
    assert slope == pytest.approx(float(gradient[0, 4]), rel=1e-3)
    constant = network(images, weights.detach(), active)
    torch.testing.assert_close(constant, network.cut_out((3, 3, 1, 2, 3, 3))(images))


def test_each_cell_may_have_weights_of_its_own(images: torch.Tensor) -> None:
    network = topology()
    pairs = [one_hot_weights(code) for code in random_codes("tss", network.n_cells)]
    weights, active = (torch.stack(parts) for parts in zip(*pairs, strict=True))
    assert network.n_cells == 6
    candidates = [network.cut_out(code).body for code in random_codes("tss", network.n_cells)]
    expected = network.stem(images)
    cell = 0
    for place, block in enumerate(network.body):
        if isinstance(block, MixedCell):
            expected, cell = candidates[cell][place](expected), cell + 1
        else:
            expected = block(expected)
    expected = network.classifier(network.last(expected).mean(dim=(2, 3)))
    torch.testing.assert_close(network(images, weights, active), expected, atol=1e-5, rtol=1e-5)


def test_cells_use_the_statistics_of_the_batch_unless_told_otherwise(images: torch.Tensor) -> None:
    weights, active = one_hot_weights((3,) * 6)
    torch.manual_seed(0)
    batch_statistics = topology()
    torch.manual_seed(0)
    running = topology(running_statistics=True)
    torch.testing.assert_close(
        running(images, weights, active),
        batch_statistics(images, weights, active),
        atol=1e-5,
        rtol=1e-5,
    )
    names = [name for name, _ in batch_statistics.named_buffers()]
    assert not [name for name in names if name.startswith(("body.0.", "last"))]
    assert [name for name in names if name.startswith(("stem", "body.2."))]
    norm = running.body[0].norms["0-3"]
    assert (norm.running_var != 1).all()
    assert (running.body[0].norms["0-2"].running_var == 1).all()
    evaluated = running.eval()(images, weights, active)
    norm.running_var.mul_(4)
    assert not torch.allclose(running(images, weights, active), evaluated)
    assert not [p for n, p in running.named_parameters() if "norms" in n], "affine parameters in a cell"


def test_the_last_norm_may_be_an_ordinary_one_and_goes_into_the_candidate(images: torch.Tensor) -> None:
    network, plain = topology(ordinary_last_norm=True), topology(running_statistics=True)
    code = random_codes("tss", 1)[0]
    assert [name for name, _ in plain.named_parameters() if name.startswith("last")] == []
    assert plain.last[0].running_mean is None
    with torch.no_grad():
        for parameter in network.last.parameters():
            parameter.uniform_(0.5, 2)
    logits = network(images, *one_hot_weights(code))
    candidate = network.cut_out(code)
    assert (network.last[0].running_mean != 0).any()
    assert torch.equal(candidate.last[0].running_var, network.last[0].running_var)
    torch.testing.assert_close(logits, candidate(images), atol=1e-5, rtol=1e-5)


def test_prefix_masks_keep_the_first_channels() -> None:
    masks = SizeSupernet(1, CLASSES, SCALE).prefix_masks()
    assert masks.tolist() == [[float(channel <= choice) for channel in range(8)] for choice in range(8)]


@pytest.mark.parametrize("code", [*random_codes("sss", 12), (0,) * 5, (7,) * 5])
def test_a_cut_out_network_equals_the_masked_one(code: tuple[int, ...], images: torch.Tensor) -> None:
    network = SizeSupernet(1, CLASSES, SCALE)
    candidate = network.cut_out(code)
    masked = network(images, network.gates(code), inside=True)
    torch.testing.assert_close(masked, candidate(images), atol=1e-5, rtol=1e-5)
    widths = network.widths(code)
    if widths[1:4:2] == widths[2:5:2]:  # else the candidate would have a convolution on a skip connection
        assert candidate.state_dict().keys() == size_network(widths, 1, CLASSES).state_dict().keys()


def test_a_prefix_a_factor_and_a_map_are_the_same_gate(images: torch.Tensor) -> None:
    network = SizeSupernet(1, CLASSES, SCALE)
    code = (2, 6, 1, 4, 7)
    masks = network.prefix_masks()[list(code)]
    short = network(images, network.gates(code))
    for gates in ([masks[row] for row in UNIT_ROWS], [masks[row].diag() for row in UNIT_ROWS]):
        torch.testing.assert_close(network(images, gates), short, atol=1e-5, rtol=1e-5)


def test_layers_inside_a_unit_keep_the_full_width_as_officially(images: torch.Tensor) -> None:
    """The official masks act on the outputs of units: the inner channels of a cell still count."""
    network = SizeSupernet(1, CLASSES, SCALE)
    gates = network.gates((7, 7, 0, 7, 7))
    before = network(images, gates)
    with torch.no_grad():
        network.network.body[2].edges["1-2"][1].weight[:, 1:] += 1.0
    assert not torch.allclose(network(images, gates), before)
    inside = network(images, gates, inside=True)
    with torch.no_grad():
        network.network.body[2].edges["1-2"][1].weight[:, 1:] += 1.0
    assert torch.equal(network(images, gates, inside=True), inside)
