"""A table held to what the papers say of the same results: published, regenerated, difference, verdict.

A table's own numbers give most facts at once: the rows of Table 4 that stand for known architectures, correlations,
distributions, counts and ranks (NATS-Bench; NAS-Bench-201). Its searches are run first. Where the source lacks what a
fact is about there is no verdict, and the reason stands in its place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from natslib.analysis.columns import Column, with_columns
from natslib.analysis.correlation import METHODS, correlate
from natslib.analysis.printed import read_facts, read_listed, read_printed

AGREES, CONTRADICTS, NOT_JUDGED = VERDICTS = ("agrees", "contradicts", "not judged")
WHOLE, SHORT = {"tss": "200", "sss": "90"}, "12"
"""The recipe that the papers report, by space, and the one that scores their searches."""
ROUNDED = 0.005
"""Percentage points: a table prints two decimals."""
COLUMNS = [
    "item",
    "what",
    "published",
    "evidence",
    "regenerated",
    "difference",
    "tolerance",
    "verdict",
    "why",
    "numbered",
]
TABLE_4 = "nats-bench-table-4"
_COSTS = "parameters and FLOPs in closed form"
_SELECTS = "C10-T"
_EXACT = 1e-6  # accuracies are stored with about seven digits
_SHAPE: dict[str, Callable[..., float]] = {
    "mean": lambda accuracy: accuracy.mean(),
    "std": lambda accuracy: accuracy.std(ddof=0),
    "median": lambda accuracy: accuracy.median(),
    "worst": lambda accuracy: accuracy.min(),
}
_OF_ONE_COLUMN = _SHAPE | {
    "best": lambda accuracy: accuracy.max(),
    "above": lambda accuracy, threshold: (accuracy > threshold).sum(),
    "best architecture": lambda accuracy: accuracy.idxmax(),
    "rank": lambda accuracy, arch: (accuracy > accuracy[arch]).sum() + 1,
    "accuracy": lambda accuracy, *archs: accuracy[list(archs)].mean(),
    "std over": lambda accuracy, *archs: accuracy[list(archs)].std(ddof=0),
}
_NUMBERED = ("best architecture", "rank", "accuracy", "std over")
"""What depends on how the architectures are numbered."""


@dataclass(frozen=True)
class Fact:
    """One published number: `words` are the columns and whole numbers that its quantity is asked with."""

    item: str
    quantity: str
    words: tuple[str, ...]
    published: float
    evidence: str
    tolerance: float
    above: float | None = None

    @property
    def columns(self) -> list[str]:
        """The labels of the columns that it is about."""
        asked = [word for word in self.words if not word.isdecimal()]
        return list(dict.fromkeys([*asked, *([] if self.above is None else [_SELECTS])]))

    @property
    def numbers(self) -> list[int]:
        """The architectures, or the threshold, that it is about."""
        return [int(word) for word in self.words if word.isdecimal()]

    @property
    def what(self) -> str:
        """The quantity in words: 'kendall, C10-V C10-T, of C10-T > 92'."""
        selected = "" if self.above is None else f", of {_SELECTS} > {self.above}"
        return f"{self.quantity}, {' '.join(self.words)}{selected}"

    def regenerated(self, accuracy: pd.DataFrame) -> float:
        """Return what the accuracies give."""
        held = accuracy if self.above is None else accuracy[accuracy[_SELECTS] > self.above]
        if self.quantity in METHODS:
            return correlate(held[self.columns[0]], held[self.columns[1]], self.quantity)
        return float(_OF_ONE_COLUMN[self.quantity](held[self.columns[0]], *self.numbers))

    def judged(self, found: float, lacking: str = "") -> dict[str, object]:
        """Return the row of the verdict, `COLUMNS`; a remembered number is no target, and contradicts nothing."""
        agrees = abs(found - self.published) <= self.tolerance + _EXACT
        unsure = self.evidence == "remembered" and not agrees
        why = lacking or ("the published number is remembered: no target" if unsure else "")
        return {
            "item": self.item,
            "what": self.what,
            "published": self.published,
            "evidence": self.evidence,
            "regenerated": found,
            "difference": found - self.published,
            "tolerance": self.tolerance,
            "verdict": NOT_JUDGED if why else AGREES if agrees else CONTRADICTS,
            "why": why,
            "numbered": self.quantity in _NUMBERED,
        }


def verdict_columns(find: Callable[[str], Sequence[Column]], space: str) -> dict[str, Column]:
    """Return the accuracy columns that facts are about: 'C10-V' of the whole training, 'C10-V@12' of the short one.

    `find(recipe)` returns the columns of a recipe, none where the table lacks it.
    """
    whole = {column.label: column for column in find(WHOLE[space])} if space in WHOLE else {}
    return whole | {f"{column.label}@{SHORT}": column for column in find(SHORT)}


def fact_frame(space: str, accuracy: pd.DataFrame) -> pd.DataFrame:
    """Return one row a published fact of a space that a table's own numbers give; empty for a space without any.

    `accuracy`: percent, one row an architecture (index arch_index), the columns of `verdict_columns`. Of `COLUMNS`,
    verdict is one of `VERDICTS`, why says that there is none, and numbered whether the number depends on the indices.
    A fact about all architectures is judged where all are there.
    """
    rows = []
    for fact in [*_rows_of_table_4(space), *_single_facts(space)]:
        lacking = _lacking(accuracy, fact.columns)
        rows.append(fact.judged(np.nan if lacking else fact.regenerated(accuracy), lacking))
    return pd.DataFrame(rows, columns=COLUMNS)


def _single_facts(space: str) -> list[Fact]:
    return [
        Fact(
            group["item"],
            group["quantity"],
            tuple(key.split()),
            value,
            group["evidence"],
            group["tolerance"],
            group.get("above"),
        )
        for group in read_facts(space)
        for key, value in group["values"].items()
    ]


def _rows_of_table_4(space: str) -> list[Fact]:
    """Return the rows that are means over known architectures, and the best."""
    listed, facts = read_listed(space), []
    for row in table_4(space):
        archs = tuple(map(str, listed.get(row["method"], {}).get(row["dataset"], [])))
        if archs or row["method"] == "optimal":
            item, label = f"NATS-Bench, Table 4: {row['method']}", row["column"]
            parts = [("accuracy" if archs else "best", row["mean"]), ("std over", row["std"])]
            facts += [
                Fact(item, quantity, (label, *archs), value, row["evidence"], ROUNDED)
                for quantity, value in parts
                if not np.isnan(value)
            ]
    return facts


def table_4(space: str) -> list[dict[Any, Any]]:
    """Return the rows of the printed table of a space as `read_printed` does, each with its `column`, 'C10-V'."""
    printed = with_columns(read_printed(TABLE_4))
    return printed[printed["space"] == space].to_dict("records")


def _lacking(accuracy: pd.DataFrame, labels: list[str]) -> str:
    absent = [label for label in labels if label not in accuracy]
    part = [label for label in labels if label in accuracy and accuracy[label].isna().any()]
    told = [f"the source lacks: {', '.join(absent)}"] if absent else []
    told += [f"incomplete: {', '.join(part)}"] if part else []
    return "; ".join(told)


def cost_frame(stored: pd.DataFrame, computed: pd.DataFrame) -> pd.DataFrame:
    """Return one row a kind of cost: how many times the closed form the stored values are, by their median.

    Both are one row an architecture and one column a cost ('params_m cifar10', millions); the columns are those of
    `fact_frame`.
    """
    rows = []
    for column in stored:
        ratio = (stored[column] / computed[column]).median()
        fact = Fact(
            _COSTS,
            "stored / computed",
            (str(column),),
            1.0,
            "recomputed",
            0.001,
        )
        rows.append(fact.judged(float(ratio), "" if ratio == ratio else f"the source lacks: {column}"))
    return pd.DataFrame(rows, columns=COLUMNS)


def diagnose(facts: pd.DataFrame, accuracy: pd.DataFrame, space: str) -> list[str]:
    """Say in sentences what contradictions have in common: a unit, a numbering, a column that is another one.

    `facts`: `fact_frame` and `cost_frame`. Empty where nothing is contradicted, or where no common cause is seen.
    """
    wrong = facts[facts["verdict"] == CONTRADICTS]
    told = [
        f"{row['what']}: the stored values are {row['regenerated']:,.6g} times what the architectures have; "
        f"the unit is another one (millions are expected): divide them by {row['regenerated']:,.6g}"
        for row in wrong.to_dict("records")
        if row["item"] == _COSTS
    ]
    if fractions := [str(label) for label in accuracy if accuracy[label].max() <= 1]:
        return [
            *told,
            f"{', '.join(fractions)}: nothing is above 1; these are fractions, and percent is expected: "
            "multiply them by 100",
        ]
    if (wrong["item"] == _COSTS).all():
        return told
    if swapped := _swapped(accuracy, space):
        return [
            *told,
            *(
                f"{label} holds what is published of {other}: name it so in the mapping"
                for label, other in swapped
            ),
        ]
    judged = facts[facts["verdict"] != NOT_JUDGED]
    free = judged.loc[~judged["numbered"].astype(bool) & (judged["item"] != _COSTS), "verdict"]
    if len(free) and (free == AGREES).all():
        told.append(
            "what is said of all architectures together agrees, and what is said of single ones does not: they are "
            "numbered otherwise: name them by their strings instead"
        )
    return told


def _swapped(accuracy: pd.DataFrame, space: str) -> list[tuple[str, str]]:
    """Return the columns that are distributed as another one is published to be, and that one."""
    shapes: dict[str, list[Fact]] = {}
    for fact in _single_facts(space):
        if fact.quantity in _SHAPE:
            shapes.setdefault(fact.columns[0], []).append(fact)
    pairs = []
    for label in accuracy:
        renamed = {other: accuracy[[label]].set_axis([other], axis=1) for other in shapes}
        like = [
            other
            for other, facts in shapes.items()
            if all(fact.judged(fact.regenerated(renamed[other]))["verdict"] == AGREES for fact in facts)
        ]
        pairs += [(str(label), like[0])] if like and label not in like else []
    return pairs


def summarise(facts: pd.DataFrame) -> pd.DataFrame:
    """Return one row an item: item, facts (how many), agrees, contradicts, not judged, and why."""
    by_item = facts.groupby("item", sort=False)
    counts = {verdict: (facts["verdict"] == verdict).groupby(facts["item"]).sum() for verdict in VERDICTS}
    frame = pd.DataFrame({"facts": by_item.size(), **counts, "why": by_item["why"].agg(_reasons)})
    return frame.reindex(facts["item"].unique()).reset_index(names="item")


def _reasons(some: pd.Series) -> str:
    """Join reasons, each cause once: 'the source lacks: C10-T, C100-T'."""
    causes: dict[str, dict[str, None]] = {}
    for reason in some[some != ""]:
        for part in reason.split("; "):
            cause, _, labels = part.partition(": ")
            causes.setdefault(cause, {}).update(dict.fromkeys(filter(None, labels.split(", "))))
    return "; ".join(f"{cause}: {', '.join(labels)}" if labels else cause for cause, labels in causes.items())
