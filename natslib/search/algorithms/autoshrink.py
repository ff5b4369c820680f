"""AutoShrink: search by removing one edge at a time (Zhang et al., AAAI 2020; the released code, b37564d)."""

import numpy as np
import numpy.typing as npt

from natslib.errors import ConfigError
from natslib.search.proposals import Result, Search, evaluate
from natslib.spaces import Space


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
    while True:
        left = space.dense(rng)
        if not len(space.removals(left)):
            yield from evaluate([left])
        while len(removals := space.removals(left)):
            drawn = removals[rng.permutation(len(removals))[:candidates]].tolist()
            seen = yield from evaluate(map(tuple, drawn))
            kept = [result for result in seen if result.score >= floor]
            if not kept:
                break
            left = kept[int(np.argmax(shrink_scores(space, kept, weight, flops_of)))].arch


def shrink_scores(space: Space, seen: list[Result], weight: float, flops_of: str) -> npt.NDArray[np.float64]:
    """Return what is to be maximised, shape (n,): accuracy as a fraction, minus `weight` a tenfold of FLOPs.

    One million FLOPs cost nothing; they are counted on the dataset `flops_of`.
    """
    flops_m = space.flops_m(np.array([result.arch for result in seen]), flops_of)
    return np.array([result.score for result in seen]) / 100 - weight * np.log10(flops_m)


def check(candidates: int, weight: float, floor: float) -> None:
    """Raise `ConfigError` for settings that no search can have."""
    if candidates < 1:
        raise ConfigError(f"candidates={candidates} was given; at least 1 removal is tried a step")
    if not 0 <= weight < np.inf:
        raise ConfigError(f"weight={weight} was given; the weight of the FLOPs is finite and at least 0")
    if not 0 <= floor <= 100:
        raise ConfigError(f"floor={floor} was given; a floor of accuracy lies from 0 to 100 %")
