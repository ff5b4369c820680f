"""The supernet of the topology space: every operation on every edge, one set of weights for all candidates.

A search method decides by two arrays how much each operation counts and which are computed at all; nothing else
distinguishes the methods here. What shares an input shares work: one ReLU and one pooling a node, and one convolution
for all edges that leave a node with the same kernel.
"""

from collections.abc import Iterator, Sequence
from typing import TypeAlias, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, batch_norm, conv2d, one_hot, relu

from natslib.nets.candidate import Network, build_network
from natslib.nets.cell import ConvBn, ReductionBlock, blank
from natslib.nets.grouped import only
from natslib.spaces import Scale
from natslib.spaces.cell import CONV_1X1, CONV_3X3, EDGES, OPS, POOL, SKIP

KERNELS = {CONV_1X1: 1, CONV_3X3: 3}
LEAVING = tuple(tuple(e for e, (start, _) in enumerate(EDGES) if start == node) for node in range(3))
"""The edges that leave nodes 0, 1 and 2, by their targets."""
ENTERED = [[float(end == node) for node in range(4)] for _, end in EDGES]
"""One where an edge, of six, enters a node, of four."""

#: How much the operations of a cell count: edge by edge, operation by operation; numbers where nothing is learned.
Weights: TypeAlias = Sequence[list[float]] | Sequence[Sequence[Tensor]]


def one_hot_weights(code: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return (weights, active) of the candidate `code` (six choices): float32 and bool, (6, 5), on the CPU."""
    active = one_hot(torch.tensor(code), len(OPS)).bool()
    return active.float(), active


def scaled(x: Tensor, weight: float | Tensor) -> Tensor:
    """Return a multiple of features, themselves where the weight is the number one."""
    return x if isinstance(weight, float) and weight == 1.0 else x * weight


def unbound(weights: Tensor) -> Sequence[Weights]:
    """Return the weights (cells, 6, 5) of each cell as sequences: as numbers where nothing is learned, on a CPU."""
    if not weights.requires_grad and weights.device.type == "cpu":
        return weights.tolist()
    cells = (cell.flatten().unbind() for cell in weights.unbind())
    return [[flat[start : start + len(OPS)] for start in range(0, len(flat), len(OPS))] for flat in cells]


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

    def forward(
        self, x: Tensor, weights: Weights, active: Sequence[Sequence[bool]], constants: Sequence[Tensor]
    ) -> Tensor:
        """`weights`, `active`: (6, 5) as nested sequences; `constants`: what is added to each of the four nodes."""
        nodes: list[Tensor | None] = [x, None, None, None]
        for node in range(3):
            source = nodes[node]
            if source is not None:
                for edge, part in self._leaving(node, source, weights, active):
                    target = EDGES[edge][1]
                    before = nodes[target]
                    nodes[target] = part if before is None else before + part
            if constants:
                after = nodes[node + 1]
                nodes[node + 1] = (blank(x, self.width) if after is None else after) + constants[node + 1]
        return blank(x, self.width) if nodes[3] is None else nodes[3]

    def _leaving(
        self, node: int, source: Tensor, weights: Weights, active: Sequence[Sequence[bool]]
    ) -> Iterator[tuple[int, Tensor]]:
        """Yield the edges that leave a node with what each of their active operations adds to its target."""
        chosen = {op: [edge for edge in LEAVING[node] if active[edge][op]] for op in (SKIP, POOL, *KERNELS)}
        for edge in chosen[SKIP]:
            yield edge, scaled(source, weights[edge][SKIP])
        if chosen[POOL]:
            pooled = avg_pool2d(source, 3, 1, 1, count_include_pad=False)
            for edge in chosen[POOL]:
                yield edge, scaled(pooled, weights[edge][POOL])
        if any(chosen[op] for op in KERNELS):
            positive = relu(source)
            for op in KERNELS:
                if edges := chosen[op]:
                    outputs = self._convolve(node, op, positive, edges, [weights[edge][op] for edge in edges])
                    yield from zip(edges, outputs, strict=True)

    def _convolve(
        self, node: int, op: int, positive: Tensor, edges: list[int], weights: Sequence[float | Tensor]
    ) -> Sequence[Tensor]:
        """Return the weighted outputs of one kernel on some of the edges that leave a node."""
        kernel = cast(Tensor, self.convs[f"{node}-{op}"].weight)
        rows = [slice(n * self.width, (n + 1) * self.width) for n in map(LEAVING[node].index, edges)]
        if len(edges) < len(LEAVING[node]):
            kernel = torch.cat([kernel[some] for some in rows]) if len(rows) > 1 else kernel[rows[0]]
        out = conv2d(positive, kernel, padding=KERNELS[op] // 2)
        scales = self._scales(weights, out)
        norm = cast(nn.BatchNorm2d, self.norms[f"{node}-{op}"])
        if norm.running_mean is None or norm.running_var is None:
            return batch_norm(out, None, None, scales, training=True).split(self.width, 1)
        kept = (norm.running_mean, norm.running_var)
        mean, variance = (torch.cat([statistic[some] for some in rows]) for statistic in kept)
        out = batch_norm(out, mean, variance, scales, None, self.training, momentum=0.1)
        for statistic, new in zip(kept, (mean, variance), strict=True):
            for some, part in zip(rows, new.split(self.width), strict=True):
                statistic[some] = part
        return out.split(self.width, 1)

    def _scales(self, weights: Sequence[float | Tensor], like: Tensor) -> Tensor | None:
        """Return the weight of each channel, which is that of its edge; None where all are the number one."""
        if isinstance(weights[0], float):
            if all(weight == 1.0 for weight in weights):
                return None
            together = torch.tensor(weights, dtype=like.dtype, device=like.device)
        else:
            together = torch.stack(cast(list[Tensor], weights))
        # copied: the gradient of a batch norm is wrong for weights that are a view of one number
        return together[:, None].repeat(1, self.width).flatten()

    def copy_into(self, code: Sequence[int], cell: nn.Module) -> None:
        """Copy the kernels of the operations `code` into a candidate's cell."""
        for edge, op in enumerate(code):
            if op in KERNELS:
                node = EDGES[edge][0]
                kernels = cast(Tensor, self.convs[f"{node}-{op}"].weight).split(self.width)
                target = cell.get_parameter("edges.{}-{}.1.weight".format(*EDGES[edge]))
                target.copy_(kernels[LEAVING[node].index(edge)])


class TopologySupernet(nn.Module):
    """All 15,625 candidates of the topology space in one network.

    Batch norms of the cells and the last one have no affine parameters and always use the statistics of the batch;
    those of the stem and the reduction blocks are as in a candidate (NATS-Bench's setting). NAS-Bench-201's first
    table came from `running_statistics` in the cells; in both its tables, and in DARTS-PT, the last one is as in a
    candidate too (`ordinary_last_norm`).
    """

    def __init__(
        self,
        in_channels: int,
        classes: int,
        scale: Scale,
        *,
        running_statistics: bool = False,
        ordinary_last_norm: bool = False,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.n_cells = 3 * scale.cells
        self.register_buffer("entered", torch.tensor(ENTERED), persistent=False)
        widths = [scale.channels * 2**stage for stage in range(3)]
        self.stem = ConvBn(in_channels, widths[0], 3)
        self.body = nn.ModuleList()
        for stage, width in enumerate(widths):
            if stage > 0:
                self.body.append(ReductionBlock(widths[stage - 1], width))
            self.body += [MixedCell(width, running_statistics=running_statistics) for _ in range(scale.cells)]
        self.last = nn.Sequential(
            nn.BatchNorm2d(widths[-1], affine=ordinary_last_norm, track_running_stats=ordinary_last_norm),
            nn.ReLU(),
        )
        self.classifier = nn.Linear(widths[-1], classes)

    def forward(self, images: Tensor, weights: Tensor, active: Tensor | None = None) -> Tensor:
        """Return the logits (n, classes) of images (n, in_channels, s, s).

        `weights`: float (6, 5), or (n_cells, 6, 5) for each cell its own: how much an operation counts on an edge.
        Best on the CPU where they need no gradient: there a weight of one costs nothing.
        `active`: bool, of the same shape, best on the CPU; None is all. An operation that is not active is not
        computed; it adds its weight itself, as a constant. In GDAS that constant is zero, and by it a gradient
        reaches the logits that were not selected. Where `weights` need no gradient it is left out.
        """
        shape = (self.n_cells, len(EDGES), len(OPS))
        everywhere = torch.ones(shape, dtype=torch.bool) if active is None else active.expand(shape)
        constants = self._constants(weights, active)
        of_cells = zip(unbound(weights.expand(shape)), everywhere.tolist(), constants, strict=True)
        x = self.stem(images)
        for block in self.body:
            x = block(x, *next(of_cells)) if isinstance(block, MixedCell) else block(x)
        return self.classifier(self.last(x).mean(dim=(2, 3)))

    def _constants(self, weights: Tensor, active: Tensor | None) -> list[Sequence[Tensor]]:
        """Return, for each cell, what the operations that are not active add to its four nodes; () is nothing."""
        if active is None or not weights.requires_grad:
            return [()] * self.n_cells
        left = weights.masked_fill(active.to(weights.device), 0).sum(-1)
        nodes = left @ self.get_buffer("entered")
        return [cell.unbind() for cell in nodes.expand(self.n_cells, 4)]

    @torch.no_grad()
    def cut_out(self, code: Sequence[int]) -> Network:
        """Return the candidate `code` with this network's weights; equal to it in training mode."""
        stem, classifier = only(self.stem, nn.Conv2d), self.classifier
        network = build_network(
            "tss",
            tuple(code),
            in_channels=stem.in_channels,
            classes=classifier.out_features,
            scale=self.scale,
        )
        network.to(stem.weight)
        network.stem.load_state_dict(self.stem.state_dict())
        network.last.load_state_dict(self.last.state_dict(), strict=False)  # a norm may have nothing to copy
        network.classifier.load_state_dict(classifier.state_dict())
        for mine, block in zip(self.body, network.body, strict=True):
            if isinstance(mine, MixedCell):
                mine.copy_into(code, block)
            else:
                block.load_state_dict(mine.state_dict())
        return network
