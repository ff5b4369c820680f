"""Representation self-challenging: the features that a decision rests on most are muted (Huang et al., ECCV 2020)."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from natslib.training.objectives.objective import Batch, Classifying, Number, Objective, Outcome


def top_share(scores: Tensor, share: float) -> Tensor:
    """Return where the top share of the last dimension lies, rounded to whole places: bool, the shape of `scores`."""
    mask = torch.zeros_like(scores, dtype=torch.bool)
    return mask.scatter(-1, scores.topk(round(share * scores.shape[-1]), dim=-1).indices, True)


class Rsc(Objective):
    """RSC: mutes the share `features` of the features, in the share `images` of the images that lose most by it.

    Features rank by the gradient of the true logit, images by how far the true class's probability falls.
    """

    name: ClassVar[str] = "rsc"
    fewest: ClassVar[int] = 1
    numbers: ClassVar[Mapping[str, Number]] = {
        "features": Number(1 / 3, 0, 0.5, base=None),
        "images": Number(1 / 3, 0, 0.5, base=None),
    }

    def muted(self, network: Classifying, features: Tensor, labels: Tensor) -> Tensor:
        """Return which features (n, d) are muted, bool."""
        seen = features.detach().requires_grad_()
        logits = network.classifier(seen)
        (slope,) = torch.autograd.grad(logits.gather(1, labels[:, None]).sum(), seen)
        most = top_share(slope, self.values["features"])
        with torch.no_grad():
            without = network.classifier(seen.masked_fill(most, 0))
            fall = (logits.softmax(1) - without.softmax(1)).gather(1, labels[:, None])[:, 0]
        return most & top_share(fall, self.values["images"])[:, None]

    def loss(self, network: Classifying, batch: Batch) -> Outcome:
        """Return the cross-entropy with the muted features."""
        features = network.features(batch.images)
        logits = network.classifier(features.masked_fill(self.muted(network, features, batch.labels), 0))
        risk = cross_entropy(logits, batch.labels)
        return Outcome(risk, risk, logits, batch.labels)
