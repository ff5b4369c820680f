"""What a training step minimises: the base of all objectives, and what they share."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from natslib.training.images import ImageSet


class Batch(NamedTuple):
    """Prepared images (n, c, s, s), labels, int64 (n,), and the number of each image's environment, int64 (n,)."""

    images: Tensor
    labels: Tensor
    domains: Tensor


class Outcome(NamedTuple):
    """What a step minimised and what it saw in training mode.

    `risk` is the mean cross-entropy of `logits` (n, classes) with `labels` (n,), whatever else is in `loss`.
    """

    loss: Tensor
    risk: Tensor
    logits: Tensor
    labels: Tensor


class Classifying(Protocol):
    """A network whose last layer reads features: images -> features (n, d) -> logits (n, classes)."""

    classifier: nn.Linear

    def features(self, images: Tensor) -> Tensor:
        """Return the features (n, d)."""

    def __call__(self, images: Tensor) -> Tensor:
        """Return the logits (n, classes)."""


@dataclass(frozen=True)
class Number:
    """A number of an objective: its default, and how OoD-Bench draws it (its search ranges).

    Drawn evenly from `low` to `high`, or as `base` to such a power; `whole` numbers are rounded down.
    """

    default: float
    low: float
    high: float
    base: float | None = 10.0
    whole: bool = False

    def draw(self, rng: np.random.Generator) -> float:
        """Return a random value."""
        even = rng.uniform(self.low, self.high)
        value = float(even if self.base is None else self.base**even)
        return float(int(value)) if self.whole else value


@dataclass(frozen=True)
class Setting:
    """What an objective is made for: a network, the images that it is trained on, so many steps, and a seed."""

    network: Classifying
    data: ImageSet
    steps: int
    seed: int

    @property
    def domains(self) -> int:
        """The number of source environments."""
        return max(1, len(self.data.environments))


class Objective(ABC):
    """One way to train on images of several environments: OoD-Bench (CVPR 2022), section 5, calls it an algorithm.

    `name` is what recipes call it, `fewest` the number of source environments that it needs, `numbers` what can be set.
    An object serves one training; it may keep a state. `values` replace the defaults of `numbers`.
    """

    name: ClassVar[str]
    fewest: ClassVar[int] = 2
    numbers: ClassVar[Mapping[str, Number]] = {}

    def __init__(self, setting: Setting, values: Mapping[str, float]) -> None:
        self.setting = setting
        self.values = {name: number.default for name, number in self.numbers.items()} | dict(values)

    @abstractmethod
    def loss(self, network: Classifying, batch: Batch) -> Outcome:
        """Return what is to be minimised on a batch."""

    def step(self, network: Classifying, optimizer: torch.optim.Optimizer, batch: Batch) -> Outcome:
        """Do one step of training."""
        optimizer.zero_grad()
        outcome = self.loss(network, batch)
        outcome.loss.backward()
        optimizer.step()
        return outcome

    def rows(self, batch: Batch, fewest: int = 1) -> list[Tensor]:
        """Return the rows of each environment that has at least `fewest` images in the batch."""
        found = [torch.nonzero(batch.domains == number)[:, 0] for number in range(self.setting.domains)]
        return [rows for rows in found if len(rows) >= fewest]


def penalised(logits: Tensor, labels: Tensor, weight: float, penalty: Tensor) -> Outcome:
    """Return the mean cross-entropy with a weighted penalty on top.

    The mean is over the rows of the batch; the published code averages the means of equally many images an environment,
    which is the same up to rounding.
    """
    risk = cross_entropy(logits, labels)
    return Outcome(risk + weight * penalty, risk, logits, labels)


def mean_of(penalties: list[Tensor], like: Tensor) -> Tensor:
    """Return the mean penalty, zero where there is none."""
    return torch.stack(penalties).mean() if penalties else like.new_zeros(())
