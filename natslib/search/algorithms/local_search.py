"""Local search: hill climbing over single changes, with restarts (White et al., UAI 2021)."""

import numpy as np

from natslib.search.proposals import Result, Search, evaluate, score_of
from natslib.spaces import Arch, Space


def local_search(space: Space, rng: np.random.Generator) -> Search:
    """From a random architecture move to its best neighbour while that is better; then start again elsewhere.

    What was evaluated before in this run is remembered and not asked for again.
    """
    known: dict[Arch, Result] = {}
    while True:
        (here,) = yield from evaluate([space.sample(rng)])
        known[here.arch] = here
        climbing = True
        while climbing:
            around = [tuple(code) for code in rng.permutation(space.neighbours(here.arch)).tolist()]
            for seen in (yield from evaluate(code for code in around if code not in known)):
                known[seen.arch] = seen
            best = max([here, *(known[code] for code in around)], key=score_of)
            climbing = best.score > here.score
            here = best
