"""ENAS: a controller draws candidates and learns from their validation accuracy (Pham et al., 2018)."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from natslib.nets.cells import EDGES
from natslib.nets.ops import OPS
from natslib.nets.supernets import TopologySupernet, one_hot_weights
from natslib.weight_sharing.controller import Controller
from natslib.weight_sharing.method import Batch, Code, Losses, Method, ValidBatches
from natslib.weight_sharing.settings import Settings


class Enas(Method):
    """The weights learn on the controller's draws; after each epoch the controller learns by REINFORCE.

    The reward is the accuracy (0 to 1) on one validation batch plus a small multiple of the draw's entropy. As in the
    official code, the baseline of a draw is its reward mixed into the mean baseline of the epoch before (in the first
    epoch: its accuracy, so that only the entropy teaches), and the loss is differentiated through the entropy too.
    """

    name: ClassVar[str] = "enas"
    space: ClassVar[str] = "tss"
    has_alphas: ClassVar[bool] = False

    def __init__(self, network: TopologySupernet, settings: Settings, generator: torch.Generator) -> None:
        super().__init__(network, settings, generator)
        self.controller = Controller(len(EDGES), len(OPS), generator)
        self.arch_optimizer = self.adam(self.controller.parameters())
        self.baseline: float | None = None

    @torch.no_grad()
    def draw(self, n: int) -> list[Code]:
        """Draw `n` candidates from the controller, equal ones included."""
        return [tuple(code) for code in self.controller(n, self.generator).codes.tolist()]

    def step(self, train: Batch, valid: Batch) -> Losses:
        weights, active = one_hot_weights(self.draw(1)[0])
        trained = self.weight_step(self.network(train.images, weights, active), train.labels)
        return Losses(*trained, *self.unseen)

    def end_epoch(self, valid_batches: ValidBatches) -> None:
        self.network.eval()
        updates = range(self.settings.controller_updates)
        baselines = torch.stack([self.update_controller(valid_batches) for _ in updates])
        self.baseline = float(baselines.mean())
        self.network.train()

    def update_controller(self, valid_batches: ValidBatches) -> Tensor:
        """Take one step of the controller by the mean gradient of some draws; return their baselines."""
        drawn = self.controller(self.settings.controller_samples, self.generator)
        accuracies = self.accuracies(drawn.codes, valid_batches)
        rewards = accuracies + self.settings.controller_entropy * drawn.entropies
        baselines = accuracies if self.baseline is None else self.moved(self.baseline, rewards)
        assert self.arch_optimizer is not None
        self.arch_optimizer.zero_grad()
        (-drawn.log_probs * (rewards - baselines)).mean().backward()
        nn.utils.clip_grad_norm_(self.controller.parameters(), self.settings.controller_clip)
        self.arch_optimizer.step()
        return baselines.detach()

    def moved(self, baseline: float, rewards: Tensor) -> Tensor:
        """Return the baseline after each reward alone."""
        return baseline - (1 - self.settings.baseline_decay) * (baseline - rewards)

    @torch.no_grad()
    def accuracies(self, codes: Tensor, valid_batches: ValidBatches) -> Tensor:
        """Return the accuracy, 0 to 1, of each candidate on a validation batch of its own: (n,), on the CPU."""
        scores = [self.score(tuple(code), next(valid_batches)) for code in codes.tolist()]
        return torch.stack(scores).cpu() / 100

    def choose(self, valid_batches: ValidBatches) -> Code:
        return self.best_of(self.draw(self.settings.candidates), valid_batches)

    def state_dict(self) -> dict[str, Any]:
        own = {"controller": self.controller.state_dict(), "baseline": self.baseline}
        return super().state_dict() | own

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.controller.load_state_dict(state["controller"])
        self.baseline = state["baseline"]
