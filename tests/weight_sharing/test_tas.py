import pytest
import torch
from torch.nn.functional import adaptive_avg_pool3d, pad

from natslib.nets.size_supernet import UNIT_ROWS, gated
from natslib.weight_sharing.methods.tas import resizing
from tests.weight_sharing.tiny import noise, tiny


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("width", "target"), [(8, 64), (24, 40), (56, 64), (16, 16), (40, 56)])
def test_resizing_is_the_adaptive_average_along_the_channels(width: int, target: int) -> None:
    features = torch.randn(2, target, 3, 3, generator=seeded())
    resized = gated(features, resizing(width, target))
    torch.testing.assert_close(resized, adaptive_avg_pool3d(features[:, :width], (target, 3, 3)))


def test_a_gate_mixes_two_different_widths_resized_to_the_larger_one() -> None:
    """Against the plain way: truncate, pool, mix, pad with zeros to the full width."""
    method = tiny("tas", warm_up=0.0)
    features = torch.randn(2, 8, 3, 3, generator=seeded())
    state = method.generator.get_state()
    gates = method.sample()
    method.generator.set_state(state)
    noise = -torch.empty(6, 8).exponential_(generator=method.generator).log()
    logits = (method.alphas[list(UNIT_ROWS)].log_softmax(dim=1) + noise) / 10.0
    pairs = torch.multinomial(logits.softmax(dim=1) + 1e-7, 2, generator=method.generator)
    for unit, (gate, pair) in enumerate(zip(gates, pairs.tolist(), strict=True)):
        width = max(pair) + 1  # the widths of this scale are 1 to 8
        shares = logits[unit, pair].softmax(dim=0)
        parts = [adaptive_avg_pool3d(features[:, : choice + 1], (width, 3, 3)) for choice in pair]
        mixed = pad(shares[0] * parts[0] + shares[1] * parts[1], (0, 0, 0, 0, 0, 8 - width))
        mine = pad(gated(features[:, :width], gate), (0, 0, 0, 0, 0, 8 - width))
        assert mine.shape == features.shape
        torch.testing.assert_close(mine, mixed)


def test_the_two_widths_differ_even_where_one_has_all_of_the_probability() -> None:
    method = tiny("tas", warm_up=0.0)
    method.alphas.data[:, 2] = 1e4
    widths = {gate.shape[0] for _ in range(100) for gate in method.sample()}
    assert widths == {3, 4, 5, 6, 7, 8}  # the larger of the pair: 3, or whatever was drawn beside it


def test_only_the_two_drawn_logits_of_a_unit_get_a_gradient_and_it_is_opposite() -> None:
    method = tiny("tas", warm_up=0.0)
    for gate, row in list(zip(method.sample(), UNIT_ROWS, strict=True))[1:]:
        factors = torch.randn(gate.shape, generator=seeded())
        (gradient,) = torch.autograd.grad((gate * factors).sum(), method.alphas, retain_graph=True)
        drawn = gradient.abs() > 1e-6
        assert drawn.sum() == drawn[row].sum() == 2
        assert gradient[row].sum().abs() < 1e-6


def test_a_feature_that_is_the_same_in_all_channels_stays_so_up_to_the_larger_width() -> None:
    for gate in tiny("tas", warm_up=0.0).sample():
        torch.testing.assert_close(gate.detach().sum(dim=1), torch.ones(len(gate)))


def test_the_logits_learn_from_the_loss_of_the_validation_batch() -> None:
    method = tiny("tas", warm_up=0.0, arch_weight_decay=0.0)
    before = method.alphas.detach().clone()
    losses = method.step(noise(1), noise(2))
    moved = (method.alphas != before).sum(dim=1)
    assert (moved >= 2).all()
    assert losses.valid_loss > 0
