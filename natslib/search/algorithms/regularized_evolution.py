"""REA: regularised (ageing) evolution (Real et al., AAAI 2019), as NATS-Bench runs it."""

from collections import deque

import numpy as np

from natslib.search.proposals import Result, Search, score_of
from natslib.spaces import Space


def regularized_evolution(
    space: Space,
    rng: np.random.Generator,
    *,
    population_size: int = 10,
    tournament_size: int = 3,
    mutation: str = "official",
) -> Search:
    """Mutate the best of a small random tournament; each child takes the place of the oldest member.

    The tournament is drawn with replacement. `mutation` is the rule of `space.mutate`: "official" may return the parent
    itself in the size space, "clean" never does. The defaults are those of NATS-Bench and of NAS-Bench-201.
    """
    population: deque[Result] = deque(maxlen=population_size)
    while True:
        if len(population) < population_size:
            arch = space.sample(rng)
        else:
            tournament = [population[int(rng.random() * population_size)] for _ in range(tournament_size)]
            arch = space.mutate(max(tournament, key=score_of).arch, rng, rule=mutation)
        seen = yield arch
        if seen:
            population.append(seen)  # a full deque drops its oldest
