"""Parameters and FLOPs of any network of the two spaces in closed form, as exact integers.

Both spaces build the same macro skeleton: stem, cells, reduction, cells, reduction, cells, head. A network is
therefore one cell code and five widths: that of the stem and the first cells, then of each further block.
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from natslib.datasets import EMBEDDED, Dataset
from natslib.spaces.cell import CONV_1X1, CONV_3X3, OPS, SKIP, SOURCES

Integers: TypeAlias = npt.NDArray[np.int64]

KERNEL_AREA = np.array([{CONV_1X1: 1, CONV_3X3: 9}.get(op, 0) for op in range(len(OPS))])
FROM_INPUT = [edge for edge, source in enumerate(SOURCES) if source == 0]
FROM_INNER = [edge for edge, source in enumerate(SOURCES) if source != 0]


@dataclass(frozen=True)
class Scale:
    """How large the networks of a code are built: the paper's scale, or a small one for small images.

    `channels`: width of the first stage (topology space; it doubles twice). `cells`: cells a stage, the paper's N
    (topology space). `width_divisor`: the size space's channel numbers are divided by it.
    """

    channels: int
    cells: int
    width_divisor: int


PAPER_SCALE = Scale(channels=16, cells=5, width_divisor=1)
SMALL_SCALE = Scale(channels=8, cells=1, width_divisor=4)
SCALES: dict[str, Scale] = {"paper": PAPER_SCALE, "small": SMALL_SCALE}


def usual_scale(dataset: str) -> Scale:
    """Return the scale at which networks are trained on a dataset where none is asked for."""
    return SMALL_SCALE if dataset in EMBEDDED else PAPER_SCALE


class Count(NamedTuple):
    """Learnable scalars, and multiply-accumulates of one image in convolutions and the linear layer."""

    params: Integers
    macs: Integers


def count(cells: npt.ArrayLike, widths: npt.ArrayLike, repeats: int, dataset: Dataset) -> Count:
    """Count networks: cell codes (..., 6), widths (..., 5), `repeats` cells a stage; int64 of shape (...).

    Counted as the official code does: batch norms have two parameters a channel and no FLOPs, the bias of
    the linear layer counts in both; pooling, additions and ReLU are free. The resolution is halved twice.
    """
    code = np.asarray(cells, np.int64)
    c0, c1, c2, c3, c4 = np.moveaxis(np.asarray(widths, np.int64), -1, 0)
    side = dataset.resolution
    parts = [
        _stem(c0, dataset),
        _stage(code, c0, c0, repeats, side),
        _reduction(c0, c1, side // 2),
        _stage(code, c1, c2, repeats, side // 2),
        _reduction(c2, c3, side // 4),
        _stage(code, c3, c4, repeats, side // 4),
        _head(c4, dataset),
    ]
    params, macs = (np.sum(np.broadcast_arrays(*column), axis=0) for column in zip(*parts, strict=True))
    return Count(params, macs)


def _stem(width: Integers, dataset: Dataset) -> Count:
    weights = 9 * dataset.in_channels * width
    return Count(weights + 2 * width, weights * dataset.resolution**2)


def _stage(code: Integers, c_in: Integers, c_out: Integers, repeats: int, side: int) -> Count:
    first, other = _cell(code, c_in, c_out, side), _cell(code, c_out, c_out, side)
    return Count(first.params + (repeats - 1) * other.params, first.macs + (repeats - 1) * other.macs)


def _cell(code: Integers, c_in: Integers, c_out: Integers, side: int) -> Count:
    area = KERNEL_AREA[code]
    # Where the width changes, a skip from the input is a 1x1 convolution with its own batch norm.
    projections = (code[..., FROM_INPUT] == SKIP).sum(axis=-1) * (c_in != c_out)
    outer, inner = area[..., FROM_INPUT].sum(axis=-1) + projections, area[..., FROM_INNER].sum(axis=-1)
    weights = outer * c_in * c_out + inner * c_out**2
    norms = (area > 0).sum(axis=-1) + projections
    return Count(weights + 2 * norms * c_out, weights * side**2)


def _reduction(c_in: Integers, c_out: Integers, side: int) -> Count:
    weights = 9 * c_in * c_out + 9 * c_out**2 + c_in * c_out
    return Count(weights + 4 * c_out, weights * side**2)


def _head(width: Integers, dataset: Dataset) -> Count:
    linear = (width + 1) * dataset.classes
    return Count(2 * width + linear, linear)
