"""Several topology candidates as one network: their channels lie side by side, every kernel serves all of them.

A GPU is idle most of the time with one small candidate. Here K candidates share each launch: convolutions are grouped
(one group a candidate), batch norm is per channel anyway, and an edge applies each operation to the candidates that
chose it. Nothing passes from one candidate to another, so each trains as it would alone, up to rounding.
"""

from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from natslib.nets.candidate import Network
from natslib.nets.cell import Cell, ReductionBlock, ReluConvBn
from natslib.spaces.cell import EDGES

Layer = TypeVar("Layer", bound=nn.Module)


def only(module: nn.Module, kind: type[Layer]) -> Layer:
    """Return the first layer of a kind in a module."""
    return next(layer for layer in module.modules() if isinstance(layer, kind))


def fused_conv(modules: Sequence[nn.Module], *, shared_input: bool = False) -> nn.Conv2d:
    """Return one convolution that does what those in `modules` do on their own channels, or all on one input."""
    convs = [only(module, nn.Conv2d) for module in modules]
    first, k = convs[0], len(convs)
    fused = nn.Conv2d(
        first.in_channels if shared_input else k * first.in_channels,
        k * first.out_channels,
        first.kernel_size[0],
        first.stride[0],
        padding=first.kernel_size[0] // 2,
        groups=1 if shared_input else k,
        bias=False,
        device="meta",  # no memory and no random numbers for weights that are not used
    )
    fused.weight = nn.Parameter(torch.cat([conv.weight.detach() for conv in convs]))
    return fused


def fused_bn(modules: Sequence[nn.Module]) -> nn.BatchNorm2d:
    """Return one batch norm over the channels of those in `modules`, side by side."""
    norms = [only(module, nn.BatchNorm2d) for module in modules]
    weight = norms[0].weight
    channels = sum(norm.num_features for norm in norms)
    fused = nn.BatchNorm2d(channels, device=weight.device, dtype=weight.dtype)
    with torch.no_grad():
        for name in ("weight", "bias", "running_mean", "running_var"):
            getattr(fused, name).copy_(torch.cat([getattr(norm, name) for norm in norms]))
    return fused


def fused_op(ops: Sequence[nn.Module]) -> nn.Module:
    """Return the operation that does what equal operations of several candidates do."""
    if isinstance(ops[0], ReluConvBn):
        return nn.Sequential(nn.ReLU(), fused_conv(ops), fused_bn(ops))
    return ops[0]


def kind_of(op: nn.Module) -> tuple[type[nn.Module], int]:
    """Return what operations must have in common to share a kernel: their type and kernel size."""
    return type(op), only(op, nn.Conv2d).kernel_size[0] if isinstance(op, ReluConvBn) else 0


class FusedEdge(nn.Module):
    """One edge of K cells: applies each operation to the candidates that chose it."""

    def __init__(self, ops: Sequence[nn.Module | None]) -> None:
        super().__init__()
        members: dict[tuple[type[nn.Module], int], list[int]] = {}
        for candidate, op in enumerate(ops):
            if op is not None:
                members.setdefault(kind_of(op), []).append(candidate)
        chosen = [[op for i in some if (op := ops[i]) is not None] for some in members.values()]
        self.ops = nn.ModuleList(fused_op(some) for some in chosen)
        for number, some in enumerate(members.values()):
            self.register_buffer(f"members_{number}", torch.tensor(some), persistent=False)

    def add_to(self, target: Tensor, source: Tensor) -> Tensor:
        """Return `target` with this edge's outputs added; both (n, K, c, h, w)."""
        for number, op in enumerate(self.ops):
            members = self.get_buffer(f"members_{number}")
            some = source.index_select(1, members)
            out = op(some.flatten(1, 2)).unflatten(1, (len(members), -1))
            target = target.index_add(1, members, out)
        return target


class FusedCell(nn.Module):
    """The cells of K candidates at one place of the skeleton: (n, K c, h, w) -> (n, K c, h, w)."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        super().__init__()
        self.k = len(cells)
        names = [f"{source}-{target}" for source, target in EDGES]
        chosen = ([dict(cell.edges.items()).get(name) for cell in cells] for name in names)
        self.edges = nn.ModuleList(FusedEdge(ops) for ops in chosen)

    def forward(self, x: Tensor) -> Tensor:
        nodes = [x.unflatten(1, (self.k, -1))]
        for target in (1, 2, 3):
            total = torch.zeros_like(nodes[0])
            for edge, (source, end) in zip(self.edges, EDGES, strict=True):
                if end == target:
                    total = edge.add_to(total, nodes[source])  # type: ignore[operator]
            nodes.append(total)
        return nodes[3].flatten(1, 2)


class FusedReduction(nn.Module):
    """The reduction blocks of K candidates: (n, K c_in, h, w) -> (n, K c_out, h/2, w/2)."""

    def __init__(self, blocks: Sequence[ReductionBlock]) -> None:
        super().__init__()
        pairs = zip(*(block.branch for block in blocks), strict=True)
        self.branch = nn.Sequential(*map(fused_op, pairs))
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), fused_conv([block.shortcut for block in blocks]))

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.branch(x)


class FusedNetwork(nn.Module):
    """K topology candidates of equal scale: images (n, in_channels, s, s) -> logits (n, K, classes).

    Starts from the weights of the given networks, which it copies.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        super().__init__()
        stems = [network.stem for network in networks]
        self.stem = nn.Sequential(fused_conv(stems, shared_input=True), fused_bn(stems))
        places = zip(*(network.body for network in networks), strict=True)
        self.body = nn.Sequential(
            *(FusedCell(some) if isinstance(some[0], Cell) else FusedReduction(some) for some in places)
        )
        self.last = fused_bn([network.last for network in networks])
        heads = [network.classifier for network in networks]
        self.weight = nn.Parameter(torch.stack([head.weight.detach() for head in heads]))
        self.bias = nn.Parameter(torch.stack([head.bias.detach() for head in heads]))

    def forward(self, images: Tensor) -> Tensor:
        pooled = relu(self.last(self.body(self.stem(images)))).mean(dim=(2, 3))
        pooled = pooled.unflatten(1, (len(self.bias), -1))
        return torch.einsum("nkc,kdc->nkd", pooled, self.weight) + self.bias
