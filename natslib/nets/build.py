"""Build the network of any architecture of the two spaces."""

from natslib.nets.skeletons import Network, Scale, size_network, topology_network
from natslib.spaces import get_space
from natslib.spaces.size import CHANNELS


def build_network(
    space: str, arch: int | str | tuple[int, ...], *, in_channels: int, classes: int, scale: Scale
) -> Network:
    """Return the network of an architecture named by its index, its string or its code, with PyTorch's initial weights.

    `space` is 'tss' or 'sss'. Weights come from torch's global generator: seed it first, as the protocol does.
    Raises `UnknownName` or `UnknownArchitecture`.
    """
    found = get_space(space)
    code = found.code(arch)
    if found.name == "tss":
        return topology_network(code, in_channels, classes, scale)
    widths = [CHANNELS[choice] // scale.width_divisor for choice in code]
    return size_network(widths, in_channels, classes)
