"""Distributionally robust optimisation over groups: the worst environment counts most (Sagawa et al., ICLR 2020)."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch.nn.functional import cross_entropy

from natslib.training.objectives.objective import Batch, Classifying, Number, Objective, Outcome, Setting


class GroupDro(Objective):
    """GroupDRO: weights `q` of the environments grow with their risks, by the rate `rate`."""

    name: ClassVar[str] = "groupdro"
    numbers: ClassVar[Mapping[str, Number]] = {"rate": Number(0.01, -3, -1)}

    def __init__(self, setting: Setting, values: Mapping[str, float]) -> None:
        super().__init__(setting, values)
        self.q = torch.full(
            (setting.domains,), 1 / setting.domains, device=setting.network.classifier.weight.device
        )

    def loss(self, network: Classifying, batch: Batch) -> Outcome:
        """Return the weighted risk of the environments in the batch, after their weights were moved."""
        logits = network(batch.images)
        each = cross_entropy(logits, batch.labels, reduction="none")
        present = batch.domains.unique()
        risks = torch.stack([each[batch.domains == number].mean() for number in present])
        self.q[present] *= (self.values["rate"] * risks.detach()).exp().to(self.q.dtype)
        self.q /= self.q.sum()
        weights = self.q[present] / self.q[present].sum()
        return Outcome((weights * risks).sum(), each.mean(), logits, batch.labels)
