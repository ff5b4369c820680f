"""Numbers printed in the papers, each with its source, to be shown beside measured ones and never mixed into them."""

from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd
import yaml

from natslib.errors import unknown_name

COLUMNS = ["space", "method", "dataset", "split", "mean", "std", "evidence", "source"]
EVIDENCE = {"read": "", "quoted": " q", "recomputed": " c", "remembered": " ?"}
"""How a printed number came down to us, and how it is marked for that where it stands in a text."""


def read_printed(table: str) -> pd.DataFrame:
    """Return a printed table in long form.

    `table`: "nats-bench-table-4", "nas-bench-201-table-5", "darts-pt-table-4", "ood-bench-table" or "nas-ood-table".
    Columns: space ("tss" or "sss"; on shifted data the kind of shift), method (by its name in natslib), dataset, split
    ("valid" or "test"), mean and std in percent (of OoD-Bench the error bar; std NaN for one architecture, both NaN for
    what is not printed), evidence ("quoted", "recomputed", "remembered" or "read"), source.
    """
    tables = _read()
    if table not in tables:
        raise unknown_name("printed table", table, tables)
    content = dict(tables[table])
    source = content.pop("source")
    rows = [
        (space, method, dataset, split, *pair, _evidence(values["evidence"], dataset, split), source)
        for space, methods in content.items()
        for method, values in methods.items()
        for dataset, numbers in values.items()
        if dataset != "evidence"
        for split, pair in (("valid", numbers[:2]), ("test", numbers[2:]))
    ]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"mean": "float64", "std": "float64"})


def _evidence(given: str | dict[str, str], dataset: str, split: str) -> str:
    """Return the word for one number of a row that has one word, one a dataset or one a split."""
    return given if isinstance(given, str) else given.get(dataset) or given[split]


@cache
def _read() -> dict[str, dict[str, Any]]:
    return yaml.safe_load(files("natslib.analysis").joinpath("printed.yaml").read_text(encoding="utf-8"))
