"""Invariant risk minimisation: one classifier that is the best of every environment (Arjovsky et al. 2019)."""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from natslib.training.objectives.annealed import ANNEAL, Annealed
from natslib.training.objectives.objective import Batch, Number, mean_of


def scale_gradient(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the gradient of the mean cross-entropy with respect to a factor of the logits, at 1.

    In closed form: the mean of what the logits are expected to be minus the true one.
    """
    expected = (logits.softmax(1) * logits).sum(1)
    return (expected - logits.gather(1, labels[:, None])[:, 0]).mean()


def irm_penalty(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the gradient of the even rows times that of the odd rows: without bias the squared one."""
    return scale_gradient(logits[::2], labels[::2]) * scale_gradient(logits[1::2], labels[1::2])


class Irm(Annealed):
    """IRM's version 1, the penalty averaged over the environments of a batch."""

    name: ClassVar[str] = "irm"
    numbers: ClassVar[Mapping[str, Number]] = {"penalty": Number(100.0, -1, 5), "anneal": ANNEAL}

    def penalty(self, logits: Tensor, batch: Batch) -> Tensor:
        """Return the mean penalty of the environments that have two images in the batch."""
        each = [irm_penalty(logits[rows], batch.labels[rows]) for rows in self.rows(batch, fewest=2)]
        return mean_of(each, logits)
