"""RANDOM: uniform random search (NATS-Bench, section 4.1)."""

import numpy as np

from natslib.search.proposals import Search
from natslib.spaces import Space


def random_search(space: Space, rng: np.random.Generator) -> Search:
    """Propose uniformly random architectures, with replacement, for ever."""
    while True:
        yield space.sample(rng)
