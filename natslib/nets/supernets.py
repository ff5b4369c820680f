"""The supernet of the topology space: every operation on every edge, one set of weights for all candidates.

A search method decides by two arrays how much each operation counts and which are computed at all; nothing else
distinguishes the methods here. What shares an input shares work: one ReLU and one pooling a node, and one convolution
for all edges that leave a node with the same kernel.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, batch_norm, conv2d, one_hot, relu

from natslib.nets.cells import EDGES
from natslib.nets.ops import OPS, ConvBn, ReductionBlock
from natslib.nets.skeletons import Network, Scale, topology_network

SKIP, POOL = OPS.index("skip_connect"), OPS.index("avg_pool_3x3")
KERNELS = {OPS.index("nor_conv_1x1"): 1, OPS.index("nor_conv_3x3"): 3}
LEAVING = tuple(tuple(e for e, (start, _) in enumerate(EDGES) if start == node) for node in range(3))
"""The edges that leave nodes 0, 1 and 2, by their targets."""


def one_hot_weights(code: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return (weights, active) of the candidate `code` (six choices): float32 and bool, (6, 5), on the CPU."""
    active = one_hot(torch.tensor(code), len(OPS)).bool()
    return active.float(), active


class MixedCell(nn.Module):
    """A cell with all operations on all edges: (n, width, h, w) -> (n, width, h, w); no affine batch norms."""

    def __init__(self, width: int, *, running_statistics: bool) -> None:
        super().__init__()
        self.width = width
        self.convs, self.norms = nn.ModuleDict(), nn.ModuleDict()
        for node, edges in enumerate(LEAVING):
            for op, kernel in KERNELS.items():
                outputs = len(edges) * width
                self.convs[f"{node}-{op}"] = nn.Conv2d(
                    width, outputs, kernel, padding=kernel // 2, bias=False
                )
                self.norms[f"{node}-{op}"] = nn.BatchNorm2d(
                    outputs, affine=False, track_running_stats=running_statistics
                )

    def forward(self, x: Tensor, weights: Sequence[Tensor], active: Sequence[Sequence[bool]]) -> Tensor:
        """`weights`: the 30 of this cell, edge by edge, 0-dimensional; `active`: (6, 5)."""
        parts: list[list[Tensor]] = [[x], [], [], []]
        for node, edges in enumerate(LEAVING):
            source = self._sum(parts[node], x)
            for op in KERNELS:
                chosen = [number for number, edge in enumerate(edges) if active[edge][op]]
                if chosen:
                    outputs = self._convolve(node, op, source, chosen, weights)
                    for number, output in zip(chosen, outputs, strict=True):
                        parts[EDGES[edges[number]][1]].append(output)
            for op in (SKIP, POOL):
                chosen = [edge for edge in edges if active[edge][op]]
                if chosen:
                    output = source if op == SKIP else avg_pool2d(source, 3, 1, 1, count_include_pad=False)
                    for edge in chosen:
                        parts[EDGES[edge][1]].append(output * weights[len(OPS) * edge + op])
            for edge in edges:
                if weights[0].requires_grad:
                    left = [weights[len(OPS) * edge + op] for op in range(len(OPS)) if not active[edge][op]]
                    parts[EDGES[edge][1]] += left
        return self._sum(parts[3], x)

    def _sum(self, parts: list[Tensor], like: Tensor) -> Tensor:
        total = torch.zeros_like(like) if all(part.dim() == 0 for part in parts) else None
        for part in parts:
            total = part if total is None else total + part
        assert total is not None
        return total

    def _convolve(
        self, node: int, op: int, source: Tensor, chosen: list[int], weights: Sequence[Tensor]
    ) -> Sequence[Tensor]:
        """Return the weighted outputs of one kernel on the chosen edges that leave a node."""
        conv, norm = self.convs[f"{node}-{op}"], self.norms[f"{node}-{op}"]
        rows = [slice(number * self.width, (number + 1) * self.width) for number in chosen]
        kernel = torch.cat([conv.weight[some] for some in rows])
        out = conv2d(relu(source), kernel, padding=KERNELS[op] // 2)
        scales = torch.stack([weights[len(OPS) * LEAVING[node][number] + op] for number in chosen])
        scales = scales.repeat_interleave(self.width)
        if norm.running_mean is None:
            return batch_norm(out, None, None, scales, training=True).split(self.width, 1)
        pieces = zip(rows, out.split(self.width, 1), scales.split(self.width), strict=True)
        return [
            batch_norm(
                piece,
                norm.running_mean[some],
                norm.running_var[some],
                scale,
                training=self.training,
                momentum=norm.momentum,
            )
            for some, piece, scale in pieces
        ]


class TopologySupernet(nn.Module):
    """All 15,625 candidates of the topology space in one network.

    Batch norms of the cells and the last one have no affine parameters and, unless `running_statistics`, always use
    the statistics of the batch; those of the stem and the reduction blocks are as in a candidate (NATS-Bench's
    setting; NAS-Bench-201's first table came from `running_statistics`).
    """

    def __init__(
        self, in_channels: int, classes: int, scale: Scale, *, running_statistics: bool = False
    ) -> None:
        super().__init__()
        self.scale = scale
        self.n_cells = 3 * scale.cells
        widths = [scale.channels * 2**stage for stage in range(3)]
        self.stem = ConvBn(in_channels, widths[0], 3)
        self.body = nn.ModuleList()
        for stage, width in enumerate(widths):
            if stage > 0:
                self.body.append(ReductionBlock(widths[stage - 1], width))
            self.body += [MixedCell(width, running_statistics=running_statistics) for _ in range(scale.cells)]
        self.last = nn.Sequential(
            nn.BatchNorm2d(widths[-1], affine=False, track_running_stats=running_statistics), nn.ReLU()
        )
        self.classifier = nn.Linear(widths[-1], classes)

    def forward(self, images: Tensor, weights: Tensor, active: Tensor | None = None) -> Tensor:
        """Return the logits (n, classes) of images (n, in_channels, s, s).

        `weights`: float (6, 5), or (n_cells, 6, 5) for each cell its own: how much an operation counts on an edge.
        `active`: bool, of the same shape, best on the CPU; None is all. An operation that is not active is not
        computed; it adds its weight itself, as a constant. In GDAS that constant is zero, and by it a gradient
        reaches the logits that were not selected. Where `weights` need no gradient it is left out.
        """
        everywhere = torch.ones(weights.shape, dtype=torch.bool) if active is None else active
        of_cells = weights.expand(self.n_cells, len(EDGES), len(OPS))
        flags = everywhere.expand(self.n_cells, len(EDGES), len(OPS)).tolist()
        x, cell = self.stem(images), 0
        for block in self.body:
            if isinstance(block, MixedCell):
                x = block(x, of_cells[cell].flatten().unbind(), flags[cell])
                cell += 1
            else:
                x = block(x)
        return self.classifier(self.last(x).mean(dim=(2, 3)))

    @torch.no_grad()
    def cut_out(self, code: Sequence[int]) -> Network:
        """Return the candidate `code` with this network's weights; equal to it in training mode."""
        stem, classifier = self.stem[0], self.classifier
        network = topology_network(code, stem.in_channels, classifier.out_features, self.scale)
        network.to(stem.weight)
        network.stem.load_state_dict(self.stem.state_dict())
        network.classifier.load_state_dict(classifier.state_dict())
        for mine, block in zip(self.body, network.body, strict=True):
            if isinstance(mine, ReductionBlock):
                block.load_state_dict(mine.state_dict())
                continue
            for edge, op in enumerate(code):
                if op in KERNELS:
                    node, number = EDGES[edge][0], LEAVING[EDGES[edge][0]].index(edge)
                    kernels = mine.convs[f"{node}-{op}"].weight.split(mine.width)
                    block.edges["{}-{}".format(*EDGES[edge])][1].weight.copy_(kernels[number])
        return network
