"""The search spaces as values: names, order, moves, encodings, equivalence and cost."""

from natslib.errors import unknown_name
from natslib.spaces.cost import PAPER_SCALE, SCALES, SMALL_SCALE, Count, Scale, usual_scale
from natslib.spaces.holding_out import check_held_out, hold_out
from natslib.spaces.size import SIZE
from natslib.spaces.space import MUTATION_RULES, Arch, Code, CodeArray, Space
from natslib.spaces.topology import TOPOLOGY
from natslib.spaces.wiring import WIRING, wiring_space

__all__ = [
    "MUTATION_RULES",
    "PAPER_SCALE",
    "SCALES",
    "SIZE",
    "SMALL_SCALE",
    "SPACES",
    "TOPOLOGY",
    "WIRING",
    "Arch",
    "Code",
    "CodeArray",
    "Count",
    "Scale",
    "Space",
    "check_held_out",
    "get_space",
    "hold_out",
    "usual_scale",
    "wiring_space",
]

SPACES: dict[str, Space] = {space.name: space for space in (TOPOLOGY, SIZE, WIRING)}


def get_space(name: str) -> Space:
    """Return the space of that name ("tss", "sss") or title ("topology", "size"); raises `UnknownName`."""
    for space in SPACES.values():
        if name in (space.name, space.title):
            return space
    raise unknown_name(
        "space", name, [each for space in SPACES.values() for each in (space.name, space.title)]
    )
