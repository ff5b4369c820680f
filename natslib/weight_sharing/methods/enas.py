"""ENAS: a controller draws candidates and learns from their validation accuracy (Pham et al., 2018)."""

from typing import Any, ClassVar, NamedTuple

import torch
from torch import Generator, Tensor, nn

from natslib.nets.topology_supernet import TopologySupernet, one_hot_weights
from natslib.spaces import Code
from natslib.spaces.cell import EDGES, OPS
from natslib.weight_sharing.method import Batch, Losses, Method, ValidBatches
from natslib.weight_sharing.settings import Settings

SIZE = 32  # of the LSTM's state and of an operation's embedding
LAYERS = 2
TEMPERATURE = 5.0
TANH_CONSTANT = 2.5  # keeps each logit within +-2.5, so that no operation ever dies out
SMALL_BOUND = 0.1
_SMALL = {"start", "lstm.weight_ih_l0", "lstm.weight_hh_l0", "embedding.weight", "predict.weight"}


class Samples(NamedTuple):
    """Architectures a controller drew: `codes` (n, positions); `log_probs` and `entropies` (n,), sums."""

    codes: Tensor
    log_probs: Tensor
    entropies: Tensor


class Controller(nn.Module):
    """An autoregressive policy over `positions` choices out of `choices` each.

    The first LSTM layer's weights, the embedding, the start vector and the prediction's weights begin at U(-0.1, 0.1);
    the rest as PyTorch begins it, U(-1/sqrt(32), 1/sqrt(32)). It stays on the CPU: it is far too small for a GPU.
    """

    def __init__(self, positions: int, choices: int, generator: Generator) -> None:
        super().__init__()
        self.positions = positions
        self.start = nn.Parameter(torch.empty(SIZE))
        self.lstm = nn.LSTM(SIZE, SIZE, LAYERS)
        self.embedding = nn.Embedding(choices, SIZE)
        self.predict = nn.Linear(SIZE, choices)
        for name, parameter in self.named_parameters():
            bound = SMALL_BOUND if name in _SMALL else SIZE**-0.5
            nn.init.uniform_(parameter, -bound, bound, generator=generator)

    def logits(self, outputs: Tensor) -> Tensor:
        """Return the bounded logits 2.5 tanh(prediction / 5) of LSTM outputs (n, 32): (n, choices)."""
        return TANH_CONSTANT * torch.tanh(self.predict(outputs) / TEMPERATURE)

    def forward(self, n: int, generator: Generator) -> Samples:
        """Draw `n` architectures; log-probabilities and entropies can be differentiated."""
        inputs, state = self.start.expand(n, -1), None
        codes, log_probs, entropies = [], [], []
        for _ in range(self.positions):
            outputs, state = self.lstm(inputs[None], state)
            log_p = self.logits(outputs[0]).log_softmax(dim=-1)
            code = torch.multinomial(log_p.detach().exp(), 1, generator=generator)
            codes.append(code[:, 0])
            log_probs.append(log_p.gather(1, code)[:, 0])
            entropies.append(-(log_p.exp() * log_p).sum(dim=-1))
            inputs = self.embedding(code[:, 0])
        return Samples(torch.stack(codes, 1), torch.stack(log_probs).sum(0), torch.stack(entropies).sum(0))


class Enas(Method):
    """The weights learn on the controller's draws; after each epoch the controller learns by REINFORCE.

    The reward is the accuracy (0 to 1) on one validation batch plus a small multiple of the draw's entropy. As in the
    official code, the baseline of a draw is its reward mixed into the mean baseline of the epoch before (in the first
    epoch: its accuracy, so that only the entropy teaches), and the loss is differentiated through the entropy too.
    NAS-Bench-201 took over the baseline of the last draw, moved the images of the rewards, and chose from fewer draws
    until the end (settings `last_baseline`, `valid_augmented` and `epoch_candidates`).
    Before the first epoch the official code names a random cell; here, as everywhere, the untrained supernet chooses.
    """

    name: ClassVar[str] = "enas"
    space: ClassVar[str] = "tss"
    has_alphas: ClassVar[bool] = False

    def __init__(self, network: TopologySupernet, settings: Settings, generator: torch.Generator) -> None:
        super().__init__(network, settings, generator)
        self.controller = Controller(len(EDGES), len(OPS), generator)
        self.arch_optimizer = self.adam(self.controller.parameters())
        self.baseline: float | None = None
        self.candidates = settings.epoch_candidates

    def begin_epoch(self, epoch: int) -> None:
        super().begin_epoch(epoch)
        last = epoch == self.epochs - 1
        self.candidates = self.settings.candidates if last else self.settings.epoch_candidates

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
        self.baseline = float(baselines[-1, -1] if self.settings.last_baseline else baselines.mean())
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
        return self.best_of(self.draw(self.candidates), valid_batches)

    def state_dict(self) -> dict[str, Any]:
        own = {"controller": self.controller.state_dict(), "baseline": self.baseline}
        return super().state_dict() | own

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.controller.load_state_dict(state["controller"])
        self.baseline = state["baseline"]
