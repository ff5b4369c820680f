"""Regularised evolution, many runs side by side in arrays: the same numbers as run by run, much sooner.

The generator in `natslib.search.algorithms` is the algorithm; here the steps of all runs are taken together. Each run's
random streams are read in the order in which generator and oracle draw from them, so the trajectories are equal to the
last bit, and a test holds them to that.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.search.algorithms.regularized_evolution import regularized_evolution
from natslib.search.oracle import Oracle
from natslib.search.simulate import MAX_EVALUATIONS, Dice, Protocol, streams
from natslib.search.trajectory import assemble

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

POPULATION, TOURNAMENT = 10, 3  # the defaults of the generator
AT_ONCE = 500  # runs, so that memory stays flat
BLOCK = 512  # random numbers of a run drawn together


def fits(search: object, oracle: Oracle, protocol: Protocol) -> bool:
    """Say whether runs of a search function can be taken side by side: REA as it is, under the paper's protocol.

    The space must say how many codes are mutated at once, and be measured throughout. A budget of more than
    `MAX_EVALUATIONS` is for the other way, which ends such a run with an error.
    """
    if search is not regularized_evolution or protocol.budget > MAX_EVALUATIONS * np.nanmin(oracle.costs):
        return False
    plain = protocol.workers == 1 and protocol.repeats == "charge" and protocol.overshoot == "keep"
    mutated = oracle.space.official_mutations is not None
    return plain and mutated and len(oracle.measured) == len(oracle.space)


def trajectories(
    oracle: Oracle, protocol: Protocol, runs: Sequence[int], seeds: Sequence[int]
) -> pd.DataFrame:
    """Return the trajectories of regularised evolution with its defaults, where it `fits`; see `trajectory_frame`."""
    starts = range(0, len(seeds), AT_ONCE)
    groups = [slice(start, start + AT_ONCE) for start in starts]
    return pd.concat(
        [group_of(oracle, protocol, runs[group], seeds[group]) for group in groups], ignore_index=True
    )


def group_of(oracle: Oracle, protocol: Protocol, runs: Sequence[int], seeds: Sequence[int]) -> pd.DataFrame:
    """Return the trajectories of runs that are in memory together."""
    index, score, spent = side_by_side(oracle, protocol.budget, seeds)
    lengths = 1 + (spent < protocol.budget).sum(axis=0)
    lived = np.arange(len(index)) < lengths[:, None]
    index, score, spent = (column.T[lived] for column in (index, score, spent))
    epochs = np.full(len(index), oracle.epochs[-1], dtype=np.int64)
    return assemble(runs, seeds, lengths, index, epochs, score, oracle.costs[index, -1], spent)


def side_by_side(oracle: Oracle, budget: float, seeds: Sequence[int]) -> tuple[Ints, Floats, Floats]:
    """Step all runs until each has used up its budget; return index, score and what is spent, (steps, runs)."""
    pairs = [streams(seed) for seed in seeds]
    uniforms, scores = (
        Uniforms([search for search, _ in pairs]),
        Scores(oracle, [stored for _, stored in pairs]),
    )
    population = np.zeros((POPULATION, len(seeds)), dtype=np.int64), np.zeros((POPULATION, len(seeds)))
    spent = np.zeros(len(seeds))
    steps: list[tuple[Ints, Floats, Floats]] = []
    while spent.min(initial=np.inf) < budget:
        step = len(steps)
        if step < POPULATION:
            index = (uniforms.take(1)[0] * len(oracle.space)).astype(np.int64)
        else:
            index = children(oracle, step, *population, uniforms)
        score = scores.draw(index)
        spent = spent + oracle.costs[index, -1]
        population[0][step % POPULATION], population[1][step % POPULATION] = index, score
        steps.append((index, score, spent))
    index, score, spent = (np.array(column) for column in zip(*steps, strict=True))
    return index, score, spent


def children(oracle: Oracle, step: int, index: Ints, score: Floats, uniforms: "Uniforms") -> Ints:
    """Return a child for each run: the mutant of the best of a tournament; the population is a ring, (10, runs)."""
    runs = np.arange(index.shape[1])
    drawn = (step + (uniforms.take(TOURNAMENT) * POPULATION).astype(np.int64)) % POPULATION  # 0 is the oldest
    parents = drawn[score[drawn, runs].argmax(axis=0), runs]
    mutate = oracle.space.official_mutations
    assert mutate is not None  # or it would not fit
    return oracle.space.indices(mutate(oracle.space.codes(index[parents, runs]), uniforms.take))


class Uniforms:
    """The uniform numbers of many generators, each in its own order."""

    def __init__(self, generators: Sequence[Dice]) -> None:
        self._generators = generators
        self._left: Floats = np.empty((0, len(generators)))

    def take(self, count: int) -> Floats:
        """Return the next `count` numbers of every generator, (count, runs)."""
        if len(self._left) < count:
            fresh = np.array([generator.random(BLOCK) for generator in self._generators]).T
            self._left = np.ascontiguousarray(np.concatenate([self._left, fresh]))
        taken, self._left = self._left[:count], self._left[count:]
        return taken


class Scores:
    """Stored scores, drawn as the oracle does: a random one where an architecture has several, else without a draw."""

    def __init__(self, oracle: Oracle, generators: Sequence[Dice]) -> None:
        scores = oracle.scores[:, :, -1]
        missing = np.isnan(scores)
        self._stored = np.take_along_axis(scores, np.argsort(missing, axis=0, kind="stable"), axis=0)
        self._counts = (~missing).sum(axis=0)
        self._generators = generators
        self._uniforms: Floats = np.empty((len(generators), 0))
        self._used = np.zeros(len(generators), dtype=np.int64)

    def draw(self, index: Ints) -> Floats:
        """Return a score of one architecture a run, (runs,)."""
        counts = self._counts[index]
        several = counts > 1
        if not several.any():
            return self._stored[0, index]
        if self._used.max() == self._uniforms.shape[1]:
            fresh = np.array([generator.random(BLOCK) for generator in self._generators])
            self._uniforms = np.concatenate([self._uniforms, fresh], axis=1)
        drawn = self._uniforms[np.arange(len(index)), self._used] * counts
        self._used += several
        return self._stored[np.where(several, drawn, 0.0).astype(np.int64), index]
