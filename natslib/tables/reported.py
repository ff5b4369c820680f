"""What the architectures that a search comes to are worth: columns of tables, and of the space itself."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from natslib.errors import NotMeasured
from natslib.search.study import shown_values
from natslib.spaces import Space, get_space
from natslib.tables import Table


@dataclass(frozen=True, eq=False)
class Lookup:
    """One number an architecture, NaN where there is none: what and where it is (`title`), the label of its axis."""

    title: str
    label: str
    values: npt.NDArray[np.float64]


_WHAT = {"valid": "validation accuracy (%)", "test": "test accuracy (%)"}


def find_lookups(space: str, table: Table, own: Path | None, dataset: str) -> list[Lookup]:
    """Return what is known about the architectures of a space, the most telling first.

    The CIFAR-10 accuracy in `table`, if it is of that space; the accuracy on `dataset` in `own`, the folder of our own
    table of the space, if there is one; the parameters, which all have.
    """
    found = [_in_table(table)] if table.space.name == space else []
    if own:
        found.append(Lookup(f"{dataset} (our own training)", _WHAT["test"], own_values(own, dataset)))
    return [*found, _size(get_space(space))]


def _in_table(table: Table) -> Lookup:
    what, values = shown_values(table, "cifar10")
    return Lookup(f"CIFAR-10 ({table.manifest['origin']})", _WHAT[what], values)


def own_values(folder: Path, dataset: str) -> npt.NDArray[np.float64]:
    """Return the test accuracies on `dataset` in a folder of our own training, through equal networks.

    They are those after the recipe that most architectures were trained by.
    """
    table = Table.open(folder).through_classes()
    runs = table.runs()
    trained = runs[(runs["dataset"] == dataset) & (runs["split"] == "test")].sort_values("n_archs")
    if trained.empty:
        raise NotMeasured(
            f"{folder} has no test accuracy of {dataset}; it has {sorted(set(runs['dataset']))}"
        )
    return table.values("accuracy", dataset=dataset, recipe=trained["recipe"].iloc[-1], split="test")


def _size(space: Space) -> Lookup:
    params = space.params_m(space.codes(), "cifar10")
    return Lookup("parameters", "parameters (% of the largest)", 100 * params / params.max())
