"""Does the rank of a network in distribution say anything of its rank out of it, and does the latter exist at all?"""

from collections.abc import Iterable, Mapping
from itertools import permutations

import numpy as np
import pandas as pd

from natslib.analysis.correlation import agreement
from natslib.analysis.own_training import seed_agreement
from natslib.analysis.seed_noise import noise_variance


def ood_table(
    valid: Mapping[str, pd.DataFrame],
    test: Mapping[str, pd.DataFrame],
    params: Mapping[str, pd.Series],
    real: pd.Series,
) -> pd.DataFrame:
    """Return one row a dataset: how networks differ out of distribution, and what ranks them there (Kendall's tau-b).

    `valid` and `test` map a dataset to its runs in percent (rows architectures, columns seeds), `params` to the
    parameters of its networks; `real` holds accuracies on another dataset, empty where there are none. Columns:
    cells, seeds and seeds_cells (run twice); valid_mean, test_mean, test_low and test_high, of cells' means; cells_std
    of these and seed_std of one run; seeds_tau between the test accuracies of two seeds: how far one run says what
    another will do; valid_tau of validation and test of one run, and valid_other_tau of those of two seeds, which share
    no noise; params_tau and real_tau with one run's test accuracy, which may exceed seeds_tau: they have no noise of
    seeds. Taus are means over seeds.
    """
    rows = [_row(name, valid[name], test[name], params[name], real) for name in test]
    return pd.DataFrame(rows)


def _row(
    name: str, valid: pd.DataFrame, test: pd.DataFrame, params: pd.Series, real: pd.Series
) -> dict[str, object]:
    means = test.mean(axis=1).dropna()
    seeds_tau, seeds_cells = seed_agreement(test)
    return {
        "column": name,
        "cells": len(means),
        "seeds": test.shape[1],
        "seeds_cells": seeds_cells,
        "valid_mean": valid.mean(axis=1).mean(),
        "test_mean": means.mean(),
        "test_low": means.min(),
        "test_high": means.max(),
        "cells_std": means.std(ddof=1),
        "seed_std": noise_variance(test) ** 0.5 if seeds_cells else float("nan"),
        "seeds_tau": seeds_tau,
        "valid_tau": _mean_tau((valid[seed], test[seed]) for seed in test if seed in valid),
        "valid_other_tau": _mean_tau((valid[a], test[b]) for a, b in permutations(test, 2) if a in valid),
        "params_tau": _mean_tau((params, test[seed]) for seed in test),
        "real_tau": _mean_tau((real, test[seed]) for seed in test),
    }


def _mean_tau(pairs: Iterable[tuple[pd.Series, pd.Series]]) -> float:
    """Return the mean tau-b of pairs of series; NaN where none shares enough architectures."""
    taus = [tau for one, other in pairs if np.isfinite(tau := agreement(one, other)[0])]
    return float(np.mean(taus)) if taus else float("nan")
