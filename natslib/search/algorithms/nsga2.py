"""NSGA-II over accuracy and FLOPs (Deb et al., IEEE TEVC 2002)."""

import numpy as np
import numpy.typing as npt

from natslib.search.proposals import Search, evaluate
from natslib.spaces import Space, usual_scale

Floats = npt.NDArray[np.float64]


def nsga2(
    space: Space, rng: np.random.Generator, *, population_size: int = 20, flops_of: str = "cifar10"
) -> Search:
    """Evolve a set that trades score (to be high) against FLOPs (to be low).

    Children come from binary tournaments by front and crowding, uniform crossover and one clean mutation. FLOPs are
    known without training; they are counted on the dataset `flops_of`, at its usual scale.
    """
    population = yield from evaluate([space.sample(rng) for _ in range(population_size)])
    while True:
        ranking = rank(objectives(space, population, flops_of))
        parents = [population[tournament(ranking, rng)].arch for _ in range(2 * population_size)]
        pairs = zip(parents[::2], parents[1::2], strict=True)
        children = [space.mutate(space.crossover(a, b, rng), rng) for a, b in pairs]
        everybody = population + (yield from evaluate(children))
        best = np.argsort(rank(objectives(space, everybody, flops_of)), kind="stable")
        population = [everybody[number] for number in best[:population_size]]


def objectives(space: Space, population: list, flops_of: str) -> Floats:
    """Return what is to be minimised, shape (n, 2): minus the score, and FLOPs in millions."""
    codes = np.array([seen.arch for seen in population])
    flops_m = space.flops_m(codes, flops_of, usual_scale(flops_of))
    return np.column_stack([[-seen.score for seen in population], flops_m])


def tournament(ranking: npt.NDArray[np.int64], rng: np.random.Generator) -> int:
    """Draw two members and return the number of the better ranked."""
    first, second = rng.integers(len(ranking), size=2)
    return int(first if ranking[first] <= ranking[second] else second)


def rank(points: Floats) -> npt.NDArray[np.int64]:
    """Return the place of each point, 0 first: by its front, and within a front the least crowded first."""
    front = fronts(points)
    crowding = np.zeros(len(points))
    for number in np.unique(front):
        members = np.flatnonzero(front == number)
        crowding[members] = crowding_distance(points[members])
    places = np.empty(len(points), dtype=np.int64)
    places[np.lexsort((-crowding, front))] = np.arange(len(points))
    return places


def fronts(points: Floats) -> npt.NDArray[np.int64]:
    """Return the number of the front of each point, 0 for those that no other dominates; shape (n, d) to (n,)."""
    no_worse = (points[:, None] <= points[None]).all(axis=2)
    better = (points[:, None] < points[None]).any(axis=2)
    dominates = no_worse & better
    front = np.full(len(points), -1, dtype=np.int64)
    number = 0
    while (front < 0).any():
        open_ = front < 0
        front[open_ & ~(dominates & open_[:, None]).any(axis=0)] = number
        number += 1
    return front


def crowding_distance(points: Floats) -> Floats:
    """Return how far apart the neighbours of each point of one front are; infinite at the ends; (n, d) to (n,)."""
    distance = np.zeros(len(points))
    for values in points.T:
        order = np.argsort(values, kind="stable")
        span = values[order[-1]] - values[order[0]]
        distance[order[[0, -1]]] = np.inf
        if span > 0:
            distance[order[1:-1]] += (values[order[2:]] - values[order[:-2]]) / span
    return distance
