"""What a mapping says of a column, held against its name, its values, the benchmark and what is known exactly."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.datasets import DATASETS, PAPER
from natslib.errors import BadSource, shown
from natslib.spaces import Space
from natslib.tables.format.costs import (
    COSTS,
    are_systematic,
    contradicts,
    expected_costs,
    refuse_systematic,
)
from natslib.tables.format.schema import (
    HIGHER_IS_BETTER,
    MEAN_ONLY,
    METRICS,
    Block,
    Metric,
    out_of_range,
)
from natslib.tables.sources.metrics import with_unit

_TELLING, _MANY, _OPPOSITE = 5, 30, -0.8
"""Distinct values that are not equal by chance; rows that a correlation needs; one that no two accuracies have."""
_EMPTY = "leave empty what was not measured"
_SENTINELS = (-1.0, -999.0, -9999.0, 999.0, 9999.0, 99999.0, 999999.0)
SLOWEST_EPOCH_S, FASTEST_EPOCH_S = 600.0, 0.1
"""Epochs on the paper's images take 5 to 150 s on a GPU; outside of these the seconds are of something else."""
SLOWEST_BATCH_S = 1.0
MOST_M = {"params_m": 1e3, "flops_m": 1e5}
"""Millions that no network of these spaces comes near, whatever its images: counts do."""
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def numbers_of(column: "pd.Series[Any]", metric: str, where: str, own: Mapping[str, Metric]) -> Floats:
    """Return a column as floats, NaN where empty; raises `BadSource` for what cannot be values of that metric.

    `where` names the column in messages, `own` are the metrics that natslib does not know.
    """
    values, what = _numbers(column, where), with_unit(metric, own)
    if (wrong := np.flatnonzero(out_of_range(metric, values))).size:
        raise BadSource(f"{where}: {values[wrong[0]]} in row {wrong[0] + 1} cannot be {what}; {_EMPTY}")
    if metric in METRICS:
        _refuse_marks(values, where, what)
    if metric in HIGHER_IS_BETTER and 0 < np.max(values, initial=0, where=values == values) <= 1:
        raise BadSource(f"{where}: no value above 1; {what} is in percent, so multiply fractions by 100")
    return values


def check_on_dataset(
    where: str,
    metric: str,
    dataset: str,
    values: Floats,
    index: Integers,
    rows: Integers,
    space: Space,
) -> None:
    """Raise `BadSource` where values of a metric cannot be those on that dataset.

    `index`: the architecture of each value, `rows`: its row in the file, from 1.
    """
    if metric in HIGHER_IS_BETTER and dataset in DATASETS:
        _check_chance(values, dataset, rows, where, with_unit(metric))
    if metric in COSTS:
        _check_costs(values, metric, dataset, index, rows, space, where)
    if metric == "latency_s" and dataset in PAPER and _middle(values) > SLOWEST_BATCH_S:
        raise BadSource(
            f"{where}: the middle value is {_middle(values):.6g}, and {with_unit(metric)} is a few hundredths; divide "
            "milliseconds by 1000, or declare a metric of your own under 'metrics' for a slow device"
        )


def _numbers(column: "pd.Series[Any]", where: str) -> Floats:
    if column.dtype.kind not in "iufO" and not isinstance(column.dtype, pd.StringDtype):
        raise BadSource(
            f"{where} holds something other than numbers ({column.dtype})"
        )  # truth values, dates, ...
    try:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError, OverflowError) as error:
        row = next((at for at, value in enumerate(column, start=1) if not _is_number(value)), None)
        if row is None:
            raise BadSource(f"{where} holds something other than numbers ({error!s:.120})") from None
        value = column.iloc[row - 1]
        told = "a number too large" if isinstance(value, int) else shown(value)
        raise BadSource(
            f"{where} holds something other than numbers: {told} in row {row}; {_EMPTY}"
        ) from None


def _is_number(value: Any) -> bool:
    try:
        return value is None or value is pd.NA or np.isfinite(float(value)) or value != value
    except (ValueError, TypeError, OverflowError):
        return False


def _middle(values: Floats) -> float:
    return float(np.nanmedian(values)) if not np.isnan(values).all() else np.nan


def _refuse_marks(values: Floats, where: str, what: str) -> None:
    """Raise `BadSource` where -1, 999, ... stand in more than one row, beyond all other values."""
    for mark in _SENTINELS:
        at = np.flatnonzero(values == mark)
        others = values[(values != mark) & ~np.isnan(values)]
        if len(at) > 1 and len(others) and not others.min() <= mark <= others.max():
            raise BadSource(
                f"{where}: {mark:g} in {len(at)} rows (the first: row {at[0] + 1}), beyond all other values of {what}, "
                f"seems to mark what is missing; {_EMPTY}"
            )


def _check_chance(values: Floats, dataset: str, rows: Integers, where: str, what: str) -> None:
    zero, above = np.flatnonzero(values == 0), values > 0
    if len(zero) > 1 and above.any():
        raise BadSource(
            f"{where}: exactly 0 in {len(zero)} rows (the first: row {rows[zero[0]]}), below chance, cannot be {what} "
            f"on {dataset}; {_EMPTY}"
        )
    fraction = np.flatnonzero(above & (values <= 1))
    if DATASETS[dataset].classes <= 10 and len(fraction):
        raise BadSource(
            f"{where}: {values[fraction[0]]} in row {rows[fraction[0]]} is far below chance, beside values up to "
            f"{np.nanmax(values):g}; {what} is in percent, so multiply fractions by 100"
        )


def _check_costs(
    values: Floats, metric: str, dataset: str, index: Integers, rows: Integers, space: Space, where: str
) -> None:
    """Raise `BadSource` where the column contradicts the closed form, but for a few rows, or can only be counts."""
    if (expected := expected_costs(space, metric, dataset, index, values)) is not None:
        wrong, known = contradicts(values, expected), int((~np.isnan(values)).sum())
        if are_systematic(int(wrong.sum()), known):
            found = pd.DataFrame({"arch_index": index, "stored": values, "exact": expected, "row": rows})[
                wrong
            ]
            what = f"{where}: {len(found):,} of {known:,} values on {dataset}"
            refuse_systematic(what, space, metric, dataset, found)
    elif _middle(values) > MOST_M[metric]:
        raise BadSource(
            f"{where}: the middle value is {_middle(values):,.6g}, beyond any network in {with_unit(metric)}; are they "
            "counts? divide by 1e6"
        )


def check_block(block: Block, values: Mapping[str, Floats], index: Integers, epochs: int, path: Path) -> None:
    """Raise `BadSource` where the metrics of one dataset, recipe, split and seed contradict each other.

    `index`: the architecture of each value.
    """
    where = f"{path}: {block.dataset} recipe {block.recipe!r} {block.split!r}"
    accuracy, top5 = values.get("accuracy"), values.get("top5")
    if accuracy is not None and top5 is not None and (wrong := np.flatnonzero(top5 < accuracy)).size:
        at = wrong[0]
        raise BadSource(
            f"{where}: architecture {index[at]} has top5 {top5[at]:g} and accuracy {accuracy[at]:g} (%): the right "
            "class is among five at least as often as it is the first; are the columns exchanged?"
        )
    _check_times(block, values, epochs, where)


def _check_times(block: Block, values: Mapping[str, Floats], epochs: int, where: str) -> None:
    """Raise `BadSource` where seconds of an epoch and of all of them are taken for each other."""
    units = f"{with_unit('time_s')} or {with_unit('total_time_s')}"
    epoch, total = (
        _middle(values[name]) if name in values else np.nan for name in ("time_s", "total_time_s")
    )
    if not np.isnan(epoch) and not np.isnan(total) and not 0.5 <= total / max(epoch * epochs, 1e-300) <= 2:
        raise BadSource(
            f"{where}: total_time_s is {total:,.6g} and time_s {epoch:,.6g} (middle values), which {epochs} epochs "
            f"make {epoch * epochs:,.6g} in all; allowed are {units}"
        )
    one = epoch if not np.isnan(epoch) else total / epochs
    if block.dataset in PAPER and block.split == "train" and not FASTEST_EPOCH_S <= one <= SLOWEST_EPOCH_S:
        name, told = ("time_s", epoch) if not np.isnan(epoch) else ("total_time_s", total)
        if np.isnan(told):
            return
        raise BadSource(
            f"{where}: {name} is {told:,.6g} (middle value), and so an epoch of {epochs} takes {one:,.6g} s, which no "
            f"training on these images does; metrics are {units}: is it the time of all epochs, or in milliseconds?"
        )


def _name(block: Block) -> str:
    seed = "mean" if block.seed == MEAN_ONLY else f"seed {block.seed}"
    return f"{block.dataset} {block.recipe} {block.split} {seed}"


def check_alike(blocks: Mapping[Block, tuple[Integers, Mapping[str, Floats]]], path: Path) -> None:
    """Raise `BadSource` where columns of accuracies or losses are the same, or accuracies each other's opposite.

    One column was meant for several then, or holds error rates. `blocks`: of each the architectures of its values, and
    the values by metric.
    """
    columns = [
        (f"{metric} of {_name(block)}", metric, pd.Series(values[metric], index).dropna())
        for block, (index, values) in blocks.items()
        for metric in ("accuracy", "top5", "loss")
        if metric in values
    ]
    columns = [column for column in columns if column[2].nunique() >= _TELLING and column[2].index.is_unique]
    seen: dict[bytes, str] = {}
    for name, _, values in columns:
        key = values.index.to_numpy().tobytes() + values.to_numpy().tobytes()
        if (first := seen.setdefault(key, name)) != name:
            raise BadSource(
                f"{path}: the same numbers in every row for {first} and {name}; a column is of one only"
            )
    accuracies = [(name, values) for name, metric, values in columns if metric == "accuracy"]
    for name, values in accuracies[1:]:
        both = pd.concat([accuracies[0][1], values], axis=1, join="inner")
        if len(both) >= _MANY and both.rank().corr().to_numpy()[0, 1] < _OPPOSITE:
            raise BadSource(
                f"{path}: {name} falls where {accuracies[0][0]} rises; is one of them an error rate? Accuracy (%) is "
                "100 - error"
            )
