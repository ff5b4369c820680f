"""The networks of a wiring: nodes concatenate, the output joins the leaves (AutoShrink, Zhang et al., AAAI 2020)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from natslib.nets.candidate import Network
from natslib.nets.cell import ConvBn
from natslib.spaces import Code, Scale
from natslib.spaces.wiring import SEP_CONV_3X3, STAGES, Wiring, adjacency, leaves


def node_op(op: str, c_in: int, c_out: int, *, leaf: bool) -> nn.Sequential:
    """Return convolution, batch norm and, but for a leaf, ReLU: (n, c_in, h, w) -> (n, c_out, h, w)."""
    depthwise = [nn.Conv2d(c_in, c_in, 3, padding=1, groups=c_in, bias=False)] if op == SEP_CONV_3X3 else []
    activation = [] if leaf else [nn.ReLU()]
    return nn.Sequential(
        *depthwise, nn.Conv2d(c_in, c_out, 1, bias=False), nn.BatchNorm2d(c_out), *activation
    )


class WiringCell(nn.Module):
    """A cell with the live edges of `code`: (n, c_in, h, w) -> (n, c_out, h, w); without edges it hands its input on.

    `ops` names the operation of each node after the input, `width` is the number of channels of a node.
    """

    def __init__(self, code: Sequence[int], ops: Sequence[str], c_in: int, width: int) -> None:
        super().__init__()
        matrix = adjacency(code)
        last = leaves(matrix)
        self.sources: dict[int, list[int]] = {}
        self.nodes = nn.ModuleDict()
        for node, op in enumerate(ops, start=1):
            if sources := matrix[:, node].nonzero()[0].tolist():
                channels = sum(width if source else c_in for source in sources)
                self.sources[node] = sources
                self.nodes[str(node)] = node_op(op, channels, width, leaf=bool(last[node]))
        self.leaves = last.nonzero()[0].tolist()
        self.c_out = width * len(self.leaves) or c_in
        self.shortcut = nn.Identity() if self.c_out == c_in else ConvBn(c_in, self.c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        if not self.leaves:
            return x
        values = {0: x}
        for node, sources in self.sources.items():
            values[node] = self.nodes[str(node)](torch.cat([values[source] for source in sources], dim=1))
        return torch.cat([values[leaf] for leaf in self.leaves], dim=1) + self.shortcut(x)


def wiring_network(
    code: Sequence[int], ops: Sequence[str], *, in_channels: int, classes: int, scale: Scale
) -> Network:
    """Return the network of a wiring, with PyTorch's initial weights from torch's global generator.

    `code` says of every edge, in the order of `natslib.spaces.wiring.edges_of`, whether it is there; cells of any
    number of nodes are built.
    """
    blocks: list[nn.Module] = []
    channels = in_channels
    for multiple, pooled in STAGES:
        blocks += [nn.MaxPool2d(pooled)] if pooled > 1 else []
        blocks.append(cell := WiringCell(code, ops, channels, multiple * scale.channels))
        channels = cell.c_out
    return Network(nn.Identity(), nn.Sequential(*blocks), nn.Identity(), nn.Linear(channels, classes))


def build_wiring(networks: Wiring, code: Code, *, in_channels: int, classes: int, scale: Scale) -> Network:
    """Return the network of a code of a wiring space, as `build_network` does."""
    return wiring_network(code, networks.ops, in_channels=in_channels, classes=classes, scale=scale)
