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

Codes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

POPULATION, TOURNAMENT = 10, 3  # the defaults of the generator
AT_ONCE = 500  # runs, so that memory stays flat
BLOCK = 512  # random numbers of a run drawn together


def fits(search: object, oracle: Oracle, protocol: Protocol) -> bool:
    """Say whether runs of a search function can be taken side by side: REA as it is, under the paper's protocol.

    A budget of more than `MAX_EVALUATIONS` is for the other way, which ends such a run with an error.
    """
    if search is not regularized_evolution or protocol.budget_s > MAX_EVALUATIONS * np.nanmin(oracle.costs_s):
        return False
    plain = protocol.workers == 1 and protocol.repeats == "charge" and protocol.overshoot == "keep"
    return plain and len(oracle.measured) == len(oracle.space)


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
    index, score, time_s = side_by_side(oracle, protocol.budget_s, seeds)
    lengths = 1 + (time_s < protocol.budget_s).sum(axis=0)
    lived = np.arange(len(index)) < lengths[:, None]
    index, score, time_s = (column.T[lived] for column in (index, score, time_s))
    epochs = np.full(len(index), oracle.epochs[-1], dtype=np.int64)
    return assemble(runs, seeds, lengths, index, epochs, score, oracle.costs_s[index, -1], time_s)


def side_by_side(oracle: Oracle, budget_s: float, seeds: Sequence[int]) -> tuple[Ints, Floats, Floats]:
    """Step all runs until each has used up its budget; return index, score and clock in seconds, (steps, runs)."""
    pairs = [streams(seed) for seed in seeds]
    uniforms, scores = (
        Uniforms([search for search, _ in pairs]),
        Scores(oracle, [stored for _, stored in pairs]),
    )
    population = np.zeros((POPULATION, len(seeds)), dtype=np.int64), np.zeros((POPULATION, len(seeds)))
    clock_s = np.zeros(len(seeds))
    steps: list[tuple[Ints, Floats, Floats]] = []
    while clock_s.min(initial=np.inf) < budget_s:
        step = len(steps)
        if step < POPULATION:
            index = (uniforms.take(1)[0] * len(oracle.space)).astype(np.int64)
        else:
            index = children(oracle, step, *population, uniforms)
        score = scores.draw(index)
        clock_s = clock_s + oracle.costs_s[index, -1]
        population[0][step % POPULATION], population[1][step % POPULATION] = index, score
        steps.append((index, score, clock_s))
    index, score, time_s = (np.array(column) for column in zip(*steps, strict=True))
    return index, score, time_s


def children(oracle: Oracle, step: int, index: Ints, score: Floats, uniforms: "Uniforms") -> Ints:
    """Return a child for each run: the mutant of the best of a tournament; the population is a ring, (10, runs)."""
    runs = np.arange(index.shape[1])
    drawn = (step + (uniforms.take(TOURNAMENT) * POPULATION).astype(np.int64)) % POPULATION  # 0 is the oldest
    parents = drawn[score[drawn, runs].argmax(axis=0), runs]
    mutate = mutate_topology if oracle.space.name == "tss" else mutate_size
    return oracle.space.indices(mutate(oracle.space.codes(index[parents, runs]), uniforms))


def mutate_topology(codes: Codes, uniforms: "Uniforms") -> Codes:
    """Return (runs, 6) codes after the official mutation of topologies: a node, one of its edges, another operation."""
    for_node, for_source, for_choice = uniforms.take(3)
    node = 1 + (for_node * 3).astype(np.int64)
    edge = node * (node - 1) // 2 + (for_source * node).astype(np.int64)
    runs, mutants = np.arange(len(codes)), codes.copy()
    mutants[runs, edge] = (codes[runs, edge] + 1 + (for_choice * 4).astype(np.int64)) % 5
    return mutants


def mutate_size(codes: Codes, uniforms: "Uniforms") -> Codes:
    """Return (runs, 5) codes after the official mutation of sizes: a position, any channel number."""
    for_position, for_choice = uniforms.take(2)
    mutants = codes.copy()
    mutants[np.arange(len(codes)), (for_position * 5).astype(np.int64)] = (for_choice * 8).astype(np.int64)
    return mutants


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
