"""TAS: two widths are drawn and mixed by interpolation along the channels (Dong and Yang, NeurIPS 2019)."""

from itertools import permutations
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool1d, pad

from natslib.weight_sharing.methods.gumbel import perturbed
from natslib.weight_sharing.methods.sizes import SizeMethod

EPSILON = 1e-7  # added to probabilities, so that two widths can be drawn when all of the mass is on one


def resizing(width: int, target: int) -> Tensor:
    """Return the map (target, target) that keeps the first `width` channels and averages them into `target` channels.

    It is the adaptive average pooling along the channels; `target` is at least `width`.
    """
    kept = adaptive_avg_pool1d(torch.eye(width), target).T
    return pad(kept, (0, target - width))


class Tas(SizeMethod):
    """Features of two widths are resized to the larger one and added, weighed by a softmax over these two alone.

    The widths are drawn, without replacement, by a Gumbel-softmax whose temperature falls linearly over the epochs.
    """

    name: ClassVar[str] = "tas"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        widths = self.network.widths(range(len(self.network.prefix_masks())))
        self.maps = {
            pair: torch.stack([resizing(widths[choice], widths[max(pair)]) for choice in pair]).to(
                self.device
            )
            for pair in permutations(range(len(widths)), 2)
        }

    def sample(self) -> list[Tensor]:
        logits = perturbed(self.unit_logits(), self.temperature, self.generator)
        probabilities = logits.detach().softmax(dim=1).cpu() + EPSILON
        pairs = torch.multinomial(probabilities, 2, generator=self.generator)
        shares = logits.gather(1, pairs.to(logits.device)).softmax(dim=1)
        maps = [self.maps[first, second] for first, second in pairs.tolist()]
        return [(share[:, None, None] * both).sum(0) for share, both in zip(shares, maps, strict=True)]
