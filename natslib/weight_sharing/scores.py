"""What a finished supernet thinks of candidates that our own benchmark trains by themselves."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from natslib.nets.supernets import TopologySupernet, one_hot_weights
from natslib.spaces import get_space
from natslib.training.jobs import representatives, sub_grid
from natslib.weight_sharing.method import Batch, Code, Method, ValidBatches


def sample(space: str, n: int) -> np.ndarray:
    """Return the indices of the `n` architectures of a space that our own benchmark trains first: a random sample.

    On the topology space of cells that differ as functions, on the size space of the sub-grid of widths.
    """
    return (representatives() if space == "tss" else sub_grid())[:n]


@torch.no_grad()
def score_sample(method: Method, valid_batches: ValidBatches) -> pd.DataFrame:
    """Return how a supernet scores each of the sample on every validation image, in evaluation mode.

    One row an architecture: arch_index, accuracy (percent) and mean loss. On the size space two: `inside` says whether
    the masks were applied to every layer, as the candidate has it, or to the outputs of the units alone, as the
    searches do.
    """
    space, batches = get_space(method.space), list(valid_batches.whole())
    network, rows = method.network.eval(), []
    for index in sample(method.space, method.settings.scored).tolist():
        for inside in (False,) if isinstance(network, TopologySupernet) else (False, True):
            outputs = [_logits(method, space.code(index), batch, inside=inside) for batch in batches]
            logits, labels = torch.cat(outputs), torch.cat([batch.labels for batch in batches])
            accuracy = 100 * (logits.argmax(1) == labels).float().mean()
            rows.append((index, inside, float(accuracy), float(cross_entropy(logits, labels))))
    network.train()
    return pd.DataFrame(rows, columns=["arch_index", "inside", "accuracy", "loss"])


def _logits(method: Method, code: Code, batch: Batch, *, inside: bool) -> Tensor:
    network: Any = method.network
    if isinstance(network, TopologySupernet):
        return network(batch.images, *one_hot_weights(code))
    return network(batch.images, network.gates(code), inside=inside)
