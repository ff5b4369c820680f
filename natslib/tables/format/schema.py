"""The columns of a benchmark table: what one trained network leaves behind.

A *run* is one network trained once: architecture, training set, recipe and seed. A run has one row a split;
rows that share dataset, recipe, split and seed form a *block*. Two artefacts hold them: *finals* (the last
epoch, float64) and *curves* (every epoch, float32 but for the times).
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

FORMAT = 3
SPLITS = ("train", "valid", "test", "valtest")
CURVE_METRICS = ("loss", "accuracy", "top5", "time_s")
SINGLE = ("loss", "accuracy", "top5")  # float32 but for the last epoch
RUN_METRICS = ("params_m", "flops_m", "latency_s")
METRICS = (*CURVE_METRICS, "total_time_s", *RUN_METRICS)
UNITS = {
    "loss": "nat",
    "accuracy": "%",
    "top5": "%",
    "time_s": "s an epoch or pass",
    "total_time_s": "s, all epochs",
    "params_m": "10^6",
    "flops_m": "10^6 multiply-adds",
    "latency_s": "s a batch",
}
PERCENT = HIGHER_IS_BETTER = ("accuracy", "top5")
SEEDS = 2**31  # seeds lie below it
MAX_EPOCHS = 10_000  # of a run
LABEL_LENGTH = 64  # characters of a dataset's or a recipe's name
MEAN_ONLY = -1  # the seed of a row that is a mean over runs which the source does not list one by one


class Metric(NamedTuple):
    """The unit of a metric, and which values of it are better: "higher" or "lower"."""

    unit: str
    better: str


class Block(NamedTuple):
    """The key that a block's rows share; `seed` is `MEAN_ONLY` where the source holds only a mean."""

    dataset: str
    recipe: str
    split: str
    seed: int


@dataclass(frozen=True)
class Curve:
    """One split of one run, epoch by epoch: float64 arrays of shape (epochs,), NaN where nothing was recorded.

    `time_s` holds one value an epoch, or a single one that stands for every epoch (the official records
    keep one clock).
    """

    loss: np.ndarray
    accuracy: np.ndarray
    top5: np.ndarray | None
    time_s: np.ndarray


@dataclass(frozen=True)
class Run:
    """One trained network: its keys, its costs in millions and seconds, and a curve a split."""

    arch_index: int
    dataset: str
    recipe: str
    seed: int
    params_m: float
    flops_m: float
    latency_s: float
    curves: dict[str, Curve]


def sum_in_order(time_s: np.ndarray, epochs: int) -> float:
    """Return the sum of the first `epochs` times, added one after the other; a single time stands for every epoch."""
    return _repeated(float(time_s[0]), epochs) if len(time_s) == 1 else float(np.cumsum(time_s[:epochs])[-1])


@functools.lru_cache(maxsize=1024)
def _repeated(time_s: float, epochs: int) -> float:
    """Sum of equal times; the official records repeat theirs over seeds."""
    return float(np.cumsum(np.full(epochs, time_s))[-1])


def out_of_range(metric: str, values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Return where values cannot be of that metric: accuracies lie in 0..100, and all are finite; NaN may stand.

    A loss may be negative, and so may a metric that is somebody's own; times and costs may not.
    """
    low = 0.0 if metric in METRICS and metric != "loss" else -np.inf
    high = 100.0 if metric in PERCENT else np.inf
    return np.isinf(values) | (values < low) | (values > high)


def is_label(value: object) -> bool:
    """Return whether a value can name a dataset or a recipe: 1 to 64 printable characters."""
    return isinstance(value, str) and 0 < len(value) <= LABEL_LENGTH and value.isprintable()


_KEYS = [
    ("dataset", pa.dictionary(pa.int32(), pa.string())),
    ("recipe", pa.dictionary(pa.int32(), pa.string())),
    ("split", pa.dictionary(pa.int32(), pa.string())),
    ("seed", pa.int32()),
    ("arch_index", pa.int32()),
]
FINALS = pa.schema(
    [
        *_KEYS,
        ("epoch", pa.int32()),
        *((name, pa.float64()) for name in METRICS),
        ("cost_mismatch", pa.bool_()),
    ]
)
CURVES = pa.schema(
    [
        *_KEYS,
        *((name, pa.list_(pa.float32() if name in SINGLE else pa.float64())) for name in CURVE_METRICS),
    ]
)


def finals_schema(own: Mapping[str, Metric]) -> pa.Schema:
    """Return `FINALS` with a further column for each metric of somebody's own; the field keeps unit and sense."""
    fields = [pa.field(name, pa.float64(), metadata=metric._asdict()) for name, metric in own.items()]
    return pa.schema([*FINALS, *fields])


def known_metrics(finals: pa.Schema) -> dict[str, Metric]:
    """Return every metric that a table of that schema may hold: `METRICS`, then its own."""
    known = {
        name: Metric(unit, "higher" if name in HIGHER_IS_BETTER else "lower") for name, unit in UNITS.items()
    }
    return known | own_metrics(finals)


def own_metrics(finals: pa.Schema) -> dict[str, Metric]:
    """Return the metrics that a table of that schema has beside `METRICS`."""
    own = {}
    for field in finals:
        told = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        if field.name not in FINALS.names and set(Metric._fields) <= set(told):
            own[field.name] = Metric(told["unit"], told["better"])
    return own
