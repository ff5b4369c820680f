"""The one protocol of searches that share weights: a supernet, steps on paired batches, and a choice."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from natslib.nets.size_supernet import SizeSupernet
from natslib.nets.topology_supernet import TopologySupernet, one_hot_weights
from natslib.spaces import Code, get_space
from natslib.weight_sharing.settings import Settings

if TYPE_CHECKING:
    from natslib.weight_sharing.data import SearchData


class Batch(NamedTuple):
    """Prepared images, float32 (n, channels, h, w) with channels last in memory, and labels, int64 (n,).

    `domains`, int64 (n,), are the environments of the images where there are several.
    """

    images: Tensor
    labels: Tensor
    domains: Tensor | None = None


class ValidBatches(Protocol):
    """Prepared validation images in batches: `next` never ends, in random order."""

    def __next__(self) -> Batch: ...

    def whole(self) -> Iterator[Batch]:
        """Yield all validation images once."""
        ...


class Losses(NamedTuple):
    """What a step saw: mean losses and accuracies in percent, 0-dimensional; NaN for what it did not compute."""

    train_loss: Tensor
    train_accuracy: Tensor
    valid_loss: Tensor
    valid_accuracy: Tensor


class BatchResult(NamedTuple):
    """Mean loss and accuracy in percent of one batch, 0-dimensional and detached."""

    loss: Tensor
    accuracy: Tensor


def result_of(logits: Tensor, labels: Tensor, loss: Tensor) -> BatchResult:
    """Return what a batch with these logits (n, classes) showed."""
    right = (logits.detach().argmax(1) == labels).float().mean()
    return BatchResult(loss.detach(), 100 * right)


class Method(ABC):
    """One search: a supernet, its optimizers, and how it comes to a candidate.

    `network` is on the device to search on. `generator`, a CPU generator, is the only source of randomness.
    `alphas` are the architecture parameters, one row a position of the space; None where a method has none.
    """

    name: ClassVar[str]
    space: ClassVar[str]
    has_alphas: ClassVar[bool] = True

    def __init__(
        self, network: TopologySupernet | SizeSupernet, settings: Settings, generator: torch.Generator
    ) -> None:
        self.network: Any = network
        self.settings, self.generator = settings, generator
        self.device = next(network.parameters()).device
        # Weights that a step does not sample have a gradient of zero: as in the official code, momentum and decay
        # move them all the same.
        for weight in network.parameters():
            weight.grad = torch.zeros_like(weight)
        #: For the validation batch of a step that does not look at it.
        self.unseen = BatchResult(*torch.full((2,), torch.nan, device=self.device))
        self.weight_optimizer = torch.optim.SGD(
            network.parameters(),
            settings.learning_rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
            nesterov=settings.nesterov,
            fused=True,
        )
        self.alphas = self._start() if self.has_alphas else None
        self.arch_optimizer = self.adam([self.alphas]) if self.alphas is not None else None

    def _start(self) -> nn.Parameter:
        """Return architecture parameters near zero: (positions, choices)."""
        space = get_space(self.space)
        drawn = torch.randn(len(space.positions), len(space.choices), generator=self.generator)
        return nn.Parameter((1e-3 * drawn).to(self.device))

    def adam(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Return the optimizer of architecture parameters, or of a controller, with the settings' numbers."""
        chosen = self.settings
        return torch.optim.Adam(
            parameters,
            chosen.arch_learning_rate,
            betas=chosen.arch_betas,
            eps=chosen.arch_eps,
            weight_decay=chosen.arch_weight_decay,
        )

    def prepare(self, data: "SearchData") -> None:  # noqa: B027 (most methods do nothing here)
        """Do what comes before the first epoch; not called where a search goes on from a checkpoint."""

    @property
    def epochs(self) -> int:
        """Number of epochs of the search; a method that goes on after training the supernet adds its own."""
        return self.settings.epochs

    def begin_epoch(self, epoch: int) -> None:
        """Prepare epoch `epoch`, counted from 0: its learning rate; subclasses add their temperature or warm-up."""
        for group in self.weight_optimizer.param_groups:
            group["lr"] = self.settings.learning_rate_of(epoch)
        self.network.train()

    @abstractmethod
    def step(self, train: Batch, valid: Batch) -> Losses:
        """Do one step on a batch of the search's training images and one of its validation images."""

    def end_epoch(self, valid_batches: ValidBatches) -> None:  # noqa: B027 (most methods do nothing here)
        """Finish an epoch."""

    def choose(self, valid_batches: ValidBatches) -> Code:
        """Return the current candidate: by default the largest parameter of each row."""
        assert self.alphas is not None
        return tuple(self.alphas.argmax(1).tolist())

    def record(self) -> dict[str, Any]:
        """Return what the last epoch decided, by column, for its record; most methods have no columns of their own."""
        return {}

    def kept(self) -> dict[str, Any]:
        """Return the weights that a finished search keeps beside its records, by file; most methods keep none."""
        return {}

    def weight_step(self, logits: Tensor, labels: Tensor) -> BatchResult:
        """Update the weights alone by the gradient of a batch's loss."""
        loss = cross_entropy(logits, labels)
        self.weight_optimizer.zero_grad(set_to_none=False)
        loss.backward()
        if self.settings.clip < torch.inf:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.weight_optimizer.step()
        return result_of(logits, labels, loss)

    def arch_step(self, logits: Tensor, labels: Tensor) -> BatchResult:
        """Update the architecture parameters alone by the gradient of a batch's loss."""
        loss = cross_entropy(logits, labels)
        self.update_alphas(loss)
        return result_of(logits, labels, loss)

    def update_alphas(self, loss: Tensor) -> None:
        """Do one step of the architecture optimizer down the gradient of `loss`; no other gradient is computed."""
        assert self.alphas is not None
        assert self.arch_optimizer is not None
        self.arch_optimizer.zero_grad()
        loss.backward(inputs=[self.alphas])
        self.arch_optimizer.step()

    @torch.no_grad()
    def best_of(self, codes: Sequence[Code], valid_batches: ValidBatches) -> Code:
        """Return the first candidate with the highest accuracy, each scored on one batch of its own."""
        self.network.eval()
        scores = [self.score(code, next(valid_batches)) for code in codes]
        self.network.train()
        return codes[int(torch.stack(scores).argmax())]

    def score(self, code: Code, batch: Batch) -> Tensor:
        """Return the accuracy in percent of a candidate of the topology space on a batch, in the network's mode."""
        logits = self.network(batch.images, *one_hot_weights(code))
        return 100 * (logits.argmax(1) == batch.labels).float().mean()

    def state_dict(self) -> dict[str, Any]:
        """Return all that resuming needs, but the generator; subclasses add theirs."""
        state: dict[str, Any] = {
            "network": self.network.state_dict(),
            "weight_optimizer": self.weight_optimizer.state_dict(),
        }
        if self.alphas is not None:
            state["alphas"] = self.alphas.detach()
        if self.arch_optimizer is not None:
            state["arch_optimizer"] = self.arch_optimizer.state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned."""
        self.network.load_state_dict(state["network"])
        self.weight_optimizer.load_state_dict(state["weight_optimizer"])
        if self.alphas is not None:
            with torch.no_grad():
                self.alphas.copy_(state["alphas"])
        if self.arch_optimizer is not None:
            self.arch_optimizer.load_state_dict(state["arch_optimizer"])
