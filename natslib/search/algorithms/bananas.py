"""BANANAS: Bayesian optimisation with an ensemble of networks on path encodings (White et al., AAAI 2021)."""

from collections.abc import Callable

import numpy as np

from natslib.search.predictors import Networks
from natslib.search.proposals import Result, Search, evaluate, score_of
from natslib.search.subspace import covers
from natslib.spaces import Code, Space
from natslib.spaces.space import change
from natslib.spaces.topology import path_encoding

SHORT_PATHS = 30  # of the 155 paths of a cell: those of one and two operations
PARENTS = 5  # the best, and who takes its place where its mutants run out


def bananas(
    space: Space, rng: np.random.Generator, *, start: int = 10, batch: int = 10, candidates: int = 100
) -> Search:
    """Evaluate, batch by batch, the mutants of the best so far that independent Thompson sampling ranks first.

    As published and released (naszilla): five networks of ten layers predict the error from the paths of one and two
    operations (the size space, which is not the papers', is encoded one-hot); each candidate is ranked by one draw
    from a normal distribution with their mean and spread. `bananas_ridge` does without the training.
    """
    encode = encoding_of(space)
    known = yield from evaluate(list(dict.fromkeys(space.sample(rng) for _ in range(5 * start)))[:start])
    model = Networks(encode(space.codes([0])).shape[1], rng)
    while True:
        errors = [100.0 - seen.score for seen in known]
        model.fit(encode(np.array([seen.arch for seen in known])), errors)
        pool = mutants_of_the_best(space, known, rng, candidates)
        guesses = model.predict(encode(np.array(pool)))
        draws = guesses.mean(axis=0) + guesses.std(axis=0) * rng.standard_normal(len(pool))
        chosen = np.argsort(draws, kind="stable")[:batch]
        known += yield from evaluate([pool[number] for number in chosen])


def encoding_of(space: Space) -> Callable[[np.ndarray], np.ndarray]:
    """Return the encoding of codes that suits the space: short paths for topologies, indicators for sizes."""
    return (lambda codes: path_encoding(codes)[:, :SHORT_PATHS]) if space.name == "tss" else space.one_hot


def mutants_of_the_best(
    space: Space, known: list[Result], rng: np.random.Generator, count: int
) -> list[Code]:
    """Return the new ones among `count` mutants of the best so far, and of the next best while they are too few.

    Where nothing new was found, a random one comes back.
    """
    taken = {seen.arch for seen in known}
    pool: dict[Code, None] = {}
    for parent in sorted(known, key=score_of, reverse=True)[:PARENTS]:
        children = (mutant(space, parent.arch, rng) for _ in range(count))
        pool |= dict.fromkeys(child for child in children if child not in taken)
        if len(pool) >= count:
            break
    return list(pool) or [space.sample(rng)]


def mutant(space: Space, parent: Code, rng: np.random.Generator) -> Code:
    """Change each position with the released chance, 1 in 4 for topologies; one that is not covered, one at random."""
    child = parent
    for position in range(len(parent)):
        if rng.random() < 1.0 / (len(parent) - 2):
            child = change(child, position, len(space.choices), rng)
    return child if covers(space, child) else space.mutate(parent, rng)
