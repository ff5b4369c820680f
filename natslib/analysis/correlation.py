"""Correlation between accuracy columns over architectures (NATS-Bench, figure 5)."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import scipy

from natslib.errors import NotMeasured, unknown_name

LEAST = 3  # architectures; with two, every correlation is 1 or -1
METHODS = {"kendall": "Kendall τ-b", "spearman": "Spearman ρ", "pearson": "Pearson r"}
_STATISTICS = {"kendall": "kendalltau", "spearman": "spearmanr", "pearson": "pearsonr"}  # of `scipy.stats`


def correlate(a: pd.Series, b: pd.Series, method: str) -> float:
    """Return the correlation of two columns of equal length without gaps; NaN where one of them is constant.

    `method` is one of `METHODS`; raises `UnknownName`.
    """
    if method not in _STATISTICS:
        raise unknown_name("correlation", method, METHODS)
    if a.nunique() < 2 or b.nunique() < 2:
        return float("nan")
    correlation = getattr(scipy.stats, _STATISTICS[method])  # loaded now, if it was not: that takes a second
    return float(correlation(a.to_numpy(), b.to_numpy()).statistic)


def correlation_matrix(frame: pd.DataFrame, method: str) -> pd.DataFrame:
    """Return the square matrix of correlations between the columns, ones on its diagonal.

    All pairs are taken over the same architectures, those measured in every column; where they are fewer than
    `LEAST`, all is NaN and `explain_few` says so.
    """
    complete = frame.dropna()
    matrix = pd.DataFrame(np.nan, index=frame.columns, columns=frame.columns)
    if len(complete) < LEAST:
        return matrix
    for i, a in enumerate(frame.columns):
        matrix.loc[a, a] = 1.0
        for b in frame.columns[:i]:
            matrix.loc[a, b] = matrix.loc[b, a] = correlate(complete[a], complete[b], method)
    return matrix


def explain_few(frame: pd.DataFrame) -> str:
    """Return one sentence where too few architectures to correlate are measured in every column, else ''."""
    complete = len(frame.dropna())
    return (
        ""
        if complete >= LEAST
        else f"{complete} architectures with every accuracy: {LEAST} are needed to correlate"
    )


def agreement(a: pd.Series, b: pd.Series) -> tuple[float, int]:
    """Return Kendall's τ-b of two series over the architectures in both (NaN below `LEAST`), and their number."""
    both = pd.DataFrame({"a": a, "b": b}).dropna()
    tau = correlate(both["a"], both["b"], "kendall") if len(both) >= LEAST else float("nan")
    return tau, len(both)


def pair_agreement(frame: pd.DataFrame, pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Return Kendall's τ-b of each pair of columns over the architectures measured in both: columns x, y, n, kendall.

    NaN where they are fewer than `LEAST`.
    """
    rows = []
    for x, y in pairs:
        tau, n = agreement(frame[x], frame[y])
        rows.append({"x": x, "y": y, "n": n, "kendall": tau})
    return pd.DataFrame(rows, columns=["x", "y", "n", "kendall"])


def select_above(frame: pd.DataFrame, label: str, threshold_pct: float) -> pd.DataFrame:
    """Return the architectures whose accuracy in column `label` exceeds `threshold_pct` percent.

    The column is the one asked for or none: raises `NotMeasured` where the frame lacks it.
    """
    if label not in frame.columns:
        raise NotMeasured(f"no column {label!r} to select by: there are {', '.join(map(str, frame.columns))}")
    return frame[frame[label] > threshold_pct]


def correlation_pairs(frame: pd.DataFrame, methods: Sequence[str] = tuple(METHODS)) -> pd.DataFrame:
    """Return one row a pair of columns: a, b, n (architectures), and one column a method."""
    matrices = {method: correlation_matrix(frame, method) for method in methods}
    pairs = [(a, b) for i, a in enumerate(frame.columns) for b in frame.columns[i + 1 :]]
    rows = [
        {"a": a, "b": b, "n": len(frame.dropna()), **{m: matrices[m].loc[a, b] for m in methods}}
        for a, b in pairs
    ]
    return pd.DataFrame(rows, columns=["a", "b", "n", *methods])
