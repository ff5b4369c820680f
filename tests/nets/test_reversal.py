"""What a gradient reversal does to values (nothing) and to gradients (their sign)."""

import torch

from natslib.nets.reversal import reverse


def test_it_returns_what_it_is_given() -> None:
    x = torch.randn(3, 4)
    assert torch.equal(reverse(x), x)


def test_the_gradient_is_multiplied_by_exactly_minus_one() -> None:
    x = torch.randn(3, 4, requires_grad=True)
    factors = torch.randn(3, 4)
    (reverse(x) * factors).sum().backward()
    assert torch.equal(x.grad, -factors)


def test_a_step_along_its_gradient_ascends() -> None:
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    reverse(x).square().sum().backward()
    assert (x - 0.1 * x.grad).square().sum() > x.square().sum()
