"""Maximum mean discrepancy between the features of environments (Li et al., CVPR 2018)."""

from typing import ClassVar

import torch
from torch import Tensor

from natslib.training.objectives.aligned import Aligned

RATES = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0)


def kernel(one: Tensor, other: Tensor) -> Tensor:
    """Return the sum of Gaussian kernels, exp(-rate x squared distance), of every two rows: (n, m)."""
    dots = one @ other.T
    squared = (one.square().sum(1)[:, None] + other.square().sum(1) - 2 * dots).clamp_min(1e-30)
    return torch.stack([(-rate * squared).exp() for rate in RATES]).sum(0)


class Mmd(Aligned):
    """MMD: the squared distance of the mean embeddings under a sum of Gaussian kernels."""

    name: ClassVar[str] = "mmd"

    def between(self, one: Tensor, other: Tensor) -> Tensor:
        """Return the squared discrepancy."""
        return kernel(one, one).mean() + kernel(other, other).mean() - 2 * kernel(one, other).mean()
