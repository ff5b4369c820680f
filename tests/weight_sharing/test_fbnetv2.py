import torch

from natslib.nets.size_supernet import UNIT_ROWS
from natslib.weight_sharing.methods.gumbel import soft_sample
from tests.weight_sharing.tiny import noise, tiny


def test_a_gate_is_the_sum_of_the_prefix_masks_weighed_by_a_gumbel_softmax() -> None:
    method = tiny("fbnetv2", warm_up=0.0)
    state = method.generator.get_state()
    gates = method.sample()
    method.generator.set_state(state)
    weights = soft_sample(method.alphas[list(UNIT_ROWS)], 10.0, method.generator)
    for gate, row in zip(gates, weights, strict=True):
        expected = torch.zeros(8)
        for choice, weight in enumerate(row):
            expected[: choice + 1] += weight.detach()  # the widths of this scale are 1 to 8
        torch.testing.assert_close(gate.detach(), expected)


def test_gates_fall_along_the_channels_and_keep_the_first_whole() -> None:
    for gate in tiny("fbnetv2", warm_up=0.0).sample():
        assert gate.shape == (8,)
        torch.testing.assert_close(gate[0], torch.tensor(1.0))
        assert (gate.diff() < 0).all()
        assert gate[-1] > 0


def test_gates_are_nearly_a_prefix_mask_at_the_last_temperature() -> None:
    method = tiny("fbnetv2", warm_up=0.0)
    method.begin_epoch(99)
    gates = torch.stack([gate for _ in range(50) for gate in method.sample()])
    assert ((gates < 0.02) | (gates > 0.98)).float().mean() > 0.85


def test_all_logits_learn_in_a_step() -> None:
    method = tiny("fbnetv2", warm_up=0.0, arch_weight_decay=0.0)
    before = method.alphas.detach().clone()
    method.step(noise(1), noise(2))
    assert (method.alphas != before).all()


def test_the_last_channel_weighs_only_by_the_full_width() -> None:
    """Raising the loss of the last channel lowers the logit of the full width and raises all others."""
    method = tiny("fbnetv2", warm_up=0.0)
    (gradient,) = torch.autograd.grad(method.sample()[3][7], method.alphas)
    assert gradient[2, 7] > 0
    assert (gradient[2, :7] < 0).all()
    assert (gradient[[0, 1, 3, 4]] == 0).all()
