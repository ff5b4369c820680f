"""The searched cell: four nodes, six edges, nodes are sums (NATS-Bench, section 3.1 and figure 1)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from natslib.spaces.cell import CONV_1X1, EDGES, NONE, POOL, SKIP


class ReluConvBn(nn.Sequential):
    """ReLU, convolution without bias, batch normalisation: (n, c_in, h, w) -> (n, c_out, h/stride, w/stride)."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int = 1) -> None:
        conv = nn.Conv2d(c_in, c_out, kernel, stride, padding=kernel // 2, bias=False)
        super().__init__(nn.ReLU(), conv, nn.BatchNorm2d(c_out))


class ConvBn(nn.Sequential):
    """A convolution without bias and batch normalisation, no ReLU: the stem, and a skip that changes the width."""

    def __init__(self, c_in: int, c_out: int, kernel: int) -> None:
        super().__init__(
            nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(c_out)
        )


def average_pool(c_in: int, c_out: int) -> nn.Module:
    """Return the 3x3 average pooling; the padding is not counted, and a width change is a ReLU-conv1x1-BN before it."""
    pool = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return pool if c_in == c_out else nn.Sequential(ReluConvBn(c_in, c_out, 1), pool)


def build_op(choice: int, c_in: int, c_out: int) -> nn.Module | None:
    """Return the module of one edge, `None` for the choice `none` (the edge adds nothing to its target node).

    `choice` counts as in `OPS`. The official `none` multiplies by zero instead: the same numbers and gradients
    as long as activations are finite.
    """
    if choice == NONE:
        return None
    if choice == SKIP:
        return nn.Identity() if c_in == c_out else ConvBn(c_in, c_out, 1)
    if choice == POOL:
        return average_pool(c_in, c_out)
    return ReluConvBn(c_in, c_out, 1 if choice == CONV_1X1 else 3)


class ReductionBlock(nn.Module):
    """The residual block between two stages: halves the resolution, (n, c_in, h, w) -> (n, c_out, h/2, w/2)."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(ReluConvBn(c_in, c_out, 3, stride=2), ReluConvBn(c_out, c_out, 3))
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(c_in, c_out, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.branch(x)


def blank(like: Tensor, channels: int) -> Tensor:
    """Return zeros of so many channels, otherwise as the feature maps `like`: a node that no edge reaches."""
    n, _, height, width = like.shape
    zeros = torch.zeros((n, channels, height, width), dtype=like.dtype, device=like.device)
    return zeros.to(memory_format=torch.channels_last)


class Cell(nn.Module):
    """One cell of the code `ops` (six choices): (n, c_in, h, w) -> (n, c_out, h, w).

    Only the edges that leave node 0 change the width from `c_in` to `c_out`.
    """

    def __init__(self, ops: Sequence[int], c_in: int, c_out: int) -> None:
        super().__init__()
        self.c_out = c_out
        self.edges = nn.ModuleDict()
        for choice, (source, target) in zip(ops, EDGES, strict=True):
            op = build_op(choice, c_in if source == 0 else c_out, c_out)
            if op is not None:
                self.edges[f"{source}-{target}"] = op

    def forward(self, x: Tensor) -> Tensor:
        nodes = [x]
        for target in (1, 2, 3):
            nodes.append(self._node(nodes, target))
        return nodes[3]

    def _node(self, nodes: list[Tensor], target: int) -> Tensor:
        """Return the sum over the edges into `target`; zeros when all of them are `none`."""
        total = None
        for source in range(target):
            name = f"{source}-{target}"
            if name in self.edges:
                part = self.edges[name](nodes[source])
                total = part if total is None else total + part
        return blank(nodes[0], self.c_out) if total is None else total
