"""How AutoShrink trains a candidate (Zhang et al., AAAI 2020; the released code, b37564d): Adam, ended early by rules.

What is published is in `Shrinking`'s defaults. Left out, as data of a desk's size have no use for it: 500 training and
100 validation images a class of CIFAR-10, drawn with replacement, the latter of its test images. Every training image
is seen once an epoch, and validation images are those of the image set.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from natslib.training.images import ImageSet, augmented_epoch, draw_plan, normalise
from natslib.training.loop import evaluate

MOMENTUM = 0.99
"""Of the running means over batches of training, which start with the first batch."""


@dataclass(frozen=True)
class Shrinking:
    """The published settings of a candidate's training.

    `patience`: epochs without a gain of validation accuracy that end it. `least`, a fraction: a validation accuracy
    below it at epoch `least_at` does. So does a validation loss above `ratio` times the running loss of training. An
    epoch ends once the running accuracy of training, a fraction, is above `learnt`.
    """

    epochs: int = 20
    batch: int = 128
    learning_rate: float = 4e-3
    weight_decay: float = 1e-5
    patience: int = 5
    least: float = 0.2
    least_at: int = 4
    ratio: float = 3.0
    learnt: float = 0.98


@dataclass
class Outcome:
    """A finished training: best validation accuracy (percent), epochs trained, and what ended it."""

    accuracy: float = 0.0
    epochs: int = 0
    ended: str = "all epochs"


@dataclass
class _Running:
    """Means of loss and accuracy over the batches of a training."""

    values: list[float] = field(default_factory=list)

    def add(self, loss: float, accuracy: float) -> None:
        new = [loss, accuracy]
        self.values = [
            MOMENTUM * old + (1 - MOMENTUM) * now for old, now in zip(self.values or new, new, strict=True)
        ]


def train_shrinking(network: nn.Module, data: ImageSet, how: Shrinking, seed: int) -> Outcome:
    """Train `network` in place on the device that holds `data`, whose split 'valid' alone is looked at.

    `seed` fixes the order of the images and their shifts. A validation loss that is not a number ends the training.
    """
    adam = torch.optim.Adam(
        network.parameters(), how.learning_rate, weight_decay=how.weight_decay, fused=True
    )
    generator = torch.Generator().manual_seed(seed)
    valid = data.evaluations["valid"]
    outcome, running, gained = Outcome(), _Running(), 0
    # Depthwise convolutions of so few channels are a fifth faster with the channels outermost.
    images = normalise(valid.images, data).contiguous()
    for epoch in range(1, how.epochs + 1):
        split = augmented_epoch(data, draw_plan(data, generator))
        _train_epoch(network, adam, normalise(split.images, data).contiguous(), split.labels, how, running)
        loss, right, _ = (evaluate(network, images, valid.labels) / len(valid)).tolist()
        if right > outcome.accuracy / 100:
            outcome.accuracy, gained = 100 * right, epoch
        outcome.epochs = epoch
        if ended := _ends(epoch, gained, right, loss, running.values[0], how):
            outcome.ended = ended
            break
    return outcome


def _train_epoch(
    network: nn.Module,
    adam: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    how: Shrinking,
    running: _Running,
) -> None:
    network.train()
    for some, truth in zip(images.split(how.batch), labels.split(how.batch), strict=True):
        adam.zero_grad()
        logits = network(some)
        loss = cross_entropy(logits, truth)
        loss.backward()
        adam.step()
        running.add(loss.item(), (logits.argmax(1) == truth).float().mean().item())
        if running.values[1] > how.learnt:
            return


def _ends(epoch: int, gained: int, right: float, loss: float, train_loss: float, how: Shrinking) -> str:
    """Return what ends a training after this epoch; nothing where it goes on."""
    if epoch == how.least_at and right < how.least:
        return "low accuracy"
    if not loss <= how.ratio * train_loss:
        return "high loss"
    return "no gain" if epoch - gained >= how.patience else ""
