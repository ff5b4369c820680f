"""`natslib verify`: hold a table to what the papers say of the same results."""

import argparse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from natslib.analysis import multi_trial, search_verdicts, verdicts
from natslib.analysis.architectures import COST_LABELS, stored_costs
from natslib.analysis.columns import Column, find_columns
from natslib.commands.exits import APART
from natslib.commands.options import TABLE, add_json, from_0, print_json
from natslib.datasets import PAPER
from natslib.errors import NotMeasured, UnknownName
from natslib.search.study import Study, find_studies
from natslib.tables import Table, load

_SHORTER = "no scores after fewer epochs in the source, without which there is no {}"


EPILOG = f"""examples:
  natslib verify published
  natslib verify TABLE --runs 500 --all
  natslib verify TABLE --json > verdicts.json      (every fact)
Exit code 0: no published fact is contradicted; {APART}: one is."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `natslib verify`."""
    parser.add_argument("table", help=TABLE)
    parser.add_argument(
        "--runs",
        type=from_0,
        default=100,
        help="how often each of the paper's searches is run, on a table that has what they need; spread and order are "
        f"judged from {search_verdicts.RUNS} on; 0: not at all (100)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--all", action="store_true", help="every fact, not only the contradicted ones")
    add_json(form)
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter


def run(args: argparse.Namespace) -> int:
    """Print by item what agrees, then what is contradicted and what that has in common."""
    found = judge(load(args.table), runs=args.runs)
    wrong = found.facts[found.facts["verdict"] == verdicts.CONTRADICTS]
    if args.json:
        content = {"facts": found.facts.drop(columns="numbered").to_dict("records"), "causes": found.causes}
        print_json(content)
        return APART if len(wrong) else 0
    if found.facts.empty or found.facts["verdict"].eq(verdicts.NOT_JUDGED).all():
        print("nothing to judge: no published fact is about what this table holds")
    print(verdicts.summarise(found.facts).to_string(index=False))
    shown = found.facts if args.all else wrong
    if len(shown):
        print(f"\n{shown.drop(columns=['numbered', 'why']).round(4).to_string(index=False)}")
    for cause in found.causes:
        print(f"\n{cause}")
    return APART if len(wrong) else 0


@dataclass(frozen=True)
class Judged:
    """The verdicts, a row a fact (`analysis.verdicts.fact_frame`), and what contradictions have in common."""

    facts: pd.DataFrame
    causes: list[str]


def judge(table: Table, *, runs: int, seed: int = 0, **how: Any) -> Judged:
    """Hold a table to the published facts; where it allows it, each of the paper's searches is run `runs` times.

    With fewer than two runs nothing is searched. `how`: the other options of `Study.search`.
    """
    space = table.space.name
    columns = verdicts.verdict_columns(lambda recipe: _columns(table, recipe), space)
    values: Callable[..., np.ndarray] = table.values
    held = {label: values("accuracy", **column.key) for label, column in columns.items()}
    accuracy = pd.DataFrame(held, index=pd.RangeIndex(len(table.space), name="arch_index"))
    costs, computed = _costs(table, columns.values())
    parts = [
        verdicts.fact_frame(space, accuracy),
        search_verdicts.search_frame(space, *_finals(table, {"runs": runs, "seed": seed, **how})),
        verdicts.cost_frame(costs, computed),
    ]
    facts = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return Judged(facts, verdicts.diagnose(facts, accuracy, space))


def _columns(table: Table, recipe: str) -> list[Column]:
    try:
        return find_columns(table.runs(), table.values, recipe=recipe)
    except (NotMeasured, UnknownName):
        return []


def _costs(table: Table, columns: Iterable[Column]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the costs stored with the paper's columns, and those in closed form, a column a cost and dataset."""
    stored, computed, codes = {}, {}, table.space.codes()
    by_dataset = {column.dataset: column for column in columns}
    for column in (by_dataset[name] for name in PAPER if name in by_dataset):
        for metric in COST_LABELS:
            found = stored_costs(len(table.space), table.values, metric, column)
            if not np.isnan(found).all():
                name = f"{metric} {column.dataset}"
                stored[name] = found
                computed[name] = np.asarray(getattr(table.space, metric)(codes, column.dataset))
    return pd.DataFrame(stored), pd.DataFrame(computed)


def _finals(table: Table, how: dict[str, Any]) -> tuple[pd.DataFrame, str]:
    """Return what the paper's searches end with (`search_verdicts.search_frame`), and why there is nothing."""
    empty = pd.DataFrame(columns=["method", "runs", "mean", "std", "why", "dataset", "split"])
    try:
        studies = [study for study in find_studies(table) if study.in_paper]
    except NotMeasured as error:
        return empty, str(error)
    if apart := sorted({told for study in studies for told in study.deviations if told != study.part}):
        return empty, f"its searches would not be the paper's: {'; '.join(apart)}"
    if how["runs"] < 2:
        return empty, "the searches were not run"
    parts = [part for study in studies for part in _ends(study, how)]
    return pd.concat([empty, *parts], ignore_index=True), ""


def _ends(study: Study, how: dict[str, Any]) -> Iterator[pd.DataFrame]:
    """Search once; yield what the runs of each end with on every split that is reported, or why there is nothing."""
    reported = {split: values for split in ("valid", "test") if (values := study.reported(split)) is not None}
    if not reported:
        return
    if study.part:
        lacking = dict.fromkeys(search_verdicts.SEARCHES, f"scored in part: {study.title}")
    else:
        lacking = {str(name): _SHORTER.format(name) for name in study.lacking(search_verdicts.SEARCHES)}
    names = [name for name in search_verdicts.SEARCHES if name not in lacking]
    found = study.search(names, **how)
    for split, values in reported.items():
        samples = multi_trial.final_samples(found, values, study.budget, rule="official")
        ends = [(name, len(one), *multi_trial.mean_and_std(one), "") for name, one in samples.items()]
        ends += [(name, 0, np.nan, np.nan, why) for name, why in lacking.items()]
        rows = pd.DataFrame(ends, columns=["method", "runs", "mean", "std", "why"])
        yield rows.assign(dataset=study.dataset, split=split)
