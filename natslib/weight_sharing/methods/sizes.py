"""What the searches of the size space share: a draw for each unit, steps for weights and logits, and the warm-up."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from natslib.nets.size_supernet import UNIT_ROWS, Gate
from natslib.weight_sharing.method import Batch, BatchResult, Losses, Method


class SizeMethod(Method):
    """A search of the size space: each unit's output passes a gate that is drawn anew for every batch.

    In the warm-up, the first epochs, the logits stay as they are, and a gate is a prefix mask: the full one with a
    probability that falls linearly from 1 to 0, else a uniformly drawn one.
    """

    space: ClassVar[str] = "sss"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.rows = torch.tensor(UNIT_ROWS, device=self.device)  # sent there once, not in every step

    def begin_epoch(self, epoch: int) -> None:
        super().begin_epoch(epoch)
        self.temperature = self.settings.temperature(epoch)
        progress = epoch / self.settings.epochs
        self.warming = progress < self.settings.warm_up
        self.full_probability = 1 - progress / self.settings.warm_up if self.warming else 0.0

    def unit_logits(self) -> Tensor:
        """Return the architecture parameters of each unit, (6, 8): stem and first cell share a row, not a draw."""
        assert self.alphas is not None
        return self.alphas[self.rows]

    def prefixes(self, choices: Tensor) -> list[Gate]:
        """Return the prefix masks of choice numbers (6,)."""
        return list(self.network.widths(choices.tolist()))

    def gates(self) -> Sequence[Gate]:
        """Draw a gate for each unit."""
        return self.warm_up_gates() if self.warming else self.sample()

    def warm_up_gates(self) -> list[Gate]:
        """Draw prefix masks as the warm-up does."""
        units, choices = self.unit_logits().shape
        full = torch.rand(units, generator=self.generator) < self.full_probability
        drawn = torch.randint(choices, (units,), generator=self.generator)
        return self.prefixes(drawn.masked_fill(full, choices - 1))

    @abstractmethod
    def sample(self) -> Sequence[Gate]:
        """Draw a gate for each unit from the architecture parameters."""

    def step(self, train: Batch, valid: Batch) -> Losses:
        with torch.no_grad():
            gates = self.gates()
        trained = self.weight_step(self.network(train.images, gates), train.labels)
        return Losses(*trained, *(self.wait(valid) if self.warming else self.search(valid)))

    def search(self, valid: Batch) -> BatchResult:
        """Update the logits alone, through the gates."""
        return self.arch_step(self.network(valid.images, self.gates()), valid.labels)

    def wait(self, valid: Batch) -> BatchResult:
        """Let a validation batch of the warm-up pass."""
        return self.unseen
