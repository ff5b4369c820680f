"""The recorded searches of AutoShrink's published forms: what was tried, what was kept, and what was luck.

`rows` are those of `search.descent.read_record`, a row a training.
"""

import numpy as np
import pandas as pd

CANDIDATE, CHOSEN, AGAIN = "candidates", "chosen, as the search saw it", "chosen, trained again"


def told_apart(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a column `who`: `CHOSEN`, the best score of each step, another `CANDIDATE`, or `AGAIN`."""
    searched = rows[~rows["again"]]
    best = searched.groupby("step")["score"].idxmax()
    who = np.where(rows["again"], AGAIN, np.where(rows.index.isin(best), CHOSEN, CANDIDATE))
    return rows.assign(who=who)


def noise(rows: pd.DataFrame, quantity: str) -> tuple[float, float]:
    """Return two standard deviations of a quantity: of the candidates of a step, and of the seeds of one cell.

    Variances are averaged over the steps, and over the chosen cells that were trained again.
    """
    searched, again = rows[~rows["again"]], rows[rows["again"]]
    steps, seeds = (some.groupby("step")[quantity].var().mean() for some in (searched, again))
    return float(steps) ** 0.5, float(seeds) ** 0.5


def best_again(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the means of the chosen cells over their fresh seeds, by the edges left, the best score first."""
    again = rows[rows["again"]]
    kept = [name for name in ("accuracy", "perplexity", "flops_m", "score") if name in again]
    return again.groupby("edges")[kept].mean().sort_values("score", ascending=False, kind="stable")
