"""What a search algorithm and the protocol say to each other.

A search algorithm is a generator function `search(space, rng)`. It yields what it wants evaluated and is sent what came
back. With one worker each yield is answered by its own result:

    def my_search(space, rng):
        best = yield space.sample(rng)
        while True:
            seen = yield space.mutate(best.arch, rng)
            best = max(best, seen, key=lambda result: result.score)

With several workers the answer to a yield is the next result that arrives, of whichever proposal, or None while a
worker is still idle. An algorithm that must hear of everything it asked for before it goes on uses `evaluate`.
"""

from collections.abc import Callable, Generator, Iterable
from typing import Any, NamedTuple, TypeAlias

from natslib.spaces import Arch


class Trial(NamedTuple):
    """An architecture to be trained for `epochs` epochs; None: all of them."""

    arch: Arch
    epochs: int | None = None


class Result(NamedTuple):
    """A finished evaluation: the architecture as proposed, its score (more is better), the epochs trained."""

    arch: Any
    score: float
    epochs: int


WAIT = None
"""Yielded instead of a proposal: nothing to ask for until something that is being evaluated comes back."""

Proposal: TypeAlias = Arch | Trial | None
Search: TypeAlias = Generator[Proposal, Result | None, None]
SearchFunction: TypeAlias = Callable[..., Search]


def evaluate(proposals: Iterable[Proposal]) -> Generator[Proposal, Result | None, list[Result]]:
    """Ask for every proposal, wait for all of them, and return the results in the order of their arrival.

    Used as `results = yield from evaluate(proposals)`; nothing else may be under evaluation meanwhile.
    """
    results: list[Result] = []
    asked = 0
    for proposal in proposals:
        asked += 1
        seen = yield proposal
        if seen:
            results.append(seen)
    while len(results) < asked:
        seen = yield WAIT
        if seen:
            results.append(seen)
    return results


def score_of(seen: Result) -> float:
    """Return the score: the key by which searches sort what they have seen."""
    return seen.score
