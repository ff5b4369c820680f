"""A search of one's own beside the baselines, in one call."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from natslib.analysis.multi_trial import final_frame, final_samples, over_baselines
from natslib.errors import ConfigError
from natslib.search import SearchFunction, study_of
from natslib.search.study import PAPER
from natslib.tables import Table, load

BASELINES = ("random", "rea", "reinforce", "local-search")
RESAMPLES = 1000


def compare(
    search: str | SearchFunction,
    dataset: str,
    table: Table | str | Path = "published",
    *,
    baselines: Sequence[str] = BASELINES,
    runs: int = 20,
    seed: int = 0,
    recipe: str = PAPER,
    budget: str = PAPER,
    processes: int = 1,
) -> pd.DataFrame:
    """Search one dataset of a table with `search` and with every baseline, and return where they end: a row a search.

    Columns: method; runs; mean, std (population), low and high (95 % bootstrap interval of the mean) and iqm of the
    accuracy in percent of what the runs end with, test accuracy where the table has it, else validation accuracy
    (`attrs["split"]`; `attrs["optimum"]` is the best there is); and, of each baseline, `improvement`, the chance that a
    run of `search` ends higher than one of its, and `p_holm` of the paired signed-rank test. `search` is a generator
    function such as in notebook 10, or the name of a search. `recipe` and `budget` as of `natslib.search.study_of`:
    by default the paper's. With as many runs as the paper has, 500, orders can be believed.

    Raises `NotMeasured` where the table does not allow the search, and `UnknownName`.
    """
    name = search if isinstance(search, str) else getattr(search, "__name__", "search")
    if name in baselines:
        raise ConfigError(f"the search {name!r} is one of the baselines, too; name others, or rename it")
    opened = table if isinstance(table, Table) else load(table)
    study = study_of(opened, dataset, recipe, budget)
    study.oracle_of(search)  # says what it lacks; a baseline that the table does not allow is left out
    what, values = study.shown
    found = study.search(
        {name: search} | {each: each for each in baselines}, runs=runs, seed=seed, processes=processes
    )
    rng = np.random.default_rng(seed)
    samples = final_samples(found, values, study.budget, rule="step")
    ends = final_frame(samples, rng, resamples=RESAMPLES)
    if len(samples) > 1:
        against = over_baselines(samples, name, rng, resamples=RESAMPLES)
        ends = ends.join(against[["improvement", "p_holm"]], on="method")
    ends.attrs |= {"split": what, "optimum": study.optimum, "dataset": dataset, "recipe": study.recipe}
    return ends
