"""Successive halving and Hyperband (Jamieson & Talwalkar 2016; Li et al. 2018), with the rounding of HpBandSter."""

import math
from collections.abc import Callable, Iterator
from itertools import count
from typing import TypeAlias

import numpy as np

from natslib.errors import ConfigError
from natslib.search.proposals import WAIT, Result, Search, Trial, score_of
from natslib.spaces import Arch, Space

Rung: TypeAlias = tuple[int, int]
"""How many architectures are trained, and for how many epochs."""


def successive_halving(
    space: Space, rng: np.random.Generator, *, max_epochs: int = 12, min_epochs: int = 1, eta: int = 3
) -> Search:
    """Repeat the widest bracket on fresh random architectures: 9 for 1 epoch, the best 3 for 4, the best for 12."""
    while True:
        yield from bracket(hyperband_brackets(max_epochs, min_epochs, eta)[0], lambda: space.sample(rng))


def hyperband(
    space: Space, rng: np.random.Generator, *, max_epochs: int = 12, min_epochs: int = 1, eta: int = 3
) -> Search:
    """Cycle through the brackets of Hyperband, from the widest to the one that only trains in full."""
    for rungs in cycle_brackets(max_epochs, min_epochs, eta):
        yield from bracket(rungs, lambda: space.sample(rng))


def bracket(
    rungs: list[Rung], propose: Callable[[], Arch], observe: Callable[[Result], None] = lambda seen: None
) -> Search:
    """Train `propose()`d architectures on the first rung, and on each later one the best of the rung before it.

    Every result goes to `observe` at once, so that a model behind `propose` can learn within the rung. Those promoted
    are trained best first; HpBandSter trains them in the order in which they were proposed.
    """
    best: list[Arch] = []
    for number, (size, epochs) in enumerate(rungs):
        results: list[Result] = []
        asked = 0
        while len(results) < size:
            if asked < size:
                seen = yield Trial(best[asked] if number else propose(), epochs)
                asked += 1
            else:
                seen = yield WAIT
            if seen:
                results.append(seen)
                observe(seen)
        best = [seen.arch for seen in sorted(results, key=score_of, reverse=True)]


def rung_epochs(max_epochs: int, min_epochs: int, eta: int) -> list[int]:
    """Return the epochs of the rungs, ascending: a geometric series down from `max_epochs`, rounded down.

    The smallest is the last one that is at least `min_epochs`: 12, 1, 3 gives 1, 4, 12 (HpBandSter's 1.33, 4, 12).
    """
    if not (1 <= min_epochs <= max_epochs and eta >= 2):
        asked = f"min_epochs={min_epochs}, max_epochs={max_epochs}, eta={eta}"
        raise ConfigError(f"impossible rungs {asked}: allowed are 1 <= min_epochs <= max_epochs and eta >= 2")
    rungs = int(math.log(max_epochs / min_epochs) / math.log(eta) + 1e-9) + 1
    return [int(max_epochs / eta**power) for power in reversed(range(rungs))]


def hyperband_brackets(max_epochs: int, min_epochs: int, eta: int) -> list[list[Rung]]:
    """Return the brackets of Hyperband, widest first; for 12, 1, 3: (9@1, 3@4, 1@12), (3@4, 1@12), (3@12)."""
    epochs = rung_epochs(max_epochs, min_epochs, eta)
    brackets = []
    for halvings in reversed(range(len(epochs))):
        widest = (len(epochs) // (halvings + 1)) * eta**halvings
        sizes = [max(widest // eta**rung, 1) for rung in range(halvings + 1)]
        brackets.append(list(zip(sizes, epochs[-halvings - 1 :], strict=True)))
    return brackets


def cycle_brackets(max_epochs: int, min_epochs: int, eta: int) -> Iterator[list[Rung]]:
    """Return the brackets again and again, without end."""
    brackets = hyperband_brackets(max_epochs, min_epochs, eta)
    return (brackets[turn % len(brackets)] for turn in count())
