"""Do ranks survive a change of seed? Ranks by the seed mean against ranks by one random seed, among the best."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from natslib.analysis.correlation import correlate
from natslib.analysis.ranks import select_top

FRACTIONS = (0.01, 0.05, 0.10, 0.20, 1.0)


def draw_runs(runs: pd.DataFrame, rng: np.random.Generator) -> pd.Series:
    """Return for each architecture one of its runs, drawn uniformly among those it has; NaN where it has none."""
    chance = np.where(runs.notna(), rng.random(runs.shape), -1.0)
    return pd.Series(runs.to_numpy()[np.arange(len(runs)), chance.argmax(axis=1)], runs.index)


def seed_ranks(runs: pd.DataFrame, fraction: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return ranks 1, 2, … of the best `fraction` of architectures by seed mean: columns by_mean, by_one_seed.

    Both ranks are among the selected architectures; the seed of each is drawn at random. The order is by_mean's.
    """
    mean = runs.mean(axis=1)
    top = select_top(mean, fraction)
    one = draw_runs(runs.loc[top], rng)
    ranks = {"by_mean": mean[top].rank(ascending=False), "by_one_seed": one.rank(ascending=False)}
    return pd.DataFrame(ranks).rename_axis("arch_index")


def top_ranks(runs: pd.DataFrame, rng: np.random.Generator, *, fractions: Sequence[float]) -> pd.DataFrame:
    """Return `seed_ranks` of each fraction, one below the other: fraction, arch_index, by_mean, by_one_seed."""
    parts = {fraction: seed_ranks(runs, fraction, rng) for fraction in fractions}
    return pd.concat(parts, names=["fraction"]).reset_index()


def rank_stability(
    runs: pd.DataFrame, rng: np.random.Generator, *, fractions: Sequence[float] = FRACTIONS, draws: int = 20
) -> pd.DataFrame:
    """Return Kendall's tau-b of both ranks for each fraction: columns fraction, count, tau, tau_std, draws.

    `tau` is the mean over `draws` random choices of the seeds, `tau_std` their population standard deviation.
    """
    rows = []
    for fraction in fractions:
        ranks = [seed_ranks(runs, fraction, rng) for _ in range(draws)]
        taus = [correlate(frame["by_mean"], frame["by_one_seed"], "kendall") for frame in ranks]
        rows.append((fraction, len(ranks[0]), float(np.mean(taus)), float(np.std(taus)), draws))
    return pd.DataFrame(rows, columns=["fraction", "count", "tau", "tau_std", "draws"])
