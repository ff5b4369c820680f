import numpy as np
import torch
from torch.nn.functional import cross_entropy

from tests.weight_sharing.tiny import calls_of, noise, tiny


def test_both_passes_of_a_step_compute_exactly_one_operation_an_edge() -> None:
    method = tiny("gdas")
    calls = calls_of(method.network)
    method.step(noise(1), noise(2))
    assert [len(arguments) for arguments in calls] == [3, 3]
    for _, weights, active in calls:
        assert active.shape == (6, 5)
        assert (active.sum(dim=1) == 1).all()
        torch.testing.assert_close(weights.detach(), active.float())


def test_the_two_passes_of_a_step_draw_anew() -> None:
    method = tiny("gdas")
    calls = calls_of(method.network)
    for seed in range(3):
        method.step(noise(seed), noise(seed + 10))
    codes = {tuple(active.int().argmax(dim=1).tolist()) for _, _, active in calls}
    assert len(codes) == 6


def test_the_drawn_candidate_is_what_is_computed() -> None:
    method = tiny("gdas")
    weights, active = method.sample()
    candidate = method.network.cut_out(active.int().argmax(dim=1).tolist()).train()
    images = noise().images
    torch.testing.assert_close(method.network(images, weights, active), candidate(images))


def test_a_gradient_reaches_the_weights_that_were_not_drawn() -> None:
    """Their gradient is that of a constant added to the target node: compare with finite differences in float64."""
    method = tiny("gdas")
    method.network.double()
    method.alphas.data[:, 3] = 1e3  # a node without input would be exactly at the kink of its ReLU
    images, labels = noise().images.double(), noise().labels
    weights, active = method.sample()
    weights = weights.detach().double().requires_grad_()
    loss = cross_entropy(method.network(images, weights, active), labels)
    (gradient,) = torch.autograd.grad(loss, weights)
    assert (gradient[~active].abs() > 1e-6).all()
    for edge, op in (~active).nonzero()[::7].tolist():
        step = torch.zeros(6, 5, dtype=torch.float64)
        step[edge, op] = 1e-6
        above, below = (
            cross_entropy(method.network(images, (weights + change), active), labels)
            for change in (step, -step)
        )
        slope = (above - below).item() / 2e-6
        assert abs(slope - gradient[edge, op].item()) < 1e-6


def test_all_logits_learn_in_a_step() -> None:
    method = tiny("gdas", arch_weight_decay=0.0)
    before = method.alphas.detach().clone()
    method.step(noise(1), noise(2))
    assert (method.alphas != before).all()


def test_weights_learn_on_the_training_batch_and_logits_on_the_validation_batch_only() -> None:
    one, other = tiny("gdas"), tiny("gdas")
    one.step(noise(1), noise(2))
    other.step(noise(1), noise(3))
    for mine, its in zip(one.network.parameters(), other.network.parameters(), strict=True):
        assert torch.equal(mine, its)
    assert not torch.equal(one.alphas, other.alphas)


def test_the_temperature_falls_linearly_from_10_to_a_tenth() -> None:
    method, temperatures = tiny("gdas"), []
    for epoch in range(100):
        method.begin_epoch(epoch)
        temperatures.append(method.temperature)
    np.testing.assert_allclose(temperatures, np.linspace(10.0, 0.1, 100))


def test_the_temperature_is_that_of_the_samples() -> None:
    method = tiny("gdas")
    method.alphas.data[:] = torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0])
    (warm,) = torch.autograd.grad(method.sample()[0][:, 0].sum(), method.alphas)
    method.begin_epoch(90)
    (cold,) = torch.autograd.grad(method.sample()[0][:, 0].sum(), method.alphas)
    assert warm.abs().max() < 0.03  # the slope of a softmax is at most 1 / (4 temperature)
    assert cold.abs().max() > 0.03


def test_the_choice_is_the_largest_logit_of_each_edge() -> None:
    method = tiny("gdas")
    method.alphas.data.zero_()
    for edge, op in enumerate((0, 4, 3, 2, 1, 3)):
        method.alphas.data[edge, op] = 1.0
    assert method.choose(None) == (0, 4, 3, 2, 1, 3)


def test_the_optimizers_have_the_published_numbers() -> None:
    method = tiny("gdas")
    arch, weights = method.arch_optimizer.defaults, method.weight_optimizer.defaults
    assert (arch["lr"], arch["betas"], arch["eps"], arch["weight_decay"]) == (3e-4, (0.5, 0.999), 1e-8, 1e-3)
    assert (weights["momentum"], weights["nesterov"], weights["weight_decay"]) == (0.9, True, 5e-4)
