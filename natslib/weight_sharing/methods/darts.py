"""DARTS: the supernet is a mixture of all operations, and the mixture is learned by gradient (Liu et al., 2019)."""

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softmax

from natslib.weight_sharing.method import Batch, BatchResult, Losses, Method, result_of


class DartsV1(Method):
    """First order: the weights learn on a training batch, then the mixture on a validation batch.

    With the setting `alphas_first` (NAS-Bench-201's second order, DARTS-PT) it is the other way round.
    """

    name: ClassVar[str] = "darts-v1"
    space: ClassVar[str] = "tss"

    def mixture(self) -> Tensor:
        """Return the weight of each operation on each edge, (6, 5)."""
        assert self.alphas is not None
        return softmax(self.alphas, dim=1)

    def logits(self, batch: Batch, mixture: Tensor) -> Tensor:
        """Return what the supernet says of a batch under a mixture."""
        return self.network(batch.images, mixture)

    def step(self, train: Batch, valid: Batch) -> Losses:
        before = self.mixture_step(train, valid) if self.settings.alphas_first else None
        trained = self.weight_step(self.logits(train, self.mixture().detach()), train.labels)
        return Losses(*trained, *(before or self.mixture_step(train, valid)))

    def mixture_step(self, train: Batch, valid: Batch) -> BatchResult:
        """Update the mixture alone."""
        return self.arch_step(self.logits(valid, self.mixture()), valid.labels)


class DartsV2(DartsV1):
    """Second order: the mixture is judged by the weights that one more training step would give.

    The gradient through that step needs a product of a Hessian with a vector, which finite differences stand for:
    two gradients at weights moved by 0.01 along the vector, whatever its length.
    """

    name: ClassVar[str] = "darts-v2"
    radius: ClassVar[float] = 0.01

    def mixture_step(self, train: Batch, valid: Batch) -> BatchResult:
        assert self.alphas is not None
        assert self.arch_optimizer is not None
        weights = list(self.network.parameters())
        start = [weight.detach().clone() for weight in weights]
        rate = self.weight_optimizer.param_groups[0]["lr"]
        self._place(weights, start, self._update(train, weights), -rate)
        logits = self.network(valid.images, self.mixture())
        loss = cross_entropy(logits, valid.labels)
        gradient, *vector = torch.autograd.grad(loss, [self.alphas, *weights])
        self.alphas.grad = gradient - rate * self._second_order(train, weights, start, vector)
        self._place(weights, start, start, 0.0)
        self.arch_optimizer.step()
        return result_of(logits, valid.labels, loss)

    def _train_gradient(self, train: Batch, inputs: list[Tensor]) -> tuple[Tensor, ...]:
        logits = self.network(train.images, self.mixture())
        return torch.autograd.grad(cross_entropy(logits, train.labels), inputs)

    def _update(self, train: Batch, weights: list[Tensor]) -> list[Tensor]:
        """Return what one SGD step, without Nesterov's correction, would subtract: a learning rate times this."""
        momentum, decay = self.settings.momentum, self.settings.weight_decay
        kept = [self.weight_optimizer.state[weight].get("momentum_buffer") for weight in weights]
        return [
            gradient + decay * weight.detach() + (0.0 if buffer is None else momentum * buffer)
            for gradient, weight, buffer in zip(
                self._train_gradient(train, weights), weights, kept, strict=True
            )
        ]

    def _second_order(
        self, train: Batch, weights: list[Tensor], start: list[Tensor], vector: list[Tensor]
    ) -> Tensor:
        """Return d²(training loss) / d(alphas) d(weights) times `vector`, by central differences."""
        assert self.alphas is not None
        step = self.radius / float(torch.cat([part.flatten() for part in vector]).norm())
        self._place(weights, start, vector, step)
        (above,) = self._train_gradient(train, [self.alphas])
        self._place(weights, start, vector, -step)
        (below,) = self._train_gradient(train, [self.alphas])
        return (above - below) / (2 * step)

    @torch.no_grad()
    def _place(
        self, weights: list[Tensor], start: list[Tensor], direction: list[Tensor], factor: float
    ) -> None:
        """Set the weights to `start` plus a multiple of a direction."""
        torch._foreach_copy_(weights, torch._foreach_add(start, direction, alpha=factor))
