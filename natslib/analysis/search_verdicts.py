"""The paper's multi-trial searches, run on a table, held to its Table 4: means, spreads, and which ends above which."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from natslib.analysis.printed import read_orders
from natslib.analysis.verdicts import COLUMNS, SHORT, Fact, table_4

SEARCHES = ("rea", "reinforce", "random", "bohb")
"""The multi-trial searches of that table."""
MEAN, CIFAR10_TEST = 0.25, 0.10
"""Percentage points by which the mean over the runs of a search may differ; on CIFAR-10's test images."""
STD = 0.25
"""The share of a printed standard deviation over the runs by which one may differ."""
RUNS = 500
"""Of each search, as in the paper; of fewer, neither spreads nor orders are judged, which chance would decide."""
FEW = f"of fewer than {RUNS} runs, spread and order are chance"
_MEANS = "NATS-Bench, Table 4: multi-trial searches"
_SPREADS = f"{_MEANS}, spread over runs"
_ORDERS = f"{_MEANS}, which ends higher"

Ends = dict[tuple[str, str, str], dict[Any, Any]]
"""What the runs of a search end with, by method, dataset and split."""


def search_frame(space: str, finals: pd.DataFrame, why: str = "") -> pd.DataFrame:
    """Return one row a fact that the searches give: the columns of `verdicts.fact_frame`.

    `finals` has method, dataset, split ("valid", "test") and, over the runs, their number runs, mean and std in percent
    (population), or why there are none. What it lacks is not judged, because of `why`, or else of what the source
    lacks: scores of the dataset, or its test.
    """
    ends: Ends = {(row["method"], row["dataset"], row["split"]): row for row in finals.to_dict("records")}
    rows = [row for printed in table_4(space) for row in _of_one(printed, ends, why)]
    rows += [row for pair in _pairs(space) for row in _of_two(*pair, ends, why)]
    facts, items = pd.DataFrame(rows, columns=COLUMNS), [_MEANS, _SPREADS, _ORDERS]
    return facts.sort_values(
        "item", key=lambda names: names.map(items.index), kind="stable", ignore_index=True
    )


def _of_one(printed: dict[Any, Any], ends: Ends, why: str) -> Iterator[dict[str, object]]:
    """Yield the verdicts on mean and spread of a search on one column."""
    method, label, evidence = printed["method"], printed["column"], printed["evidence"]
    if method not in SEARCHES:
        return
    held = _end(printed, ends, why)
    tolerance = CIFAR10_TEST if label == "C10-T" else MEAN
    mean = Fact(_MEANS, f"mean of {method}", (label,), printed["mean"], evidence, tolerance)
    yield mean.judged(held["mean"], held["why"])
    spread = STD * printed["std"]
    std = Fact(_SPREADS, f"std of {method}", (label,), printed["std"], evidence, spread)
    yield std.judged(held["std"], held["why"] or _few(held))


def _pairs(space: str) -> Iterator[tuple[dict[Any, Any], dict[Any, Any]]]:
    """Yield the printed rows, on test, of each search and of one that it ends above."""
    tested = {(row["dataset"], row["method"]): row for row in table_4(space) if row["split"] == "test"}
    for dataset, pairs in read_orders(space).items():
        for above, below in pairs:
            yield tested[dataset, above], tested[dataset, below]


def _of_two(
    above: dict[Any, Any], below: dict[Any, Any], ends: Ends, why: str
) -> Iterator[dict[str, object]]:
    """Yield the verdict on which of two searches ends higher: 1 where it is the first."""
    one, other = (_end(each, ends, why) for each in (above, below))
    what = f"{above['method']} above {below['method']}"
    fact = Fact(_ORDERS, what, (above["column"],), 1.0, above["evidence"], 0.0)
    lacking = one["why"] or other["why"] or _few(one)
    yield fact.judged(np.nan if lacking else float(one["mean"] > other["mean"]), lacking)


def _few(held: dict[Any, Any]) -> str:
    return FEW if held["runs"] < RUNS else ""


def _end(printed: dict[Any, Any], ends: Ends, why: str) -> dict[Any, Any]:
    """Return what a search ends with on the column of a printed row; where that is lacking, why."""
    key, label = (printed["method"], printed["dataset"], printed["split"]), printed["column"]
    if key in ends:
        return ends[key]
    searched = any(dataset == key[1] for _, dataset, _ in ends)
    absent = label if searched else f"{label.rpartition('-')[0]}-V@{SHORT}"
    return {"mean": np.nan, "std": np.nan, "runs": 0, "why": why or f"the source lacks: {absent}"}
