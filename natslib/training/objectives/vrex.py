"""Risk extrapolation: the same risk in every environment (Krueger et al., ICML 2021)."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from natslib.training.objectives.annealed import ANNEAL, Annealed
from natslib.training.objectives.objective import Batch, Number


class Vrex(Annealed):
    """VREx: the variance of the environments' risks is the penalty."""

    name: ClassVar[str] = "vrex"
    numbers: ClassVar[Mapping[str, Number]] = {"penalty": Number(10.0, -1, 5), "anneal": ANNEAL}

    def penalty(self, logits: Tensor, batch: Batch) -> Tensor:
        """Return the variance (over the number of environments) of the mean cross-entropies."""
        risks = [cross_entropy(logits[rows], batch.labels[rows]) for rows in self.rows(batch)]
        return torch.stack(risks).var(correction=0)
