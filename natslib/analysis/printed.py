"""Numbers printed in the papers, each with its source, to be shown beside measured ones and never mixed into them."""

from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd
import yaml

from natslib.errors import unknown_name

COLUMNS = ["space", "method", "dataset", "split", "mean", "std", "evidence", "source"]
NUMBERS = ["network", "quantity", "printed", "evidence"]
SHIFTS = "ood-bench-shift"
TABLE_1 = "nats-bench-table-1"
PROPERTIES = ("nas-bench-101",)
OF_THEIR_OWN = ("facts", "listed", "orders", TABLE_1, SHIFTS, *PROPERTIES)
"""Sections that are neither tables nor lists of single numbers."""
EVIDENCE = {"read": "", "quoted": " q", "recomputed": " c", "remembered": " ?"}
"""How a printed number came down to us, and how it is marked for that where it stands in a text."""


def read_printed(table: str) -> pd.DataFrame:
    """Return a printed table in long form.

    `table`: "nats-bench-table-4", "nas-bench-201-table-5", "darts-pt-table-4", "ood-bench-table" or "nas-ood-table".
    Columns: space ("tss" or "sss"; on shifted data the kind of shift), method (by its name in natslib), dataset, split
    ("valid" or "test"), mean and std in percent (of OoD-Bench the error bar; std NaN for one architecture, both NaN for
    what is not printed), evidence ("quoted", "recomputed", "remembered" or "read"), source.
    """
    content = _section(table, numbers=False)
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


def read_facts(space: str) -> list[dict[str, Any]]:
    """Return the single facts of NATS-Bench's results on a space: item, quantity, values and more (printed.yaml)."""
    return [fact for fact in _read()["facts"] if fact["space"] == space]


def read_listed(space: str) -> dict[str, dict[str, list[int]]]:
    """Return the architectures that the published searches named, or that a row stands for: by method and dataset."""
    return dict(_read()["listed"].get(space, {}))


def read_orders(space: str) -> dict[str, list[list[str]]]:
    """Return pairs of searches of which the first ends above the second in Table 4, on test; by dataset."""
    return dict(_read()["orders"].get(space, {}))


def read_numbers(section: str) -> pd.DataFrame:
    """Return single printed numbers, a row each: network, quantity, printed (float) and evidence, as `read_printed`.

    `section`: "autoshrink", or "nas-bench-201-search-times", whose networks are those that a search found.
    """
    rows = _section(section, numbers=True)["numbers"]
    return pd.DataFrame(rows, columns=NUMBERS).astype({"printed": "float64"})


def read_benchmarks() -> pd.DataFrame:
    """Return NATS-Bench's Table 1 in long form: benchmark, title, property, printed (text, None for nothing), evidence.

    `benchmark` is "nas-bench-101" or the name of a space.
    """
    content = _read()[TABLE_1]
    titles = content["benchmarks"]
    rows = [
        (benchmark, titles[benchmark], name, text, content["evidence"])
        for name, texts in content["properties"].items()
        for benchmark, text in texts.items()
    ]
    return pd.DataFrame(rows, columns=["benchmark", "title", "property", "printed", "evidence"])


def read_properties(benchmark: str) -> pd.DataFrame:
    """Return what is said of another benchmark, "nas-bench-101": columns property, printed (text) and evidence."""
    if benchmark not in PROPERTIES:
        raise unknown_name("benchmark with printed properties", benchmark, PROPERTIES)
    return pd.DataFrame(_read()[benchmark]["properties"], columns=["property", "printed", "evidence"])


def _section(name: str, *, numbers: bool) -> dict[str, Any]:
    """Return a copy of a section that is a list of single numbers, or a table."""
    sections = {key: each for key, each in _read().items() if key not in OF_THEIR_OWN}
    known = {key: each for key, each in sections.items() if ("numbers" in each) == numbers}
    if name not in known:
        raise unknown_name("list of printed numbers" if numbers else "printed table", name, known)
    return dict(known[name])


def read_shifts(form: str) -> pd.DataFrame:
    """Return the printed shifts of OoD-Bench in one form of the two, "original" or "plus", 0 to 1.

    Columns: data, diversity, diversity_sd, correlation, correlation_sd (over trials; NaN where none is printed),
    evidence, source. Data sets that are not printed in this form are left out.
    """
    content = _read()[SHIFTS]
    columns = ["diversity", "diversity_sd", "correlation", "correlation_sd"]
    rows = {name: forms[form] for name, forms in content["data"].items() if form in forms}
    if not rows:
        raise unknown_name("form of the two shifts", form, ["original", "plus"])
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns).astype("float64")
    told = {"evidence": content["evidence"], "source": content["source"]}
    return frame.rename_axis("data").reset_index().assign(**told)


def _evidence(given: str | dict[str, str], dataset: str, split: str) -> str:
    """Return the word for one number of a row that has one word, one a dataset or one a split."""
    return given if isinstance(given, str) else given.get(dataset) or given[split]


@cache
def _read() -> dict[str, Any]:
    return yaml.safe_load(files("natslib.analysis").joinpath("printed.yaml").read_text(encoding="utf-8"))
