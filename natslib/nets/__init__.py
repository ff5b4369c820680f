"""The networks of both spaces, layer by layer as the benchmark defines them. Needs torch."""

from natslib.nets.build import build_network
from natslib.nets.counting import count_flops, count_params
from natslib.nets.skeletons import PUBLISHED, SMALL, Network, Scale

__all__ = ["PUBLISHED", "SMALL", "Network", "Scale", "build_network", "count_flops", "count_params"]
