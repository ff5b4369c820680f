"""The size space of NATS-Bench (S_s, "sss"; section 3.1): 32,768 networks, five widths, one fixed cell."""

import numpy as np
import numpy.typing as npt

from natslib.spaces.cell import CONV_3X3, SKIP
from natslib.spaces.cost import Scale
from natslib.spaces.skeleton import Skeleton
from natslib.spaces.space import Code, CodeArray, Space, Uniforms

CHANNELS: tuple[int, ...] = (8, 16, 24, 32, 40, 48, 56, 64)
POSITIONS = ("stem and cell 1", "reduction 1", "cell 2", "reduction 2", "cell 3")
CELL: Code = (CONV_3X3, CONV_3X3, CONV_3X3, SKIP, CONV_3X3, CONV_3X3)
"""Topology architecture 9930: every convolution 3x3, the input skipped to the output."""


def channels(codes: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the channel numbers of codes: (..., 5) to (..., 5), int64."""
    return np.array(CHANNELS)[SIZE.checked(codes)]


def _layout(codes: CodeArray, scale: Scale) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.integer], int]:
    cells = np.broadcast_to(np.array(CELL), (*codes.shape[:-1], len(CELL)))
    return cells, np.array(CHANNELS)[codes] // scale.width_divisor, 1


def _official_mutation(code: Code, rng: np.random.Generator) -> Code:
    """Redraw one position from all channel numbers: one time in eight nothing changes."""
    position, choice = int(rng.integers(len(code))), int(rng.integers(len(CHANNELS)))
    return (*code[:position], choice, *code[position + 1 :])


def _official_mutations(codes: CodeArray, take: Uniforms) -> CodeArray:
    for_position, for_choice = take(2)
    mutants, positions = codes.copy(), (for_position * codes.shape[1]).astype(np.int64)
    mutants[np.arange(len(codes)), positions] = (for_choice * len(CHANNELS)).astype(np.int64)
    return mutants


def _shrunk(code: Code) -> CodeArray:
    """Return the networks with one of the widths a step narrower."""
    narrower = np.array(code, np.int64) - np.eye(len(code), dtype=np.int64)
    return narrower[np.array(code) > 0].astype(np.uint8)


def _densest(rng: np.random.Generator) -> Code:
    """Return the widest network."""
    return (len(CHANNELS) - 1,) * len(POSITIONS)


SIZE = Space(
    name="sss",
    title="size",
    choices=tuple(map(str, CHANNELS)),
    positions=POSITIONS,
    template="{}:{}:{}:{}:{}",
    shuffle_seed=None,
    networks=Skeleton(_layout, stem_first=False, shrunk=_shrunk, densest=_densest),
    official_mutation=_official_mutation,
    official_mutations=_official_mutations,
)
