"""Objectives compared as OoD-Bench (CVPR 2022, section 5) does: one trial is chosen a seed, then means and scores.

A frame of trials has one row a trial: dataset, objective, draw, seed, and for every way to choose, one of `RULES`, the
score that it sees and what the chosen network achieves on the target, `<rule>` and `<rule>_test`, in percent.
"""

import numpy as np
import pandas as pd

from natslib.errors import ConfigError, NotMeasured, unknown_name

RULES = {
    "valid": "held-out images of the sources",
    "elsewhere": "a further environment",
    "oracle": "a fifth of the target (oracle)",
}
"""Ways to choose a trial; only the last has seen the target."""
#: Means and bars are decimal numbers, whose last binary digits must not decide what lies on the end of a bar.
TOLERANCE = 1e-9


def chosen_trials(trials: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Return the trial that a rule chooses for each dataset, objective and seed, its accuracy on the target as `test`.

    Chosen is the draw with the best score, the first of equal ones; nothing but that score is looked at. Left out are
    seeds without any score of the rule. Raises `UnknownName`.
    """
    if rule not in RULES:
        raise unknown_name("rule", rule, RULES)
    scored = trials.dropna(subset=[rule]).sort_values("draw", kind="stable")
    best = scored.groupby(["dataset", "objective", "seed"], sort=False)[rule].idxmax()
    return scored.loc[best].assign(rule=rule, test=lambda rows: rows[f"{rule}_test"]).sort_index()


def objective_table(trials: pd.DataFrame) -> pd.DataFrame:
    """Return a row a rule, dataset and objective: mean (percent), error of the mean, seeds, and score.

    Datasets and objectives stand in the order of the trials. `error` is the standard deviation over the seeds,
    divided by their number and not one less, over the root of the number: OoD-Bench's error bar. `score` is the
    objective's on that dataset, against ERM; NaN where there is no ERM.
    """
    parts = [chosen_trials(trials, rule) for rule in RULES]
    grouped = pd.concat(parts).groupby(["rule", "dataset", "objective"], sort=False)["test"]
    table = grouped.agg(
        mean="mean",
        error=lambda x: x.std(ddof=0) / len(x) ** 0.5,
        seeds="size",
    ).reset_index()
    table = table.sort_values(
        ["dataset", "objective"],
        key=lambda names: names.map({name: at for at, name in enumerate(dict.fromkeys(trials[names.name]))}),
        kind="stable",
        ignore_index=True,
    )
    scores = [
        _placed(rows).rename("score")
        for _, rows in table.groupby(["rule", "dataset"])
        if "erm" in set(rows["objective"])
    ]
    return table.join(pd.concat(scores)) if scores else table.assign(score=np.nan)


def objective_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return an `objective_table` as texts: a row a dataset and objective, a column a rule, 'mean ± error (score)'."""
    texts = [
        f"{mean:.1f} ± {error:.1f}" + ("" if np.isnan(score) else f" ({score:+.0f})")
        for mean, error, score in table[["mean", "error", "score"]].to_numpy(dtype=np.float64)
    ]
    wide = table.assign(text=texts).pivot_table(
        index=["dataset", "objective"], columns="rule", values="text", aggfunc="first", sort=False
    )
    return (
        wide[[rule for rule in RULES if rule in wide]].fillna("none").reset_index().rename_axis(columns=None)
    )


def ranking_score(frame: pd.DataFrame, reference: str = "erm") -> pd.Series:
    """Return the ranking score of each objective: summed over the datasets +1, 0 or -1 (OoD-Bench, its tables).

    `frame` has the columns dataset, objective, mean and error. A mean counts +1 above and -1 below the reference's mean
    plus or minus its error; the ends of that bar are within it. Raises `NotMeasured` where a dataset lacks the
    reference, `ConfigError` where it has an objective twice.
    """
    if frame.duplicated(["dataset", "objective"]).any():
        raise ConfigError("an objective stands twice on one dataset: choose one rule and one network first")
    for dataset, rows in frame.groupby("dataset", sort=False):
        if reference not in set(rows["objective"]):
            raise NotMeasured(f"no {reference} on {dataset}, against which objectives are scored")
    placed = pd.concat([_placed(rows, reference) for _, rows in frame.groupby("dataset", sort=False)])
    return placed.groupby(frame["objective"], sort=False).sum().astype(int).rename("score")


def _placed(rows: pd.DataFrame, reference: str = "erm") -> pd.Series:
    """Return +1, 0 or -1 for each row of one dataset: above, within or below the reference's bar."""
    bar = rows[rows["objective"] == reference].iloc[0]
    apart = rows["mean"] - bar["mean"]
    return np.sign(apart).where(apart.abs() > bar["error"] + TOLERANCE, 0.0)
