"""What the networks of a table cost: by the official files' formula, or what the records of other networks hold."""

import contextlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.analysis.columns import SPLITS, Column
from natslib.datasets import DATASETS
from natslib.errors import NotMeasured
from natslib.spaces import Space

_BLOCKS = (
    ("stem", "stem", "conv 3×3, BN", "16", "c0", 1),
    ("cell", "cell × N", "searched; in\nsize fixed", "16", "c0", 1),
    ("reduction", "reduction", "residual,\nstride 2", "32", "c1", 2),
    ("cell", "cell × N", "searched; in\nsize fixed", "32", "c2", 2),
    ("reduction", "reduction", "residual,\nstride 2", "64", "c3", 4),
    ("cell", "cell × N", "searched; in\nsize fixed", "64", "c4", 4),
    ("head", "head", "BN, ReLU,\npool, linear", "classes", "classes", 0),
)


def macro_skeleton() -> pd.DataFrame:
    """Return one row a block, input first: kind, title, detail, topology_channels, size_channels, shrink.

    In the topology space the channels are fixed and N is 5; in the size space N is 1 and the five channel numbers
    c0 … c4 are searched. The image side is divided by `shrink` after the block; 0 where no image is left.
    """
    names = ["kind", "title", "detail", "topology_channels", "size_channels", "shrink"]
    return pd.DataFrame(_BLOCKS, columns=names)


def class_sizes(classes: pd.Series) -> pd.DataFrame:
    """Return how many classes there are of each size: size, classes, architectures."""
    sizes = classes.value_counts().value_counts().sort_index()
    return pd.DataFrame(
        {"size": sizes.index, "classes": sizes.to_numpy(), "architectures": sizes.index * sizes}
    )


def cost_levels(params_m: np.ndarray, flops_m: np.ndarray) -> pd.DataFrame:
    """Return the distinct cost levels, cheapest first: columns params_m, flops_m (millions), architectures."""
    costs = pd.DataFrame({"params_m": params_m, "flops_m": flops_m})
    return costs.groupby(["params_m", "flops_m"]).size().rename("architectures").reset_index()


_LANDMARKS: dict[str, tuple[tuple[int, str, str], ...]] = {
    "tss": ((11472, "ResNet", "by hand"), (1462, "largest", "largest")),
    "sss": (
        (668, "pyramids", "by hand"),
        (751, "pyramids", "by hand"),
        (14711, "pyramids", "by hand"),
        (32767, "largest", "largest"),
    ),
}


def landmarks(space_name: str) -> pd.DataFrame:
    """Return the marked architectures of a space, such as "tss" or "sss": columns arch_index, name, kind.

    `kind` is "by hand" (the ResNet cell; the pyramids 8:16:24:32:40, 8:16:32:48:64 and 32:40:48:56:64) or "largest".
    A space that the paper does not have has no rows.
    """
    rows = _LANDMARKS.get(space_name, ())
    return pd.DataFrame(rows, columns=["arch_index", "name", "kind"]).astype({"arch_index": int})


ANY = "a-random-architecture"
REFERENCES = (ANY, "resnet", "largest", "optimal")
"""What a table of searches shows below them, where the space has it."""


def reference_rows(space_name: str, values: npt.NDArray[np.float64]) -> pd.DataFrame:
    """Return the rows of `REFERENCES`: method, mean and std in percent (population, over all architectures for a random
    one, NaN otherwise); those that a space does not have or that are not measured are left out.

    `values`: the accuracy of every architecture by index, NaN where it is not measured.
    """
    marked = _LANDMARKS.get(space_name, ())
    at = {name.lower(): index for index, name, _ in marked if name.lower() in REFERENCES}
    found = {ANY: (float(np.nanmean(values)), float(np.nanstd(values)))}
    found |= {
        name: (float(values[index]), np.nan) for name, index in at.items() if not np.isnan(values[index])
    }
    found |= {"optimal": (float(np.nanmax(values)), np.nan)}
    rows = [(name, *found[name]) for name in REFERENCES if name in found]
    return pd.DataFrame(rows, columns=["method", "mean", "std"])


COST_LABELS = {"params_m": "parameters (millions)", "flops_m": "FLOPs (millions)"}
"""The costs that a figure shows where nothing else is said, and the labels of their axes."""
TOLERANCE = 1e-6  # one parameter or one multiply-add, in millions


def cost_frame(
    space: Space,
    values: Callable[..., np.ndarray],
    columns: Sequence[Column],
    metrics: Iterable[str] = COST_LABELS,
) -> pd.DataFrame:
    """Return the costs of every architecture: index arch_index, columns 'METRIC TITLE' in the metric's unit.

    A column a dataset of `columns` and metric; `values` is the table's method. Parameters and FLOPs are computed from
    the architecture, as 204 official records hold a wrong value; they are taken from the records where most of them
    disagree with that, as those of smaller networks do, and for a dataset that natslib has no facts of. Other metrics
    are those that the table holds of the column's split, or else of another. NaN where there is nothing.
    """
    first = {column.title: column for column in reversed(columns)}
    costs = {
        f"{metric} {title}": _costs(space, values, metric, column)
        for title, column in first.items()
        for metric in metrics
    }
    return pd.DataFrame(costs).rename_axis("arch_index")


def _costs(
    space: Space, values: Callable[..., np.ndarray], metric: str, column: Column
) -> npt.NDArray[np.float64]:
    stored = stored_costs(len(space), values, metric, column)
    if metric not in COST_LABELS or column.dataset not in DATASETS:
        return stored
    computed = np.asarray(getattr(space, metric)(space.codes(), column.dataset))
    known = ~np.isnan(stored)
    apart = np.abs(computed - stored)[known] > TOLERANCE
    return stored if apart.size and apart.mean() > 0.5 else computed


def stored_costs(
    n_archs: int, values: Callable[..., np.ndarray], metric: str, column: Column
) -> npt.NDArray[np.float64]:
    """Return a cost as the records of a column's runs have it, of its split or else of another; NaN where none has."""
    for split in dict.fromkeys([column.split, *SPLITS]):
        with contextlib.suppress(NotMeasured):
            return values(metric, **column.key | {"split": split})
    return np.full(n_archs, np.nan)
