"""Which searches a table allows: its datasets, the recipe that scores, the costs and the simulated budgets.

Where the table holds what the paper used, a setting is the paper's; where it does not, the setting is the nearest one
that it allows, and `describe_settings` says what differs.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.datasets import DATASETS
from natslib.errors import ConfigError, NotMeasured, unknown_name
from natslib.search.algorithms import MULTI_FIDELITY
from natslib.search.algorithms.successive_halving import rung_epochs
from natslib.search.oracle import NotTimed, Oracle
from natslib.search.proposals import SearchFunction
from natslib.search.repeat import repeat
from natslib.search.simulate import Protocol
from natslib.search.store import description

RUNS = 500
"""Independent runs of each multi-trial search, in both papers."""

NATS_BENCH_BUDGETS_S: dict[tuple[str, str], float] = {
    ("tss", "cifar10"): 20_000.0,
    ("tss", "cifar100"): 40_000.0,
    ("tss", "ImageNet16-120"): 120_000.0,
    ("sss", "cifar10"): 20_000.0,
    ("sss", "cifar100"): 40_000.0,
    ("sss", "ImageNet16-120"): 60_000.0,
}
"""Seconds, by space and dataset, for scores after 12 epochs (NATS-Bench, multi-trial experiments)."""

PROXY_BUDGETS_S: dict[tuple[str, str], float] = {
    ("tss", "cifar10"): 1_200_000.0,
    ("sss", "cifar10"): 200_000.0,
}
"""Seconds to which NATS-Bench draws search by a short training against search by the full one."""

NAS_BENCH_201_BUDGET_S = 12_000.0
"""Seconds; NAS-Bench-201 searches on CIFAR-10 only, and drops the evaluation that would exceed the budget."""

PAPER_EPOCHS = 12


def paper_budget_s(space: str, dataset: str, epochs: int = PAPER_EPOCHS) -> float:
    """Return the budget of NATS-Bench in seconds, scaled to evaluations of `epochs` epochs instead of 12.

    Raises `ConfigError` for a dataset that the paper does not search on.
    """
    if (space, dataset) not in NATS_BENCH_BUDGETS_S:
        listed = ", ".join("/".join(key) for key in NATS_BENCH_BUDGETS_S)
        raise ConfigError(
            f"the paper has no time budget for {space}/{dataset} (it has {listed}); give one in seconds (--time-s)"
        )
    return NATS_BENCH_BUDGETS_S[space, dataset] * epochs / PAPER_EPOCHS


def searched_columns(dataset: str) -> dict[str, str]:
    """Return training set and split that a search on `dataset` is scored on: never a test set.

    CIFAR-10 is scored on the half of its training images that `cifar10-valid` leaves out.
    """
    return {"dataset": "cifar10-valid" if dataset == "cifar10" else dataset, "split": "valid"}


def reported_columns(dataset: str, what: str) -> dict[str, str]:
    """Return training set and split of the reported accuracy; `what` is "valid" or "test".

    The test accuracy of CIFAR-10 is that of networks trained on all its training images.
    """
    if what not in ("valid", "test"):
        raise unknown_name("reported accuracy", what, ("valid", "test"))
    return searched_columns(dataset) if what == "valid" else {"dataset": dataset, "split": "test"}


PAPER, LONGEST = "paper", "longest"
COVERED = 0.9
"""A longer training is reported where it holds this share of the architectures of any other."""
SEARCHED = 0.1
"""A dataset is searched where this share of the architectures of any other has scores: few are soon all known."""
EVALUATIONS = 180
"""Where the paper has no budget in seconds, one pays for so many evaluations of average cost: the paper's do."""


@dataclass(frozen=True, eq=False)
class Setting:
    """A search on one dataset: `recipe` is the recipe that scores, `budget_s` the simulated seconds of a run.

    `overshoot`: as in `Protocol`, NATS-Bench's rule unless said otherwise.
    """

    title: str
    dataset: str
    recipe: str
    oracle: Oracle
    budget_s: float
    overshoot: str = "keep"

    @property
    def epochs(self) -> int:
        """The epochs of a full training."""
        return self.oracle.epochs[-1]

    def covers(self, share: float, others: Sequence["Setting"]) -> bool:
        """Return whether scores exist for at least this share of the architectures of any of `others`."""
        return len(self.oracle.measured) >= share * max(len(other.oracle.measured) for other in others)

    def oracle_of(self, table: Any, search: str | SearchFunction) -> Oracle:
        """Return what `search` asks: short trainings too, for one of `MULTI_FIDELITY`; raises `NotMeasured`."""
        if search not in MULTI_FIDELITY:
            return self.oracle
        return Oracle.from_table(table, **self.oracle.source, epochs=rung_epochs(self.epochs, 1, 3))

    def own_oracle(self, table: Any) -> Oracle:
        """Return what a search of one's own may ask: the short trainings of `MULTI_FIDELITY` too, if there are any."""
        return self.oracle if self.lacking(table, ["hyperband"]) else self.oracle_of(table, "hyperband")

    def lacking(self, table: Any, names: Iterable[str]) -> list[str]:
        """Return the searches among `names` whose short trainings the table has not."""
        return [name for name in names if not self._allows(table, name)]

    def _allows(self, table: Any, name: str) -> bool:
        try:
            self.oracle_of(table, name)
        except NotMeasured:
            return False
        return True

    def search(
        self,
        table: Any,
        searches: Mapping[str, str | SearchFunction] | Sequence[str],
        *,
        runs: int,
        seed: int,
        processes: int,
    ) -> dict[str, pd.DataFrame]:
        """Return the trajectories of every search by name, those left out that the table does not allow.

        `searches`: names, or a mapping from a name to a name or function. Run for run, all have the same seeds.
        """
        named = searches if isinstance(searches, Mapping) else {name: name for name in searches}
        lacking = self.lacking(table, named)
        options: dict[str, Any] = {"runs": runs, "seed": seed, "processes": processes}
        rules = Protocol(self.budget_s, self.overshoot)
        return {
            name: repeat(search, self.oracle_of(table, search), rules, **options).frame
            for name, search in named.items()
            if name not in lacking
        }


def find_settings(table: Any, recipe: str) -> list[Setting]:
    """Return a setting for every dataset that has validation scores and costs, the paper's datasets first.

    One with scores of few architectures, compared with another, is left out (`SEARCHED`). `recipe`: the name of the
    recipe that scores, "longest" for the one with most epochs, or "paper": 12 epochs where the table has them, else
    the fewest. Raises `NotMeasured` that says why where there is no setting at all.
    """
    found, reasons = [], []
    for dataset in searchable(table.runs()):
        try:
            found.append(setting_of(table, dataset, recipe))
        except NotMeasured as reason:
            reasons.append(f"{dataset}: {reason}")
    if not found:
        listed = "; ".join(reasons) or "it has no validation scores"
        raise NotMeasured(f"this table allows no search at recipe {recipe!r}: {listed}")
    return [setting for setting in found if setting.covers(SEARCHED, found)]


def setting_of(table: Any, dataset: str, recipe: str) -> Setting:
    """Return the setting of one dataset; raises `NotMeasured` for scores or costs that the table lacks."""
    name = recipe_of(table.runs(), dataset, recipe)
    oracle = oracle_of(table, dataset, name)
    title = DATASETS[dataset].title if dataset in DATASETS else dataset
    return Setting(title, dataset, name, oracle, budget_of(oracle, dataset))


def searchable(runs: pd.DataFrame) -> list[str]:
    """Return the datasets with validation scores, under the names that searches have for them."""
    held = set(runs.loc[runs["split"] == "valid", "dataset"])
    names = {"cifar10" if name == "cifar10-valid" else name for name in held if name != "cifar10"}
    return sorted(names, key=lambda name: (name not in DATASETS, [*DATASETS, name].index(name), name))


def recipe_of(runs: pd.DataFrame, dataset: str, recipe: str) -> str:
    """Return the name of the recipe that scores; see `find_settings`."""
    where = searched_columns(dataset)
    held = runs[(runs["dataset"] == where["dataset"]) & (runs["split"] == where["split"])]
    epochs = held.groupby("recipe")["epochs"].max().sort_values(kind="stable")
    if recipe in epochs.index:
        return recipe
    if recipe == LONGEST and len(epochs):
        return str(epochs.index[-1])
    if recipe == PAPER and len(epochs):
        short = epochs[epochs == PAPER_EPOCHS]
        return str(short.index[0] if len(short) else epochs.index[0])
    known = sorted(set(runs["recipe"]))
    if recipe not in known:
        raise unknown_name("recipe", recipe, [PAPER, LONGEST, *known])
    raise NotMeasured(
        f"no validation scores at recipe {recipe!r}; there are some at {', '.join(epochs.index)}"
    )


def oracle_of(table: Any, dataset: str, recipe: str) -> Oracle:
    """Return the paper's oracle: a stored run drawn each time, the validation pass charged, as far as can be."""
    where, runs = searched_columns(dataset), table.runs()
    block = runs[(runs["dataset"] == where["dataset"]) & (runs["recipe"] == recipe)]
    single = set(block.loc[block["split"] == where["split"], "seed"]) - {"mean"}
    asked: dict[str, Any] = {**where, "recipe": recipe, "draw": "random" if single else "mean"}
    try:
        return Oracle.from_table(table, **asked)
    except NotTimed:
        return Oracle.from_table(table, **asked, charge_validation=False)


def budget_of(oracle: Oracle, dataset: str) -> float:
    """Return the simulated seconds of a run: the paper's, scaled to the recipe, or `EVALUATIONS` average costs."""
    if (oracle.space.name, dataset) in NATS_BENCH_BUDGETS_S:
        return paper_budget_s(oracle.space.name, dataset, oracle.epochs[-1])
    return float(EVALUATIONS * oracle.costs_s[oracle.measured, -1].mean())


def reported_values(table: Any, dataset: str, what: str) -> npt.NDArray[np.float64] | None:
    """Return the accuracies (percent, mean of seeds) that are reported: "valid" or "test" after the most epochs.

    A longer training of a few architectures does not count: it must hold `COVERED` of what another holds. One value an
    architecture, NaN where unmeasured; None where the table has none.
    """
    where, runs = reported_columns(dataset, what), table.runs()
    held = runs[(runs["dataset"] == where["dataset"]) & (runs["split"] == where["split"])]
    found = []
    for recipe in held.sort_values("epochs", ascending=False)["recipe"].unique():
        with contextlib.suppress(NotMeasured):
            found.append(table.values("accuracy", **where, recipe=recipe))
    counts = [int((~np.isnan(values)).sum()) for values in found]
    most = max(counts, default=0)
    return next((v for v, count in zip(found, counts, strict=True) if 0 < count >= COVERED * most), None)


def shown_values(table: Any, dataset: str) -> tuple[str, npt.NDArray[np.float64]]:
    """Return "test" or, where the table has no test accuracies, "valid", and its `reported_values`.

    Raises `NotMeasured` where the table has neither.
    """
    for what in ("test", "valid"):
        values = reported_values(table, dataset, what)
        if values is not None:
            return what, values
    raise NotMeasured(f"the table has neither test nor validation accuracies of {dataset}")


def describe_settings(settings: Sequence[Setting]) -> str:
    """Return what the searches see and pay, and what of it is not the paper's, for the caption of a figure."""
    epochs = sorted({setting.epochs for setting in settings})
    draws = {"random": "a stored run drawn each time", "mean": "the mean of the stored runs"}
    drawn = " or ".join(sorted({draws[setting.oracle.source["draw"]] for setting in settings}))
    seconds = "/".join(f"{setting.budget_s:,.0f}" for setting in settings)
    parts = [
        f"scores after {'/'.join(map(str, epochs))} epochs, {drawn}",
        f"{'budget' if len(settings) == 1 else 'budgets'} {seconds} s",
    ]
    paper = [s for s in settings if (s.oracle.space.name, s.dataset) in NATS_BENCH_BUDGETS_S]
    if any(setting.epochs != PAPER_EPOCHS for setting in paper):
        scale = "/".join(str(number) for number in epochs)
        parts.append(f"the paper's scaled by {scale}/{PAPER_EPOCHS}: it scores after {PAPER_EPOCHS} epochs")
    if len(paper) < len(settings):
        parts.append(f"{EVALUATIONS} evaluations of average cost where the paper has no budget")
    if not all(setting.oracle.source["charge_validation"] for setting in settings):
        parts.append("validation passes not charged, their time is not in this source")
    return " · ".join(parts)


def explain_lacking(table: Any, settings: Sequence[Setting], names: Iterable[str]) -> str:
    """Return which searches and datasets the table does not allow, and why; empty where it allows all."""
    wanted = list(names)
    absent = dict.fromkeys(name for setting in settings for name in setting.lacking(table, wanted))
    told = [f"no scores after fewer epochs in this source, so no {', '.join(absent)}"] if absent else []
    if few := [setting.title for setting in _sparse(table, settings)]:
        told.append(f"not searched, for few architectures have scores: {', '.join(few)}")
    return "; ".join(told)


def _sparse(table: Any, settings: Sequence[Setting]) -> list[Setting]:
    """Return the settings that `find_settings` left out for their few architectures."""
    found = []
    for dataset in set(searchable(table.runs())) - {setting.dataset for setting in settings}:
        with contextlib.suppress(NotMeasured):
            found.append(setting_of(table, dataset, settings[0].recipe))
    return sorted((s for s in found if not s.covers(SEARCHED, settings)), key=lambda s: s.title)


def run_folder(
    base: str | Path,
    search: str | SearchFunction,
    oracle: Oracle,
    protocol: Protocol,
    *,
    runs: int,
    seed: int,
) -> Path:
    """Return a folder below `base` for exactly these runs: change the function or anything else, and it is another."""
    told = description(search, oracle, protocol, seed) | {"runs": runs}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    return Path(base) / f"{told['algorithm']}-{digest[:12]}"


def find_pairs(table: Any, recipe: str) -> tuple[list[tuple[Setting, Setting]], dict[str, str]]:
    """Return (short, full) settings of the datasets that can be searched by two recipes, and why others cannot be.

    Both have the simulated seconds that the paper draws, or else those of the full one, and the architectures that are
    measured by both recipes. `recipe` names the short recipe (see `find_settings`). The second value maps the title
    of a dataset to what the table lacks.
    """
    pairs, lacking = [], {}
    for dataset in searchable(table.runs()):
        title = DATASETS[dataset].title if dataset in DATASETS else dataset
        try:
            short, full = (setting_of(table, dataset, each) for each in (recipe, LONGEST))
        except NotMeasured as reason:
            lacking[title] = f"One of the two recipes cannot be searched: {reason}"
            continue
        if short.recipe == full.recipe:
            lacking[title] = (
                f"This source has scores after {full.epochs} epochs only; "
                "a search by proxy needs those of a shorter training too."
            )
            continue
        both = np.intersect1d(short.oracle.measured, full.oracle.measured)
        if not len(both):
            lacking[title] = "No architecture of this source has scores after both trainings."
            continue
        budget_s = PROXY_BUDGETS_S.get((full.oracle.space.name, dataset), full.budget_s)
        short, full = (
            replace(each, budget_s=budget_s, oracle=each.oracle.limited(both)) for each in (short, full)
        )
        pairs.append((short, full))
    return pairs, lacking


def full_values(table: Any, full: Setting) -> tuple[str, npt.NDArray[np.float64]]:
    """Return "test" or, where that is not measured, "valid", and the accuracies (percent) after the training `full`."""
    for what in ("test", "valid"):
        with contextlib.suppress(NotMeasured):
            return what, table.values("accuracy", **reported_columns(full.dataset, what), recipe=full.recipe)
    raise NotMeasured(f"the table has no accuracies of {full.dataset} at recipe {full.recipe!r}")


def nas_bench_201(setting: Setting) -> Setting:
    """Return the setting with NAS-Bench-201's rules: three fifths of the budget, a crossing evaluation dropped.

    On CIFAR-10 that is its 12,000 s beside NATS-Bench's 20,000, scaled to the recipe as they are.
    """
    share = NAS_BENCH_201_BUDGET_S / NATS_BENCH_BUDGETS_S["tss", "cifar10"]
    return replace(setting, budget_s=share * setting.budget_s, overshoot="discard")
