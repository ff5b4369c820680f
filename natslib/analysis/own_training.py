"""What a small benchmark is worth: do its seeds agree, does it rank as the real one does, or as the parameters do?"""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from natslib.analysis.correlation import agreement
from natslib.analysis.seed_noise import noise_variance

NEIGHBOURS = 101
LIMIT = 3.0  # standard deviations
OWN, POOLED = "its own runs", "runs of cells of like accuracy"


def compare_runs(stored: pd.DataFrame, fresh: pd.Series) -> pd.DataFrame:
    """Return one row a fresh run (index arch_index, accuracies in percent): how far it is from the stored ones.

    `stored` has one row an architecture, one column a seed. Columns: fresh, mean (stored), runs, std, std_of, z =
    (fresh - mean) / std, rank the fresh run would have among the stored means, and cells, their number. The standard
    deviation is that of the architecture's own runs (n - 1), but not less than that of one run pooled over the 101
    repeated architectures of nearest mean: two or three runs agree closely by chance. `std_of` says which; without
    any repeated architecture std and z are NaN.
    """
    means = stored.mean(axis=1).dropna()
    rows = [
        _compare(stored, means, arch, value) for arch, value in zip(fresh.index.tolist(), fresh, strict=True)
    ]
    return pd.DataFrame(rows, index=fresh.index.rename("arch_index"))


def _compare(stored: pd.DataFrame, means: pd.Series, arch: int, value: float) -> dict[str, object]:
    mean = means.get(arch, np.nan)
    runs = stored.loc[arch].dropna()
    own, pooled = runs.std(ddof=1), pooled_std(stored, mean)
    std = np.fmax(own, pooled) if np.isfinite(mean) else np.nan
    return {
        "fresh": value,
        "mean": mean,
        "runs": len(runs),
        "std": std,
        "std_of": "" if np.isnan(std) else OWN if own >= pooled else POOLED,
        "z": (value - mean) / std,
        "rank": 1 + np.count_nonzero(means > value),
        "cells": len(means),
    }


def pooled_std(stored: pd.DataFrame, mean: float) -> float:
    """Return the standard deviation of one run, from the 101 repeated architectures whose means are nearest to `mean`.

    NaN where no architecture is repeated, or `mean` is NaN.
    """
    repeated = stored[stored.notna().sum(axis=1) >= 2]
    if repeated.empty or np.isnan(mean):
        return float("nan")
    nearest = (repeated.mean(axis=1) - mean).abs().nsmallest(NEIGHBOURS).index
    return noise_variance(repeated.loc[nearest]) ** 0.5


def spread_over_ranks(stored: pd.DataFrame, count: int) -> list[int]:
    """Return `count` architectures spread evenly over the ranks, worst first, among those with most runs.

    They are the middles of `count` equal parts: not the best, whose stored mean is high by chance too.
    """
    runs = stored.notna().sum(axis=1)
    ordered = stored[runs == runs.max()].mean(axis=1).sort_values(kind="stable").index
    places = np.floor((np.arange(count) + 0.5) / count * len(ordered)).astype(int)
    return [int(arch) for arch in ordered[places]]


def seed_agreement(runs: pd.DataFrame) -> tuple[float, int]:
    """Return Kendall's tau-b between two runs, the mean over all pairs of seeds, and how many were run twice.

    `runs` has one row an architecture, one column a seed. NaN where no pair of seeds shares three architectures.
    """
    taus = [agreement(runs[one], runs[other])[0] for one, other in combinations(runs.columns, 2)]
    known = [tau for tau in taus if np.isfinite(tau)]
    repeated = int((runs.notna().sum(axis=1) >= 2).sum())
    return (float(np.mean(known)) if known else float("nan")), repeated


def quality_table(
    runs: Mapping[str, pd.DataFrame], params: Mapping[str, pd.Series], real: pd.Series
) -> pd.DataFrame:
    """Return the quality of every column of accuracies, one row each, with the parameter count beside it.

    `runs` maps a column's name to its runs (rows architectures, columns seeds), `params` to the parameters of its
    networks; `real` holds the real accuracies by architecture, empty where there are none. Columns: cells; seeds_tau of
    two runs, over seeds_cells; params_tau of parameters and mean accuracy; real_tau of mean and real accuracy, and
    params_real_tau of parameters and real accuracy, both over the same real_cells.
    """
    return pd.DataFrame([_row(name, frame, params[name], real) for name, frame in runs.items()])


def _row(name: str, runs: pd.DataFrame, params: pd.Series, real: pd.Series) -> dict[str, object]:
    mean = runs.mean(axis=1).dropna()
    seeds_tau, seeds_cells = seed_agreement(runs)
    real_tau, real_cells = agreement(mean, real)
    return {
        "column": name,
        "cells": len(mean),
        "seeds_tau": seeds_tau,
        "seeds_cells": seeds_cells,
        "params_tau": agreement(params, mean)[0],
        "real_tau": real_tau,
        "params_real_tau": agreement(params[params.index.isin(mean.index)], real)[0],
        "real_cells": real_cells,
    }
