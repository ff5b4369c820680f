"""Costs that natslib knows exactly: the closed form of stored parameters and FLOPs, and what contradicts it."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from natslib.datasets import DATASETS, PAPER
from natslib.errors import BadSource
from natslib.spaces import PAPER_SCALE, SCALES, Scale, Space
from natslib.tables.format.schema import FINALS, UNITS

if TYPE_CHECKING:
    import pandas as pd

COSTS = ("params_m", "flops_m")
FEW = 0.05
"""Of the architectures of a dataset and recipe, so many may contradict: 204 of 15,625 official records do."""
_ONE = 1e-6  # one parameter or one multiply-add, in millions
_FLOAT32 = 2.0**-23
_ROUNDED = 0.05  # how far rounding to whole millions may lead away
_ABOUT = 0.1
_FACTORS = {
    1e6: "they are counts; divide by 1e6",
    2e6: "they are counts, of a multiplication and an addition as two; divide by 2e6",
    1e3: "they are in thousands; divide by 1e3",
    1e-3: "they are in billions; multiply by 1e3",
    1e-6: "they were divided by 1e6 once too often; multiply by 1e6",
    2.0: "a multiplication and an addition are counted as two; divide by 2",
    0.5: "they are half of it; multiply by 2",
    4.0: "they may be megabytes of float32 numbers; divide by 4",
    4e6: "they may be bytes of float32 numbers; divide by 4e6",
}
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def exact_costs(
    space: Space, metric: str, dataset: str, index: npt.ArrayLike, scale: Scale = PAPER_SCALE
) -> Floats:
    """Return 'params_m' or 'flops_m' of architectures in closed form, millions; shape of `index`."""
    return np.asarray(getattr(space, metric)(space.codes(np.asarray(index)), dataset, scale), np.float64)


def contradicts(stored: Floats, exact: Floats) -> Flags:
    """Return where stored costs differ from the exact ones; NaN does not, nor what was rounded to fewer digits."""
    apart = np.abs(stored - exact) > _ONE + _FLOAT32 * exact
    for digits in range(6) if apart.any() else ():
        rounded = np.round(exact, digits)
        near = (np.abs(rounded - exact) <= _ROUNDED * exact) | ((digits > 0) & (rounded > 0))
        apart &= ~(near & (np.abs(stored - rounded) <= _FLOAT32 * exact))
    return apart


def scale_of(space: Space, metric: str, dataset: str, index: npt.ArrayLike, stored: Floats) -> Scale | None:
    """Return the scale by which most of the stored costs are right, None where there is none or no closed form."""
    known = ~np.isnan(stored)
    if dataset in DATASETS and known.any():
        archs, of = np.unique(np.asarray(index)[known], return_inverse=True)
        for scale in SCALES.values():
            if contradicts(stored[known], exact_costs(space, metric, dataset, archs, scale)[of]).mean() < 0.5:
                return scale
    return None


def expected_costs(
    space: Space, metric: str, dataset: str, index: npt.NDArray[np.int64], stored: Floats
) -> Floats | None:
    """Return what stored costs should be: the closed form by the scale of most, or the paper's; None if nobody knows.

    Nobody does for images that natslib has no facts of, nor for networks of no known scale on others than the paper's.
    """
    scale = scale_of(space, metric, dataset, index, stored)
    if scale is None and dataset not in PAPER:
        return None
    archs, of = np.unique(index, return_inverse=True)
    return exact_costs(space, metric, dataset, archs, scale or PAPER_SCALE)[of]


def are_systematic(contradicting: int, of: int) -> bool:
    """Return whether so many contradictions are no oddities: all, or more than one and more than one in twenty."""
    return contradicting > 0 and (contradicting == of or contradicting > max(1.0, FEW * of))


def refuse_systematic(
    what: str,
    space: Space,
    metric: str,
    dataset: str,
    found: "pd.DataFrame",
) -> None:
    """Raise `BadSource` with the first contradictions and the likely cause.

    `found`: a row each, columns `arch_index`, `stored`, `exact`, and `row` where it has a number in a file.
    """
    shown = [
        f"architecture {one.arch_index}{f' (row {one.row})' if 'row' in found else ''}: {one.stored:.12g} stored, "
        f"{one.exact:.12g} in closed form"
        for one in found.head(3).itertuples()
    ]
    more = "; ..." if len(found) > len(shown) else ""
    raise BadSource(
        f"{what} contradict the closed form of {metric} ({UNITS[metric]}): {'; '.join(shown)}{more}. "
        f"{_cause(space, metric, dataset, found)}"
    )


def _cause(space: Space, metric: str, dataset: str, found: "pd.DataFrame") -> str:
    """Return a sentence on what contradicting costs may be."""
    index, stored = found["arch_index"].to_numpy(np.int64), found["stored"].to_numpy()
    for other in COSTS:
        for of in PAPER:
            if (other, of) != (metric, dataset) and scale_of(space, other, of, index, stored) is PAPER_SCALE:
                return f"They are {other} on {of}: a wrong column, or a wrong dataset?"
    middle, constant = _ratio(found)
    if constant and abs(middle - 1) >= _ABOUT:
        return _factor(middle)
    if contradicts(stored, exact_costs(space, metric, dataset, (index - 1) % len(space))).mean() < 0.5:
        return "They are the costs of the architectures just before these: does the file count from 1, not from 0?"
    levels = np.unique(exact_costs(space, metric, dataset, np.arange(len(space))).round(6))
    if np.isin(stored.round(6), levels).mean() > 0.5:
        return (
            "They are the costs of other architectures of this space: are the architectures those that the file means "
            "(its own numbering, another order of operations, a column out of step)?"
        )
    if constant:
        return (
            "They are near it, and so counted by other rules: here convolutions and the linear layer count, "
            "of batch norms two parameters a channel. Another count can be a metric of your own."
        )
    return (
        "Is it another column, or are they other networks? What is no such cost can be a metric of your own."
    )


def _ratio(found: "pd.DataFrame") -> tuple[float, bool]:
    """Return the middle ratio of stored costs to the exact ones, and whether nearly all have it."""
    ratio = (found["stored"] / found["exact"]).to_numpy()
    middle = float(np.median(ratio))
    return middle, middle > 0 and bool((np.abs(ratio / middle - 1) < _ABOUT).mean() > 0.9)


def _factor(middle: float) -> str:
    told = f"They are {middle:,.0f} times that" if middle >= 100 else f"They are {middle:.4g} times that"
    causes = (cause for factor, cause in _FACTORS.items() if abs(middle / factor - 1) < _ABOUT)
    return f"{told}: {next(causes, 'another unit?')}"


def flag_costs(finals: pa.Table, space: Space, *, named: bool = False) -> pa.Table:
    """Set `cost_mismatch` of rows (`FINALS`) where stored costs contradict the closed form; null where nobody can tell.

    204 official records do so in a run or two. Raises `BadSource` where contradictions are systematic (`FEW`): an
    architecture counts that contradicts in all of its runs. Records that say which architecture they are of (`named`)
    are refused for another unit only: what else contradicts in them is counted.
    """
    import pandas as pd  # only here: what answers needs none of it

    frame = finals.select(["dataset", "recipe", "arch_index", *COSTS]).to_pandas()
    wrong, known = np.zeros(len(frame), bool), np.zeros(len(frame), bool)
    for (dataset, recipe), at in frame.groupby(["dataset", "recipe"], observed=True).indices.items():
        index = frame["arch_index"].to_numpy(np.int64)[at]
        for metric in COSTS:
            stored = frame[metric].to_numpy()[at]
            exact = expected_costs(space, metric, dataset, index, stored)
            if exact is not None:
                flags = contradicts(stored, exact)
                known[at] |= ~np.isnan(stored)
                wrong[at] |= flags
                rows = pd.DataFrame({"arch_index": index, "stored": stored, "exact": exact, "wrong": flags})
                place = f"{dataset} recipe {recipe!r}"
                _check_architectures(place, space, metric, dataset, rows.dropna(), named=named)
    column = FINALS.get_field_index("cost_mismatch")
    return finals.set_column(column, FINALS.field(column), pa.array(wrong, mask=~known))


def _check_architectures(
    place: str, space: Space, metric: str, dataset: str, rows: "pd.DataFrame", *, named: bool
) -> None:
    """Raise `BadSource` where too many architectures contradict in all of their rows."""
    if rows["wrong"].any():
        odd = rows.groupby("arch_index")["wrong"].all()
        if are_systematic(int(odd.sum()), len(odd)):
            found = rows[rows["arch_index"].isin(odd.index[odd])].drop_duplicates("arch_index")
            middle, constant = _ratio(found)
            if named and (len(found) == 1 or not constant or abs(middle - 1) < _ABOUT):
                return
            what = f"{len(found):,} of {len(odd):,} architectures of {place}"
            refuse_systematic(what, space, metric, dataset, found)


def count_costs(finals: pa.Table) -> dict[str, Any]:
    """Return how many rows hold costs that were checked, and how many of these contradict the closed form."""
    flags = finals["cost_mismatch"]
    return {
        "checked": len(flags) - flags.null_count,
        "contradicted": sum(chunk.true_count for chunk in flags.chunks),
    }
