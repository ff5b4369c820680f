"""Sinkhorn's transport against a linear program, and where numbers are large."""

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from natslib.nets.transport import transport

EXACT = {"iterations": 3_000, "tolerance": 1e-9}


def vectors(seed: int, n: int = 6, d: int = 3) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def linear_program(x: torch.Tensor, y: torch.Tensor) -> float:
    """The least cost of moving `x` onto `y`, by a general solver."""
    cost = (x[:, None] - y).square().sum(-1).numpy()
    n, m = cost.shape
    rows = np.kron(np.eye(n), np.ones(m))
    columns = np.kron(np.ones(n), np.eye(m))
    masses = np.concatenate([np.full(n, 1 / n), np.full(m, 1 / m)])
    return linprog(cost.ravel(), A_eq=np.concatenate([rows, columns]), b_eq=masses).fun


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("m", [6, 4])
def test_with_little_entropy_it_is_within_a_percent_of_the_linear_program(seed: int, m: int) -> None:
    x, y = vectors(seed), vectors(seed + 100, m)
    assert float(transport(x, y, epsilon=0.01, **EXACT)) == pytest.approx(linear_program(x, y), rel=0.01)


def test_entropy_only_makes_it_dearer() -> None:
    x, y = vectors(0), vectors(1)
    costs = [float(transport(x, y, epsilon=epsilon, **EXACT)) for epsilon in (0.01, 0.1, 1.0, 10.0)]
    assert costs == sorted(costs)
    assert costs[0] >= linear_program(x, y) * (1 - 1e-9)


def test_it_is_symmetric_and_not_negative() -> None:
    for seed in range(5):
        x, y = vectors(seed), vectors(seed + 100)
        there, back = transport(x, y, **EXACT), transport(y, x, **EXACT)
        torch.testing.assert_close(there, back, rtol=1e-6, atol=0)
        assert there > 0


def test_a_set_has_some_distance_to_itself_unless_its_vectors_are_one() -> None:
    assert transport(vectors(0), vectors(0)) > 0
    assert transport(torch.ones(6, 3), torch.ones(6, 3)) == 0


@pytest.mark.parametrize("epsilon", [1.0, 0.1])
def test_costs_of_ten_thousand_stay_finite_with_their_gradient(epsilon: float) -> None:
    x = vectors(0).float().requires_grad_()
    y = vectors(1).float() + 100 / 3**0.5
    cost = transport(x, y, epsilon=epsilon)
    assert 8_000 < cost < 14_000
    cost.backward()
    assert x.grad.isfinite().all()
    assert x.grad.norm() > 1


def test_the_gradient_is_that_of_a_finite_difference() -> None:
    x, y = vectors(0).requires_grad_(), vectors(1)
    (gradient,) = torch.autograd.grad(transport(x, y, iterations=50, tolerance=0.0), [x])
    direction, step = vectors(2), 1e-5
    with torch.no_grad():
        ends = [transport(x + s * direction, y, iterations=50, tolerance=0.0) for s in (step, -step)]
    torch.testing.assert_close(
        (ends[0] - ends[1]) / (2 * step), (gradient * direction).sum(), rtol=1e-6, atol=0
    )
