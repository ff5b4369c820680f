from copy import deepcopy
from typing import Any

import pytest
import torch
from torch.nn.utils import clip_grad_norm_

from natslib.weight_sharing.method import Batch
from natslib.weight_sharing.methods.enas import Controller
from tests.weight_sharing.tiny import Endless, calls_of, noise, tiny


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def fake_scores(method: Any) -> None:
    """Let the accuracy of a candidate be 10 percent for each 3x3 convolution in it."""
    method.score = lambda code, batch: torch.tensor(10.0 * code.count(3))


def log_probability(controller: Controller, code: tuple[int, ...]) -> torch.Tensor:
    """Return the log-probabilities of all choices, (6, 5), as a code is written: the LSTM one step after another."""
    inputs, state, rows = controller.start[None, None], None, []
    for choice in code:
        outputs, state = controller.lstm(inputs, state)
        rows.append((2.5 * torch.tanh(controller.predict(outputs[0, 0]) / 5.0)).log_softmax(dim=0))
        inputs = controller.embedding.weight[choice][None, None]
    return torch.stack(rows)


def test_the_controller_has_the_published_size_and_start() -> None:
    controller = Controller(6, 5, seeded())
    assert (controller.lstm.num_layers, controller.lstm.hidden_size, controller.lstm.input_size) == (
        2,
        32,
        32,
    )
    assert controller.embedding.weight.shape == (5, 32)
    narrow = [controller.start, controller.embedding.weight, controller.predict.weight,
              controller.lstm.weight_ih_l0, controller.lstm.weight_hh_l0]  # fmt: skip
    for parameter in narrow:
        assert 0.08 < parameter.abs().max() <= 0.1
    assert 0.15 < controller.lstm.weight_hh_l1.abs().max() <= 32**-0.5


def test_a_sample_s_log_probability_and_entropy_are_those_of_its_steps() -> None:
    controller = Controller(6, 5, seeded())
    for parameter in controller.parameters():
        parameter.data *= 20
    drawn = controller(4, seeded(1))
    for row, code in enumerate(drawn.codes.tolist()):
        log_p = log_probability(controller, code)
        torch.testing.assert_close(drawn.log_probs[row], log_p[range(6), code].sum())
        torch.testing.assert_close(drawn.entropies[row], -(log_p.exp() * log_p).sum())


def test_samples_follow_the_probabilities() -> None:
    controller = Controller(6, 5, seeded())
    controller.predict.bias.data = torch.tensor([0.0, 9.0, 0.0, -9.0, 3.0])
    codes = controller(20_000, seeded(1)).codes
    expected = log_probability(controller, (0,) * 6)[0].exp()
    shares = codes[:, 0].bincount(minlength=5) / len(codes)
    torch.testing.assert_close(shares, expected.detach(), atol=0.012, rtol=0)


def test_no_logit_leaves_its_bounds() -> None:
    controller = Controller(2, 5, seeded())
    controller.predict.weight.data.fill_(1e6)
    assert controller.logits(torch.ones(1, 32)).abs().max() == 2.5


@pytest.mark.parametrize(("preset", "betas"), [("nats-bench", (0.5, 0.999)), ("nas-bench-201", (0.0, 0.999))])
def test_the_controller_s_optimizer_has_the_published_numbers(
    preset: str, betas: tuple[float, float]
) -> None:
    method = tiny("enas", preset)
    chosen = method.arch_optimizer.defaults
    assert (chosen["lr"], chosen["betas"], chosen["eps"], chosen["weight_decay"]) == (1e-3, betas, 1e-3, 0.0)
    assert method.arch_optimizer.param_groups[0]["params"] == list(method.controller.parameters())


def test_an_epoch_ends_with_50_updates_of_20_samples_each_on_a_batch_of_its_own() -> None:
    method, batches, updates = tiny("enas"), Endless(), []
    method.score = lambda code, batch: torch.tensor(50.0)
    method.arch_optimizer.register_step_post_hook(lambda *_: updates.append(batches.taken))
    method.end_epoch(batches)
    assert updates == list(range(20, 1001, 20))


def reference_update(method: Any, seed: int, baseline: float | None) -> tuple[Controller, list[float]]:
    """Do one update as the official code: draw by draw, gradients added up, clipped at 5, one step of Adam."""
    controller = deepcopy(method.controller)
    optimizer = torch.optim.Adam(controller.parameters(), 1e-3, betas=(0.5, 0.999), eps=1e-3)
    used = []
    for code in controller(20, seeded(seed)).codes.tolist():
        log_p = log_probability(controller, code)
        accuracy = torch.tensor(10.0 * code.count(3) / 100)
        reward = accuracy - 1e-4 * (log_p.exp() * log_p).sum()
        moved = accuracy if baseline is None else 0.99 * baseline + 0.01 * reward
        loss = -log_p[range(6), code].sum() * (reward - moved)
        (loss / 20).backward()
        used.append(moved.item())
    clip_grad_norm_(controller.parameters(), 5.0)
    optimizer.step()
    return controller, used


@pytest.mark.parametrize("baseline", [None, 0.3, 1e5])
def test_an_update_is_that_of_the_official_code(baseline: float | None) -> None:
    """In the first epoch, with a baseline of the epoch before, and where the gradient is clipped."""
    method = tiny("enas")
    fake_scores(method)
    method.baseline = baseline
    expected, used = reference_update(method, 7, baseline)
    method.generator.manual_seed(7)
    torch.testing.assert_close(method.update_controller(Endless()), torch.tensor(used))
    for mine, its in zip(method.controller.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(mine, its, atol=1e-6, rtol=1e-5)


def test_the_next_baseline_is_the_mean_of_this_epoch_s() -> None:
    method, accuracies = (
        tiny("enas", controller_updates=2, controller_samples=2),
        iter((10.0, 20.0, 30.0, 80.0) * 2),
    )
    method.score = lambda code, batch: torch.tensor(next(accuracies))
    method.end_epoch(Endless())
    assert method.baseline == pytest.approx(0.35)
    method.end_epoch(Endless())
    assert method.baseline == pytest.approx(0.99 * 0.35 + 0.01 * (0.35 + 1e-4 * 9.65), abs=1e-5)


def test_the_controller_learns_what_pays() -> None:
    method = tiny("enas", arch_learning_rate=1e-2, controller_updates=25)
    fake_scores(method)
    for _ in range(3):
        method.end_epoch(Endless())
    drawn = method.controller(200, seeded()).codes
    assert (drawn == 3).float().mean() > 0.5


def test_a_step_trains_one_drawn_candidate_and_leaves_the_controller_alone() -> None:
    method = tiny("enas")
    before = deepcopy(method.controller.state_dict())
    calls = calls_of(method.network)
    codes = []
    for seed in range(4):
        method.step(noise(seed), noise(seed + 10))
    for _, weights, active in calls:
        assert (active.sum(dim=1) == 1).all()
        assert torch.equal(weights, active.float())
        codes.append(tuple(active.int().argmax(dim=1).tolist()))
    assert len(set(codes)) == len(codes) == 4
    for name, tensor in method.controller.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_rewards_come_from_the_evaluation_mode_and_change_no_weight() -> None:
    method, modes = tiny("enas", controller_updates=2, controller_samples=2), []
    before = deepcopy(method.network.state_dict())
    method.network.register_forward_pre_hook(lambda network, _: modes.append(network.training))
    method.end_epoch(Endless())
    assert modes == [False] * 4
    assert method.network.training
    for name, tensor in method.network.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_the_choice_is_the_best_of_100_draws_each_on_one_batch() -> None:
    method, batches, scored = tiny("enas"), Endless(), []

    def score(code: tuple[int, ...], batch: Batch) -> torch.Tensor:
        scored.append(code)
        return torch.tensor(float(len(scored) == 31))

    method.score = score
    assert method.choose(batches) == scored[30]
    assert (len(scored), batches.taken) == (100, 100)


def test_the_state_holds_controller_and_baseline() -> None:
    method, other = tiny("enas", controller_updates=2), tiny("enas", seed=1, controller_updates=2)
    fake_scores(method)
    fake_scores(other)
    method.end_epoch(Endless())
    other.load_state_dict(method.state_dict())
    other.generator.set_state(method.generator.get_state())
    for each in (method, other):
        each.end_epoch(Endless())
    assert method.baseline == other.baseline
    assert method.draw(50) == other.draw(50)


def test_nas_bench_201_takes_over_the_baseline_of_the_last_draw() -> None:
    method, accuracies = (
        tiny("enas", "nas-bench-201", controller_updates=2, controller_samples=2),
        iter((10.0, 20.0, 30.0, 80.0) * 2),
    )
    method.score = lambda code, batch: torch.tensor(next(accuracies))
    method.end_epoch(Endless())
    assert method.baseline == pytest.approx(0.8)
    method.end_epoch(Endless())
    assert method.baseline == pytest.approx(0.99 * 0.8 + 0.01 * (0.8 + 1e-4 * 9.65), abs=1e-5)


@pytest.mark.parametrize(("preset", "before"), [("nats-bench", 100), ("nas-bench-201", 10)])
def test_nas_bench_201_chooses_among_10_draws_until_the_last_epoch(preset: str, before: int) -> None:
    method, taken = tiny("enas", preset, epochs=3), []
    method.score = lambda code, batch: torch.tensor(0.0)
    for epoch in range(3):
        method.begin_epoch(epoch)
        batches = Endless()
        method.choose(batches)
        taken.append(batches.taken)
    assert taken == [before, before, 100]
