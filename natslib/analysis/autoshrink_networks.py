"""The two networks that AutoShrink found, counted from their cells (Zhang et al., AAAI 2020; released code b37564d).

Batch norms are left out, as in the authors' counts; biases of the classifier are in.
"""

import numpy as np
import pandas as pd

from natslib.spaces import Count
from natslib.spaces.wiring import CONV_1X1, SEP_CONV_3X3, Integers, adjacency, count_cell, edges_of

SHRINK_CNN = {(0, 1), (0, 2), (0, 3), (1, 3), (0, 4), (2, 4)}
SHRINK_CNN_OPS = (SEP_CONV_3X3, SEP_CONV_3X3, SEP_CONV_3X3, CONV_1X1)
SHRINK_CNN_STAGES = ((1, 12, 1), (3, 24, 2), (4, 44, 2), (6, 88, 2), (4, 180, 2))
"""Of each stage: cells, channels a node, and by what its input is pooled."""
SHRINK_RNN = {(0, node) for node in range(1, 6)} | {(1, 3), (1, 4), (1, 5), (2, 4), (2, 5), (3, 4), (3, 5)}
"""The edges of the released recurrent cell: twelve, of fifteen."""


def shrink_cnn(side: int = 224, stem: int = 44, head: int = 1280, classes: int = 1001) -> Count:
    """Return parameters and multiply-accumulates, scalars, of the published ImageNet network for images of `side`²."""
    matrix = adjacency([edge in SHRINK_CNN for edge in edges_of(len(SHRINK_CNN_OPS) + 1)])
    params, channels, side = np.array(27 * stem), np.array(stem), side // 2
    macs: Integers = params * side**2
    for cells, width, pooled in SHRINK_CNN_STAGES:
        side //= pooled
        for _ in range(cells):
            weights, _, channels = count_cell(matrix, SHRINK_CNN_OPS, channels, width, norms=False)
            params, macs = params + weights, macs + weights * side**2
    last, linear = channels * head, (head + 1) * classes
    return Count(params + last + linear, macs + last * side**2 + linear)


def shrink_rnn(edges: int = len(SHRINK_RNN), hidden: int = 745, vocabulary: int = 10_000) -> int:
    """Return the parameters of the published language model, with so many edges in its cell.

    Word vectors are as long as the state and are the classifier's weights too, which has biases; the input and the
    state before make a gate and a value, and so does every edge.
    """
    return vocabulary * (hidden + 1) + (2 * hidden) ** 2 + edges * 2 * hidden**2


def found_networks() -> pd.DataFrame:
    """Return the counts, one row a network: network, edges, params_m and flops_m (both millions).

    The authors give the recurrent network 24 M parameters: the released cell has 12 edges, and 13 are nearer to that.
    `flops_m` of a recurrent network is NaN: the authors publish none.
    """
    cnn = shrink_cnn()
    rows: list[tuple[str, int, float, float]] = [
        ("ShrinkCNN", len(SHRINK_CNN), float(cnn.params) / 1e6, float(cnn.macs) / 1e6)
    ]
    rows += [("ShrinkRNN", edges, shrink_rnn(edges) / 1e6, np.nan) for edges in (len(SHRINK_RNN), 13, 15)]
    return pd.DataFrame(rows, columns=["network", "edges", "params_m", "flops_m"])
