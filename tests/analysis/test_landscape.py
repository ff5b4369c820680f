"""Landscapes whose optima, basins and walks are known, a slow count beside the quick one, and the papers' cells."""

import numpy as np
import pandas as pd
import pytest

from natslib.analysis.columns import accuracy_frame, find_columns
from natslib.analysis.factorial import find_factorial
from natslib.analysis.landscape import (
    ascents,
    best_neighbours,
    by_distance,
    correlation_length,
    distances,
    landscape_row,
    local_optima,
    optima_by_one_seed,
    reached_within,
    walk_correlation,
    walked_correlation,
)
from natslib.spaces import get_space
from natslib.tables import load

SHAPE = (3, 4, 2, 3)


def nk(k: int, seed: int = 0, positions: int = 8) -> np.ndarray:
    """Return an NK landscape (Kauffman 1993): the mean of contributions, each of one bit and the `k` that follow it."""
    rng = np.random.default_rng(seed)
    bits = np.indices((2,) * positions)
    total = np.zeros((2,) * positions)
    for position in range(positions):
        table = rng.random((2,) * (k + 1))
        total += table[tuple(bits[(position + step) % positions] for step in range(k + 1))]
    return total / positions


def neighbours(code: tuple[int, ...], shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [
        (*code[:axis], choice, *code[axis + 1 :])
        for axis, size in enumerate(shape)
        for choice in range(size)
        if choice != code[axis]
    ]


def climbed(cube: np.ndarray, code: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """Climb one step after another, as `local_search` does."""
    for steps in range(cube.size):
        best = max(neighbours(code, cube.shape), key=lambda each: cube[each])
        if cube[best] <= cube[code]:
            return code, steps
        code = best
    raise AssertionError("it climbs for ever")


def test_every_ascent_is_that_of_a_slow_climb() -> None:
    cube = np.random.default_rng(1).normal(size=SHAPE)
    found = ascents(cube)
    for flat, code in enumerate(np.ndindex(SHAPE)):
        end, steps = climbed(cube, code)
        assert found.loc[flat, ["end", "steps"]].tolist() == [np.ravel_multi_index(end, SHAPE), steps]


def test_neighbours_are_those_of_the_space() -> None:
    space = get_space("tss")
    accuracy = pd.Series(np.random.default_rng(0).permutation(len(space)).astype(float))
    grid = find_factorial(space, accuracy)
    target = grid.archs.ravel()[best_neighbours(grid.cube(accuracy))]
    for place in range(0, len(space), 997):
        arch = grid.archs.ravel()[place]
        around = [arch, *space.indices(space.neighbours(int(arch)))]
        assert target[place] == max(around, key=accuracy.__getitem__)


def test_without_interaction_there_is_one_optimum_and_every_ascent_reaches_it() -> None:
    climbs = ascents(nk(0))
    assert climbs["end"].nunique() == 1
    assert climbs["steps"].max() <= 8
    assert (climbs["below"] == 0).all()


def test_ruggedness_grows_with_k() -> None:
    counts = [np.mean([ascents(nk(k, seed))["end"].nunique() for seed in range(5)]) for k in (0, 1, 3, 7)]
    assert counts == sorted(counts)
    assert counts[-1] == pytest.approx(
        2**8 / 9, rel=0.25
    )  # of independent values, one in 1 + 8 is the best around


def test_plateaus_end_an_ascent() -> None:
    climbs = ascents(np.array([[1.0, 1.0], [0.0, 1.0]]))
    assert climbs["end"].tolist() == [0, 1, 0, 3]
    found = local_optima(climbs, np.array([[7, 8], [9, 10]]))
    assert found.to_dict("list") == {"arch_index": [7, 8, 10], "below": [0, 0, 0], "basin": [0.5, 0.25, 0.25]}


def test_basins_share_all_starts_and_the_best_comes_first() -> None:
    cube = nk(4)
    climbs = ascents(cube)
    found = local_optima(climbs, np.arange(cube.size))
    assert found["basin"].sum() == pytest.approx(1)
    assert found["arch_index"][0] == cube.argmax()
    assert reached_within(climbs)["share"].iloc[-1] == 1
    assert reached_within(climbs)["share"].iloc[0] == pytest.approx(
        found.loc[found["below"] == 0, "basin"].sum()
    )


def transitions(shape: tuple[int, ...]) -> np.ndarray:
    """Return the chances of a step of the walk between all combinations."""
    matrix = np.zeros((np.prod(shape),) * 2)
    for code in np.ndindex(shape):
        for other in neighbours(code, shape):
            (axis,) = np.flatnonzero(np.array(code) != other)
            chance = 1 / (len(shape) * (shape[axis] - 1))
            matrix[np.ravel_multi_index(code, shape), np.ravel_multi_index(other, shape)] = chance
    return matrix


def test_the_walks_correlation_is_that_of_its_transition_matrix() -> None:
    cube = np.random.default_rng(2).normal(size=SHAPE)
    apart, matrix = cube.ravel() - cube.mean(), transitions(SHAPE)
    slow = [apart @ np.linalg.matrix_power(matrix, lag) @ apart / (apart @ apart) for lag in range(6)]
    assert walk_correlation(cube, 5)["correlation"].to_numpy() == pytest.approx(slow, abs=1e-12)


def test_walks_agree_with_it() -> None:
    cube = nk(2)
    walked = walked_correlation(cube, 6, 4000, np.random.default_rng(0))["correlation"]
    assert walked.to_numpy() == pytest.approx(walk_correlation(cube, 6)["correlation"].to_numpy(), abs=0.02)


def test_an_additive_landscape_has_the_longest_walk_and_a_random_one_none() -> None:
    additive, random = (correlation_length(walk_correlation(nk(k), 1)) for k in (0, 7))
    assert additive == pytest.approx(-1 / np.log(1 - 2 / 8))
    assert random < 0.5
    parity = np.array([[1.0, -1], [-1, 1]])
    assert correlation_length(walk_correlation(parity, 1)) == 0


def test_distance_is_to_the_nearest_of_the_best() -> None:
    cube = np.zeros((2, 2, 3))
    cube[0, 0, 0] = cube[1, 1, 2] = 5.0
    assert distances(cube).reshape(cube.shape)[0, 0].tolist() == [0, 1, 1]
    assert distances(cube).reshape(cube.shape)[1, 1].tolist() == [1, 1, 0]
    frame = by_distance(cube)
    assert frame["number"].tolist() == [2, 8, 2]
    assert frame["mean"].tolist() == [5, 0, 0]


def test_fitness_that_is_distance_correlates_perfectly() -> None:
    cube = -np.indices((2,) * 5).sum(axis=0).astype(float)
    row = landscape_row(cube, ascents(cube))
    assert row["fdc"] == pytest.approx(-1)
    assert (row["optima"], row["best"], row["basin"], row["below"]) == (1, 1, 1, 0)
    assert row["steps"] == pytest.approx(2.5)


def test_single_seeds_count_where_all_were_run() -> None:
    space = get_space("sss")
    held = np.isin(space.codes(), [0, 7]).all(axis=1)
    noise = np.random.default_rng(0)
    smooth = pd.Series(space.codes().sum(axis=1).astype(float)).where(held)
    rough = pd.Series(noise.normal(size=len(space))).where(held)
    grid = find_factorial(space, smooth)
    holes = rough.where(rough.index != grid.archs[0, 1, 0, 0, 0])
    rugged = ascents(grid.cube(rough))["end"].nunique()
    assert optima_by_one_seed(pd.DataFrame({1: smooth, 2: rough, 3: holes}), grid) == (1 + rugged) / 2
    assert np.isnan(optima_by_one_seed(pd.DataFrame({3: holes}), grid))


def test_the_papers_cells_have_few_optima() -> None:
    """Counted here; that noise makes a space harder for local search is what White et al. (UAI 2021) say."""
    table = load("published")
    (column, *_) = find_columns(table.runs(), table.values, splits=["valid"])
    accuracy = accuracy_frame(table.values, [column])[column.label]
    grid = find_factorial(table.space, accuracy)
    found = local_optima(ascents(grid.cube(accuracy)), grid.archs)
    assert (len(found), found["arch_index"][0]) == (13, 6111)
    assert found["basin"][0] == pytest.approx(0.701, abs=5e-4)
    assert optima_by_one_seed(table.per_seed("accuracy", **column.key), grid) == 29
