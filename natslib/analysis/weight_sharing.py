"""Weight-sharing searches, epoch by epoch: what the current architecture is worth, and what goes wrong on the way.

`runs` are joined records (`natslib.weight_sharing.records`): one row a method, warm-up, seed and epoch. `values` is the
accuracy of every architecture of a space in percent, NaN where a table has none: what it lacks stays missing.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import softmax
from scipy.stats import kendalltau

from natslib.analysis.architectures import REFERENCES, reference_rows
from natslib.analysis.columns import with_columns

Floats = npt.NDArray[np.float64]
SEARCH, RUN = ["method", "warm_up"], ["method", "warm_up", "seed"]
LEAST = 20  # architectures; of fewer, a rank correlation says little
PRINTED_AS = {"tas": "interpolation", "fbnetv2": "masking-gumbel", "tunas": "masking-sampling"}
"""The searches of the size space as the paper's table names them."""


def epoch_frame(runs: pd.DataFrame, values: Floats) -> pd.DataFrame:
    """Return the value of the current architecture over the epochs, over the seeds of each search.

    Columns: method, warm_up, epoch, seeds, known (seeds whose architecture has a value), mean, low and high (smallest
    and largest); these three are NaN unless all seeds are known, so that every point of a curve is over the same seeds.
    """
    found = runs.assign(value=values[runs["arch_index"]]).groupby([*SEARCH, "epoch"], sort=False)["value"]
    frame = found.agg(seeds="size", known="count", mean="mean", low="min", high="max").reset_index()
    partly = frame["known"] < frame["seeds"]
    frame.loc[partly, ["mean", "low", "high"]] = np.nan
    return frame


def describe_runs(frames: Iterable[pd.DataFrame]) -> str:
    """Return how long and how often was searched, for a figure's caption: 'settings digits, 100 epochs, seeds: 3'."""
    runs = pd.concat(frames)
    seeds = sorted(set(runs.groupby(SEARCH)["seed"].nunique()))
    names = "/".join(runs["settings"].unique())
    return f"settings {names}, {runs['epoch'].max()} epochs, seeds: {'/'.join(map(str, seeds))}"


def with_norms(runs: pd.DataFrame) -> pd.DataFrame:
    """Return runs with "-bn0" behind the method where the settings are those of NAS-Bench-201's second table.

    These are the names of its rows (`analysis.printed`).
    """
    second = runs["settings"].str.contains("-bn0")
    return runs.assign(method=runs["method"] + np.where(second, "-bn0", ""))


def known_share(runs: pd.DataFrame, values: Floats) -> float:
    """Return the share (0 to 1) of the recorded architectures that have a value."""
    return float((~np.isnan(values[runs["arch_index"]])).mean())


def final_frame(runs: pd.DataFrame, values: Floats) -> pd.DataFrame:
    """Return the value of the last architectures of each search, over its seeds that have one.

    Columns: method, warm_up, seeds, known, mean, std (population); NaN where no seed has a value, and
    std where only one has.
    """
    last = runs.loc[runs.groupby(RUN, sort=False)["epoch"].idxmax()]
    found = last.assign(value=values[last["arch_index"]]).groupby(SEARCH, sort=False)["value"]
    frame = found.agg(
        seeds="size", known="count", mean="mean", std=lambda some: some.std(ddof=0)
    ).reset_index()
    frame.loc[frame["known"] < 2, "std"] = np.nan
    return frame


def operation_shares(runs: pd.DataFrame, operations: Sequence[str]) -> pd.DataFrame:
    """Return the share (0 to 1) of its edges that each current cell gives to each operation.

    Columns: method, seed, epoch and the operations.
    """
    codes = np.stack(runs["code"].to_list())
    shares = (codes[:, :, None] == np.arange(len(operations))).mean(axis=1)
    frame = pd.DataFrame(shares, columns=list(operations), index=runs.index)
    return pd.concat([runs[["method", "seed", "epoch"]], frame], axis=1)


def projections(runs: pd.DataFrame, operations: Sequence[str]) -> pd.DataFrame:
    """Return what DARTS-PT saw when it decided edges: one row a decision and operation.

    Columns: method, seed, epoch, edge, operation, weight (softmax of the architecture parameters of the edge), masked
    (supernet accuracy in percent without the operation), drop (how far that is below the best of the edge's five) and
    chosen (whether the edge became this operation: largest drop, of equals the largest loss).
    """
    parts, names = [], np.array(operations)
    for run in runs[runs["masked_accuracies"].map(np.size) > 0].to_dict("records"):
        weights = softmax(np.reshape(run["alphas"], (-1, len(names))), axis=1)
        masked = np.reshape(run["masked_accuracies"], (-1, len(names)))
        for edge, op, row in zip(run["projected_edges"], run["projected_ops"], masked, strict=True):
            found = {"edge": int(edge), "operation": names, "weight": weights[int(edge)], "masked": row}
            frame = pd.DataFrame({**found, "drop": row.max() - row, "chosen": np.arange(len(names)) == op})
            parts.append(frame.assign(method=run["method"], seed=run["seed"], epoch=run["epoch"]))
    return pd.concat(parts, ignore_index=True)


def agreement(decisions: pd.DataFrame) -> pd.DataFrame:
    """Return for each method how magnitude and masking agree on an edge (rows of `projections`).

    Columns: decisions, same (share in which the largest weight is the operation that was chosen) and tau (mean
    Kendall correlation of weight and drop over the five operations).
    """
    rows = []
    for (method, _, _), edge in decisions.groupby(["method", "seed", "edge"], sort=False):
        same = edge["chosen"].to_numpy()[edge["weight"].to_numpy().argmax()]
        rows.append((method, same, kendalltau(edge["weight"], edge["drop"]).statistic))
    frame = pd.DataFrame(rows, columns=["method", "same", "tau"])
    return frame.groupby("method", sort=False).agg(
        decisions=("same", "size"), same=("same", "mean"), tau=("tau", "mean")
    )


def score_correlation(scores: pd.DataFrame, values: Floats, sizes: Floats) -> pd.DataFrame:
    """Return how each supernet ranks architectures that have a value: one row a run.

    `scores` has `accuracy` by arch_index and `inside`; `sizes` is the number of parameters of every architecture.
    Columns: method, warm_up, seed, inside, n, tau (Kendall's tau-b of score and value) and by_size (of size and value);
    both NaN for fewer than `LEAST` architectures.
    """
    known = scores.assign(value=values[scores["arch_index"]], size=sizes[scores["arch_index"]])
    groups = known.dropna(subset="value").groupby([*RUN, "inside"], sort=False)
    rows = [(*key, len(run), _tau(run, "accuracy"), _tau(run, "size")) for key, run in groups]
    return pd.DataFrame(rows, columns=[*RUN, "inside", "n", "tau", "by_size"])


def _tau(run: pd.DataFrame, by: str) -> float:
    return kendalltau(run[by], run["value"]).statistic if len(run) >= LEAST else np.nan


def table_rows(
    space: str, printed: pd.DataFrame, finals: Mapping[str, pd.DataFrame], values: Mapping[str, Floats]
) -> pd.DataFrame:
    """Return one space's half of Table 4 in long form, what is printed and what was found here as rows of their own.

    `printed`: `analysis.printed.read_printed`; `finals`: a `final_frame` for each label of a column ("C10-V", ...), and
    `values` what it was made from. Columns: space, method, warm_up, origin ("printed" or "here"), column, mean, std,
    known, seeds and evidence (of what is printed). Of what was found here there are more rows: those of
    `architectures.reference_rows`.
    """
    parts = [frame.assign(origin="here", column=label) for label, frame in finals.items()]
    methods = list(dict.fromkeys(method for frame in finals.values() for method in frame["method"]))
    for label, known in values.items():
        parts.append(reference_rows(space, known).assign(origin="here", column=label))
    names = {PRINTED_AS.get(method, method): method for method in [*methods, *REFERENCES]}
    paper = with_columns(printed[(printed["space"] == space) & printed["method"].isin(names)])
    paper = paper.assign(method=paper["method"].map(names), origin="printed")
    kept = ["method", "warm_up", "origin", "column", "mean", "std", "known", "seeds", "evidence"]
    rows = pd.concat([paper, *parts], ignore_index=True).reindex(columns=kept)
    return rows.assign(space=space)
