"""Domain-adversarial training: features from which no discriminator tells the environment (Ganin et al. 2016)."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from natslib.training.objectives.objective import Batch, Classifying, Number, Objective, Outcome, Setting

WIDTH = 256
BETAS = (0.5, 0.9)


class Dann(Objective):
    """DANN in alternation: `rounds` steps of the discriminator, then one of the network against it.

    The network's step minimises its risk minus `weight` times the discriminator's loss. That loss is the
    cross-entropy over environments plus `smoothness` times the squared gradient in the features; the discriminator
    is a perceptron of three layers and learns by Adam at `rate`.
    """

    name: ClassVar[str] = "dann"
    numbers: ClassVar[Mapping[str, Number]] = {
        "weight": Number(1.0, -2, 2),
        "rounds": Number(1.0, 0, 3, base=2.0, whole=True),
        "smoothness": Number(0.0, -2, 1),
        "rate": Number(1e-3, -4.5, -2.5),
    }

    def __init__(self, setting: Setting, values: Mapping[str, float]) -> None:
        super().__init__(setting, values)
        self.done = 0
        layer = setting.network.classifier
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(setting.seed)
            self.discriminator = nn.Sequential(
                nn.Linear(layer.in_features, WIDTH),
                nn.ReLU(),
                nn.Linear(WIDTH, WIDTH),
                nn.ReLU(),
                nn.Linear(WIDTH, setting.domains),
            ).to(layer.weight.device, layer.weight.dtype)
        self.optimizer = torch.optim.Adam(self.discriminator.parameters(), self.values["rate"], betas=BETAS)

    def told_apart(self, features: Tensor, domains: Tensor) -> Tensor:
        """Return the discriminator's loss on features (n, d)."""
        guess = self.discriminator(features)
        loss = cross_entropy(guess, domains)
        if weight := self.values["smoothness"]:
            summed = cross_entropy(guess, domains, reduction="sum")
            (slope,) = torch.autograd.grad(summed, features, create_graph=True)
            loss = loss + weight * slope.square().sum(1).mean()
        return loss

    def loss(self, network: Classifying, batch: Batch) -> Outcome:
        """Return the network's loss: the discriminator's with its sign reversed, beside the risk."""
        features = network.features(batch.images)
        logits = network.classifier(features)
        risk = cross_entropy(logits, batch.labels)
        loss = risk - self.values["weight"] * self.told_apart(features, batch.domains)
        return Outcome(loss, risk, logits, batch.labels)

    def step(self, network: Classifying, optimizer: torch.optim.Optimizer, batch: Batch) -> Outcome:
        """Train the discriminator, or when it has had its rounds the network."""
        turn = self.done % (1 + int(self.values["rounds"]))
        self.done += 1
        if turn == self.values["rounds"]:
            return super().step(network, optimizer, batch)
        with torch.no_grad():
            features = network.features(batch.images)
            logits = network.classifier(features)
        self.optimizer.zero_grad()
        loss = self.told_apart(features.requires_grad_(), batch.domains)
        loss.backward()
        self.optimizer.step()
        return Outcome(loss, cross_entropy(logits, batch.labels), logits, batch.labels)
