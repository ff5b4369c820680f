"""AutoShrink: search by removing one edge at a time (Zhang et al., AAAI 2020; the released code, b37564d)."""

from collections.abc import Callable, Generator
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from natslib.datasets import get_dataset
from natslib.errors import ConfigError, NotMeasured
from natslib.search.proposals import Proposal, Result, Search, evaluate
from natslib.search.subspace import Subspace
from natslib.spaces import Code, CodeArray, Space, usual_scale

STARTS = 20
"""Dense starts whose removals a table is asked for before a search sets out on it."""

Floats: TypeAlias = npt.NDArray[np.float64]


class Step(NamedTuple):
    """One step down: what was evaluated, and the number of what was kept; None where all is below the floor."""

    seen: list[Result]
    kept: int | None


Steps: TypeAlias = Generator[Proposal, Result | None, list[Step]]


def autoshrink(
    space: Space,
    rng: np.random.Generator,
    *,
    candidates: int = 10,
    weight: float = 0.1,
    floor: float = 0.0,
    flops_of: str = "cifar10",
) -> Search:
    """From a dense start `shrink`, with these settings, until nothing is left to remove; then start again.

    A start that has no removals is evaluated itself. The published search draws the operations once and goes down
    once; its validation images are test images, ours never are. Raises `NotMeasured` on a table without a single one of
    the removals.
    """
    check(candidates, weight, floor, flops_of)
    check_covered(space)
    while True:
        left = space.dense(rng)
        if not len(space.removals(left)):
            yield from evaluate([left])
        yield from shrink(
            space, rng, left, candidates=candidates, weight=weight, floor=floor, flops_of=flops_of
        )


def shrink(
    space: Space,
    rng: np.random.Generator,
    left: Code,
    *,
    candidates: int,
    weight: float,
    floor: float,
    flops_of: str,
) -> Steps:
    """Keep the removal that scores best, again and again, until nothing is left to remove; return the steps.

    At each step `candidates` of the removals, drawn without repeats, are evaluated, and the best by `shrink_scores`
    is what the next ones are removed from. `floor`, in percent: a removal that scores lower is never kept.
    """

    def worth(seen: list[Result]) -> Floats:
        return shrink_scores(space, seen, weight, flops_of)

    return descend(left, space.removals, worth, rng, candidates=candidates, floor=floor)


def descend(
    left: Code,
    removals: Callable[[Code], CodeArray],
    worth: Callable[[list[Result]], Floats],
    rng: np.random.Generator,
    *,
    candidates: int,
    floor: float = -np.inf,
    keep: int = 0,
) -> Steps:
    """Go down once from `left`, as `shrink` does, in whatever has `removals` (of a code, (n, k)); return the steps.

    This is the algorithm, in a space or in what is too large for one. `worth` tells of results, (n,), what is to be
    maximised. It ends with no more than `keep` choices that are not 0. What is not a number is never kept: the released
    code sorts such scores last, and so deletes for good what made a training diverge.
    """
    steps = []
    while len(fewer := removals(left)) and np.count_nonzero(left) > keep:
        drawn = fewer[rng.permutation(len(fewer))[:candidates]].tolist()
        seen = yield from evaluate(map(tuple, drawn))
        scores = worth(seen)
        scores[[not result.score >= floor for result in seen]] = -np.inf  # NaN is below any
        best = int(np.argmax(scores))
        steps.append(Step(seen, best if scores[best] > -np.inf else None))
        if steps[-1].kept is None:
            break
        left = seen[best].arch
    return steps


def shrink_scores(space: Space, seen: list[Result], weight: float, flops_of: str) -> Floats:
    """Return `shrink_score` of results, shape (n,); FLOPs are those on the dataset `flops_of`, at its usual scale."""
    flops_m = space.flops_m(np.array([result.arch for result in seen]), flops_of, usual_scale(flops_of))
    return shrink_score(np.array([result.score for result in seen]), flops_m, weight)


def shrink_score(accuracy: npt.ArrayLike, flops_m: npt.ArrayLike, weight: float = 0.1) -> Floats:
    """Return what is to be maximised, (...): accuracy (percent) as a fraction, minus `weight` a tenfold of FLOPs.

    One million FLOPs cost nothing.
    """
    return np.asarray(accuracy) / 100 - weight * np.log10(flops_m)


def check(candidates: int, weight: float, floor: float, flops_of: str) -> None:
    """Raise `ConfigError` for settings that no search can have, `UnknownName` for FLOPs of an unknown dataset."""
    get_dataset(flops_of)
    if candidates < 1:
        raise ConfigError(f"candidates={candidates} was given; at least 1 removal is tried a step")
    if not 0 <= weight < np.inf:
        raise ConfigError(f"weight={weight} was given; the weight of the FLOPs is finite and at least 0")
    if not 0 <= floor <= 100:
        raise ConfigError(f"floor={floor} was given; a floor of accuracy lies from 0 to 100 %")


def check_covered(space: Space) -> None:
    """Raise `NotMeasured` where a table covers none of the removals of some dense starts: nothing could be shrunk."""
    if not isinstance(space, Subspace):
        return
    rng = np.random.default_rng(0)
    starts = [space.full.dense(rng) for _ in range(STARTS)]
    removals = {tuple(code) for start in starts for code in space.full.removals(start).tolist()}
    if removals and not any(code in space for code in removals):
        raise NotMeasured(
            f"this table covers 0 of the {len(removals)} removals of {len(set(starts))} dense starts, so nothing can "
            f"be shrunk; it covers {len(space)} of the {len(space.full)} architectures"
        )
