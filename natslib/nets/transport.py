"""Optimal transport between two sets of vectors, entropic, by Sinkhorn's iterations (Cuturi, 2013)."""

import math

import torch
from torch import Tensor


def transport(
    x: Tensor, y: Tensor, *, epsilon: float = 1.0, iterations: int = 100, tolerance: float = 0.1
) -> Tensor:
    """Return what it costs to move the vectors `x` (n, d) onto `y` (m, d), all of equal mass: 0-dimensional.

    A vector costs the squared Euclidean distance of its way; the plan is the one that entropy, weighed by `epsilon` in
    the unit of the cost, makes smooth. Never negative, and not debiased: a set has some distance to itself. At most
    `iterations`, which end when the dual variables of `x` move by less than `tolerance` in sum; the defaults are those
    of NAS-OoD. All in logarithms, so that large costs neither overflow nor vanish. Differentiable through the
    iterations.
    """
    cost = (x[:, None] - y).square().sum(-1)
    mass_x, mass_y = (-math.log(n) for n in cost.shape)
    u, v = x.new_zeros(len(x)), y.new_zeros(len(y))
    for _ in range(iterations):
        before = u
        u = epsilon * (mass_x - torch.logsumexp((v - cost) / epsilon, 1))
        v = epsilon * (mass_y - torch.logsumexp((u[:, None] - cost) / epsilon, 0))
        if float((u - before).detach().abs().sum()) < tolerance:
            break
    plan = ((u[:, None] + v - cost) / epsilon).exp()
    return (plan * cost).sum()
