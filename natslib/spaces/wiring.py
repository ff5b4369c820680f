"""The wiring space of AutoShrink (Zhang et al., AAAI 2020; the released code, b37564d): which edges a cell has.

The operation of every node is fixed; an architecture says which of the edges i→j, i < j, are there. Node 0 is the
cell's input, a node concatenates what its edges bring, and the output joins the leaves: the nodes that no live edge
leaves. An edge is live when its source is reached from node 0; the others change nothing, so cells with the same live
edges are the same network.

Networks have no stem: three stages of one cell each, max-pooled by two before the second and the third; their widths
are 1, 2 and 4 times those of a `Scale`'s channels a leaf. Where a cell changes the number of channels, its shortcut
is a 1x1 convolution.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from natslib.datasets import Dataset
from natslib.errors import ConfigError, unknown_name
from natslib.spaces.cost import Count, Scale
from natslib.spaces.space import Code, CodeArray, Space, change

SEP_CONV_3X3, CONV_1X1 = NODE_OPS = ("sep_conv_3x3", "conv_1x1")
"""A depthwise 3x3 and a pointwise convolution without anything between them; a pointwise convolution."""
STAGES = ((1, 1), (2, 2), (4, 2))
"""Of each stage: the multiple of the channels, and by what its input is pooled."""
Integers = npt.NDArray[np.int64]


def edges_of(nodes: int) -> tuple[tuple[int, int], ...]:
    """Return the edges of a cell of so many nodes, the input counted, by target and then by source."""
    return tuple((source, target) for target in range(1, nodes) for source in range(target))


def nodes_of(edges: int) -> int:
    """Return the number of nodes, the input counted, of a complete cell of so many edges."""
    return (1 + round((1 + 8 * edges) ** 0.5)) // 2


def adjacency(codes: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return which live edges there are, (..., k) to (..., nodes, nodes): entry [i, j] is the edge i→j."""
    given = np.asarray(codes, bool)
    edges = edges_of(nodes_of(given.shape[-1]))
    matrix = np.zeros((*given.shape[:-1], edges[-1][1] + 1, edges[-1][1] + 1), bool)
    for place, (source, target) in enumerate(edges):
        # Sources come before their targets, so whether this one is reached is known already.
        reached = True if source == 0 else matrix[..., :, source].any(axis=-1)
        matrix[..., source, target] = given[..., place] & reached
    return matrix


def pruned(codes: npt.ArrayLike) -> CodeArray:
    """Return the codes with their live edges only, (..., k) to (..., k)."""
    matrix = adjacency(codes)
    sources, targets = map(list, zip(*edges_of(matrix.shape[-1]), strict=True))
    return matrix[..., sources, targets].astype(np.uint8)


def removals(code: Sequence[int]) -> CodeArray:
    """Return the live edges that are left when one is removed, each once, (n, k); of one, the empty cell."""
    live = pruned(code)
    fewer = pruned(live & ~np.eye(len(live), dtype=np.uint8)[live > 0])
    return np.array(list(dict.fromkeys(map(tuple, fewer.tolist()))), np.uint8).reshape(-1, len(live))


def leaves(matrix: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which nodes are reached and left by no live edge, (..., nodes, nodes) to (..., nodes); never the input."""
    return np.logical_and(matrix.any(axis=-2), ~matrix.any(axis=-1))


def count_cell(
    matrix: npt.NDArray[np.bool_], ops: Sequence[str], c_in: npt.ArrayLike, width: int, *, norms: bool = True
) -> tuple[Integers, Integers, Integers]:
    """Count cells: live edges (..., nodes, nodes), channels that come in (...), channels of a node.

    Return the weights that are multiplied at each pixel, all parameters, and the channels that go out, int64 (...).
    `norms`: count the two parameters a channel of each batch norm, which the authors' counts leave out.
    """
    given = np.asarray(c_in, np.int64)
    live = matrix.astype(np.int64)
    inputs = given[..., None] * live[..., 0, 1:] + width * live[..., 1:, 1:].sum(axis=-2)
    areas = np.array([9 if op == SEP_CONV_3X3 else 0 for op in ops])
    reached = live[..., 1:].any(axis=-2).sum(axis=-1)
    out = width * leaves(matrix).sum(axis=-1)
    out = np.where(out == 0, given, out)  # without edges the cell hands its input on
    projected = np.where(out == given, 0, out)
    weights = (inputs * (width + areas)).sum(axis=-1) + given * projected
    return weights, weights + 2 * norms * (width * reached + projected), out


@dataclass(frozen=True)
class Wiring:
    """The networks of all wirings of a cell; `ops` names the operation of each node after the input."""

    ops: tuple[str, ...]
    builder: ClassVar[str] = "natslib.nets.wiring:build_wiring"

    @property
    def edges(self) -> int:
        """The number of edges of the complete cell."""
        return len(edges_of(len(self.ops) + 1))

    def count(self, codes: CodeArray, dataset: Dataset, scale: Scale) -> Count:
        """Return parameters and multiply-accumulates, (..., k) to int64 (...)."""
        matrix, side = adjacency(codes), dataset.resolution
        channels: npt.ArrayLike = dataset.in_channels
        params = macs = np.zeros(codes.shape[:-1], np.int64)
        for multiple, pooled in STAGES:
            side //= pooled
            weights, all_params, channels = count_cell(matrix, self.ops, channels, multiple * scale.channels)
            params, macs = params + all_params, macs + weights * side**2
        linear = (np.asarray(channels) + 1) * dataset.classes
        return Count(params + linear, macs + linear)

    def classes(self, n: int) -> Integers:
        """Return the index of the cell with the live edges only, of every cell: the lowest of equal networks."""
        return _classes(self.edges)

    def removals(self, code: Code) -> CodeArray:
        """Return what `removals` does."""
        return removals(code)

    def dense(self, rng: np.random.Generator) -> Code:
        """Return the complete cell."""
        return (1,) * self.edges


def wiring_space(ops: Sequence[str], name: str = "own", title: str = "own wiring") -> Space:
    """Return the space of the wirings of a cell; `ops` names the operation of each node after the input.

    Raises `ConfigError` unless the cell has 2 to 6 nodes, the input counted, and `UnknownName` for an operation that is
    none of `NODE_OPS`.
    """
    nodes = len(ops) + 1
    if not 2 <= nodes <= 6:
        raise ConfigError(f"a cell of {nodes} nodes was given; a wiring space has 2 to 6, the input counted")
    for op in ops:
        if op not in NODE_OPS:
            raise unknown_name("operation of a node", op, NODE_OPS)
    return Space(
        name=name,
        title=title,
        choices=("0", "1"),
        positions=tuple(f"{source}→{target}" for source, target in edges_of(nodes)),
        template="".join("|" + "{}" * target for target in range(1, nodes)) + "|",
        shuffle_seed=None,
        networks=Wiring(tuple(ops)),
        official_mutation=_mutation,
    )


def _mutation(code: Code, rng: np.random.Generator) -> Code:
    """Add or remove one edge; none is published."""
    return change(code, int(rng.integers(len(code))), 2, rng)


@cache
def _classes(edges: int) -> Integers:
    powers = 2 ** np.arange(edges)[::-1]
    codes = np.arange(2**edges)[:, None] // powers % 2
    classes = pruned(codes).astype(np.int64) @ powers
    classes.flags.writeable = False
    return classes


WIRING = wiring_space((SEP_CONV_3X3, CONV_1X1) * 2, name="dag5", title="wiring")
