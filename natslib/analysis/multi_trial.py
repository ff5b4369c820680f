"""Multi-trial searches as tables: anytime curves, final accuracies with intervals, and both beside printed ones.

A trajectory frame has one row an evaluation with the columns run, spent (what of the budget was used up when it was
finished: simulated seconds, or evaluations) and incumbent (index of the best architecture so far); further columns are
ignored. `trajectories` maps the name of a search to its frame; `values` is the reported accuracy of every architecture
in percent, by index.
"""

from collections.abc import Callable, Iterator, Mapping
from string import ascii_lowercase

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.analysis.statistics import (
    bootstrap,
    critical_difference,
    holm,
    improvement_interval,
    iqm,
    mean,
    paired_tests,
)
from natslib.errors import ConfigError, unknown_name

Floats = npt.NDArray[np.float64]


def anytime(trajectories: pd.DataFrame, values: npt.ArrayLike, times: npt.ArrayLike, rule: str) -> Floats:
    """Return the value of each run's incumbent at each time, shape (runs, times), runs in ascending order.

    `rule`: "step", the incumbent of the last evaluation finished by then, NaN before the first; or "official", the
    published drawing rule (see `interpolated`). `times` must be ascending.
    """
    if rule not in RULES:
        raise unknown_name("rule of anytime curves", rule, RULES)
    grid = np.atleast_1d(np.asarray(times, dtype=np.float64))
    if (np.diff(grid) < 0).any():
        raise ConfigError("the times of an anytime curve must ascend")
    known = np.asarray(values, dtype=np.float64)
    curves = [RULES[rule](times, known[incumbent], grid) for times, incumbent in each_run(trajectories)]
    return np.array(curves).reshape(len(curves), len(grid))


def each_run(trajectories: pd.DataFrame) -> Iterator[tuple[Floats, npt.NDArray[np.int64]]]:
    """Yield the finishing times and the incumbents of each run, runs in ascending order."""
    if trajectories.empty:
        raise ConfigError("a frame of trajectories without rows was given; nothing can be said about no runs")
    ordered = trajectories.sort_values(["run", "spent"], kind="stable")
    starts = np.flatnonzero(np.diff(ordered["run"].to_numpy(), prepend=ordered["run"].iloc[0] - 1))
    times = np.split(ordered["spent"].to_numpy(dtype=np.float64), starts[1:])
    incumbents = np.split(ordered["incumbent"].to_numpy(dtype=np.int64), starts[1:])
    return zip(times, incumbents, strict=True)


def stepped(times: Floats, values: Floats, grid: Floats) -> Floats:
    """Return a step function at the grid: the value of the last time that is not later, NaN before the first."""
    last = np.searchsorted(times, grid, side="right") - 1
    return np.where(last >= 0, values[np.maximum(last, 0)], np.nan)


def interpolated(times: Floats, values: Floats, grid: Floats) -> Floats:
    """Return, at the grid, the straight line through the two recorded points that are nearest in time.

    This is how the official scripts draw the curves and fill the table. It mixes the accuracies of two
    architectures, and it extrapolates where both points lie on one side. Where the two times are equal, the nearer
    (first) value is taken.
    """
    if len(times) == 1:
        return np.full(len(grid), values[0])
    nearest = np.argsort(np.abs(times - grid[:, None]), axis=1, kind="stable")[:, :2]
    (time_a, time_b), (value_a, value_b) = times[nearest].T, values[nearest].T
    gap = time_b - time_a
    with np.errstate(divide="ignore", invalid="ignore"):
        line = ((time_b - grid) * value_a + (grid - time_a) * value_b) / gap
    return np.where(gap == 0, value_a, line)


RULES: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {"step": stepped, "official": interpolated}


def finals(trajectories: pd.DataFrame, values: npt.ArrayLike, budget: float, rule: str) -> Floats:
    """Return the value of each run's incumbent when the budget is used up; shape (runs,). See `anytime`."""
    return anytime(trajectories, values, [budget], rule)[:, 0]


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


def area_under(curves: npt.ArrayLike, times: npt.ArrayLike, budget: float) -> Floats:
    """Return the time average of step curves from their first grid time to the budget, (runs, times) to (runs,).

    Each value holds from its grid time to the next; the last to `budget`. NaN where a curve starts with NaN: begin
    the grid after every run's first evaluation.
    """
    grid = np.asarray(times, dtype=np.float64)
    if not len(grid) or budget <= grid[0] or budget < grid[-1]:
        raise ConfigError(
            f"a grid up to {grid[-1:]} and a budget of {budget:g} were given; it must not end later"
        )
    widths = np.diff(np.append(grid, budget))
    return np.asarray(curves, dtype=np.float64) @ widths / widths.sum()


TICKS = 150
AXES = {"s": "time_s", "evaluations": "evaluations"}
"""The column of a curve that holds what was spent, by the unit of the budget."""
OTHERWISE = "another protocol"
AGREES, NEAR = 0.5, 1.0  # differences of means in printed standard deviations


def grid(budget: float, ticks: int = TICKS) -> Floats:
    """Return the grid of an anytime curve: `ticks` even steps, the last at the budget.

    The paper draws 150 of which the first is at nothing and the last one step before the budget.
    """
    return np.linspace(budget / ticks, budget, ticks)


def curve_frame(
    trajectories: Mapping[str, pd.DataFrame],
    values: npt.ArrayLike,
    budget: float,
    rng: np.random.Generator,
    *,
    rule: str,
    resamples: int,
    unit: str = "s",
    ticks: int = TICKS,
) -> pd.DataFrame:
    """Return the mean anytime curve of each search with a pointwise 95 % bootstrap interval.

    Columns: method, time_s or evaluations (by the `unit` of the budget), mean, low, high. Left out is what lies before
    every run's first evaluation.
    """
    times, parts = grid(budget, ticks), []
    for name, frame in trajectories.items():
        curves = anytime(frame, values, times, rule)
        known = ~np.isnan(curves).any(axis=0)
        middle, low, high = bootstrap(curves[:, known], mean, rng, resamples=resamples)
        columns = {"method": name, AXES[unit]: times[known], "mean": middle, "low": low, "high": high}
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def axis_of(curves: pd.DataFrame) -> str:
    """Return the name of the column of `curve_frame` that holds what was spent."""
    return next(axis for axis in AXES.values() if axis in curves)


def mean_areas(curves: pd.DataFrame, budget: float) -> pd.Series:
    """Return the time average of each mean curve (of `curve_frame`), index method: how good a search is on the way.

    All are averaged from the first time at which every search has a value to the budget, in the unit of the curves.
    """
    table = curves.pivot(index=axis_of(curves), columns="method", values="mean").dropna()
    areas = area_under(table.T, table.index.to_numpy(), budget)
    return pd.Series(areas, index=table.columns, name="area")


def final_samples(
    trajectories: Mapping[str, pd.DataFrame], values: npt.ArrayLike, budget: float, *, rule: str
) -> dict[str, Floats]:
    """Return the value of every run's incumbent at the budget, by search."""
    return {name: finals(frame, values, budget, rule) for name, frame in trajectories.items()}


def final_frame(samples: Mapping[str, Floats], rng: np.random.Generator, *, resamples: int) -> pd.DataFrame:
    """Return one row a search: method, runs, mean, std (population), low and high of the mean, and iqm.

    The interval is the 95 % percentile bootstrap.
    """
    rows = []
    for name, sample in samples.items():
        _, low, high = bootstrap(sample, mean, rng, resamples=resamples)
        rows.append((name, len(sample), *mean_and_std(sample), float(low), float(high), float(iqm(sample))))
    return pd.DataFrame(rows, columns=["method", "runs", "mean", "std", "low", "high", "iqm"])


def against(
    samples: Mapping[str, Floats], baseline: str, rng: np.random.Generator, *, resamples: int
) -> pd.DataFrame:
    """Compare every search with a baseline: one row a search, index method.

    Columns: improvement (chance that its run ends higher than one of the baseline's), low and high (95 %), p_holm
    (Wilcoxon signed-rank over the runs that share a seed, corrected for the number of searches compared).
    """
    others = [name for name in samples if name != baseline]
    return compare([(samples[name], samples[baseline]) for name in others], others, rng, resamples)


def over_baselines(
    samples: Mapping[str, Floats], own: str, rng: np.random.Generator, *, resamples: int
) -> pd.DataFrame:
    """Compare one search with every other: columns as of `against`, one row a baseline, index method."""
    others = [name for name in samples if name != own]
    return compare([(samples[own], samples[name]) for name in others], others, rng, resamples)


def rank_frame(samples: Mapping[str, Floats]) -> pd.DataFrame:
    """Rank the searches over the runs that all of them have, as a critical-difference diagram shows it.

    Columns: method, rank (average; 1 is best, ascending), groups (letters: searches that share one are not told apart
    by Holm-corrected paired tests at 5 %), p_alike (Friedman test). Empty for fewer than three searches.
    """
    if len(samples) < 3:
        return pd.DataFrame(columns=["method", "rank", "groups", "p_alike"])
    shared = min(map(len, samples.values()))
    found = critical_difference(pd.DataFrame({name: sample[:shared] for name, sample in samples.items()}))
    letters = list(zip(ascii_lowercase, found.cliques, strict=False))
    groups = ["".join(letter for letter, clique in letters if name in clique) for name in found.ranks.index]
    columns = {"method": found.ranks.index, "rank": found.ranks.to_numpy(), "groups": groups}
    return pd.DataFrame(columns).assign(p_alike=found.p)


def compare(
    pairs: list[tuple[Floats, Floats]], names: list[str], rng: np.random.Generator, resamples: int
) -> pd.DataFrame:
    """Return improvement, interval and corrected p-value of the first of each pair over the second."""
    rows = [[float(end) for end in improvement_interval(*pair, rng, resamples=resamples)] for pair in pairs]
    found = pd.DataFrame(rows, index=pd.Index(names, name="method"), columns=["improvement", "low", "high"])
    return found.assign(p_holm=holm([paired_p(*pair) for pair in pairs]))


def paired_p(first: Floats, second: Floats) -> float:
    """Return the p-value of the paired test over the runs that both searches have."""
    shared = min(len(first), len(second))
    pair = pd.DataFrame({"first": first[:shared], "second": second[:shared]})
    return float(paired_tests(pair)["p"].iloc[0])


def beside_printed(found: pd.DataFrame, printed: pd.DataFrame) -> pd.DataFrame:
    """Put measured means beside printed ones: rows of `found` in their order, whether or not there is a printed value.

    `found` has method, dataset, split, mean, std and may have `printed_as`, the method's name in print, and
    `protocol`, what of the search is not the paper's, "" for nothing; `printed` is `analysis.printed.read_printed`,
    one space's. Adds printed_mean, printed_std, evidence (how the printed number came down to us), difference
    (points) and agreement: "agrees" within half a printed standard deviation, "near" within one, "apart" beyond,
    `OTHERWISE` where it was found by another protocol, "" with nothing to compare. A lone architecture (no std)
    agrees within 0.05 points; a remembered number is no target: it agrees with nothing.
    """
    names = found["printed_as"] if "printed_as" in found else found["method"]
    keys = ["printed_as", "dataset", "split"]
    right = printed.rename(columns={"method": "printed_as", "mean": "printed_mean", "std": "printed_std"})
    columns = [*keys, "printed_mean", "printed_std", "evidence"]
    joined = found.assign(printed_as=names).merge(right[columns], on=keys, how="left")
    difference = joined["mean"] - joined["printed_mean"]
    scale = joined["printed_std"].where(joined["printed_std"] > 0, 0.1)
    steps = np.select(
        [
            difference.isna() | (joined["evidence"] == "remembered"),
            joined["protocol"] != "" if "protocol" in joined else np.zeros(len(joined), dtype=bool),
            abs(difference) <= AGREES * scale,
            abs(difference) <= NEAR * scale,
        ],
        ["", OTHERWISE, "agrees", "near"],
        "apart",
    )
    evidence = joined["evidence"].where(joined["printed_mean"].notna(), "")
    return joined.assign(evidence=evidence, difference=difference, agreement=steps).drop(columns="printed_as")
