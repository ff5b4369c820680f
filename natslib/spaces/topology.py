"""The topology space of NATS-Bench and NAS-Bench-201 (S_t, "tss"; section 3.1): 15,625 cells."""

from functools import cache

import numpy as np
import numpy.typing as npt

from natslib.errors import unknown_name
from natslib.spaces import equivalence
from natslib.spaces.cell import (
    CONV_1X1,
    CONV_3X3,
    EDGES,
    NASLIB_EDGES,
    NASLIB_OPS,
    NONE,
    OPS,
    from_naslib,
    is_connected,
    matrix,
    op_names,
    path_encoding,
    pruned,
    to_naslib,
)
from natslib.spaces.cost import Scale
from natslib.spaces.equivalence import KEYS, UNIQUE_MODES
from natslib.spaces.skeleton import Skeleton
from natslib.spaces.space import Arch, Code, CodeArray, Space, Uniforms, change

__all__ = [
    "EDGES",
    "EQUIVALENCES",
    "NASLIB_EDGES",
    "NASLIB_OPS",
    "OPS",
    "TOPOLOGY",
    "UNIQUE_MODES",
    "equivalence_class",
    "from_naslib",
    "is_connected",
    "matrix",
    "op_names",
    "path_encoding",
    "to_naslib",
    "unique_string",
]

EQUIVALENCES: tuple[str, ...] = tuple(KEYS)


def unique_string(arch: Arch, mode: str) -> str:
    """Return the official unique string of an index, a string or a code; `mode` is one of `UNIQUE_MODES`."""
    return equivalence.unique_string(TOPOLOGY.code(arch), mode)


@cache
def equivalence_class(rule: str) -> npt.NDArray[np.int64]:
    """Return the class of every cell, (15625,) int64 in index order: the lowest index among its equivalents.

    `rule` is one of `EQUIVALENCES`; `natslib.spaces.equivalence` says what each calls equivalent, and which
    of them guarantees the same network. Built once, read-only. Raises `UnknownName`.
    """
    if rule not in KEYS:
        raise unknown_name("equivalence rule", rule, KEYS)
    first: dict[object, int] = {}
    keys = map(KEYS[rule], TOPOLOGY.codes().tolist())
    classes = np.array([first.setdefault(key, index) for index, key in enumerate(keys)], np.int64)
    classes.flags.writeable = False
    return classes


def _layout(codes: CodeArray, scale: Scale) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.integer], int]:
    widths = scale.channels * np.array([1, 2, 2, 4, 4])
    return codes, np.broadcast_to(widths, (*codes.shape[:-1], 5)), scale.cells


def _official_mutation(code: Code, rng: np.random.Generator) -> Code:
    """Draw a node, then one of its incoming edges, then another operation for it."""
    node = int(rng.integers(1, 4))
    edge = EDGES.index((int(rng.integers(node)), node))
    return change(code, edge, len(OPS), rng)


def _official_mutations(codes: CodeArray, take: Uniforms) -> CodeArray:
    for_node, for_source, for_choice = take(3)
    node = 1 + (for_node * 3).astype(np.int64)
    edge = node * (node - 1) // 2 + (for_source * node).astype(np.int64)
    runs, mutants = np.arange(len(codes)), codes.copy()
    others = 1 + (for_choice * (len(OPS) - 1)).astype(np.int64)
    mutants[runs, edge] = (codes[runs, edge] + others) % len(OPS)
    return mutants


def _exact_classes() -> npt.NDArray[np.int64]:
    return equivalence_class("exact")


def _shrunk(code: Code) -> CodeArray:
    """Return the cells without one of the edges, and without what then lies on no path; none of them is empty."""
    present = [edge for edge, op in enumerate(code) if op != NONE]
    cells = [pruned([NONE if at == edge else op for at, op in enumerate(code)]) for edge in present]
    return np.array(list(dict.fromkeys(cell for cell in cells if any(cell))), np.uint8).reshape(
        -1, len(EDGES)
    )


def _densest(rng: np.random.Generator) -> Code:
    """Draw a cell with as many convolutions of each size, on all edges."""
    return tuple(rng.permutation([CONV_1X1, CONV_3X3] * (len(EDGES) // 2)).tolist())


TOPOLOGY = Space(
    name="tss",
    title="topology",
    choices=OPS,
    positions=tuple(f"{source}→{target}" for source, target in EDGES),
    template="|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|",
    shuffle_seed=88,
    networks=Skeleton(_layout, equal=_exact_classes, shrunk=_shrunk, densest=_densest),
    official_mutation=_official_mutation,
    official_mutations=_official_mutations,
)
