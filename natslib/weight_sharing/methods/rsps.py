"""RSPS: random search with parameter sharing (Li and Talwalkar, 2019)."""

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from natslib.spaces import Code, get_space
from natslib.spaces.cell import EDGES, OPS
from natslib.weight_sharing.method import Batch, Losses, Method, ValidBatches

ENTERING = tuple([e for e, (_, end) in enumerate(EDGES) if end == node] for node in (1, 2, 3))
"""The edges that enter nodes 1, 2 and 3."""


def random_cells(n: int, generator: torch.Generator) -> Tensor:
    """Return uniform random operations, int64 (n, 6), drawn again for every node without an input."""
    codes = torch.randint(len(OPS), (n, len(EDGES)), generator=generator)
    for edges in ENTERING:
        while (empty := (codes[:, edges] == 0).all(1).nonzero()[:, 0]).numel():
            drawn = torch.randint(len(OPS), (len(empty), len(edges)), generator=generator)
            codes[empty[:, None], torch.tensor(edges)] = drawn
    return codes


class Rsps(Method):
    """The weights learn with random operations in every cell; the best of random candidates is chosen.

    In NAS-Bench-201 all cells share one draw, and nothing is drawn again (the setting `one_cell`).
    Before the first epoch the official code names a random cell; here the untrained supernet chooses, and in SETN too.
    """

    name: ClassVar[str] = "rsps"
    space: ClassVar[str] = "tss"
    has_alphas: ClassVar[bool] = False

    def step(self, train: Batch, valid: Batch) -> Losses:
        active = one_hot(self.sample(), len(OPS)).bool()
        logits = self.network(train.images, active.float(), active)
        return Losses(*self.weight_step(logits, train.labels), *self.unseen)

    def sample(self) -> Tensor:
        """Draw the operations of a step: int64, (cells, 6), or (6,) for all cells."""
        if self.settings.one_cell:
            return torch.randint(len(OPS), (len(EDGES),), generator=self.generator)
        return random_cells(self.network.n_cells, self.generator)

    def choose(self, valid_batches: ValidBatches) -> Code:
        """Return the best of distinct candidates, drawn uniformly from all, each scored on one batch."""
        space = get_space(self.space)
        drawn = torch.randperm(len(space), generator=self.generator)[: self.settings.candidates]
        return self.best_of([space.code(index) for index in np.asarray(drawn)], valid_batches)
