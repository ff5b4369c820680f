"""GDAS: one operation an edge is drawn and learned through a straight-through Gumbel-softmax (Dong and Yang, 2019)."""

from typing import ClassVar

from torch import Tensor
from torch.nn.functional import one_hot

from natslib.spaces.cell import OPS
from natslib.weight_sharing.method import Batch, Losses, Method
from natslib.weight_sharing.methods.gumbel import hard_sample


class Gdas(Method):
    """Each step draws a candidate for the weights, and another, through which the logits learn.

    All cells share the draw. The temperature falls linearly over the epochs. Operations that were not drawn are not
    computed: their weight, which is zero but has a gradient, is added as it is.
    """

    name: ClassVar[str] = "gdas"
    space: ClassVar[str] = "tss"

    def begin_epoch(self, epoch: int) -> None:
        super().begin_epoch(epoch)
        self.temperature = self.settings.temperature(epoch)

    def sample(self) -> tuple[Tensor, Tensor]:
        """Return (weights, active) of a draw: (6, 5) each, the second bool and on the CPU."""
        assert self.alphas is not None
        weights, choices = hard_sample(self.alphas, self.temperature, self.generator)
        return weights, one_hot(choices.cpu(), len(OPS)).bool()

    def step(self, train: Batch, valid: Batch) -> Losses:
        _, active = self.sample()
        trained = self.weight_step(self.network(train.images, active.float(), active), train.labels)
        logits = self.network(valid.images, *self.sample())
        return Losses(*trained, *self.arch_step(logits, valid.labels))
