import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy, softmax, softplus

from natslib.nets import topology_supernet
from natslib.weight_sharing.method import Batch, Method
from natslib.weight_sharing.methods.darts import DartsV2

from .tiny import calls_of, noise, tiny

BOTH = pytest.mark.parametrize("name", ["darts-v1", "darts-v2"])


def weights_of(method: Method) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in method.network.parameters()]


def same(some: list[torch.Tensor], others: list[torch.Tensor]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(some, others, strict=True))


@BOTH
def test_the_architecture_step_changes_the_mixture_alone(name: str) -> None:
    method = tiny(name)
    method.step(noise(1), noise(2))
    weights, alphas = weights_of(method), method.alphas.detach().clone()
    method.mixture_step(noise(3), noise(4))
    assert same(weights_of(method), weights)
    assert not torch.equal(method.alphas, alphas)


@BOTH
def test_the_weight_step_changes_the_weights_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    method = tiny(name)
    weights, alphas = weights_of(method), method.alphas.detach().clone()
    monkeypatch.setattr(method, "mixture_step", lambda train, valid: method.unseen)
    method.step(noise(1), noise(2))
    assert not same(weights_of(method), weights)
    assert torch.equal(method.alphas, alphas)


@BOTH
def test_all_operations_count_by_their_softmax(name: str) -> None:
    method = tiny(name)
    start = softmax(method.alphas.detach(), 1)
    calls = calls_of(method.network)
    method.step(noise(1), noise(2))
    for _, weights, *active in calls:
        torch.testing.assert_close(weights.detach(), start)
        assert not active


def test_the_first_order_gradient_is_that_of_the_validation_loss() -> None:
    method, valid = tiny("darts-v1"), noise(2)
    method.mixture_step(noise(1), valid)
    twin = tiny("darts-v1")
    loss = cross_entropy(twin.network(valid.images, softmax(twin.alphas, 1)), valid.labels)
    (expected,) = torch.autograd.grad(loss, [twin.alphas])
    torch.testing.assert_close(method.alphas.grad, expected)


def exact_gradient(method: Method, train: Batch, valid: Batch) -> torch.Tensor:
    """The gradient of the validation loss after one SGD step, through that step, by differentiating twice."""
    weights = dict(method.network.named_parameters())
    rate = method.weight_optimizer.param_groups[0]["lr"]
    mixture = softmax(method.alphas, 1)
    loss = cross_entropy(functional_call(method.network, weights, (train.images, mixture)), train.labels)
    gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
    moved = {}
    for (name, weight), gradient in zip(weights.items(), gradients, strict=True):
        momentum = method.settings.momentum * method.weight_optimizer.state[weight]["momentum_buffer"]
        update = gradient + momentum + method.settings.weight_decay * weight.detach()
        moved[name] = weight.detach() - rate * update
    loss = cross_entropy(functional_call(method.network, moved, (valid.images, mixture)), valid.labels)
    return torch.autograd.grad(loss, [method.alphas])[0]


def smooth(method: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace every ReLU, so that differences are not those of its kink, and go over to float64."""
    monkeypatch.setattr(topology_supernet, "relu", softplus)
    for block in list(method.network.modules()):
        for name, layer in block.named_children():
            if isinstance(layer, nn.ReLU):
                setattr(block, name, nn.Softplus())
    method.network.double()
    method.alphas.data = method.alphas.data.double()


def test_the_second_order_gradient_agrees_with_the_exact_one(monkeypatch: pytest.MonkeyPatch) -> None:
    train, valid = (Batch(batch.images.double(), batch.labels) for batch in (noise(1), noise(2)))
    method = tiny("darts-v2", learning_rate=0.1)
    smooth(method, monkeypatch)
    for weight in method.network.parameters():
        weight.grad = torch.zeros_like(weight)
    method.weight_step(method.network(train.images, method.mixture().detach()), train.labels)
    exact = exact_gradient(method, train, valid)
    loss = cross_entropy(method.network(valid.images, method.mixture()), valid.labels)
    (first_order,) = torch.autograd.grad(loss, [method.alphas])
    method.mixture_step(train, valid)
    found = method.alphas.grad
    assert (found - exact).norm() < 0.01 * exact.norm()
    assert (first_order - exact).norm() > 0.05 * exact.norm()


def test_the_radius_is_a_hundredth_whatever_the_vector() -> None:
    assert DartsV2.radius == 0.01
    method, train = tiny("darts-v2"), noise(1)
    weights = list(method.network.parameters())
    start = weights_of(method)
    moves = []

    def spy(train: Batch, inputs: list[torch.Tensor]) -> tuple[torch.Tensor]:
        pairs = zip(weights, start, strict=True)
        moves.append(torch.cat([(now.detach() - then).flatten() for now, then in pairs]))
        return (torch.zeros(6, 5),)

    method._train_gradient = spy
    method._second_order(train, weights, start, [7 * torch.ones_like(weight) for weight in weights])
    assert [float(move.norm()) for move in moves] == pytest.approx([0.01, 0.01], rel=1e-3)
    torch.testing.assert_close(moves[0], -moves[1], atol=1e-6, rtol=1e-3)


def test_the_choice_is_the_largest_of_each_edge_and_may_be_none() -> None:
    method = tiny("darts-v1")
    method.alphas.data = torch.eye(6)[:, :5]
    assert method.choose(None) == (0, 1, 2, 3, 4, 0)


@pytest.mark.parametrize(
    ("name", "preset", "first"),
    [
        ("darts-v1", "nats-bench", "weights"),
        ("darts-v2", "nats-bench", "weights"),
        ("darts-v1", "nas-bench-201", "weights"),
        ("darts-v2", "nas-bench-201", "mixture"),
        ("darts-v2", "nas-bench-201-bn0", "mixture"),
    ],
)
def test_what_learns_first_is_as_released(name: str, preset: str, first: str) -> None:
    """NAS-Bench-201's second order unrolls from the weights before the step, and these then learn under the new α."""
    method, twin = (tiny(name, preset, arch_learning_rate=0.1) for _ in range(2))
    method.step(noise(1), noise(2))

    def learn_weights() -> None:
        twin.weight_step(twin.network(noise(1).images, twin.mixture().detach()), noise(1).labels)

    if first == "weights":
        learn_weights()
    twin.mixture_step(noise(1), noise(2))
    if first == "mixture":
        learn_weights()
    assert same(weights_of(method), weights_of(twin))
    assert torch.equal(method.alphas, twin.alphas)
