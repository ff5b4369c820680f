"""FBNetV2's channel masking: a Gumbel-softmax over prefix masks (Wan et al., 2020)."""

from typing import Any, ClassVar

from torch import Tensor

from natslib.weight_sharing.methods.gumbel import soft_sample
from natslib.weight_sharing.methods.sizes import SizeMethod


class FbnetV2(SizeMethod):
    """Each channel is weighed by the drawn share of the widths that keep it; all widths take part in every step.

    The temperature falls linearly over the epochs.
    """

    name: ClassVar[str] = "fbnetv2"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.masks = self.network.prefix_masks().to(self.device)

    def sample(self) -> tuple[Tensor, ...]:
        return (soft_sample(self.unit_logits(), self.temperature, self.generator) @ self.masks).unbind()
