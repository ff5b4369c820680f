"""Cells that are exactly the same network, and what they do to studies of predictors that split at random.

`classes` gives the class of every architecture: two of one class are the same function of input and weights
(`natslib.spaces.equivalence`), so that their stored accuracies differ by the seed alone. A split at random puts members
of one class on both sides: what is predicted was in part seen before.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import gammaln

from natslib.analysis.correlation import agreement
from natslib.errors import NotMeasured

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
RANDOM, TOGETHER = "at random", "equal networks together"
"""How halves are made: of architectures, or of classes."""
FOREST, MEMORY = "random forest", "mean of equal networks"
TREES = 20


def sizes_of(classes: Integers) -> Integers:
    """Return how many architectures each one's class has, itself included, (n,)."""
    _, members, sizes = np.unique(classes, return_inverse=True, return_counts=True)
    return sizes[members]


def answered(classes: Integers) -> pd.Series:
    """Return how many architectures there are, how many networks, and how many have an equal one."""
    sizes = sizes_of(classes)
    networks = len(np.unique(classes))
    return pd.Series(
        {"architectures": len(classes), "networks": networks, "with an equal one": int((sizes > 1).sum())}
    )


def seen_share(classes: Integers, counts: Sequence[int]) -> Floats:
    """Return the share of those not drawn that have an equal network among so many drawn at random; exact means.

    Of a class of m, one that is not drawn has none of the m - 1 others among n of the N - 1 with the chance
    C(N - m, n) / C(N - 1, n). One value a count below N.
    """
    sizes, total = sizes_of(classes), len(classes)
    shares = []
    for count in counts:
        left = total - sizes
        some = left >= count  # otherwise more are drawn than are of other classes
        alone = np.exp(_log_choose(left[some], count) - _log_choose(np.array(total - 1), count))
        shares.append(1 - alone.sum() / total)
    return np.array(shares)


def _log_choose(n: Integers, k: int) -> Floats:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))


def predictor_study(
    encodings: npt.NDArray[np.float32],
    accuracy: pd.Series,
    classes: Integers,
    *,
    counts: Sequence[int],
    draws: int,
    seed: int,
) -> pd.DataFrame:
    """Return how well a predictor ranks the half that is held out, by how the halves are made: a row a draw.

    `encodings` are the codes of the whole space as indicators; `accuracy` (index arch_index) holds what is measured. Of
    the other half, so many of `counts` are drawn to train on, as far as it has them. Columns: split (`RANDOM` or
    `TOGETHER`), draw, train (how many), networks (different ones among them), seen (the share of the held-out that have
    an equal one among them), predictor and tau (Kendall's τ-b on the held-out). `FOREST` sees codes; `MEMORY` answers
    with the mean accuracy of equal networks, and is judged on those that have some: where these are kept together, on
    none.
    Raises `NotMeasured` where half of what is measured is less than the smallest count.
    """
    from sklearn.model_selection import GroupShuffleSplit  # only here: to count classes needs nothing of it

    held = accuracy.dropna()
    if len(held) // 2 < min(counts):
        raise NotMeasured(f"{len(held)} architectures are measured: half of them is less than {min(counts)}")
    group = classes[held.index]
    rows = []
    for split, groups in {RANDOM: np.arange(len(held)), TOGETHER: group}.items():
        halves = GroupShuffleSplit(draws, test_size=0.5, random_state=seed).split(held, groups=groups)
        for draw, (pool, rest) in enumerate(halves):
            order = np.random.default_rng([seed, draw]).permutation(pool)
            for count in (count for count in counts if count <= len(pool)):
                known, asked = held.iloc[order[:count]], held.iloc[rest]
                seen = np.isin(group[rest], group[order[:count]]).mean()
                networks = len(np.unique(group[order[:count]]))
                guesses = {
                    FOREST: _guessed(encodings, known, asked, draw),
                    MEMORY: _recalled(classes, known, asked),
                }
                for predictor, guess in guesses.items():
                    tau = agreement(guess, asked)[0]
                    rows.append((split, draw, count, networks, seen, predictor, tau))
    columns = ["split", "draw", "train", "networks", "seen", "predictor", "tau"]
    return pd.DataFrame(rows, columns=columns).dropna(subset="tau")


def _guessed(encodings: npt.NDArray[np.float32], known: pd.Series, asked: pd.Series, seed: int) -> pd.Series:
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(TREES, max_features=1 / 3, random_state=seed)
    forest.fit(encodings[known.index], known.to_numpy())
    return pd.Series(forest.predict(encodings[asked.index]), asked.index)


def _recalled(classes: Integers, known: pd.Series, asked: pd.Series) -> pd.Series:
    """Return the mean accuracy of the equal networks that are known of each that is asked for; NaN where none is."""
    means = known.groupby(classes[known.index]).mean()
    return pd.Series(classes[asked.index], asked.index).map(means)


def study_means(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the means over the draws of `predictor_study`: split, predictor, train, networks, seen, tau, error.

    `error` is the standard error of tau.
    """
    groups = rows.groupby(["split", "predictor", "train"], sort=False)
    means = groups[["networks", "seen", "tau"]].mean()
    return means.assign(error=groups["tau"].sem()).reset_index()


def inflation(means: pd.DataFrame) -> pd.Series:
    """Return what halves at random add to the forest's τ over those that keep equal networks together, by train."""
    taus = means[means["predictor"] == FOREST].pivot(index="train", columns="split", values="tau")
    return taus[RANDOM] - taus[TOGETHER]
