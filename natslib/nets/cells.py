"""The searched cell: four nodes, six edges, nodes are sums (NATS-Bench, section 3.1 and figure 1)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from natslib.nets.ops import build_op

#: (source, target) of the six edges, in the order in which a code and a string list them.
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))


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
