"""The networks of both spaces, layer by layer as the benchmark defines them. Needs torch."""

from natslib.nets.candidate import Network, build_network, count_flops, count_params

__all__ = ["Network", "build_network", "count_flops", "count_params"]
