"""DARTS: the supernet is a mixture of all operations, and the mixture is learned by gradient (Liu et al., 2019)."""

from typing import ClassVar

from torch import Tensor
from torch.nn.functional import softmax

from natslib.weight_sharing.method import Batch, Losses, Method, Seen


class DartsV1(Method):
    """First order: the weights learn on a training batch, then the mixture on a validation batch."""

    name: ClassVar[str] = "darts-v1"
    space: ClassVar[str] = "tss"

    def mixture(self) -> Tensor:
        """Return the weight of each operation on each edge, (6, 5)."""
        assert self.alphas is not None
        return softmax(self.alphas, dim=1)

    def step(self, train: Batch, valid: Batch) -> Losses:
        logits = self.network(train.images, self.mixture().detach())
        return Losses(*self.weight_step(logits, train.labels), *self.mixture_step(train, valid))

    def mixture_step(self, train: Batch, valid: Batch) -> Seen:
        """Update the mixture alone."""
        return self.arch_step(self.network(valid.images, self.mixture()), valid.labels)
