import numpy as np
import pytest
import torch

from tests.weight_sharing.tiny import calls_of, noise, tiny

NAMES = ["tas", "fbnetv2", "tunas"]


@pytest.mark.parametrize("name", NAMES)
def test_the_warm_up_is_the_first_0_3_of_the_epochs(name: str) -> None:
    method, warming, full = tiny(name), [], []
    for epoch in range(100):
        method.begin_epoch(epoch)
        warming.append(method.warming)
        full.append(method.full_probability)
    assert warming == [True] * 30 + [False] * 70
    np.testing.assert_allclose(full[:30], 1 - np.arange(30) / 30)


@pytest.mark.parametrize("name", NAMES)
def test_without_a_warm_up_the_search_starts_at_once(name: str) -> None:
    method = tiny(name, warm_up=0.0, arch_weight_decay=0.0)
    before = method.alphas.detach().clone()
    for seed in range(2):  # TuNAS's first advantage is zero
        method.step(noise(seed), noise(seed + 10))
    assert not torch.equal(method.alphas, before)


@pytest.mark.parametrize("name", NAMES)
def test_the_warm_up_trains_the_weights_and_freezes_the_logits(name: str) -> None:
    method = tiny(name)
    alphas = method.alphas.detach().clone()
    kernel = method.network.network.stem[0].weight
    before = kernel.detach().clone()
    for seed in range(2):
        method.step(noise(seed), noise(seed + 10))
    assert torch.equal(method.alphas, alphas)
    assert not torch.equal(kernel, before)
    assert not method.arch_optimizer.state


def test_warm_up_masks_are_full_ones_with_the_probability_of_the_epoch_else_uniform() -> None:
    method = tiny("fbnetv2")
    assert {tuple(method.gates()) for _ in range(50)} == {(8,) * 6}
    method.begin_epoch(15)
    drawn = np.array([method.gates() for _ in range(2000)])
    shares = np.array([np.bincount(column, minlength=9)[1:] for column in drawn.T]) / len(drawn)
    np.testing.assert_allclose(shares[:, 7], 0.5 + 0.5 / 8, atol=0.04)
    np.testing.assert_allclose(shares[:, :7], 0.5 / 8, atol=0.025)


def test_stem_and_first_cell_share_their_logits_but_not_their_draw() -> None:
    method = tiny("tunas", warm_up=0.0)
    assert torch.equal(method.unit_logits()[0], method.unit_logits()[1])
    drawn = np.array([method.gates() for _ in range(400)])
    assert 0.05 < (drawn[:, 0] == drawn[:, 1]).mean() < 0.25  # one in eight


@pytest.mark.parametrize("name", NAMES)
def test_both_passes_of_a_step_draw_anew_and_the_weights_get_no_gradient_from_the_logits(name: str) -> None:
    method = tiny(name, warm_up=0.0)
    calls = calls_of(method.network)
    train, valid = noise(1), noise(2)
    method.step(train, valid)
    (images, first), (others, second) = calls
    assert images is train.images
    assert others is valid.images
    assert not any(isinstance(gate, torch.Tensor) and gate.requires_grad for gate in first)
    assert [str(gate) for gate in first] != [str(gate) for gate in second]


@pytest.mark.parametrize("name", NAMES)
def test_only_the_weights_see_the_training_batch(name: str) -> None:
    one, other = tiny(name, warm_up=0.0), tiny(name, warm_up=0.0)
    one.step(noise(1), noise(2))
    other.step(noise(1), noise(3))
    for mine, its in zip(one.network.parameters(), other.network.parameters(), strict=True):
        assert torch.equal(mine, its)


@pytest.mark.parametrize("preset", ["nats-bench", "digits", "smoke"])
def test_only_the_policy_of_tunas_does_not_decay(preset: str) -> None:
    decays = [tiny(name, preset).arch_optimizer.defaults["weight_decay"] for name in NAMES]
    assert decays == [1e-3, 1e-3, 0.0]


@pytest.mark.parametrize("name", ["tas", "fbnetv2"])
def test_the_temperature_falls_linearly_from_10_to_a_tenth(name: str) -> None:
    method, temperatures = tiny(name), []
    for epoch in range(100):
        method.begin_epoch(epoch)
        temperatures.append(method.temperature)
    np.testing.assert_allclose(temperatures, np.linspace(10.0, 0.1, 100))


@pytest.mark.parametrize("name", NAMES)
def test_the_choice_is_the_largest_logit_of_each_row(name: str) -> None:
    method = tiny(name)
    method.alphas.data.zero_()
    for row, choice in enumerate((7, 0, 3, 5, 1)):
        method.alphas.data[row, choice] = 1.0
    assert method.choose(None) == (7, 0, 3, 5, 1)


def test_only_the_reduction_blocks_keep_affine_norms_and_running_statistics() -> None:
    norms = {
        name: layer
        for name, layer in tiny("tas").network.network.named_modules()
        if isinstance(layer, torch.nn.BatchNorm2d)
    }
    own = {name for name, norm in norms.items() if norm.affine or norm.track_running_stats}
    assert own == {f"body.{block}.branch.{layer}.2" for block in (1, 3) for layer in (0, 1)}
