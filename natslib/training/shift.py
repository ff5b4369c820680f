"""Features of images that tell two environments apart, given the label: what OoD-Bench measures shifts on (section 3).

A classifier of the side learns eight features z of an image, multiplied by eight numbers that depend on its label: the
label gates the features. Without that gate it sees little of a shift of correlation, for a colour that goes with
another label on the other side is as frequent on both. Pixels go from 0 to 1 and images are not augmented, as in the
released code; its images of photographs are normalised for a pretrained network, which natslib does not have.
"""

import math
import re
from collections.abc import Iterator
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot
from torch.optim.sgd import sgd
from torch.optim.swa_utils import update_bn

from natslib.analysis.shift import Features
from natslib.analysis.sides import DIMENSIONS, Side, held_out
from natslib.errors import ConfigError
from natslib.nets.candidate import Network, build_network
from natslib.nets.mlp import WIDTH
from natslib.spaces import SMALL_SCALE, get_space
from natslib.training.loop import EVALUATION_BATCH

MLP = "mlp"
BATCH = 32
"""Images from each side that a step sees."""
_DECAY, _MOMENTUM = 1e-4, 0.9
_EPOCHS, _FIRST, _LAST = 5, 0.05, 0.025  # of training, then as many of averaging at the last rate


class EnvironmentClassifier(nn.Module):
    """Backbone, eight features, their gate, and two logits: which side an image and its label come from.

    `gated=False` leaves the label out.
    """

    def __init__(self, backbone: nn.Module, width: int, classes: int, *, gated: bool) -> None:
        super().__init__()
        self.backbone = backbone
        self.features = nn.Linear(width, DIMENSIONS)
        self.gate = nn.Linear(classes, DIMENSIONS) if gated else None
        self.side = nn.Linear(DIMENSIONS, 2)

    def z(self, images: Tensor) -> Tensor:
        """Return the features (n, 8) of prepared images (n, channels, side, side)."""
        return self.features(self.backbone(images))

    def logits(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return the logits (n, 2) of features and one-hot labels (n, classes)."""
        return self.side(z * self.gate(labels) if self.gate else z)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        return self.logits(self.z(images), labels)

    def trained(self) -> list[Tensor]:
        """Return the weights that are trained."""
        return [weight for weight in self.parameters() if weight.requires_grad]

    def gradients(self, images: Tensor, labels: Tensor, truth: Tensor) -> list[Tensor]:
        """Return the gradient of the cross-entropy by each of `trained`; `truth` (n,) is 0 or 1, the side.

        Where a weight reaches no output it is 0.
        """
        self.zero_grad()
        with torch.enable_grad():
            cross_entropy(self(images, labels), truth).backward()
        return [torch.zeros_like(w) if w.grad is None else w.grad for w in self.trained()]


class Perceptron(EnvironmentClassifier):
    """The paper's for Coloured MNIST, two layers of 390.

    Its gradients are written out: what autograd does beside the matrix products takes a quarter of a step.
    """

    def __init__(self, pixels: int, classes: int, *, gated: bool) -> None:
        layers = (nn.Flatten(), nn.Linear(pixels, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU())
        super().__init__(nn.Sequential(*layers), WIDTH, classes, gated=gated)

    @torch.no_grad()
    def gradients(self, images: Tensor, labels: Tensor, truth: Tensor) -> list[Tensor]:
        first, second = (layer for layer in self.backbone.modules() if isinstance(layer, nn.Linear))
        pixels = images.flatten(1)
        lower = first(pixels).relu_()
        upper = second(lower).relu_()
        z = self.features(upper)
        factors = self.gate(labels) if self.gate else None
        gated = z if factors is None else z * factors
        back = self.side(gated).softmax(1).sub_(one_hot(truth, 2)).div_(len(truth))
        found = [_of_layer(gated, back)]
        back = back @ self.side.weight
        if factors is not None:
            found.append(_of_layer(labels, back * z))
            back = back * factors
        found.append(_of_layer(upper, back))
        back = (back @ self.features.weight).mul_(upper.sign())  # of what ReLU left: 0 or 1
        found.append(_of_layer(lower, back))
        back = (back @ second.weight).mul_(lower.sign())
        found.append(_of_layer(pixels, back))
        return [gradient for layer in reversed(found) for gradient in layer]


def _of_layer(given: Tensor, back: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of a linear layer's weight and bias, from its input and the gradient of its output."""
    return back.t() @ given, back.sum(0)


class _CellFeatures(nn.Module):
    """What a cell's network sees in front of its classifier."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        network.classifier.requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        return self.network.features(images)


def cell_of(backbone: str) -> int | None:
    """Return the index in a backbone such as 'cell:6111', None for 'mlp'; raises `ConfigError`."""
    if backbone == MLP:
        return None
    found = re.fullmatch("cell:([0-9]{1,9})", backbone)
    if not found:
        raise ConfigError(f"unknown backbone {backbone!r:.80}: allowed are {MLP!r} and such as 'cell:6111'")
    return get_space("tss").index(int(found[1]))


def new_classifier(
    backbone: str, side: int, channels: int, classes: int, *, gated: bool = True
) -> EnvironmentClassifier:
    """Return the classifier for square images, its weights drawn from torch's global generator.

    `backbone`: 'mlp' is the paper's for Coloured MNIST, two layers of 390; 'cell:INDEX' the network of a cell of the
    topology space at the small scale. Raises `ConfigError` where a cell cannot halve the images twice.
    """
    index = cell_of(backbone)
    if index is None:
        return Perceptron(channels * side * side, classes, gated=gated)
    if side % 4:
        raise ConfigError(
            f"a cell halves images twice: allowed are sides of 4, 8, ... pixels, not {side}; or the backbone {MLP!r}"
        )
    network = build_network("tss", index, in_channels=channels, classes=2, scale=SMALL_SCALE)
    width = network.classifier.in_features
    return EnvironmentClassifier(_CellFeatures(network), width, classes, gated=gated)


def rates() -> list[float]:
    """Return the learning rate of each epoch: half a cosine down to that of averaging, then that one."""
    cosine = [_LAST + (_FIRST - _LAST) * (1 + math.cos(math.pi * e / _EPOCHS)) / 2 for e in range(_EPOCHS)]
    return [*cosine, *[_LAST] * _EPOCHS]


def _batches(counts: list[int], generator: torch.Generator) -> Iterator[Tensor]:
    """Yield rows of both sides, the second behind the first, until the smaller side has no whole batch left.

    As many of one side as of the other.
    """
    orders = [torch.randperm(count, generator=generator).split(BATCH) for count in counts]
    for first, second in zip(*orders, strict=False):
        if len(first) == len(second) == BATCH:
            yield torch.cat([first, second + counts[0]])


@torch.no_grad()
def train_classifier(
    network: EnvironmentClassifier, images: list[Tensor], labels: list[Tensor], generator: torch.Generator
) -> EnvironmentClassifier:
    """Train on prepared images and one-hot labels of both sides; return the network of averaged weights.

    Weights are averaged after every step of the second half; statistics of batch norms are estimated anew for them.
    """
    counts, both, named = [len(some) for some in images], torch.cat(images), torch.cat(labels)
    truth = torch.arange(2, device=both.device).repeat_interleave(BATCH)
    weights = network.trained()
    means, averaged = [weight.detach().clone() for weight in weights], 0
    momenta: list[Tensor | None] = [None] * len(weights)
    network.train()
    for epoch, rate in enumerate(rates()):
        for rows in _batches(counts, generator):
            some = rows.to(both.device)
            descend(weights, network.gradients(both[some], named[some], truth), momenta, rate)
            if epoch >= _EPOCHS:
                averaged += 1  # in one call for all: torch's AveragedModel takes a seventh of a step
                torch._foreach_lerp_(means, weights, 1 / averaged)
    found = deepcopy(network)
    for weight, mean in zip(found.trained(), means, strict=True):
        weight.copy_(mean)
    update_bn(both.split(EVALUATION_BATCH), found.backbone)
    return found.eval()


def descend(
    weights: list[Tensor], gradients: list[Tensor], momenta: list[Tensor | None], rate: float
) -> None:
    """Take a step in place; `momenta` are None before the first.

    To make a `torch.optim.SGD` would load torch's compiler, 1.5 s, for nothing.
    """
    sgd(
        weights,
        gradients,
        momenta,
        fused=True,
        weight_decay=_DECAY,
        momentum=_MOMENTUM,
        lr=rate,
        dampening=0.0,
        nesterov=False,
        maximize=False,
    )


def _prepared(side: Side, device: torch.device) -> Tensor:
    """Return images as float32 (n, channels, side, side) from 0 to 1."""
    return (torch.from_numpy(side.values).to(device).float() / 255).permute(0, 3, 1, 2)


def environment_features(
    p: Side,
    q: Side,
    seed: int,
    *,
    backbone: str = MLP,
    gated: bool = True,
    device: torch.device = torch.device("cpu"),  # noqa: B008 (a value)
) -> Features:
    """Train a classifier of the side on four fifths of both, and return the features of the last fifth.

    The sides are `balanced`. `seed` fixes what is held out, the initial weights and the order of the images.
    """
    sides = (p, q)
    measured = held_out(p, q, np.random.default_rng(seed))
    classes, codes = np.unique(np.concatenate([p.labels, q.labels]), return_inverse=True)
    onehot = one_hot(torch.from_numpy(codes), len(classes)).float().to(device).split([len(p), len(q)])
    images = [_prepared(side, device) for side in sides]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = new_classifier(backbone, images[0].shape[2], images[0].shape[1], len(classes), gated=gated)
    masks = [torch.from_numpy(some).to(device) for some in measured]
    network = train_classifier(
        network.to(device),
        [some[~mask] for some, mask in zip(images, masks, strict=True)],
        [some[~mask] for some, mask in zip(onehot, masks, strict=True)],
        torch.Generator().manual_seed(seed),
    )
    tested = torch.cat([some[mask] for some, mask in zip(images, masks, strict=True)])
    named = torch.cat([some[mask] for some, mask in zip(onehot, masks, strict=True)])
    other = np.repeat([False, True], [int(mask.sum()) for mask in masks])
    with torch.inference_mode():
        z = torch.cat([network.z(some) for some in tested.split(EVALUATION_BATCH)])
        told = network.logits(z, named).argmax(dim=1).cpu().numpy()
    labels = np.concatenate([side.labels[rows] for side, rows in zip(sides, measured, strict=True)])
    return Features(z.cpu().numpy(), labels, other, float((told == other).mean()))
