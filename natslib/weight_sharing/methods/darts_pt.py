"""DARTS-PT: the operations that a trained supernet can least do without, edge by edge (Wang et al., ICLR 2021).

The supernet trains as DARTS does. Then one open edge at a time, drawn at random, is set to the operation whose removal
costs most (`search.projection`), and the supernet is tuned before the next. The released code draws the batches of a
step from all images anew; here, as in the other searches, an epoch goes through the training images once.
"""

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from natslib.nets.topology_supernet import TopologySupernet
from natslib.search.projection import Decision, Mask, Score, decide, project, undecided
from natslib.spaces import Code, get_space
from natslib.weight_sharing.method import Batch, BatchResult, ValidBatches
from natslib.weight_sharing.methods.darts import DartsV1
from natslib.weight_sharing.settings import Settings


class DartsPt(DartsV1):
    """Perturbation-based selection from a supernet whose architecture parameters learn to the end.

    `left`: the operations left on each edge, (6, 5); `decisions`: those of the current epoch.
    """

    name: ClassVar[str] = "darts-pt"

    def __init__(self, network: TopologySupernet, settings: Settings, generator: torch.Generator) -> None:
        super().__init__(network, settings, generator)
        self.left: Mask = undecided(get_space(self.space))
        self.decisions: list[Decision] = []
        self.epochs_done = 0

    @property
    def epochs(self) -> int:
        """The epochs of training, and of tuning between six projections."""
        return self.settings.epochs + (len(self.left) - 1) * self.settings.tune_epochs

    def projected_after(self, epochs: int) -> int:
        """Return how many edges are decided once `epochs` epochs are done.

        One before each interval of tuning, and the last one epoch before the end, as in the released code.
        """
        if epochs < self.settings.epochs:
            return 0
        between = (epochs - self.settings.epochs) // self.settings.tune_epochs
        return len(self.left) if epochs >= self.epochs - 1 else 1 + between

    def begin_epoch(self, epoch: int) -> None:
        super().begin_epoch(epoch)
        self.epochs_done, self.decisions = epoch, []
        if epoch == self.settings.epochs:
            self.weight_optimizer.state.clear()
        if epoch >= self.settings.epochs:
            for group in self.weight_optimizer.param_groups:
                group["lr"] = self.settings.tune_learning_rate

    def mixture(self) -> Tensor:
        return self.masked(self.left)

    def masked(self, left: Mask) -> Tensor:
        """Return the weights of the operations within a mask, (6, 5).

        A decided edge has weight one; elsewhere what is left keeps its softmax weight, without renormalisation.
        """
        kept = torch.from_numpy(left).to(self.device)
        return torch.where(kept.sum(1, keepdim=True) == 1, 1.0, super().mixture()) * kept

    def logits(self, batch: Batch, mixture: Tensor) -> Tensor:
        return self.network(batch.images, mixture, torch.from_numpy(self.left))

    def end_epoch(self, valid_batches: ValidBatches) -> None:
        while np.count_nonzero(~self.left.all(axis=1)) < self.projected_after(self.epochs_done + 1):
            edge = self._draw_edge()
            self.decisions.append(self.decide_edge(edge, valid_batches))
            self.left = decide(self.left, edge, self.decisions[-1].choice)

    def _draw_edge(self) -> int:
        still_open = np.flatnonzero(self.left.all(axis=1))
        return int(still_open[torch.randint(len(still_open), (), generator=self.generator)])

    def decide_edge(self, edge: int, valid_batches: ValidBatches) -> Decision:
        """Project one edge by five passes over the validation half."""
        return project(self.left, edge, lambda left: self.evaluate(left, valid_batches))

    @torch.no_grad()
    def evaluate(self, left: Mask, valid_batches: ValidBatches) -> Score:
        """Score the supernet under a mask on every validation image once: augmented anew for each mask, if at all.

        In training mode, by the statistics of each batch; running statistics are updated in copies that nobody uses.
        """
        weights, active = self.masked(left), torch.from_numpy(left)
        buffers = {name: buffer.clone() for name, buffer in self.network.named_buffers()}
        right, loss = torch.zeros(2, dtype=torch.float64, device=self.device)
        images = 0
        for batch in valid_batches.whole():
            logits = functional_call(self.network, buffers, (batch.images, weights, active))
            right += (logits.argmax(1) == batch.labels).sum()
            loss += cross_entropy(logits, batch.labels, reduction="sum")
            images += len(batch.labels)
        return Score(100 * float(right) / images, float(loss) / images)

    def choose(self, valid_batches: ValidBatches) -> Code:
        """Return the operations of the decided edges, and of open ones those with the largest parameter."""
        assert self.alphas is not None
        gone = torch.from_numpy(~self.left).to(self.device)
        return tuple(self.alphas.masked_fill(gone, -torch.inf).argmax(1).tolist())

    def record(self) -> dict[str, list[float | None]]:
        """Return the projections of this epoch: edges, operations, and the scores without each of the five in turn."""
        scores = [score for decision in self.decisions for score in decision.scores]
        return {
            "projected_edges": [each.position for each in self.decisions],
            "projected_ops": [each.choice for each in self.decisions],
            "masked_accuracies": [score.accuracy for score in scores],
            "masked_losses": [score.loss for score in scores],
        }

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"left": torch.from_numpy(self.left)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.left = state["left"].numpy()


class DartsPtFixed(DartsPt):
    """The same with the architecture parameters left as drawn, next to uniform: only the weights learn."""

    name: ClassVar[str] = "darts-pt-fixed"

    def mixture_step(self, train: Batch, valid: Batch) -> BatchResult:
        return self.unseen


class DartsPtMagnitude(DartsPt):
    """The ablation: the same tuning between decisions, but each by the largest architecture parameter."""

    name: ClassVar[str] = "darts-pt-magnitude"

    def decide_edge(self, edge: int, valid_batches: ValidBatches) -> Decision:
        assert self.alphas is not None
        return Decision(edge, int(self.alphas[edge].argmax()), ())
