"""How much of an accuracy is the seed's: spread over runs, within equal networks, and the reliability it leaves.

Frames of runs have one row an architecture and one column a seed; accuracies in percent; NaN = no such run.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from natslib.analysis.correlation import correlate
from natslib.analysis.ranks import select_top
from natslib.errors import ConfigError

EXACT_POINTS = 1e-4  # less than one image of any validation set


def seed_summary(runs: pd.DataFrame) -> pd.DataFrame:
    """Return mean, standard deviation (ddof 0, as published) and count of every architecture with two runs."""
    held = runs[runs.notna().sum(axis=1) >= 2]
    columns = {"mean": held.mean(axis=1), "std": held.std(axis=1, ddof=0), "count": held.notna().sum(axis=1)}
    return pd.DataFrame(columns).rename_axis("arch_index")


def noise_variance(runs: pd.DataFrame) -> float:
    """Return the variance of one run around its architecture's mean, pooled over architectures (percent squared).

    Unbiased: sums of squares over degrees of freedom. Raises `ConfigError` where no architecture has two runs.
    """
    freedom = int((runs.notna().sum(axis=1) - 1).clip(lower=0).sum())
    if freedom == 0:
        raise ConfigError("seed noise needs an architecture with at least two runs; there is none")
    return float(runs.sub(runs.mean(axis=1), axis=0).pow(2).to_numpy()[runs.notna()].sum() / freedom)


def reliability(runs: pd.DataFrame) -> float:
    """Return the share of the variance of seed means that is not noise, from 0 to 1.

    With the seed means' variance V, the noise variance s² of one run and 1/m the mean of 1/(number of runs):
    (V - s²/m) / V. The square root is the highest Pearson correlation that a perfect predictor can reach.
    """
    total = float(runs.mean(axis=1).var(ddof=1))
    noise = noise_variance(runs) * float((1 / runs.notna().sum(axis=1)).mean())
    return max(0.0, 1.0 - noise / total)


def noise_table(runs: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the noise of each column of `runs`: rows mean_std (population), noise_std (of one run), reliability."""
    rows = {
        label: (seed_summary(frame)["std"].mean(), noise_variance(frame) ** 0.5, reliability(frame))
        for label, frame in runs.items()
    }
    return pd.DataFrame(rows, index=["mean_std", "noise_std", "reliability"])


def pair_differences(runs: pd.DataFrame, classes: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Return how far two runs are apart, in percentage points, for three kinds of pair: columns kind, difference.

    `classes` gives the functional equivalence class of every index of the space. From each class with two members a
    random member's first seed is compared with the second seed of the *same architecture*, of another member (*equal
    networks*), and of a member of another class (*other architectures*). All three compare two seeds, over the same
    classes: if equal networks are one function, the first two kinds are spread alike. Without such a class there
    are only the other two kinds, over all architectures. Pairs that agree exactly are left out: they are mostly one
    training that stands in two records (see `coincidences`).
    """
    held = runs.dropna(subset=runs.columns[:2])
    one, other = _random_couples(held.index.to_numpy(), np.asarray(classes), rng)
    if len(one) == 0:
        one = rng.permutation(held.index.to_numpy())
    partners = {
        "same architecture": one,
        "equal networks": other,
        "other architectures": np.roll(rng.permutation(one), 1),
    }
    first, second = held.iloc[:, 0], held.iloc[:, 1]
    parts = [
        pd.DataFrame({"kind": kind, "difference": np.abs(first[one].to_numpy() - second[them].to_numpy())})
        for kind, them in partners.items()
        if len(them)
    ]
    pairs = pd.concat(parts, ignore_index=True)
    return pairs[pairs["difference"] > EXACT_POINTS].reset_index(drop=True)


def _random_couples(
    archs: np.ndarray, classes: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return two different random members of each class that has two among `archs`."""
    shuffled = rng.permutation(archs)
    shuffled = shuffled[np.argsort(classes[shuffled], kind="stable")]
    grouped = classes[shuffled]
    begins = np.flatnonzero(np.r_[True, grouped[1:] != grouped[:-1]])
    paired = begins[(begins + 1 < len(grouped))]
    paired = paired[grouped[paired] == grouped[paired + 1]]
    return shuffled[paired], shuffled[paired + 1]


def coincidences(runs: dict[str, pd.DataFrame], classes: np.ndarray) -> pd.Series:
    """Count pairs of records that agree in every column to 0.001 points: all, of equal networks, and of one seed.

    `runs` maps column labels to frames of runs with the same seeds. With three columns, two trainings hardly ever
    agree like this by chance: such records are one training.
    """
    stacked = {label: frame.rename_axis(columns="seed").stack() for label, frame in runs.items()}
    records = pd.DataFrame(stacked).dropna().round(3)
    keys = [records[label] for label in runs]
    arch, seed = records.index.get_level_values(0).to_numpy(), records.index.get_level_values(1)
    counts = {
        "pairs": keys,
        "pairs of equal networks": [*keys, np.asarray(classes)[arch]],
        "pairs of one seed": [*keys, seed],
    }
    found = {name: records.groupby(by).size() for name, by in counts.items()}
    pairs = {name: int((sizes * (sizes - 1) // 2).sum()) for name, sizes in found.items()}
    return pd.Series({"records": len(records)} | pairs)


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
