"""The landscape of a space: where ascents end, how fast a walk forgets, and whether the best lies where good ones are.

Neighbours differ at one position, as `Space.neighbours` has it; a walk steps as `Space.mutate` does, to a position and
then to another of its choices, all equally likely. A cube holds one accuracy for each combination of choices, an axis a
position (`analysis.factorial`); in a part of a space, neighbours are those in that part.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.analysis.factorial import Factorial, variance_frame

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def best_neighbours(cube: Floats) -> Integers:
    """Return where a steepest ascent goes from each combination, as flat indices (n,): itself where nothing is better.

    Of equally good neighbours it takes the first by position, then by choice.
    """
    here = np.arange(cube.size).reshape(cube.shape)
    target, reached = here.copy(), cube.copy()
    for axis in range(cube.ndim):
        top = np.take_along_axis(here, np.expand_dims(cube.argmax(axis), axis), axis)
        better = cube.ravel()[top] > reached
        target = np.where(better, top, target)
        reached = np.where(better, cube.ravel()[top], reached)
    return target.ravel()


def ascents(cube: Floats) -> pd.DataFrame:
    """Return where the steepest ascent from each combination ends: end (flat index), steps, below (points to the best).

    That is where local search stops (`search.algorithms.local_search`, but for its random choice among equals).
    """
    target = best_neighbours(cube)
    end, steps = np.arange(cube.size), np.zeros(cube.size, np.int64)
    while (moving := target[end] != end).any():
        steps += moving
        end = target[end]
    return pd.DataFrame({"end": end, "steps": steps, "below": cube.max() - cube.ravel()[end]})


def local_optima(climbs: pd.DataFrame, archs: Integers) -> pd.DataFrame:
    """Return the combinations without a better neighbour, best first: arch_index, below (points), basin (share of all).

    `climbs` is that of `ascents`, `archs` the indices of the cube's architectures.
    """
    by_end = climbs.groupby("end").agg(below=("below", "first"), basin=("below", "size")).reset_index()
    found = by_end.assign(arch_index=archs.ravel()[by_end["end"]], basin=by_end["basin"] / len(climbs))
    ordered = found.sort_values(["below", "basin"], ascending=[True, False], kind="stable", ignore_index=True)
    return ordered[["arch_index", "below", "basin"]]


def optima_by_one_seed(runs: pd.DataFrame, factorial: Factorial) -> float:
    """Return the mean number of local optima in the accuracies of single seeds: noise makes some of its own.

    `runs` has index arch_index and a column a seed; of those that were run everywhere. NaN where none was.
    """
    cubes = [factorial.cube(run) for _, run in runs.items()]
    counts = [ascents(cube)["end"].nunique() for cube in cubes if not np.isnan(cube).any()]
    return float(np.mean(counts)) if counts else float("nan")


def reached_within(climbs: pd.DataFrame) -> pd.DataFrame:
    """Return the share of starts whose ascent ends at most so many points below the best: columns below, share."""
    counts = climbs["below"].value_counts().sort_index()
    return pd.DataFrame({"below": counts.index, "share": counts.cumsum().to_numpy() / len(climbs)})


def walk_correlation(cube: Floats, lags: int) -> pd.DataFrame:
    """Return the correlation of accuracies so many steps of a random walk apart: columns lag, correlation; exact.

    The effects of `analysis.factorial` are the walk's eigenfunctions: a step multiplies the effect of a set of
    positions by 1 - Σ c / (k (c - 1)), over its positions with c choices of k positions (Stadler 1996).
    """
    shares = variance_frame(cube, [""] * cube.ndim)
    lost = np.array([size / (size - 1) for size in cube.shape]) / cube.ndim
    kept = np.array([1 - lost[list(axes)].sum() for axes in shares["axes"]])
    steps = np.arange(lags + 1)
    return pd.DataFrame({"lag": steps, "correlation": kept ** steps[:, None] @ shares["share"].to_numpy()})


def walked_correlation(cube: Floats, lags: int, walks: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return what `walk_correlation` does, measured on so many walks of ten times `lags` steps from random starts."""
    sizes = np.array(cube.shape)
    at = rng.integers(sizes, size=(walks, cube.ndim))
    seen = np.empty((10 * lags + 1, walks))
    for step in range(len(seen)):
        seen[step] = cube[tuple(at.T)]
        axis = rng.integers(cube.ndim, size=walks)
        other = (at[np.arange(walks), axis] + rng.integers(1, sizes[axis])) % sizes[axis]
        at[np.arange(walks), axis] = other
    apart = seen - seen.mean()
    products = [np.mean(apart[lag:] * apart[: len(apart) - lag]) for lag in range(lags + 1)]
    return pd.DataFrame({"lag": np.arange(lags + 1), "correlation": np.array(products) / products[0]})


def correlation_length(correlation: pd.DataFrame) -> float:
    """Return in how many steps the correlation falls to 1/e if it goes on as in the first (Weinberger 1990).

    -1 / ln r(1); 0 where r(1) is not positive.
    """
    first = float(correlation.loc[correlation["lag"] == 1, "correlation"].iloc[0])
    return -1 / np.log(first) if first > 0 else 0.0


def distances(cube: Floats) -> Integers:
    """Return at how many positions each combination differs from the nearest of the best, (n,)."""
    codes = np.indices(cube.shape).reshape(cube.ndim, -1).T
    best = codes[cube.ravel() == cube.max()]
    return np.min([(codes != code).sum(axis=1) for code in best], axis=0).astype(np.int64)


def by_distance(cube: Floats) -> pd.DataFrame:
    """Return the accuracies at each distance from the best: distance, number, mean, low and high (the outer tenths)."""
    groups = pd.Series(cube.ravel()).groupby(distances(cube))
    ends = {"low": groups.quantile(0.1), "high": groups.quantile(0.9)}
    return (
        pd.DataFrame({"number": groups.size(), "mean": groups.mean(), **ends})
        .rename_axis("distance")
        .reset_index()
    )


def landscape_row(cube: Floats, climbs: pd.DataFrame) -> dict[str, float]:
    """Return the numbers that sum a landscape up, `climbs` being its `ascents`.

    architectures; optima; best (how many have the best accuracy); basin (share of ascents that end there); steps and
    below (means over ascents, the latter in points below the best); length (`correlation_length`); fdc
    (fitness-distance correlation, Jones and Forrest 1995: -1 where accuracy falls with every step away from the best).
    """
    return {
        "architectures": cube.size,
        "optima": climbs["end"].nunique(),
        "best": int((cube == cube.max()).sum()),
        "basin": float((climbs["below"] == 0).mean()),
        "steps": float(climbs["steps"].mean()),
        "below": float(climbs["below"].mean()),
        "length": correlation_length(walk_correlation(cube, 1)),
        "fdc": float(np.corrcoef(cube.ravel(), distances(cube))[0, 1]),
    }


def landscape_table(cubes: Mapping[str, Floats], climbs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return `landscape_row` of each of several landscapes, a column each, under their names."""
    return pd.DataFrame({name: landscape_row(cube, climbs[name]) for name, cube in cubes.items()})
