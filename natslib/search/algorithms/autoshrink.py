"""AutoShrink: search by removing one edge at a time (Zhang et al., AAAI 2020; the released code, b37564d)."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from natslib.errors import ConfigError
from natslib.search.proposals import Result, Search, evaluate
from natslib.spaces import Code, CodeArray, Space


def autoshrink(
    space: Space,
    rng: np.random.Generator,
    *,
    candidates: int = 10,
    weight: float = 0.1,
    floor: float = 0.0,
    flops_of: str = "cifar10",
) -> Search:
    """From a dense start keep the removal that scores best, until nothing is left to remove; then start again.

    At each step `candidates` of the removals, drawn without repeats, are evaluated, and the best by `shrink_scores`
    is what the next ones are removed from. `floor`, in percent: a removal that scores lower is never kept. A start
    that has no removals is evaluated itself. The published search draws the operations once and goes down once; its
    validation images are test images, ours never are.
    """
    check(candidates, weight, floor)

    def worth(seen: list[Result]) -> npt.NDArray[np.float64]:
        return shrink_scores(space, seen, weight, flops_of)

    while True:
        start = space.dense(rng)
        if not len(space.removals(start)):
            yield from evaluate([start])
        yield from shrink(start, space.removals, worth, rng, candidates=candidates, floor=floor)


def shrink(
    start: Code,
    removals: Callable[[Code], CodeArray],
    worth: Callable[[list[Result]], npt.NDArray[np.float64]],
    rng: np.random.Generator,
    *,
    candidates: int,
    floor: float = -np.inf,
    keep: int = 0,
) -> Search:
    """Go down once from `start` and end with nothing left to remove, or with so few choices but 0 as `keep` says.

    This is the algorithm, for whatever has `removals` (of a code, (n, k)), in a space or too large to number. `worth`
    tells of results what is to be maximised. A score below `floor` is never kept, nor one that is not a number: where
    the released code sorts those last, and so deletes for good what made a training diverge.
    """
    left = start
    while len(fewer := removals(left)) and np.count_nonzero(left) > keep:
        drawn = fewer[rng.permutation(len(fewer))[:candidates]].tolist()
        seen = yield from evaluate(map(tuple, drawn))
        kept = [result for result in seen if result.score >= floor]
        if not kept:
            return
        left = kept[int(np.argmax(worth(kept)))].arch


def shrink_scores(space: Space, seen: list[Result], weight: float, flops_of: str) -> npt.NDArray[np.float64]:
    """Return `shrink_score` of the results, shape (n,), with their FLOPs on the dataset `flops_of`."""
    flops_m = space.flops_m(np.array([result.arch for result in seen]), flops_of)
    return shrink_score(np.array([result.score for result in seen]), flops_m, weight)


def shrink_score(
    accuracy: npt.ArrayLike, flops_m: npt.ArrayLike, weight: float = 0.1
) -> npt.NDArray[np.float64]:
    """Return what is to be maximised, (...): accuracy (percent) as a fraction, minus `weight` a tenfold of FLOPs.

    One million FLOPs cost nothing.
    """
    return np.asarray(accuracy) / 100 - weight * np.log10(flops_m)


def check(candidates: int, weight: float, floor: float) -> None:
    """Raise `ConfigError` for settings that no search can have."""
    if candidates < 1:
        raise ConfigError(f"candidates={candidates} was given; at least 1 removal is tried a step")
    if not 0 <= weight < np.inf:
        raise ConfigError(f"weight={weight} was given; the weight of the FLOPs is finite and at least 0")
    if not 0 <= floor <= 100:
        raise ConfigError(f"floor={floor} was given; a floor of accuracy lies from 0 to 100 %")
