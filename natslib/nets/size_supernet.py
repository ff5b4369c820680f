"""The supernet of the size space: one network of the largest widths, of whose channels a candidate uses the first."""

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, batch_norm, conv2d, linear, pad, relu

from natslib.nets.candidate import Network, size_network
from natslib.nets.cell import Cell, ReductionBlock
from natslib.nets.grouped import only
from natslib.spaces import Scale
from natslib.spaces.size import CHANNELS

#: The row of the architecture parameters of each unit: stem, cell, reduction, cell, reduction, cell.
UNIT_ROWS = (0, 0, 1, 2, 3, 4)
#: What happens to the k first channels of a unit's output, the others being zero: nothing (k), a factor each (k,),
#: or a linear map (k, k).
Gate: TypeAlias = int | Tensor


def width_of(gate: Gate) -> int:
    """Return the number of channels that a gate lets through."""
    return gate if isinstance(gate, int) else gate.shape[0]


def gated(x: Tensor, gate: Gate) -> Tensor:
    """Apply a gate to features of its width (n, k, h, w)."""
    if isinstance(gate, int):
        return x
    return x * gate[:, None, None] if gate.dim() == 1 else conv2d(x, gate[:, :, None, None])


def fit(x: Tensor, width: int) -> Tensor:
    """Return (n, width, h, w): the first channels, or all of them and zeros."""
    missing = width - x.shape[1]
    return pad(x, (0, 0, 0, 0, 0, missing)) if missing > 0 else x[:, :width]


class Fit(nn.Module):
    """Gives features another width: the first channels, or all of them and zeros."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        return fit(x, self.width)


def kernel_of(conv: nn.Conv2d, width: int, x: Tensor) -> Tensor:
    """Return the kernel for the first `width` outputs of an input whose further channels are zero."""
    if (width, x.shape[1]) == conv.weight.shape[:2]:
        return conv.weight
    return conv.weight[:width, : x.shape[1]]


def convolved(block: nn.Module, x: Tensor, width: int) -> Tensor:
    """Return the first `width` channels of a convolution and its batch norm; further channels of `x` are zero.

    The ReLU before them, if there is one, is the caller's: edges that leave a node share it.
    """
    conv, norm = only(block, nn.Conv2d), only(block, nn.BatchNorm2d)
    x = conv2d(x, kernel_of(conv, width, x), None, conv.stride, conv.padding)
    if norm.running_mean is None or norm.running_var is None:
        return batch_norm(x, None, None, training=True)
    mean, variance = norm.running_mean[:width], norm.running_var[:width]
    return batch_norm(x, mean, variance, norm.weight[:width], norm.bias[:width], norm.training, momentum=0.1)


class SizeSupernet(nn.Module):
    """All 32,768 candidates of the size space in one network, each width the largest.

    Batch norms of the stem, the cells and the last one have no affine parameters and always use the statistics of the
    batch; those of the reduction blocks are as in a candidate. A cell keeps its width here, so that its skip
    connection is the identity, where a candidate whose cell changes the width has a 1x1 convolution.
    """

    def __init__(self, in_channels: int, classes: int, scale: Scale) -> None:
        super().__init__()
        self.scale = scale
        self.max_width = CHANNELS[-1] // scale.width_divisor
        self.network = size_network([self.max_width] * 5, in_channels, classes)
        for block in [self.network.stem, *self.network.body, self.network.last]:
            if not isinstance(block, ReductionBlock):
                for owner in list(block.modules()):
                    for name, layer in owner.named_children():
                        if isinstance(layer, nn.BatchNorm2d):
                            plain = nn.BatchNorm2d(self.max_width, affine=False, track_running_stats=False)
                            setattr(owner, name, plain)

    def prefix_masks(self) -> Tensor:
        """Return floats (8, max_width): row k is one on the channels that choice k keeps, and zero on the others."""
        widths = torch.tensor(CHANNELS) // self.scale.width_divisor
        return (torch.arange(self.max_width) < widths[:, None]).to(torch.get_default_dtype())

    def gates(self, code: Sequence[int]) -> list[Gate]:
        """Return the gates of a code, one a unit: its prefix masks. Stem and first cell share a width."""
        widths = self.widths(code)
        return [widths[row] for row in UNIT_ROWS]

    def widths(self, code: Sequence[int]) -> list[int]:
        """Return the five widths of a code."""
        return [CHANNELS[choice] // self.scale.width_divisor for choice in code]

    def forward(self, images: Tensor, gates: Sequence[Gate], *, inside: bool = False) -> Tensor:
        """Return the logits (n, classes) of images (n, in_channels, s, s).

        `gates`: six, one for the output of each unit, since the searches draw anew for each. A gate of k channels
        stands for one that is zero on all others; those are not computed (nor are their running statistics updated).
        Layers inside a unit keep the full width, as in the official searches; with `inside` they have the width of
        the unit, as in the stand-alone candidate.
        """
        units = [self.network.stem, *self.network.body]
        x = images
        for unit, gate in zip(units, gates, strict=True):
            width = width_of(gate)
            x = gated(self._unit(unit, x, width, width if inside else self.max_width), gate)
        pooled = relu(batch_norm(x, None, None, training=True)).mean(dim=(2, 3))
        head = self.network.classifier
        return linear(pooled, head.weight[:, : pooled.shape[1]], head.bias)

    @torch.no_grad()
    def cut_out(self, code: Sequence[int]) -> Network:
        """Return the candidate `code` with this network's weights; equal to it, `inside`, in training mode.

        Where its cell changes the width, this network has no weights for the convolution of the skip connection: the
        first channels are passed on there, or all of them and zeros.
        """
        head, widths = self.network.classifier, self.widths(code)
        stem = only(self.network.stem, nn.Conv2d)
        network = size_network(widths, stem.in_channels, head.out_features).to(head.weight.device)
        for (c_in, c_out), cell in zip(pairwise([widths[0], *widths]), network.body, strict=True):
            if isinstance(cell, Cell) and c_in != c_out:
                cell.edges["0-3"] = Fit(c_out)
        mine = self.network.state_dict()
        for name, tensor in network.state_dict().items():
            if name in mine and tensor.dim() > 0:
                tensor.copy_(mine[name][tuple(map(slice, tensor.shape))])
        return network

    def _unit(self, unit: nn.Module, x: Tensor, width: int, inner: int) -> Tensor:
        """Return the first `width` channels of a unit whose layers inside have `inner` channels."""
        if isinstance(unit, Cell):
            return self._cell(unit, x, width, inner)
        if isinstance(unit, ReductionBlock):
            first, second = unit.branch
            branch = convolved(second, relu(convolved(first, relu(x), inner)), width)
            kernel = kernel_of(only(unit.shortcut, nn.Conv2d), width, x)
            return conv2d(avg_pool2d(x, 2), kernel) + branch
        return convolved(unit, x, width)

    def _cell(self, cell: Cell, x: Tensor, width: int, inner: int) -> Tensor:
        nodes, positive = [x], []
        for target in (1, 2, 3):
            wide = width if target == 3 else inner
            positive.append(relu(nodes[-1]))
            parts = []
            for source in range(target):
                op = cell.edges[f"{source}-{target}"]
                skip = isinstance(op, nn.Identity)
                parts.append(fit(nodes[source], wide) if skip else convolved(op, positive[source], wide))
            nodes.append(reduce(torch.add, parts))
        return nodes[3]
