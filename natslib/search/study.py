"""A study: what can be searched on a table, by which rules, and what is reported. Command line and notebooks ask it.

Where the table holds what the paper used, a study is the paper's; where it does not, it is the nearest one that the
table allows, and `Study.deviations` says what differs.
"""

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.datasets import DATASETS, title_of
from natslib.errors import ConfigError, NotMeasured, unknown_name
from natslib.search.algorithms import MULTI_FIDELITY, SEARCHES
from natslib.search.algorithms.successive_halving import rung_epochs
from natslib.search.oracle import EVALUATIONS, SECONDS, NotTimed, Oracle, sense
from natslib.search.proposals import SearchFunction
from natslib.search.recorded import recorded_runs
from natslib.search.repeat import repeat
from natslib.search.simulate import Protocol
from natslib.search.store import kept_runs
from natslib.tables.format.schema import CURVE_METRICS
from natslib.tables.reported import (
    Reported,
    reported_columns,
    reported_values,
    searched_columns,
    shown_values,
)
from natslib.tables.table import Table

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
PAPER, LONGEST = "paper", "longest"
SEARCHED = 0.05
"""A dataset is searched where this share of the architectures of any other has scores: few are soon all known."""
DEFAULT_EVALUATIONS = 180
"""Where the paper has no budget in seconds, one pays for so many evaluations of average cost: the paper's do."""
_BUDGET = re.compile(rf"([0-9][0-9_,]*(?:\.[0-9]+)?(?:e\+?[0-9]+)?) *({SECONDS}|{EVALUATIONS})")


@dataclass(frozen=True, eq=False)
class Study:
    """A search on one dataset of a table.

    `recipe`: the training recipe that scores. `oracle`: the scores, and the costs in its unit. `protocol`: the rules,
    and the budget in that unit. `own_budget`: it was given, and is not the default of `study_of`.
    """

    table: Table
    dataset: str
    recipe: str
    oracle: Oracle
    protocol: Protocol
    own_budget: bool = False

    @property
    def metric(self) -> str:
        """What is searched for."""
        return str(self.oracle.source.get("metric", "accuracy"))

    @property
    def title(self) -> str:
        """The dataset as figures name it."""
        return title_of(self.dataset)

    @property
    def epochs(self) -> int:
        """The epochs of a full training."""
        return self.oracle.epochs[-1]

    @property
    def budget(self) -> float:
        """What a run may use up, in `unit`."""
        return self.protocol.budget

    @property
    def unit(self) -> str:
        """What is spent: "s", simulated seconds, or "evaluations"."""
        return self.oracle.unit

    def covers(self, share: float, others: Sequence["Study"]) -> bool:
        """Return whether scores exist for at least this share of the architectures of any of `others`."""
        return len(self.oracle.measured) >= share * max(len(other.oracle.measured) for other in others)

    def oracle_of(self, search: str | SearchFunction) -> Oracle:
        """Return what `search` asks: short trainings too, for one of `MULTI_FIDELITY`; raises `NotMeasured`."""
        if search not in MULTI_FIDELITY or len(self.oracle.epochs) > 1:
            return self.oracle
        rungs = rung_epochs(self.epochs, 1, 3)
        try:
            return Oracle.from_table(self.table, **self.oracle.source, epochs=rungs, unit=self.unit)
        except NotMeasured:
            after = ", ".join(map(str, rungs))
            raise NotMeasured(
                f"{search} needs scores of {self.dataset} ({self.metric}) by recipe {self.recipe!r} after {after} "
                "epochs; this table has no curves of it. Curves have the official archives and own training, such as "
                "--table logs/embedded-tss --dataset digits; of full trainings only, the other searches can be run: "
                f"{', '.join(name for name in SEARCHES if name not in MULTI_FIDELITY)}"
            ) from None

    def own_oracle(self) -> Oracle:
        """Return what a search of one's own may ask: the short trainings of `MULTI_FIDELITY` too, if there are any."""
        return self.oracle if self.lacking(["hyperband"]) else self.oracle_of("hyperband")

    def lacking(self, names: Iterable[str | SearchFunction]) -> list[str | SearchFunction]:
        """Return the searches among `names` whose short trainings the table has not."""
        return [name for name in names if not self._allows(name)]

    def _allows(self, name: str | SearchFunction) -> bool:
        try:
            self.oracle_of(name)
        except NotMeasured:
            return False
        return True

    def search(
        self,
        searches: Mapping[str, str | SearchFunction] | Sequence[str],
        *,
        runs: int,
        seed: int,
        processes: int = 1,
        trajectories: Path | None = None,
    ) -> dict[str, pd.DataFrame]:
        """Return the trajectories of every search by name, those left out that the table does not allow.

        `searches`: names, or a mapping from a name to a name or function. Run for run, all have the same seeds.
        `trajectories`: a folder whose runs are taken where they are just these (`natslib.search.store.kept_runs`).
        """
        named = searches if isinstance(searches, Mapping) else {name: name for name in searches}
        lacking = self.lacking(named)
        how: dict[str, Any] = {"runs": runs, "seed": seed}
        found = {}
        for name in (each for each in named if each not in lacking):
            asked = (named[name], self.oracle_of(named[name]), self.protocol)
            kept = None if trajectories is None else kept_runs(trajectories, *asked, **how)
            found[name] = repeat(*asked, **how, processes=processes).frame if kept is None else kept
        return found

    def recorded(
        self, folder: Path, names: Iterable[str], *, runs: int, seed: int
    ) -> dict[str, pd.DataFrame]:
        """Return what `search` would, of the searches among `names` whose runs are recorded in `folder`."""
        allowed = [name for name in names if self._allows(name)]
        how: dict[str, Any] = {"runs": runs, "seed": seed}
        found = {
            name: recorded_runs(folder, name, self.oracle_of(name), self.protocol, **how) for name in allowed
        }
        return {name: frame for name, frame in found.items() if frame is not None}

    def incumbents(self, trajectories: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Return the architecture that each run is left with: the incumbent when the budget is used up, (runs,).

        An evaluation that crosses the budget counts under the rule "keep", as in the paper's searches.
        """
        return trajectories.groupby("run")["incumbent"].last().to_numpy()

    def reported(self, what: str) -> npt.NDArray[np.float64] | None:
        """Return the "valid" or "test" accuracies (percent, by architecture) that are reported; None without any."""
        found = reported_values(self.table, self.dataset, what)
        return None if found is None else found.values

    @cached_property
    def shown(self) -> tuple[str, npt.NDArray[np.float64]]:
        """What figures show: "test", or "valid" where the table has no test accuracies, and the reported accuracies."""
        return shown_values(self.table, self.dataset)[:2]

    @property
    def optimum(self) -> float:
        """The best of the shown accuracies, percent."""
        return float(np.nanmax(self.shown[1]))

    @property
    def in_paper(self) -> bool:
        """Whether the paper searches this dataset in this space."""
        return (self.oracle.space.name, self.dataset) in NATS_BENCH_BUDGETS_S

    @property
    def part(self) -> str:
        """Of how many architectures it has scores, where the paper has all: the best of a part is another; else ""."""
        measured, known = len(self.oracle.measured), len(self.oracle.space)
        return (
            f"scores of {measured:,} of {known:,} architectures" if self.in_paper and measured < known else ""
        )

    @property
    def deviations(self) -> list[str]:
        """What of it is not the paper's, in short words; empty where all is."""
        told = [] if self.metric == "accuracy" else [f"a search for {self.metric}, not for accuracy"]
        if self.unit == EVALUATIONS:
            told.append("a budget in evaluations, not in seconds")
        elif self.own_budget:
            told.append("a budget of one's own")
        elif not self.in_paper:
            told.append(f"{DEFAULT_EVALUATIONS} evaluations of average cost: the paper has no budget")
        elif self.epochs != PAPER_EPOCHS:
            told.append(f"the paper's budgets scaled by {self.epochs}/{PAPER_EPOCHS}")
        told += [self.part] if self.part else []
        if self.unit == SECONDS and not self.oracle.source["charge_validation"]:
            told.append("validation passes not charged")
        return told


def study_of(
    table: Table,
    dataset: str,
    recipe: str = PAPER,
    budget: str = PAPER,
    *,
    draw: str | int | None = None,
    charge_validation: bool = True,
    epochs: Sequence[int] | None = None,
    metric: str = "accuracy",
    **rules: Any,
) -> Study:
    """Return the study of one dataset; raises `NotMeasured` for scores or costs that the table lacks.

    `recipe`: the name of the recipe that scores, "longest" for the one with most epochs, or "paper": 12 epochs where
    the table has them, else the fewest. `budget`: "paper", the paper's seconds scaled to the recipe, or what pays for
    180 average evaluations where it has none; or such as "20000 s" or "100 evaluations". A table without training times
    is searched by 180 evaluations where the budget is "paper". `draw` as of `Oracle.from_table`, by default the
    paper's, a stored run drawn each time, or else the mean. `charge_validation`: charge the validation pass, as far as
    the table has its time. `epochs`: the trainings offered, by default the full one. `metric`: what is searched for,
    high or low as the table says. `rules`: those of `Protocol`.
    """
    sense(table, metric)
    split = split_of(table.runs(metric), dataset, metric)
    name = recipe_of(table.runs(metric), dataset, recipe, split)
    asked = parse_budget(budget)
    options: dict[str, Any] = {"draw": draw, "charge_validation": charge_validation, "epochs": epochs}
    options |= {"metric": metric, "split": split}
    try:
        unit = SECONDS if asked is None else asked[1]
        oracle = oracle_of(table, dataset, name, unit=unit, **options)
    except NotMeasured as error:
        if asked is not None and asked[1] == SECONDS:
            way = f"a budget in seconds needs them; give one such as '{DEFAULT_EVALUATIONS} {EVALUATIONS}'"
            raise NotMeasured(f"{error}; {way}") from None
        if asked is not None:
            raise
        oracle = oracle_of(table, dataset, name, unit=EVALUATIONS, **options)
    amount = default_budget(oracle, dataset) if asked is None else asked[0]
    return Study(table, dataset, name, oracle, Protocol(amount, **rules), own_budget=asked is not None)


def parse_budget(text: str) -> tuple[float, str] | None:
    """Return amount and unit of a budget such as "20000 s" or "100 evaluations", None for "paper"."""
    if text == PAPER:
        return None
    found = _BUDGET.fullmatch(text.strip())
    if found is None:
        raise ConfigError(
            f"the budget {text!r:.80} was given; allowed are {PAPER!r}, simulated seconds such as '20000 s', and a "
            "number of evaluations such as '100 evaluations'"
        )
    return float(re.sub("[_,]", "", found[1])), found[2]


def find_studies(table: Table, recipe: str = PAPER, budget: str = PAPER) -> list[Study]:
    """Return a study for every dataset that has validation scores, the paper's datasets first.

    One with scores of few architectures, compared with another, is left out (`SEARCHED`). `recipe` and `budget` as of
    `study_of`. Raises `NotMeasured` that says why where there is no study at all.
    """
    found, reasons = [], []
    for dataset in searchable(table.runs()):
        try:
            found.append(study_of(table, dataset, recipe, budget))
        except NotMeasured as reason:
            reasons.append(f"{dataset}: {reason}")
    if not found:
        listed = "; ".join(reasons) or needs_scores(table.runs())
        raise NotMeasured(f"this table allows no search by recipe {recipe!r}: {listed}")
    return [study for study in found if study.covers(SEARCHED, found)]


def searchable(runs: pd.DataFrame) -> list[str]:
    """Return the datasets with validation scores, under the names that searches have for them."""
    held = set(runs.loc[runs["split"] == "valid", "dataset"])
    names = {"cifar10" if name == "cifar10-valid" else name for name in held if name != "cifar10"}
    return sorted(names, key=lambda name: (name not in DATASETS, [*DATASETS, name].index(name), name))


def needs_scores(runs: pd.DataFrame) -> str:
    """Return what a table can be searched on, or why on nothing, for a message."""
    if datasets := searchable(runs):
        return f"it can be searched on: {', '.join(datasets)}"
    held = ", ".join(sorted(set(runs["split"])))
    return f"a search is scored by validation accuracies (split valid), and it holds {held} only"


def split_of(runs: pd.DataFrame, dataset: str, metric: str) -> str:
    """Return the split that is searched on: validation, or training for what is no score and stands only there."""
    where = searched_columns(dataset)
    held = set(runs.loc[runs["dataset"] == where["dataset"], "split"])
    only_training = metric not in CURVE_METRICS and where["split"] not in held and "train" in held
    return "train" if only_training else where["split"]


def recipe_of(runs: pd.DataFrame, dataset: str, recipe: str, split: str = "valid") -> str:
    """Return the name of the recipe that scores; see `study_of`."""
    held = runs[(runs["dataset"] == searched_columns(dataset)["dataset"]) & (runs["split"] == split)]
    if held.empty:
        raise NotMeasured(f"no validation scores of {dataset} in this table; {needs_scores(runs)}")
    epochs = held.groupby("recipe")["epochs"].max().sort_values(kind="stable")
    if recipe in epochs.index:
        return recipe
    if recipe == LONGEST:
        return str(epochs.index[-1])
    if recipe == PAPER:
        short = epochs[epochs == PAPER_EPOCHS]
        return str(short.index[0] if len(short) else epochs.index[0])
    known = sorted(set(runs["recipe"]))
    if recipe not in known:
        raise unknown_name("recipe", recipe, [PAPER, LONGEST, *known])
    raise NotMeasured(
        f"no validation scores of {dataset} by recipe {recipe!r}; there are some by {', '.join(epochs.index)}"
    )


def oracle_of(
    table: Table,
    dataset: str,
    recipe: str,
    *,
    draw: str | int | None,
    charge_validation: bool,
    split: str,
    metric: str,
    **options: Any,
) -> Oracle:
    """Return the paper's oracle as far as can be: a stored run drawn each time, the validation pass charged."""
    where, runs = {**searched_columns(dataset), "split": split}, table.runs(metric)
    block = runs[(runs["dataset"] == where["dataset"]) & (runs["recipe"] == recipe)]
    single = set(block.loc[block["split"] == split, "seed"]) - {"mean"}
    drawn = draw if draw is not None else "random" if single else "mean"
    asked: dict[str, Any] = {**where, "recipe": recipe, "draw": drawn, "metric": metric, **options}
    if charge_validation:
        with contextlib.suppress(NotTimed):
            return Oracle.from_table(table, **asked)
    return Oracle.from_table(table, **asked, charge_validation=False)


def default_budget(oracle: Oracle, dataset: str) -> float:
    """Return the budget of a run in the oracle's unit: the paper's seconds, or `DEFAULT_EVALUATIONS` average costs."""
    if oracle.unit == SECONDS and (oracle.space.name, dataset) in NATS_BENCH_BUDGETS_S:
        return paper_budget_s(oracle.space.name, dataset, oracle.epochs[-1])
    return float(DEFAULT_EVALUATIONS * oracle.costs[oracle.measured, -1].mean())


def paper_budget_s(space: str, dataset: str, epochs: int = PAPER_EPOCHS) -> float:
    """Return the budget of NATS-Bench in seconds, scaled to evaluations of `epochs` epochs instead of 12.

    Raises `ConfigError` for a dataset that the paper does not search on.
    """
    if (space, dataset) not in NATS_BENCH_BUDGETS_S:
        listed = ", ".join("/".join(key) for key in NATS_BENCH_BUDGETS_S)
        raise ConfigError(f"the paper has no time budget for {space}/{dataset}; it has one for {listed}")
    return NATS_BENCH_BUDGETS_S[space, dataset] * epochs / PAPER_EPOCHS


def describe_studies(studies: Sequence[Study]) -> list[str]:
    """Return what the searches see and pay, and what of it is not the paper's, as parts of a figure's caption."""
    epochs = "/".join(str(number) for number in sorted({study.epochs for study in studies}))
    draws = {"random": "a stored run drawn each time", "mean": "the mean of the stored runs"}
    drawn = " or ".join(
        sorted({draws.get(study.oracle.source["draw"], "one stored run") for study in studies})
    )
    amounts = "/".join(dict.fromkeys(f"{study.budget:,.0f}" for study in studies))
    units = "/".join(dict.fromkeys(study.unit for study in studies))
    parts = [f"scores after {epochs} epochs, {drawn}", f"budget {amounts} {units}"]
    return [*parts, *dict.fromkeys(told for study in studies for told in study.deviations)]


def explain_lacking(studies: Sequence[Study], names: Iterable[str]) -> str:
    """Return which searches and datasets the table does not allow, and why; empty where it allows all."""
    wanted = list(names)
    absent = dict.fromkeys(str(name) for study in studies for name in study.lacking(wanted))
    told = [f"no scores after fewer epochs in this source, so no {', '.join(absent)}"] if absent else []
    if few := [study.title for study in _sparse(studies)]:
        told.append(f"not searched, for few architectures have scores: {', '.join(few)}")
    return "; ".join(told)


def _sparse(studies: Sequence[Study]) -> list[Study]:
    """Return the studies that `find_studies` left out for their few architectures."""
    table, found = studies[0].table, []
    for dataset in set(searchable(table.runs())) - {study.dataset for study in studies}:
        with contextlib.suppress(NotMeasured):
            found.append(study_of(table, dataset, studies[0].recipe))
    return sorted((s for s in found if not s.covers(SEARCHED, studies)), key=lambda s: s.title)


def find_pairs(
    table: Table, recipe: str = PAPER, budget: str = PAPER
) -> tuple[list[tuple[Study, Study]], dict[str, str]]:
    """Return (short, full) studies of the datasets that can be searched by two recipes, and why others cannot be.

    Both have the simulated seconds that the paper draws, or else those of the full one, and the architectures that are
    measured by both recipes. `recipe` names the short recipe; where the table has one recipe and its curves, the first
    third of the same training stands for it. The second value maps the title of a dataset to what the table lacks.
    Raises `NotMeasured` where there is no dataset to search on.
    """
    pairs, lacking = [], {}
    if not (datasets := searchable(table.runs())):
        raise NotMeasured(f"this table allows no search: {needs_scores(table.runs())}")
    for dataset in datasets:
        title = title_of(dataset)
        try:
            short, full = (study_of(table, dataset, each, budget) for each in (recipe, LONGEST))
        except NotMeasured as reason:
            lacking[title] = f"One of the two recipes cannot be searched: {reason}"
            continue
        if short.recipe == full.recipe:
            try:
                short = _cut_short(full, budget)
            except NotMeasured:
                lacking[title] = (
                    f"This source has scores after {full.epochs} epochs only; "
                    "a search by proxy needs those of a shorter training too."
                )
                continue
        both = np.intersect1d(short.oracle.measured, full.oracle.measured)
        if EVALUATIONS in (short.unit, full.unit):
            lacking[title] = (
                "Where evaluations are counted instead of seconds, a short training costs as much as a full one."
            )
            continue
        if not len(both):
            lacking[title] = "No architecture of this source has scores after both trainings."
            continue
        pairs.append(_shared(short, full, both, budget))
    return pairs, lacking


def _cut_short(full: Study, budget: str) -> Study:
    """Return the study by the first third of the same training, as Hyperband cuts it; raises `NotMeasured`."""
    third = rung_epochs(full.epochs, 1, 3)[-2:-1]
    if not third:
        raise NotMeasured(f"a training of {full.epochs} epochs has no third")
    return study_of(full.table, full.dataset, full.recipe, budget, epochs=third)


def _shared(short: Study, full: Study, both: npt.NDArray[np.integer], budget: str) -> tuple[Study, Study]:
    """Return the two studies with one budget, limited to the architectures `both`."""
    drawn_to = PROXY_BUDGETS_S.get((full.oracle.space.name, full.dataset), full.budget)
    protocol = replace(full.protocol, budget=drawn_to if budget == PAPER else full.budget)
    first, second = (replace(s, oracle=s.oracle.limited(both), protocol=protocol) for s in (short, full))
    return first, second


def full_values(full: Study) -> Reported:
    """Return the test or, where that is not measured, the validation accuracies (percent) after the study's recipe."""
    for what in ("test", "valid"):
        where = reported_columns(full.dataset, what)
        with contextlib.suppress(NotMeasured):
            return Reported(what, full.table.values("accuracy", **where, recipe=full.recipe), full.recipe)
    raise NotMeasured(f"the table has no accuracies of {full.dataset} by recipe {full.recipe!r}")


def nas_bench_201(study: Study) -> Study:
    """Return the study with NAS-Bench-201's rules: three fifths of the budget, a crossing evaluation dropped.

    On CIFAR-10 that is its 12,000 s beside NATS-Bench's 20,000, scaled to the recipe as they are. Its REINFORCE keeps
    the crossing evaluation, its RANDOM and REA drop it; here all do.
    """
    share = NAS_BENCH_201_BUDGET_S / NATS_BENCH_BUDGETS_S["tss", "cifar10"]
    return replace(study, protocol=replace(study.protocol, budget=share * study.budget, overshoot="discard"))
