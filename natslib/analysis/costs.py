"""What the networks of a table cost: by the published formula, or what the records of other networks hold."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.analysis.columns import Column
from natslib.datasets import DATASETS
from natslib.errors import NotMeasured
from natslib.spaces import Space

METRICS = ("params_m", "flops_m")
TOLERANCE = 1e-6  # one parameter or one multiply-add, in millions


def cost_frame(space: Space, values: Callable[..., np.ndarray], columns: Sequence[Column]) -> pd.DataFrame:
    """Return the costs of every architecture: index arch_index, columns 'params_m TITLE' and 'flops_m TITLE', millions.

    One pair of columns a dataset of `columns`; `values` is the table's method. Computed from the architecture, as 204
    official records hold a wrong value; taken from the records where most of them disagree with that, as those of
    smaller networks do, and for a dataset that natslib has no facts of. NaN where there is neither.
    """
    first = {column.title: column for column in reversed(columns)}
    costs = {
        f"{metric} {title}": _costs(space, values, metric, column)
        for title, column in first.items()
        for metric in METRICS
    }
    return pd.DataFrame(costs).rename_axis("arch_index")


def _costs(
    space: Space, values: Callable[..., np.ndarray], metric: str, column: Column
) -> npt.NDArray[np.float64]:
    try:
        stored = values(metric, **column.key)
    except NotMeasured:
        stored = np.full(len(space), np.nan)
    if column.dataset not in DATASETS:
        return stored
    computed = np.asarray(getattr(space, metric)(space.codes(), column.dataset))
    known = ~np.isnan(stored)
    apart = np.abs(computed - stored)[known] > TOLERANCE
    return stored if apart.size and apart.mean() > 0.5 else computed
