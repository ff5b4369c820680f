"""Predictor-guided evolution, after NPENAS (Wei et al., IEEE TNNLS 2022)."""

import numpy as np

from natslib.search.algorithms.bananas_ridge import mutants
from natslib.search.predictors import Ridge
from natslib.search.proposals import Search, evaluate
from natslib.spaces import Space


def npenas(
    space: Space,
    rng: np.random.Generator,
    *,
    start: int = 10,
    batch: int = 10,
    candidates: int = 100,
    parents: int = 10,
) -> Search:
    """Breed many children of the best so far and evaluate only those that the predictor thinks best.

    The paper trains a graph network; here `predictors.Ridge` on indicators (one-hot) predicts, by its mean.
    """
    known = yield from evaluate([space.sample(rng) for _ in range(start)])
    model = Ridge(len(space.positions) * len(space.choices), rng)
    while True:
        model.fit(space.one_hot(np.array([seen.arch for seen in known])), [seen.score for seen in known])
        children = mutants(space, known, rng, candidates, parents)
        guesses = model.predict(space.one_hot(np.array(children))).mean(axis=0)
        chosen = np.argsort(-guesses, kind="stable")[:batch]
        known += yield from evaluate([children[number] for number in chosen])
