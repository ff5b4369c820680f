"""SETN: weights learn on uniformly drawn candidates, logits on the mixture of all (Dong and Yang, ICCV 2019)."""

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import softmax

from natslib.nets.topology_supernet import one_hot_weights
from natslib.spaces import Code
from natslib.spaces.cell import EDGES, OPS
from natslib.weight_sharing.method import Batch, Losses, Method, ValidBatches


def most_probable(logits: Tensor, n: int) -> list[Code]:
    """Return the `n` codes with the largest sums of log-probabilities, best first, ties in lexicographic order.

    `logits`: (positions, choices), each row a distribution of its own.
    """
    total = torch.zeros((), dtype=torch.float64)
    for row in logits.detach().cpu().double().log_softmax(dim=1):
        total = total[..., None] + row
    order = total.flatten().argsort(descending=True, stable=True)[:n]
    return [tuple(code) for code in torch.stack(torch.unravel_index(order, total.shape), 1).tolist()]


class Setn(Method):
    """Each step: a uniformly drawn candidate for the weights, the softmax mixture for the logits.

    The choice is the best of the most probable candidates, each scored on one validation batch.
    """

    name: ClassVar[str] = "setn"
    space: ClassVar[str] = "tss"

    def step(self, train: Batch, valid: Batch) -> Losses:
        assert self.alphas is not None
        logits = self.network(train.images, *one_hot_weights(self.uniform()))
        trained = self.weight_step(logits, train.labels)
        mixed = self.network(valid.images, softmax(self.alphas, dim=1))
        return Losses(*trained, *self.arch_step(mixed, valid.labels))

    def uniform(self) -> Code:
        """Draw a candidate, for all cells the same; nodes without input are not drawn again."""
        return tuple(torch.randint(len(OPS), (len(EDGES),), generator=self.generator).tolist())

    def choose(self, valid_batches: ValidBatches) -> Code:
        assert self.alphas is not None
        return self.best_of(most_probable(self.alphas, self.settings.candidates), valid_batches)
