"""ASHA: asynchronous successive halving (Li et al., MLSys 2020)."""

from itertools import pairwise

import numpy as np

from natslib.search.algorithms.successive_halving import rung_epochs
from natslib.search.proposals import Result, Search, Trial, score_of
from natslib.spaces import Arch, Space


def asha(
    space: Space, rng: np.random.Generator, *, max_epochs: int = 12, min_epochs: int = 1, eta: int = 3
) -> Search:
    """Promote whatever is in the best 1/eta of its rung so far; where nothing is, start a random architecture.

    No worker ever waits for a rung to fill up: this is the method for many workers.
    """
    epochs = rung_epochs(max_epochs, min_epochs, eta)
    finished: dict[int, list[Result]] = {rung: [] for rung in epochs}
    promoted: dict[int, set[Arch]] = {rung: set() for rung in epochs}
    while True:
        seen = yield next_trial(space, rng, epochs, finished, promoted, eta)
        if seen:
            finished[seen.epochs].append(seen)


def next_trial(
    space: Space,
    rng: np.random.Generator,
    epochs: list[int],
    finished: dict[int, list[Result]],
    promoted: dict[int, set[Arch]],
    eta: int,
) -> Trial:
    """Return the highest promotion there is, and note it; else a random architecture for the lowest rung."""
    for low, high in reversed(list(pairwise(epochs))):
        top = sorted(finished[low], key=score_of, reverse=True)[: len(finished[low]) // eta]
        for seen in top:
            if seen.arch not in promoted[low]:
                promoted[low].add(seen.arch)
                return Trial(seen.arch, high)
    return Trial(space.sample(rng), epochs[0])
