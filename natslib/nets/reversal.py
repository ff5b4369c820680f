"""Gradient reversal: one backward pass in which one network descends and another ascends on the same loss."""

from typing import Any

import torch
from torch import Tensor


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return -gradients[0]


def reverse(x: Tensor) -> Tensor:
    """Return `x` as it is; the gradient that comes back through it is multiplied by exactly -1."""
    return _Reversal.apply(x)
