"""The macro skeleton that both spaces share, block by block (NATS-Bench, figure 1)."""

import numpy as np
import pandas as pd

_BLOCKS = (
    ("stem", "stem", "conv 3×3, BN", "16", "c0", 1),
    ("cell", "cell × N", "searched", "16", "c0", 1),
    ("reduction", "reduction", "residual,\nstride 2", "32", "c1", 2),
    ("cell", "cell × N", "searched", "32", "c2", 2),
    ("reduction", "reduction", "residual,\nstride 2", "64", "c3", 4),
    ("cell", "cell × N", "searched", "64", "c4", 4),
    ("head", "head", "BN, ReLU,\npool, linear", "classes", "classes", 0),
)


def macro_skeleton() -> pd.DataFrame:
    """Return one row a block, input first: kind, title, detail, topology_channels, size_channels, shrink.

    In the topology space the channels are fixed and N is 5; in the size space N is 1 and the five channel numbers
    c0 … c4 are searched. The image side is divided by `shrink` after the block; 0 where no image is left.
    """
    names = ["kind", "title", "detail", "topology_channels", "size_channels", "shrink"]
    return pd.DataFrame(_BLOCKS, columns=names)


def class_sizes(classes: pd.Series) -> pd.DataFrame:
    """Return how many classes there are of each size: size, classes, architectures."""
    sizes = classes.value_counts().value_counts().sort_index()
    return pd.DataFrame(
        {"size": sizes.index, "classes": sizes.to_numpy(), "architectures": sizes.index * sizes}
    )


def cost_levels(params_m: np.ndarray, flops_m: np.ndarray) -> pd.DataFrame:
    """Return the distinct cost levels, cheapest first: columns params_m, flops_m (millions), architectures."""
    costs = pd.DataFrame({"params_m": params_m, "flops_m": flops_m})
    return costs.groupby(["params_m", "flops_m"]).size().rename("architectures").reset_index()
