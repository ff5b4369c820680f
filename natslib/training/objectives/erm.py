"""Empirical risk minimisation: the mean cross-entropy, environments not told apart."""

from typing import ClassVar

from torch.nn.functional import cross_entropy

from natslib.training.objectives.objective import Batch, Classifying, Objective, Outcome


class Erm(Objective):
    """The training of NATS-Bench, and the reference of OoD-Bench."""

    name: ClassVar[str] = "erm"
    fewest: ClassVar[int] = 1

    def loss(self, network: Classifying, batch: Batch) -> Outcome:
        """Return the mean cross-entropy."""
        logits = network(batch.images)
        risk = cross_entropy(logits, batch.labels)
        return Outcome(risk, risk, logits, batch.labels)
