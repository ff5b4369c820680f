"""Anytime curves and final values of searches: frames of trajectories in, arrays with one row a run out.

A trajectory frame has one row an evaluation with the columns run, time_s (simulated time at which it was finished) and
incumbent (index of the best architecture so far); further columns are ignored. `values` gives the reported
value of every architecture of the space, by index, such as the mean test accuracy in percent.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.errors import ConfigError, unknown_name

Floats = npt.NDArray[np.float64]


def anytime(trajectories: pd.DataFrame, values: npt.ArrayLike, times_s: npt.ArrayLike, rule: str) -> Floats:
    """Return the value of each run's incumbent at each time, shape (runs, times), runs in ascending order.

    `rule`: "step", the incumbent of the last evaluation finished by then, NaN before the first; or "official", the
    published drawing rule (see `interpolated`). `times_s` must be ascending.
    """
    if rule not in RULES:
        raise unknown_name("rule of anytime curves", rule, RULES)
    grid = np.atleast_1d(np.asarray(times_s, dtype=np.float64))
    if (np.diff(grid) < 0).any():
        raise ConfigError("the times of an anytime curve must ascend")
    known = np.asarray(values, dtype=np.float64)
    curves = [RULES[rule](times, known[incumbent], grid) for times, incumbent in each_run(trajectories)]
    return np.array(curves).reshape(len(curves), len(grid))


def each_run(trajectories: pd.DataFrame) -> Iterator[tuple[Floats, npt.NDArray[np.int64]]]:
    """Yield the finishing times and the incumbents of each run, runs in ascending order."""
    if trajectories.empty:
        raise ConfigError("a frame of trajectories without rows was given; nothing can be said about no runs")
    ordered = trajectories.sort_values(["run", "time_s"], kind="stable")
    starts = np.flatnonzero(np.diff(ordered["run"].to_numpy(), prepend=ordered["run"].iloc[0] - 1))
    times = np.split(ordered["time_s"].to_numpy(dtype=np.float64), starts[1:])
    incumbents = np.split(ordered["incumbent"].to_numpy(dtype=np.int64), starts[1:])
    return zip(times, incumbents, strict=True)


def stepped(times_s: Floats, values: Floats, grid_s: Floats) -> Floats:
    """Return a step function at the grid: the value of the last time that is not later, NaN before the first."""
    last = np.searchsorted(times_s, grid_s, side="right") - 1
    return np.where(last >= 0, values[np.maximum(last, 0)], np.nan)


def interpolated(times_s: Floats, values: Floats, grid_s: Floats) -> Floats:
    """Return, at the grid, the straight line through the two recorded points that are nearest in time.

    This is how the official scripts draw the curves and fill the table. It mixes the accuracies of two
    architectures, and it extrapolates where both points lie on one side. Where the two times are equal, the nearer
    (first) value is taken.
    """
    if len(times_s) == 1:
        return np.full(len(grid_s), values[0])
    nearest = np.argsort(np.abs(times_s - grid_s[:, None]), axis=1, kind="stable")[:, :2]
    (time_a, time_b), (value_a, value_b) = times_s[nearest].T, values[nearest].T
    gap = time_b - time_a
    with np.errstate(divide="ignore", invalid="ignore"):
        line = ((time_b - grid_s) * value_a + (grid_s - time_a) * value_b) / gap
    return np.where(gap == 0, value_a, line)


RULES: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {"step": stepped, "official": interpolated}


def finals(trajectories: pd.DataFrame, values: npt.ArrayLike, time_s: float, rule: str) -> Floats:
    """Return the value of each run's incumbent at one time, usually the budget; shape (runs,). See `anytime`."""
    return anytime(trajectories, values, [time_s], rule)[:, 0]


def evaluations(trajectories: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return the number of evaluations of each run, shape (runs,), runs in ascending order."""
    return np.unique(trajectories["run"].to_numpy(), return_counts=True)[1].astype(np.int64)


def mean_and_std(finals_: npt.ArrayLike) -> tuple[float, float]:
    """Return mean and population standard deviation (ddof 0), as NATS-Bench's Table 4 prints them."""
    sample = np.asarray(finals_, dtype=np.float64)
    return float(sample.mean()), float(sample.std(ddof=0))


def regret(values: npt.ArrayLike, optimum: float) -> Floats:
    """Return how far values stay below the optimum; any shape. Negative only where `optimum` is not one."""
    return optimum - np.asarray(values, dtype=np.float64)


def area_under(curves: npt.ArrayLike, times_s: npt.ArrayLike, budget_s: float) -> Floats:
    """Return the time average of step curves from their first grid time to the budget, (runs, times) to (runs,).

    Each value holds from its grid time to the next; the last to `budget_s`. NaN where a curve starts with NaN: begin
    the grid after every run's first evaluation.
    """
    grid = np.asarray(times_s, dtype=np.float64)
    if not len(grid) or budget_s <= grid[0] or budget_s < grid[-1]:
        raise ConfigError(
            f"a grid up to {grid[-1:]} s and a budget of {budget_s:g} s were given; it must not end later"
        )
    widths = np.diff(np.append(grid, budget_s))
    return np.asarray(curves, dtype=np.float64) @ widths / widths.sum()
