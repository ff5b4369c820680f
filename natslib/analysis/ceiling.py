"""The highest rank correlation that seed noise leaves attainable.

Even a predictor that knows the true accuracy of every architecture does not reproduce the measured ranks: those
carry the noise of two or three seeds. For Pearson's r the limit is the square root of the reliability; for ranks
there is no such formula, as noise is larger for poor architectures and the accuracies are far from normal. So it is
simulated: the seed means stand for the truth, runs are drawn around them with the noise that architectures of
similar accuracy have, and the correlation of the truth with the drawn means is the ceiling.
"""

import numpy as np
import pandas as pd

from natslib.analysis.correlation import correlate
from natslib.analysis.ranks import select_top
from natslib.analysis.seed_noise import noise_variance

NEIGHBOURS = 101


def local_noise(runs: pd.DataFrame) -> pd.Series:
    """Return the standard deviation of one run in percentage points, index arch_index.

    Root of the unbiased variance over seeds, averaged over the 101 architectures of nearest rank; an architecture
    with one run takes part with its neighbours' value. Raises `ConfigError` where none has two runs.
    """
    noise_variance(runs)
    by_rank = runs.mean(axis=1).sort_values(kind="stable").index
    variance = runs.var(axis=1, ddof=1).loc[by_rank]
    smooth = variance.rolling(NEIGHBOURS, center=True, min_periods=1).mean().ffill().bfill()
    return np.sqrt(smooth).reindex(runs.index)


def noise_ceiling(
    runs: pd.DataFrame,
    rng: np.random.Generator,
    *,
    fractions: tuple[float, ...] = (1.0,),
    method: str = "kendall",
    draws: int = 5,
) -> pd.DataFrame:
    """Return correlations that noise leaves attainable, one row a fraction of best architectures (by the drawn means).

    Columns: fraction, count; `perfect_mean`, a perfect predictor against the mean of the seeds; `perfect_one`,
    against one run; `repeat_one`, one run against another. Over all architectures, the last must equal
    `repeat_correlation`, the same of the stored runs. Means over `draws` simulated repeats. It assumes normal
    noise; the truth is taken as spread as the seed means are, which overstates the ceiling where reliability is low.
    """
    truth, noise, missing = runs.mean(axis=1), local_noise(runs).to_numpy()[:, None], runs.isna().to_numpy()
    rows = []
    for _ in range(draws):
        drawn = truth.to_numpy()[:, None] + noise * rng.standard_normal((len(runs), max(2, runs.shape[1])))
        mean = np.ma.array(drawn[:, : runs.shape[1]], mask=missing).mean(axis=1).filled(np.nan)
        for fraction in fractions:
            top = runs.index.get_indexer(select_top(pd.Series(mean, runs.index), fraction))
            rows.append(
                _correlations(truth.to_numpy()[top], mean[top], drawn[top], method) | {"fraction": fraction}
            )
    means = pd.DataFrame(rows).groupby("fraction", sort=False).mean().reset_index()
    return means.astype({"count": int})[["fraction", "count", "perfect_mean", "perfect_one", "repeat_one"]]


def repeat_correlation(runs: pd.DataFrame, method: str = "kendall") -> float:
    """Return the correlation of the first two seeds' runs over the architectures that have both."""
    pair = runs.iloc[:, :2].dropna()
    return correlate(pair.iloc[:, 0], pair.iloc[:, 1], method)


def _correlations(truth: np.ndarray, mean: np.ndarray, drawn: np.ndarray, method: str) -> dict[str, float]:
    pairs = {
        "perfect_mean": (truth, mean),
        "perfect_one": (truth, drawn[:, 0]),
        "repeat_one": (drawn[:, 0], drawn[:, 1]),
    }
    found = {name: correlate(pd.Series(a), pd.Series(b), method) for name, (a, b) in pairs.items()}
    return {"count": len(truth), **found}
