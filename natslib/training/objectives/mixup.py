"""Mixup between environments: images and labels in random proportions (Zhang et al. 2018; Yan et al. 2020)."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from natslib.training.objectives.objective import Batch, Classifying, Number, Objective, Outcome, Setting


class Mixup(Objective):
    """Every image is mixed with one of the next environment in a random order; a proportion a pair, Beta(alpha, alpha).

    What a batch lacks of an environment to mix with is repeated. Labels of the outcome are those of the larger part.
    """

    name: ClassVar[str] = "mixup"
    numbers: ClassVar[Mapping[str, Number]] = {"alpha": Number(0.2, -1, -1)}

    def __init__(self, setting: Setting, values: Mapping[str, float]) -> None:
        super().__init__(setting, values)
        self.rng = np.random.default_rng(setting.seed)

    def loss(self, network: Classifying, batch: Batch) -> Outcome:
        """Return the mixed cross-entropy, which is the risk."""
        found = self.rows(batch)
        parts = [found[place] for place in self.rng.permutation(len(found))]
        first, second, shares = [], [], []
        for one, other in zip(parts, parts[1:] + parts[:1], strict=True):
            first.append(one)
            second.append(other[torch.arange(len(one), device=one.device) % len(other)])
            shares.append(torch.full((len(one),), self.rng.beta(self.values["alpha"], self.values["alpha"])))
        a, b = torch.cat(first), torch.cat(second)
        share = torch.cat(shares).to(batch.images)
        weight = share[:, None, None, None]
        logits = network(weight * batch.images[a] + (1 - weight) * batch.images[b])
        of_a, of_b = (cross_entropy(logits, batch.labels[rows], reduction="none") for rows in (a, b))
        risk = (share * of_a + (1 - share) * of_b).mean()
        return Outcome(risk, risk, logits, batch.labels[torch.where(share >= 0.5, a, b)])
