"""Regularised evolution, many runs side by side in arrays: the same numbers as run by run, much sooner.

The generator in `natslib.search.regularized_evolution` is the algorithm; this is the same with the steps of all runs
taken together. It reads each run's random stream in the order in which the generator draws from it, so the
trajectories are equal to the last bit, and a test holds it to that.
"""

from collections.abc import Callable, Sequence
from itertools import repeat as forever

import numpy as np
import numpy.typing as npt

from natslib.experiment.oracle import Oracle
from natslib.experiment.protocol import Protocol, Record
from natslib.experiment.seeds import streams
from natslib.search.regularized_evolution import regularized_evolution

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

POPULATION, TOURNAMENT = 10, 3  # the defaults of the generator
AT_ONCE = 500  # runs, so that memory stays flat


def fits(search: object, oracle: Oracle, protocol: Protocol) -> bool:
    """Say whether runs of a search function can be taken side by side: REA as it is, under the paper's protocol."""
    plain = protocol.workers == 1 and protocol.repeats == "charge" and protocol.overshoot == "keep"
    return search is regularized_evolution and plain and len(oracle.measured) == len(oracle.space)


def records(oracle: Oracle, protocol: Protocol, seeds: Sequence[int]) -> list[Record]:
    """Return what `run` returns for each seed, for regularised evolution with its defaults; see `fits`."""
    groups = [seeds[start : start + AT_ONCE] for start in range(0, len(seeds), AT_ONCE)]
    return [record for group in groups for record in side_by_side(oracle, protocol, group)]


def side_by_side(oracle: Oracle, protocol: Protocol, seeds: Sequence[int]) -> list[Record]:
    """Take one step of all runs after another until each has used up its budget."""
    costs_s = oracle.costs_s[:, -1]
    steps = int(protocol.budget_s / costs_s.min()) + 2
    draws, draw_score = uniforms(oracle, seeds, steps)
    mutate, runs = MUTATIONS[oracle.space.name], np.arange(len(seeds))
    index = np.zeros((steps, len(seeds)), dtype=np.int64)
    score, clock_s = np.zeros(index.shape), np.zeros(index.shape)
    used, step = POPULATION, 0
    while step == 0 or clock_s[step - 1].min() < protocol.budget_s:
        if step < POPULATION:
            index[step] = draws[step] * len(oracle.space)
        else:
            places = step - POPULATION + (draws[used : used + TOURNAMENT] * POPULATION).astype(np.int64)
            parents = places[score[places, runs].argmax(axis=0), runs]
            codes = oracle.space.codes(index[parents, runs])
            index[step] = oracle.space.indices(mutate(codes, draws[used + TOURNAMENT :]))
            used += TOURNAMENT + DRAWS[oracle.space.name]
        score[step] = draw_score(index[step])
        clock_s[step] = (clock_s[step - 1] if step else 0.0) + costs_s[index[step]]
        step += 1
    lengths = 1 + (clock_s[:step] < protocol.budget_s).sum(axis=0)
    columns = zip(index.T, score.T, clock_s.T, lengths, strict=True)
    return [record(oracle, i[:n], s[:n], t[:n]) for i, s, t, n in columns]


def record(oracle: Oracle, index: Ints, score: Floats, time_s: Floats) -> Record:
    """Return one run in the form of `protocol.run`."""
    costs_s = oracle.costs_s[index, -1].tolist()
    answers = zip(index.tolist(), forever(oracle.epochs[-1]), score.tolist(), costs_s, strict=False)
    return Record(list(answers), time_s.tolist())


def uniforms(oracle: Oracle, seeds: Sequence[int], steps: int) -> tuple[Floats, Callable[[Ints], Floats]]:
    """Return the uniform numbers of the searches, (draws, runs), and the function that draws stored scores."""
    wanted = POPULATION + steps * (TOURNAMENT + DRAWS[oracle.space.name])
    pairs = [streams(seed) for seed in seeds]
    search = np.array([stream.random(wanted) for stream, _ in pairs]).T
    scores = oracle.scores[:, :, -1]
    missing = np.isnan(scores)
    stored = np.take_along_axis(scores, np.argsort(missing, axis=0, kind="stable"), axis=0)
    counts, runs = (~missing).sum(axis=0), np.arange(len(seeds))
    choice = np.array([stream.random(steps) for _, stream in pairs])
    next_ = np.zeros(len(seeds), dtype=np.int64)

    def draw_score(index: Ints) -> Floats:
        several = counts[index] > 1  # where there is one score, nothing is drawn
        which = np.where(several, choice[runs, next_] * counts[index], 0).astype(np.int64)
        next_[several] += 1
        return stored[which, index]

    return search, draw_score


def mutate_topology(codes: npt.NDArray[np.uint8], draws: Floats) -> npt.NDArray[np.uint8]:
    """The official mutation of the topology space, (runs, 6) codes: a node, one of its edges, another operation."""
    node = 1 + (draws[0] * 3).astype(np.int64)
    edge = node * (node - 1) // 2 + (draws[1] * node).astype(np.int64)
    runs = np.arange(len(codes))
    children = codes.copy()
    children[runs, edge] = (codes[runs, edge] + 1 + (draws[2] * 4).astype(np.int64)) % 5
    return children


def mutate_size(codes: npt.NDArray[np.uint8], draws: Floats) -> npt.NDArray[np.uint8]:
    """The official mutation of the size space, (runs, 5) codes: a position, any channel number."""
    children = codes.copy()
    children[np.arange(len(codes)), (draws[0] * 5).astype(np.int64)] = (draws[1] * 8).astype(np.int64)
    return children


MUTATIONS = {"tss": mutate_topology, "sss": mutate_size}
DRAWS = {"tss": 3, "sss": 2}
