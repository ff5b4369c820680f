"""TuNAS's channel masking: a width is drawn, and the policy learns by REINFORCE (Bender et al., 2020)."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from natslib.nets.size_supernet import Gate
from natslib.search.algorithms.reinforce import MovingAverage
from natslib.weight_sharing.method import Batch, BatchResult, result_of
from natslib.weight_sharing.methods.sizes import SizeMethod


class Tunas(SizeMethod):
    """The policy descends -(accuracy - baseline) * sum of log-probabilities over the units; the accuracy is in percent.

    The baseline is a moving average without start-up bias. As in the official code, it takes in an accuracy before it
    is subtracted from it (the first advantage is zero), and in the warm-up too.
    """

    name: ClassVar[str] = "tunas"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.baseline = MovingAverage(self.settings.baseline_decay)

    def draw(self) -> tuple[list[Gate], Tensor]:
        """Draw a prefix mask for each unit; return them and the sum of their log-probabilities."""
        log_p = self.unit_logits().log_softmax(dim=1)
        choices = torch.multinomial(log_p.detach().exp().cpu(), 1, generator=self.generator)
        return self.prefixes(choices[:, 0]), log_p.gather(1, choices.to(log_p.device)).sum()

    def sample(self) -> list[Gate]:
        return self.draw()[0]

    def search(self, valid: Batch) -> BatchResult:
        gates, log_probability = self.draw()
        result = self.judge(valid, gates)
        self.update_alphas(-self.advantage(result) * log_probability)
        return result

    def wait(self, valid: Batch) -> BatchResult:
        result = self.judge(valid, self.gates())
        self.advantage(result)
        return result

    @torch.no_grad()
    def judge(self, valid: Batch, gates: Sequence[Gate]) -> BatchResult:
        """Return what candidates of these gates show on a batch."""
        logits = self.network(valid.images, gates)
        return result_of(logits, valid.labels, cross_entropy(logits, valid.labels))

    def advantage(self, result: BatchResult) -> float:
        """Take in the accuracy of a batch and return how far it lies above the baseline."""
        accuracy = result.accuracy.item()
        return accuracy - self.baseline.update(accuracy)

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"baseline": vars(self.baseline)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.baseline = MovingAverage(**state["baseline"])
