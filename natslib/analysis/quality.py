"""What a small benchmark is worth: do its seeds agree, does it rank as the real one does, or as the parameters do?"""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from natslib.analysis.correlation import agreement


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
