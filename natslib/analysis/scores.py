"""How well scores of one's own rank architectures: correlated with accuracies, beside what parameters and FLOPs reach.

A zero-cost proxy, a predictor or any other number an architecture is a score. Intervals are by bootstrap over networks:
architectures that are exactly equal networks are drawn together, for they are no independent evidence.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from natslib.analysis.correlation import LEAST, METHODS, correlate
from natslib.errors import ConfigError, NotMeasured

BASELINES = {"params_m": "parameters", "flops_m": "FLOPs"}
"""The costs that scores are held against, and what rows call them."""
LEVEL, RESAMPLES = 0.95, 200
AT_MOST = 2_000
"""Networks in a resample: of more, the spread is that of as many, scaled by the root of their share."""
COLUMNS = [
    "column",
    "score",
    "n",
    "networks",
    *(f"{m}{end}" for m in METHODS for end in ("", "_low", "_high")),
]
GAIN = ["gain", "gain_low", "gain_high"]


def compare_scores(
    scores: pd.DataFrame,
    accuracy: pd.DataFrame,
    costs: pd.DataFrame,
    classes: npt.NDArray[np.int64],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    report: Callable[[int, int], object] = lambda done, total: None,
) -> pd.DataFrame:
    """Return how scores and costs correlate with accuracies, a row a column of accuracy and score, then each cost.

    `scores` and `accuracy` (percent) have a row an architecture (index arch_index) and a column each; `costs` has
    columns (metric of `BASELINES`, column of accuracy); `classes` gives the class of equal networks of every
    architecture. Of each column, all are taken over the same architectures: those with all scores and the accuracy,
    `n`, which are `networks` different ones. Columns: `COLUMNS`, the three correlations each with the ends of its 95 %
    interval (normal on Fisher's scale, its spread that of `resamples` resamples of up to `AT_MOST` networks; NaN with
    fewer than two), and `GAIN`: Kendall's τ-b above that of the parameters, likewise. A score that is the same for all
    has NaN. `report` is told how many columns of how many are done. Raises `NotMeasured` where no column has `LEAST`
    such architectures, `ConfigError` for a score that is called as a cost is.
    """
    if taken := set(scores.columns) & set(BASELINES.values()):
        raise ConfigError(f"a score is called {min(taken)!r}, as one of the costs beside it is; rename it")
    whole, rows = scores.dropna(), []
    for number, column in enumerate(accuracy.columns, start=1):
        known = whole.join(accuracy[column].rename("accuracy"), how="inner").dropna()
        if len(known) >= LEAST:
            for metric, name in BASELINES.items():
                known[name] = costs.loc[known.index, (metric, column)]
            rows.append(_compared(known, classes[known.index], resamples, seed).assign(column=column))
        report(number, len(accuracy.columns))
    if not rows:
        most = max(
            (len(whole.index.intersection(accuracy[name].dropna().index)) for name in accuracy), default=0
        )
        raise NotMeasured(
            f"{most} of the {len(scores):,} architectures have all scores and an accuracy in the table; {LEAST} are "
            "needed to correlate"
        )
    return pd.concat(rows, ignore_index=True)[[*COLUMNS, *GAIN]]


def _compared(known: pd.DataFrame, classes: npt.NDArray[np.int64], resamples: int, seed: int) -> pd.DataFrame:
    """Return the rows of one column of accuracy; `known` holds it as 'accuracy', and every score and cost."""
    names = [str(name) for name in known if name != "accuracy"]
    found = {method: _each(known, names, method) for method in METHODS}
    spread, gain_spread = _spreads(known, names, classes, resamples, seed)
    rows = pd.DataFrame({"score": names, "n": len(known), "networks": len(np.unique(classes))})
    z = scipy.stats.norm.ppf((1 + LEVEL) / 2)
    for method, values in found.items():
        with np.errstate(divide="ignore"):
            middle = np.arctanh(values)
        rows[method] = values
        for end, sign in (("low", -1), ("high", 1)):
            rows[f"{method}_{end}"] = np.tanh(middle + sign * z * spread[method])
    gain = found["kendall"] - found["kendall"][names.index(BASELINES["params_m"])]
    return rows.assign(gain=gain, gain_low=gain - z * gain_spread, gain_high=gain + z * gain_spread)


def _each(known: pd.DataFrame, names: list[str], method: str) -> npt.NDArray[np.float64]:
    return np.array([correlate(known[name], known["accuracy"], method) for name in names])


def _spreads(
    known: pd.DataFrame, names: list[str], classes: npt.NDArray[np.int64], resamples: int, seed: int
) -> tuple[dict[str, npt.NDArray[np.float64]], npt.NDArray[np.float64]]:
    """Return standard deviations over resamples: of each correlation on Fisher's scale, and of the gain in τ-b."""
    order = np.argsort(classes, kind="stable")
    values, ordered = known[[*names, "accuracy"]].to_numpy()[order], classes[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1))
    sizes, rng = np.diff(np.append(starts, len(order))), np.random.default_rng(seed)
    count = min(AT_MOST, len(starts))
    drawn = np.full((max(resamples, 2), len(METHODS), len(names)), np.nan)
    for number in range(resamples):
        picked = rng.integers(len(starts), size=count)
        ends = np.cumsum(sizes[picked])
        within = np.arange(ends[-1]) - np.repeat(ends - sizes[picked], sizes[picked])
        drawn[number] = _all(values[np.repeat(starts[picked], sizes[picked]) + within])
    scale = np.sqrt(count / len(starts))
    gains = drawn[:, 0] - drawn[:, 0, [names.index(BASELINES["params_m"])]]
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample in which all agree
        spread = np.arctanh(drawn).std(axis=0, ddof=1) * scale
    return dict(zip(METHODS, spread, strict=True)), gains.std(axis=0, ddof=1) * scale


def _all(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return every correlation of `METHODS` of each column with the last one, (methods, columns - 1)."""
    accuracy = values[:, -1]
    taus = [scipy.stats.kendalltau(values[:, at], accuracy).statistic for at in range(values.shape[1] - 1)]
    with np.errstate(divide="ignore", invalid="ignore"):  # a column that is constant
        both = [
            np.asarray(np.corrcoef(part.T))[-1, :-1]
            for part in (scipy.stats.rankdata(values, axis=0), values)
        ]
        return np.array([taus, *both])
