from typing import Any

import pytest
import torch

from natslib.nets.size_supernet import UNIT_ROWS
from natslib.weight_sharing.method import BatchResult
from tests.weight_sharing.tiny import noise, tiny


def let_see(method: Any, accuracy: float) -> list[list[int]]:
    """Let every candidate have this accuracy; return where its gates are noted."""
    noted: list[list[int]] = []

    def judge(_: object, gates: list[int]) -> BatchResult:
        noted.append(gates)
        return BatchResult(torch.tensor(1.0), torch.tensor(accuracy))

    method.judge = judge
    return noted


def test_widths_are_drawn_from_the_softmax_of_each_row() -> None:
    method = tiny("tunas", warm_up=0.0)
    method.alphas.data[2] = torch.tensor([0.3, 0.7, *[1e-9] * 6]).log()
    widths = torch.tensor([method.sample()[3] for _ in range(2000)])
    assert set(widths.tolist()) == {1, 2}
    assert abs((widths == 2).float().mean() - 0.7) < 0.04


def test_the_log_probability_is_the_sum_over_the_six_units() -> None:
    method = tiny("tunas", warm_up=0.0)
    method.alphas.data = torch.randn(5, 8, generator=torch.Generator().manual_seed(0))
    gates, log_probability = method.draw()
    log_p = method.alphas.log_softmax(dim=1)
    expected = sum(log_p[row, width - 1] for row, width in zip(UNIT_ROWS, gates, strict=True))
    torch.testing.assert_close(log_probability, expected)


def test_the_baseline_takes_an_accuracy_in_before_it_is_used() -> None:
    method = tiny("tunas", warm_up=0.0)
    advantages = [
        method.advantage(BatchResult(torch.tensor(0.0), torch.tensor(x))) for x in (50.0, 60.0, 20.0)
    ]
    first, second = 0.05 * 50.0, 0.95 * 0.05 * 50.0 + 0.05 * 60.0
    third = 0.95 * second + 0.05 * 20.0
    weights = [0.05, 0.95 * 0.05 + 0.05, 0.95**2 * 0.05 + 0.95 * 0.05 + 0.05]
    assert first / weights[0] == pytest.approx(50.0)
    expected = [0.0, 60.0 - second / weights[1], 20.0 - third / weights[2]]
    assert advantages == pytest.approx(expected)


def test_the_gradient_is_minus_the_advantage_times_that_of_the_log_probability() -> None:
    method = tiny("tunas", warm_up=0.0)
    let_see(method, 50.0)
    method.search(noise())
    noted = let_see(method, 60.0)
    probabilities = method.alphas.detach().softmax(dim=1)
    method.search(noise())
    advantage = 60.0 - (0.95 * 0.05 * 50.0 + 0.05 * 60.0) / (0.95 * 0.05 + 0.05)
    expected = torch.zeros(5, 8)
    for row, width in zip(UNIT_ROWS, noted[0], strict=True):
        expected[row] += advantage * probabilities[row]
        expected[row, width - 1] -= advantage
    torch.testing.assert_close(method.alphas.grad, expected)


def test_the_policy_learns_the_width_that_pays() -> None:
    method = tiny("tunas", warm_up=0.0, arch_learning_rate=0.05)
    method.judge = lambda _, gates: BatchResult(torch.tensor(1.0), torch.tensor(10.0 * gates[5]))
    for _ in range(300):
        method.search(noise())
    assert method.choose(None)[4] >= 6


def test_the_candidate_is_judged_without_a_gradient_and_in_training_mode() -> None:
    method = tiny("tunas", warm_up=0.0)
    modes = []
    method.network.register_forward_pre_hook(
        lambda network, _: modes.append((network.training, torch.is_grad_enabled()))
    )
    method.step(noise(1), noise(2))
    assert modes == [(True, True), (True, False)]


def test_the_baseline_moves_in_the_warm_up_too() -> None:
    method = tiny("tunas")
    let_see(method, 30.0)
    method.step(noise(1), noise(2))
    assert method.baseline.update(40.0) == pytest.approx(
        (0.95 * 0.05 * 30 + 0.05 * 40) / (0.95 * 0.05 + 0.05)
    )


def test_the_state_holds_the_baseline() -> None:
    method, other = tiny("tunas"), tiny("tunas", seed=1)
    let_see(method, 30.0)
    method.step(noise(1), noise(2))
    other.load_state_dict(method.state_dict())
    assert other.baseline == method.baseline
