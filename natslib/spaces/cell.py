"""The cell of the topology space: its operations and edges, and the other encodings of its code.

A code lists the operation of each edge in reading order: 0→1 ; 0→2, 1→2 ; 0→3, 1→3, 2→3. Node 0 is the input
of the cell, node 3 its output, and every node the sum over its incoming edges (NATS-Bench, section 3.1).
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from natslib.errors import UnknownArchitecture

OPS: tuple[str, ...] = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
NONE, SKIP, CONV_1X1, CONV_3X3, POOL = range(5)
NODES = 4
EDGES: tuple[tuple[int, int], ...] = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
SOURCES, TARGETS = (list(nodes) for nodes in zip(*EDGES, strict=True))
PATHS: tuple[tuple[int, ...], ...] = ((3,), (0, 4), (1, 5), (0, 2, 5))  # edges of the paths from node 0 to 3

# NASLib lists the edges by source (0→1, 0→2, 0→3, 1→2, 1→3, 2→3) and numbers the operations as follows.
NASLIB_OPS: tuple[str, ...] = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
NASLIB_EDGES: tuple[tuple[int, int], ...] = tuple(sorted(EDGES))
_TO_NASLIB_OP = np.array([NASLIB_OPS.index(op) for op in OPS], np.uint8)
_TO_NASLIB_EDGE = [EDGES.index(edge) for edge in NASLIB_EDGES]
_FROM_NASLIB_OP = np.array([OPS.index(op) for op in NASLIB_OPS], np.uint8)
_FROM_NASLIB_EDGE = [NASLIB_EDGES.index(edge) for edge in EDGES]

# naszilla, whose path encoding this is, numbers the operations as follows.
PATH_OPS: tuple[str, ...] = ("avg_pool_3x3", "nor_conv_1x1", "nor_conv_3x3", "none", "skip_connect")
_TO_PATH_OP = np.array([PATH_OPS.index(op) for op in OPS])
PATH_LENGTHS = (1, 2, 3)
N_PATHS = sum(len(OPS) ** length for length in PATH_LENGTHS)


def op_names(code: Iterable[int]) -> tuple[str, ...]:
    """Return the operation names of one code, in edge order."""
    return tuple(OPS[choice] for choice in code)


def matrix(codes: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """Return adjacency matrices, (..., 6) to (..., 4, 4): entry [i, j] is the operation of the edge j→i.

    The layout of the official `str2matrix`: lower triangular, 0 where there is no edge and for `none`.
    """
    given = _codes(codes, len(OPS))
    filled = np.zeros((*given.shape[:-1], NODES, NODES), np.uint8)
    filled[..., TARGETS, SOURCES] = given
    return filled


def to_naslib(codes: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """Return NASLib's `op_indices`, (..., 6) to (..., 6): its own edge order and operation numbers."""
    return _TO_NASLIB_OP[_codes(codes, len(OPS))[..., _TO_NASLIB_EDGE]]


def from_naslib(op_indices: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """Return the codes of NASLib's `op_indices`, (..., 6) to (..., 6): what `to_naslib` undoes."""
    return _FROM_NASLIB_OP[_codes(op_indices, len(OPS))[..., _FROM_NASLIB_EDGE]]


def path_encoding(codes: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Return which of the 155 sequences of operations lead from input to output: (..., 6) to (..., 155).

    The encoding of BANANAS as naszilla computes it: 5 sequences of one operation, then 25 of two, then 125
    of three; operations numbered as in `PATH_OPS`, the first of a path varying fastest.
    """
    numbers = _TO_PATH_OP[_codes(codes, len(OPS))]
    encoded = np.zeros((*numbers.shape[:-1], N_PATHS), np.float32)
    for path in PATHS:
        offset = sum(len(OPS) ** length for length in PATH_LENGTHS if length < len(path))
        places = offset + numbers[..., list(path)] @ len(OPS) ** np.arange(len(path))
        np.put_along_axis(encoded, places[..., None], 1.0, axis=-1)
    return encoded


def is_connected(codes: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return whether some path without `none` leads from input to output: (..., 6) to (...), bool.

    Without one, the output of the cell does not depend on its input (341 of the 15,625 cells).
    """
    used = _codes(codes, len(OPS)) != NONE
    return np.any([used[..., list(path)].all(axis=-1) for path in PATHS], axis=0)


def pruned(code: Iterable[int]) -> tuple[int, ...]:
    """Return one code with `none` on every edge that lies on no path without `none` from input to output."""
    ops = tuple(code)
    live = {edge for path in PATHS if NONE not in [ops[edge] for edge in path] for edge in path}
    return tuple(op if edge in live else NONE for edge, op in enumerate(ops))


def _codes(codes: npt.ArrayLike, choices: int) -> npt.NDArray[np.integer]:
    given = np.asarray(codes)
    if given.dtype.kind not in "iu" or given.shape[-1:] != (len(EDGES),):
        raise UnknownArchitecture(f"unknown code {codes!r:.160}: allowed are {len(EDGES)} whole numbers")
    if ((given < 0) | (given >= choices)).any():
        raise UnknownArchitecture(f"unknown code {codes!r:.160}: allowed numbers are 0 to {choices - 1}")
    return given
