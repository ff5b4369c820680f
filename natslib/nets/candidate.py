"""Parameters and FLOPs of a network, counted on its modules as the benchmark counts them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from natslib.nets.cell import Cell, ConvBn, ReductionBlock
from natslib.spaces import Scale, get_space
from natslib.spaces.size import CELL, CHANNELS


class Network(nn.Module):
    """Stem, body and head: images (n, in_channels, s, s) -> logits (n, classes)."""

    def __init__(self, stem: nn.Module, body: nn.Sequential, c_last: int, classes: int) -> None:
        super().__init__()
        self.stem = stem
        self.body = body
        self.last = nn.Sequential(nn.BatchNorm2d(c_last), nn.ReLU())
        self.classifier = nn.Linear(c_last, classes)

    def features(self, images: Tensor) -> Tensor:
        """Return the pooled features (n, c_last) in front of the classifier."""
        return self.last(self.body(self.stem(images))).mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))


def topology_network(code: Sequence[int], in_channels: int, classes: int, scale: Scale) -> Network:
    """Return the topology candidate of `code` (six choices): `scale.cells` equal cells a stage, widths c, 2c, 4c."""
    widths = [scale.channels * 2**stage for stage in range(3)]
    stem = ConvBn(in_channels, widths[0], 3)
    blocks: list[nn.Module] = []
    for stage, width in enumerate(widths):
        if stage > 0:
            blocks.append(ReductionBlock(widths[stage - 1], width))
        blocks += [Cell(code, width, width) for _ in range(scale.cells)]
    return Network(stem, nn.Sequential(*blocks), widths[-1], classes)


def size_network(widths: Sequence[int], in_channels: int, classes: int) -> Network:
    """Return the size candidate of five widths: stem and first cell, reduction, cell, reduction, cell."""
    c0, c1, c2, c3, c4 = widths
    body = nn.Sequential(
        Cell(CELL, c0, c0),
        ReductionBlock(c0, c1),
        Cell(CELL, c1, c2),
        ReductionBlock(c2, c3),
        Cell(CELL, c3, c4),
    )
    return Network(ConvBn(in_channels, c0, 3), body, c4, classes)


def build_network(
    space: str, arch: int | str | tuple[int, ...], *, in_channels: int, classes: int, scale: Scale
) -> Network:
    """Return the network of an architecture named by its index, its string or its code, with PyTorch's initial weights.

    `space` is 'tss' or 'sss'. Weights come from torch's global generator: seed it first, as the protocol does.
    Raises `UnknownName` or `UnknownArchitecture`.
    """
    found = get_space(space)
    code = found.code(arch)
    if found.name == "tss":
        return topology_network(code, in_channels, classes, scale)
    widths = [CHANNELS[choice] // scale.width_divisor for choice in code]
    return size_network(widths, in_channels, classes)


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
