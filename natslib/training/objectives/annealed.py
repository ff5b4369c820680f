"""A penalty that gets its weight only after a while, as in IRM and VREx."""

from abc import abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from natslib.training.objectives.objective import (
    Batch,
    Classifying,
    Number,
    Objective,
    Outcome,
    Setting,
    penalised,
)

#: A tenth of all steps: OoD-Bench's default is 500 of 5,001. It draws 10^U(0, 4) of them; more than all are all.
ANNEAL = Number(0.1, -3.7, 0.3)


class Annealed(Objective):
    """Risk plus a penalty of weight 1 during the share `anneal` of all steps, then of weight `penalty`.

    With the weight the optimizer begins afresh, without momentum of what was minimised before.
    """

    def __init__(self, setting: Setting, values: Mapping[str, float]) -> None:
        super().__init__(setting, values)
        self.done = 0
        self.wait = int(min(1.0, self.values["anneal"]) * setting.steps)

    @property
    def weight(self) -> float:
        """The weight of the penalty in the step to come."""
        return self.values["penalty"] if self.done >= self.wait else 1.0

    @abstractmethod
    def penalty(self, logits: Tensor, batch: Batch) -> Tensor:
        """Return the penalty, a scalar."""

    def loss(self, network: Classifying, batch: Batch) -> Outcome:
        """Return risk and penalty with the weight of this step."""
        logits = network(batch.images)
        return penalised(logits, batch.labels, self.weight, self.penalty(logits, batch))

    def step(self, network: Classifying, optimizer: torch.optim.Optimizer, batch: Batch) -> Outcome:
        """Do one step; the first with the full weight begins with a fresh optimizer."""
        if self.done == self.wait:
            optimizer.state.clear()
        outcome = super().step(network, optimizer, batch)
        self.done += 1
        return outcome
