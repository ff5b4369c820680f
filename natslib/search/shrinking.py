"""AutoShrink on a table, one descent at a time: its path, and chance with as many evaluations.

`values` has one row an architecture, index arch_index: accuracy (percent, NaN where not measured), params_m and flops_m
(millions), and score, what AutoShrink maximises.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.datasets import DATASETS
from natslib.errors import NotMeasured
from natslib.search.algorithms.autoshrink import Step, check, shrink
from natslib.search.proposals import Result
from natslib.spaces import Code, CodeArray, Space, usual_scale

WEIGHT = 0.1
"""The weight of FLOPs, as published."""
CANDIDATES = 10
"""Removals that are tried a step, as published."""
COUNTS = (1, 2, 3, 6, CANDIDATES)
"""Those that are compared."""


def costs_of(dataset: str) -> str:
    """Return the dataset whose FLOPs count for a search on `dataset`: itself, or CIFAR-10 for images of one's own."""
    return dataset if dataset in DATASETS else "cifar10"


def cell_values(
    space: Space, accuracy: npt.ArrayLike, flops_of: str, *, weight: float = WEIGHT
) -> pd.DataFrame:
    """Return `values` of a space, from accuracies in percent (len(space),); costs are of the dataset `flops_of`."""
    params, flops = space.count(space.codes(), flops_of, usual_scale(flops_of))
    columns = {"accuracy": np.asarray(accuracy, np.float64), "params_m": params / 1e6, "flops_m": flops / 1e6}
    frame = pd.DataFrame(columns).rename_axis("arch_index")
    return frame.assign(score=frame["accuracy"] / 100 - weight * np.log10(frame["flops_m"]))


def descend(
    space: Space,
    accuracy: npt.NDArray[np.float64],
    start: Code,
    rng: np.random.Generator,
    *,
    flops_of: str,
    candidates: int = CANDIDATES,
    weight: float = WEIGHT,
    floor: float = 0.0,
) -> pd.DataFrame:
    """Shrink once from `start` by the accuracies (percent, len(space),) and return what was evaluated, a row each.

    Columns: step (0 is the start, which AutoShrink does not evaluate), edges (of the architecture), arch_index and
    chosen. Raises `NotMeasured` where a removal has no accuracy, with how many of all below `start` have one.
    """
    check(candidates, weight, floor, flops_of)
    searching = shrink(
        space, rng, start, candidates=candidates, weight=weight, floor=floor, flops_of=flops_of
    )
    steps, answer = None, None
    while steps is None:
        try:
            proposal = searching.send(answer)
        except StopIteration as end:
            steps = end.value
            continue
        value = accuracy[space.index(cast(Code, proposal))]
        if np.isnan(value):
            raise _lacking(space, accuracy, start)
        answer = Result(proposal, float(value), 1)
    return pd.DataFrame(_rows(space, start, steps), columns=["step", "edges", "arch_index", "chosen"])


def descend_often(
    space: Space,
    values: pd.DataFrame,
    starts: Sequence[Code],
    seed: int,
    *,
    may_lose: float | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Return the rows of `descend` from every start: the number of the start, in column `start`, and `values` beside.

    `may_lose`: points of accuracy that a path may lie below its start; None: no floor. `settings` as of `descend`.
    """
    accuracy, parts = values["accuracy"].to_numpy(), []
    for number, start in enumerate(starts):
        rng = np.random.default_rng([seed, number])
        floor = 0.0 if may_lose is None else max(0.0, accuracy[space.index(start)] - may_lose)
        parts.append(descend(space, accuracy, start, rng, floor=floor, **settings).assign(start=number))
    return pd.concat(parts, ignore_index=True).join(values, on="arch_index")


def against_chance(
    space: Space,
    values: pd.DataFrame,
    starts: Sequence[Code],
    seed: int,
    *,
    counts: Sequence[int] = COUNTS,
    **settings: Any,
) -> pd.DataFrame:
    """Compare AutoShrink from each start with chance at as many evaluations, for `counts` of candidates a step.

    Columns: start, candidates, evaluations, and the best score of what each found: shrinking, on its path; masks, among
    random wirings of the same start; free, among random architectures.
    """
    score = values["score"].to_numpy()
    removals, rows = cache(space.removals), []
    for count in counts:
        found = descend_often(space, values, starts, seed, candidates=count, **settings)
        for number, path in found[found["step"] > 0].groupby("start"):
            rng = np.random.default_rng([seed, count, int(str(number))])
            masks = random_wirings(removals, starts[int(str(number))], len(path), rng)
            best = {
                "shrinking": score[path.loc[path["chosen"], "arch_index"]].max(),
                "masks": score[space.indices(np.array(masks))].max(),
                "free": np.nanmax(score[space.indices(space.sample(rng, len(path)))]),
            }
            rows.append({"start": number, "candidates": count, "evaluations": len(path), **best})
    return pd.DataFrame(rows)


def random_wirings(
    removals: Callable[[Code], CodeArray], start: Code, n: int, rng: np.random.Generator
) -> list[Code]:
    """Return `n` architectures that random removals lead to from `start`, as many of them as chance will have."""
    drawn = []
    for _ in range(n):
        code = start
        for _ in range(int(rng.integers(1, 1 + np.count_nonzero(start)))):
            if not len(fewer := removals(code)):
                break
            code = tuple(fewer[int(rng.integers(len(fewer)))].tolist())
        drawn.append(code)
    return drawn


def _rows(space: Space, start: Code, steps: Sequence[Step]) -> Iterator[tuple[int, int, int, bool]]:
    yield 0, int(np.count_nonzero(start)), space.index(start), True
    for number, step in enumerate(steps, start=1):
        for place, result in enumerate(step.seen):
            yield number, int(np.count_nonzero(result.arch)), space.index(result.arch), place == step.kept


def _lacking(space: Space, accuracy: npt.NDArray[np.float64], start: Code) -> NotMeasured:
    """Return the error for a table without all removals, with how many of those below `start` it covers."""
    below: dict[Code, None] = {start: None}
    for code in (queue := [start]):
        fewer = [tuple(each) for each in space.removals(code).tolist()]
        queue += [each for each in fewer if each not in below]
        below |= dict.fromkeys(fewer)
    del below[start]
    known = np.isfinite(accuracy[space.indices(np.array(list(below)))]).sum()
    return NotMeasured(
        f"AutoShrink needs the accuracy of what it removes to: this source has that of {known} of the {len(below)} "
        f"architectures below {space.string(start)}"
    )
