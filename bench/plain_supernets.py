"""Supernets as a first attempt would write them, with the weights of natslib's: they compute all and multiply."""

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from natslib.nets.cell import Cell, ReluConvBn
from natslib.nets.size_supernet import Gate, SizeSupernet, fit, gated, width_of
from natslib.nets.topology_supernet import MixedCell, TopologySupernet
from natslib.spaces.cell import EDGES, OPS


class PlainCell(nn.Module):
    """Five ordinary cells with one operation each, whose edges are added up as their weights say."""

    def __init__(self, cell: MixedCell, *, running_statistics: bool) -> None:
        super().__init__()
        self.cells = nn.ModuleList(Cell((op,) * len(EDGES), cell.width, cell.width) for op in range(len(OPS)))
        for op, one in enumerate(self.cells):
            cell.copy_into((op,) * len(EDGES), one)
            for layer in one.modules():
                if isinstance(layer, ReluConvBn):
                    layer[2] = nn.BatchNorm2d(
                        cell.width, affine=False, track_running_stats=running_statistics
                    )

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        nodes = [x, 0.0, 0.0, 0.0]
        for (source, target), of_edge in zip(EDGES, weights, strict=True):
            for one, weight in zip(self.cells, of_edge, strict=True):
                name = f"{source}-{target}"
                out = one.edges[name](nodes[source]) if name in one.edges else 0.0 * nodes[source]
                nodes[target] = nodes[target] + weight * out
        return nodes[3]


class PlainTopology(nn.Module):
    """A topology supernet that computes all five operations on all edges; starts from the weights of another."""

    def __init__(self, supernet: TopologySupernet, *, running_statistics: bool) -> None:
        super().__init__()
        self.n_cells, other = supernet.n_cells, deepcopy(supernet)
        self.stem, self.last, self.classifier = other.stem, other.last, other.classifier
        with torch.no_grad():
            self.body = nn.ModuleList(
                PlainCell(block, running_statistics=running_statistics)
                if isinstance(block, MixedCell)
                else block
                for block in other.body
            )

    def forward(self, images: Tensor, weights: Tensor, active: Tensor | None = None) -> Tensor:
        x = self.stem(images)
        of_cells = iter(weights.to(images.device).expand(self.n_cells, len(EDGES), len(OPS)))
        for block in self.body:
            x = block(x, next(of_cells)) if isinstance(block, PlainCell) else block(x)
        return self.classifier(self.last(x).mean(dim=(2, 3)))


class PlainSize(SizeSupernet):
    """A size supernet that computes all channels of all layers, and multiplies those of each unit by a mask."""

    def forward(self, images: Tensor, gates: Sequence[Gate], *, inside: bool = False) -> Tensor:
        x = images
        for unit, gate in zip([self.network.stem, *self.network.body], gates, strict=True):
            x = self.masked(unit(x), gate)
        return self.network.classifier(self.network.last(x).mean(dim=(2, 3)))

    def masked(self, x: Tensor, gate: Gate) -> Tensor:
        if isinstance(gate, Tensor) and gate.dim() == 2:
            return fit(gated(x[:, : width_of(gate)], gate), self.max_width)
        factors = torch.ones(gate, device=x.device) if isinstance(gate, int) else gate
        return x * pad(factors, (0, self.max_width - len(factors)))[:, None, None]
