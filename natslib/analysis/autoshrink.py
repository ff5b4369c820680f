"""AutoShrink (Zhang et al., AAAI 2020): its path, what its candidates are worth, its fronts, and its printed numbers.

`found` are the rows of `search.shrinking.descend_often`. `values` has one row an architecture, index arch_index:
accuracy (percent), params_m and flops_m (millions) and score.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.analysis.printed import EVIDENCE
from natslib.analysis.seed_noise import noise_variance
from natslib.analysis.statistics import bootstrap, mean

CANDIDATES, CHOSEN, AGAIN = "mean of the candidates", "chosen", "chosen, by other seeds"
QUANTITIES = ["accuracy", "flops_m", "score"]
FINDERS = {"shrinking": "AutoShrink", "masks": "random wirings of its start", "free": "random architectures"}
COUNTED = {"parameters (millions)": "params_m", "FLOPs (millions)": "flops_m"}
SAVED = {"parameters saved, up to (%)": "params_left", "FLOPs saved, up to (%)": "flops_left"}
LEVELS = 60  # of FLOPs, at which fronts are compared


def split_seeds(
    scores: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64] | None]:
    """Return the mean over the seeds, what a search is to see, and the mean of the other seeds, each (n,).

    `scores`: (seeds, n), NaN where not measured. A search sees the first seed where all that are measured have a second
    one, to judge its choices by; else the mean, and there is nothing to judge by: None.
    """
    measured = ~np.isnan(scores).all(axis=0)
    averages = np.full(scores.shape[1], np.nan)
    averages[measured] = np.nanmean(scores[:, measured], axis=0)
    complete = scores[~np.isnan(scores[:, measured]).any(axis=1)]
    if len(complete) < 2:
        return averages, averages, None
    return averages, complete[0], complete[1:].mean(axis=0)


def path_curves(found: pd.DataFrame, again: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return what is evaluated and what is chosen on the way down, by edges left, mean over all paths.

    Columns: who (`CANDIDATES`, `CHOSEN` and, with `again`, the `values` by seeds that the search has not seen,
    `AGAIN`), edges, accuracy, flops_m, score, and number, of architectures.
    """
    chosen = found[found["chosen"]]
    groups = {CANDIDATES: found[found["step"] > 0], CHOSEN: chosen}
    if again is not None:
        groups[AGAIN] = chosen.drop(columns=again.columns).join(again, on="arch_index")
    parts = []
    for who, rows in groups.items():
        by_edges = rows.groupby("edges")
        parts.append(by_edges[QUANTITIES].mean().assign(number=by_edges.size(), who=who).reset_index())
    return pd.concat(parts, ignore_index=True)[["who", "edges", *QUANTITIES, "number"]]


def candidate_spread(found: pd.DataFrame, scores: npt.NDArray[np.float64]) -> pd.DataFrame:
    """Return how far apart the candidates of a step are, beside two trainings of one of them, by edges left.

    `scores`: accuracies (seeds, n). Columns: edges, between_candidates (mean standard deviation within a step of two
    candidates or more) and between_seeds (of one training, pooled over the candidates), in points. Empty where no
    candidate was trained twice.
    """
    runs = pd.DataFrame(scores.T)
    steps = found[found["step"] > 0]
    spread = steps.groupby(["start", "step"]).agg(edges=("edges", "max"), std=("accuracy", "std")).dropna()
    rows = []
    for edges, stds in spread.groupby("edges")["std"]:
        trained = runs.loc[steps.loc[steps["edges"] == edges, "arch_index"].unique()]
        if (trained.notna().sum(axis=1) > 1).any():
            rows.append((edges, stds.mean(), noise_variance(trained) ** 0.5))
    return pd.DataFrame(rows, columns=["edges", "between_candidates", "between_seeds"])


def best_of_paths(found: pd.DataFrame) -> pd.DataFrame:
    """Return the chosen architecture of best score of each path: a row a start, with what it keeps of it.

    Columns: arch_index, edges, accuracy, params_m, flops_m, score; params_left and flops_left (shares of the start's),
    gained (points of accuracy over the start), evaluations.
    """
    starts = found[found["step"] == 0].set_index("start")
    later = found[found["step"] > 0]
    chosen = later[later["chosen"]]
    best = chosen.loc[chosen.groupby("start")["score"].idxmax()].set_index("start")
    return best[["arch_index", "edges", "accuracy", "params_m", "flops_m", "score"]].assign(
        params_left=best["params_m"] / starts["params_m"],
        flops_left=best["flops_m"] / starts["flops_m"],
        gained=best["accuracy"] - starts["accuracy"],
        evaluations=later.groupby("start").size(),
    )


def chance_frame(rows: pd.DataFrame, rng: np.random.Generator, *, resamples: int) -> pd.DataFrame:
    """Return the mean best score with its 95 % bootstrap interval of each of `FINDERS`, by candidates a step.

    `rows` are those of `search.shrinking.against_chance`. Columns: finder, candidates, evaluations (mean), mean, low,
    high.
    """
    found = []
    for finder in FINDERS:
        for count, of_count in rows.groupby("candidates"):
            middle, low, high = bootstrap(of_count[finder], mean, rng, resamples=resamples)
            interval = float(middle), float(low), float(high)
            found.append((finder, count, of_count["evaluations"].mean(), *interval))
    return pd.DataFrame(found, columns=["finder", "candidates", "evaluations", "mean", "low", "high"])


def front_frame(trajectories: Mapping[str, pd.DataFrame], values: pd.DataFrame) -> pd.DataFrame:
    """Return the best accuracy within so many FLOPs that each search has evaluated: method, flops_m, mean, low, high.

    The mean over its runs, and from the worst to the best of them, where all of them have evaluated something so
    small; the method "optimal" is the best of all that is measured.
    """
    known = values.dropna(subset="accuracy")
    levels = np.geomspace(known["flops_m"].quantile(0.001), known["flops_m"].max(), LEVELS)
    runs = {"optimal": [best_within(known, levels)]} | {
        name: [best_within(values.loc[run["arch_index"].unique()], levels) for _, run in frame.groupby("run")]
        for name, frame in trajectories.items()
    }
    parts = []
    for name, curves in runs.items():
        stacked = np.array(curves)
        some = ~np.isnan(stacked).any(axis=0)
        ends = {"mean": stacked.mean(axis=0), "low": stacked.min(axis=0), "high": stacked.max(axis=0)}
        columns = {"flops_m": levels[some]} | {key: value[some] for key, value in ends.items()}
        parts.append(pd.DataFrame({"method": name, **columns}))
    return pd.concat(parts, ignore_index=True)


def score_regret(trajectories: Mapping[str, pd.DataFrame], values: pd.DataFrame) -> dict[str, float]:
    """Return how far the best score that a run has evaluated is below the best there is: the mean over runs."""
    best = values["score"].max()
    return {
        name: float(
            best - values["score"].loc[frame["arch_index"]].groupby(frame["run"].to_numpy()).max().mean()
        )
        for name, frame in trajectories.items()
    }


def best_within(values: pd.DataFrame, levels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the best accuracy of `values` within each number of FLOPs (millions), NaN where nothing is so small."""
    ordered = values.sort_values("flops_m", kind="stable")
    best = np.r_[np.nan, ordered["accuracy"].cummax()]
    return best[np.searchsorted(ordered["flops_m"], levels * (1 + 1e-9), side="right")]


def beside_printed(printed: pd.DataFrame, counted: pd.DataFrame, best: pd.DataFrame) -> pd.DataFrame:
    """Put the printed numbers beside our count of the networks and what a source gives, in columns of texts.

    `printed` is `read_numbers("autoshrink")`, `counted` that of `autoshrink_networks.found_networks`, a row each where
    a network is counted with several numbers of edges; `best` is that of `best_of_paths`.
    """
    rows = []
    for network, quantity, value, evidence in printed.itertuples(index=False):
        number = f"{value:g}{EVIDENCE[evidence]}"
        counts = _counted(counted, network, quantity)
        for what, count in counts.items() or {quantity: ""}.items():
            rows.append((network, what, number, count, _saved(best, quantity)))
            number = ""
    return pd.DataFrame(rows, columns=["network", "quantity", "printed", "recomputed", "on this source"])


def _counted(counted: pd.DataFrame, network: str, quantity: str) -> dict[str, str]:
    """Return our counts of a printed quantity, by what they are; none of what cannot be counted."""
    if quantity not in COUNTED:
        return {}
    held = counted[counted["network"] == network].dropna(subset=COUNTED[quantity]).set_index("edges")
    counts = held[COUNTED[quantity]].map("{:.2f}".format).to_dict()
    several = len(counts) > 1
    return {f"{quantity}, {edges} edges" if several else quantity: text for edges, text in counts.items()}


def _saved(best: pd.DataFrame, quantity: str) -> str:
    """Return what the best of each path saves of its start, in percent, where that is the printed quantity."""
    if quantity not in SAVED:
        return ""
    saved = 100 * (1 - best[SAVED[quantity]])
    return f"{saved.max():.0f} (mean {saved.mean():.0f})"
