"""The network of any architecture, from its layout, and its parameters and FLOPs counted on its modules."""

import importlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from natslib.nets.cell import Cell, ConvBn, ReductionBlock
from natslib.spaces import PAPER_SCALE, Arch, Code, Scale, get_space
from natslib.spaces.size import CELL
from natslib.spaces.skeleton import Skeleton


class Network(nn.Module):
    """Stem, body and head: images (n, in_channels, s, s) -> logits (n, classes)."""

    def __init__(self, stem: nn.Module, body: nn.Sequential, last: nn.Module, classifier: nn.Linear) -> None:
        super().__init__()
        self.stem = stem
        self.body = body
        self.last = last
        self.classifier = classifier

    def features(self, images: Tensor) -> Tensor:
        """Return the pooled features (n, c_last) in front of the classifier."""
        return self.last(self.body(self.stem(images))).mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))


def skeleton_network(
    cell: Sequence[int],
    widths: Sequence[int],
    repeats: int,
    in_channels: int,
    classes: int,
    *,
    stem_first: bool = True,
) -> Network:
    """Return the network of a cell code (six choices), five widths and the number of cells a stage, as `Space.layout`.

    Stem and first cells, reduction, cells, reduction, cells. `stem_first`: whether the stem's weights are drawn from
    torch's generator before those of the body.
    """
    c0, c1, c2, c3, c4 = widths
    stem = ConvBn(in_channels, c0, 3) if stem_first else None
    blocks: list[nn.Module] = []
    for reduced_from, c_in, c_out in ((None, c0, c0), (c0, c1, c2), (c2, c3, c4)):
        if reduced_from is not None:
            blocks.append(ReductionBlock(reduced_from, c_in))
        blocks += [Cell(cell, c_in if not place else c_out, c_out) for place in range(repeats)]
    body = nn.Sequential(*blocks)
    stem = stem or ConvBn(in_channels, c0, 3)
    return Network(stem, body, nn.Sequential(nn.BatchNorm2d(c4), nn.ReLU()), nn.Linear(c4, classes))


def size_network(widths: Sequence[int], in_channels: int, classes: int) -> Network:
    """Return the size candidate of five widths; its stem's weights are drawn last, as they were in all stored runs."""
    return skeleton_network(CELL, widths, 1, in_channels, classes, stem_first=False)


def build_network(
    space: str, arch: Arch, *, in_channels: int = 3, classes: int = 10, scale: Scale = PAPER_SCALE
) -> Network:
    """Return the network of an architecture named by its index, its string or its code, with PyTorch's initial weights.

    By default it is the paper's for CIFAR-10.

    Weights come from torch's global generator: seed it first, as the protocol does. Raises `UnknownName` or
    `UnknownArchitecture`.
    """
    found = get_space(space)
    module, function = found.networks.builder.split(":")
    build = getattr(importlib.import_module(module), function)
    network: Network = build(
        found.networks, found.code(arch), in_channels=in_channels, classes=classes, scale=scale
    )
    return network


def build_skeleton(
    networks: Skeleton, code: Code, *, in_channels: int, classes: int, scale: Scale
) -> Network:
    """Return the network of a code of a space whose networks are a `Skeleton`, as `build_network` does."""
    cell, widths, repeats = networks.layout(np.array(code, np.uint8), scale)
    return skeleton_network(
        cell.tolist(), widths.tolist(), repeats, in_channels, classes, stem_first=networks.stem_first
    )


def count_params(network: nn.Module) -> int:
    """Return the number of learnable scalars; the benchmark's unit "MB" means a million of them."""
    return sum(parameter.numel() for parameter in network.parameters())


def module_flops(module: nn.Module, output: Tensor) -> int:
    """Return the multiply-accumulates for one image: convolutions and linear layers (with bias) only."""
    if isinstance(module, nn.Conv2d):
        return module.weight.numel() * output.shape[2] * output.shape[3]
    if isinstance(module, nn.Linear):
        return module.weight.numel() + module.bias.numel()
    return 0


@torch.inference_mode()
def count_flops(network: nn.Module, in_channels: int, resolution: int) -> int:
    """Return the FLOPs for one image of `resolution` squared pixels, found by pushing a blank one through.

    The network keeps its mode, its weights and its running statistics; no random number is drawn.
    """
    total = 0

    def add(module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        total += module_flops(module, output)

    was_training = network.training
    hooks = [m.register_forward_hook(add) for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    weight = next(network.parameters())
    network.eval()(torch.zeros(1, in_channels, resolution, resolution, device=weight.device))
    for hook in hooks:
        hook.remove()
    network.train(was_training)
    return total
