"""The networks around the cells: stem, three stages, head (NATS-Bench, section 3.1, 3.2 and figure 1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from natslib.nets.cells import Cell
from natslib.nets.ops import ConvBn, ReductionBlock

#: The cell that all networks of the size space share: the topology with the highest CIFAR-100 validation accuracy.
SIZE_CELL = (3, 3, 3, 1, 3, 3)


@dataclass(frozen=True)
class Scale:
    """How large the networks of a space are built: the published scale, or a small one for small images.

    `channels`: width of the first stage (topology space; it doubles twice). `cells`: cells a stage (topology space).
    `width_divisor`: the size space's channel numbers are divided by it.
    """

    channels: int
    cells: int
    width_divisor: int


PUBLISHED = Scale(channels=16, cells=5, width_divisor=1)
SMALL = Scale(channels=8, cells=1, width_divisor=4)


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
        Cell(SIZE_CELL, c0, c0),
        ReductionBlock(c0, c1),
        Cell(SIZE_CELL, c1, c2),
        ReductionBlock(c2, c3),
        Cell(SIZE_CELL, c3, c4),
    )
    return Network(ConvBn(in_channels, c0, 3), body, c4, classes)
