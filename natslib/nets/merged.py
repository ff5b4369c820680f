"""One candidate with fewer and wider kernels: what edges that leave the same node have in common is computed once.

Small networks leave most of a processor's vector width and many launches unused. Convolutions that read the same node
with the same kernel become one, their outputs side by side, with one batch norm; ReLU and pooling are shared. The
numbers stay those of the plain network up to rounding.
"""

from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor, nn
from torch.nn.functional import relu

from natslib.nets.candidate import Network
from natslib.nets.cell import Cell, ReluConvBn, blank
from natslib.nets.grouped import fused_bn, fused_conv, kind_of, only
from natslib.spaces.cell import EDGES


def share(whole: nn.Module, parts: Sequence[nn.Module]) -> nn.Module:
    """Make the tensors of equal layers views of those of the layer that does their work, so that they train with it."""
    for name, tensor in whole.state_dict().items():
        views = tensor.chunk(len(parts)) if tensor.dim() else [tensor] * len(parts)
        for part, view in zip(parts, views, strict=True):
            getattr(part, name).data = view
    return whole


def merged_convs(ops: Sequence[nn.Module]) -> nn.Module:
    """Return convolution and batch norm of equal ReLU-conv-BN operations, side by side and without the ReLU."""
    conv = share(fused_conv(ops, shared_input=True), [only(op, nn.Conv2d) for op in ops])
    return nn.Sequential(conv, share(fused_bn(ops), [only(op, nn.BatchNorm2d) for op in ops]))


class Fan(nn.Module):
    """The edges that leave one node, by their target nodes."""

    def __init__(self, edges: Mapping[int, nn.Module]) -> None:
        super().__init__()
        groups: dict[object, list[int]] = {}
        for target, op in edges.items():
            alike = isinstance(op, ReluConvBn) or not list(op.parameters())
            groups.setdefault(kind_of(op) if alike else target, []).append(target)
        rectified = [some for some in groups.values() if isinstance(edges[some[0]], ReluConvBn)]
        others = [some for some in groups.values() if some not in rectified]
        self.targets = rectified + others
        self.n_convs = len(rectified)
        convs = [merged_convs([edges[target] for target in some]) for some in rectified]
        self.ops = nn.ModuleList(convs + [edges[some[0]] for some in others])

    def forward(self, x: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Yield (target, what the edge adds to it) for each edge."""
        rectified = relu(x) if self.n_convs else x
        for number, (targets, op) in enumerate(zip(self.targets, self.ops, strict=True)):
            if number < self.n_convs:
                yield from zip(targets, op(rectified).chunk(len(targets), dim=1), strict=True)
            else:
                out = op(x)
                yield from ((target, out) for target in targets)


class MergedCell(nn.Module):
    """One cell that computes what its edges share once: (n, c_in, h, w) -> (n, c_out, h, w)."""

    def __init__(self, cell: Cell) -> None:
        super().__init__()
        self.c_out = cell.c_out
        edges = dict(cell.edges.items())
        self.fans = nn.ModuleList(
            Fan(
                {
                    end: edges[f"{start}-{end}"]
                    for start, end in EDGES
                    if start == node and f"{start}-{end}" in edges
                }
            )
            for node in range(3)
        )

    def forward(self, x: Tensor) -> Tensor:
        node, totals = x, dict[int, Tensor]()
        for number, fan in enumerate(self.fans, start=1):
            for target, part in fan(node):
                totals[target] = totals[target] + part if target in totals else part
            node = totals[number] if number in totals else blank(x, self.c_out)
        return node


class MergedNetwork(nn.Module):
    """A network with merged cells: images (n, in_channels, s, s) -> logits (n, classes).

    Shares all weights and statistics with `network`: training the one trains the other. Move `network` to its device
    and memory format first.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        body = (MergedCell(block) if isinstance(block, Cell) else block for block in network.body)
        self.body = nn.Sequential(network.stem, *body, network.last)
        self.classifier = network.classifier

    def features(self, images: Tensor) -> Tensor:
        """Return the pooled features (n, c_last) in front of the classifier."""
        return self.body(images).mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))
