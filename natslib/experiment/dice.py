"""A numpy generator whose single draws are quick: they are taken from a block drawn in advance."""

from collections.abc import Iterator
from typing import Any

import numpy as np

_BLOCK = 256


class Dice(np.random.Generator):
    """A `Generator` for searches, which draw one number at a time, millions of times.

    `random()` and `integers(n)` without size come from blocks of uniform numbers; all other draws are numpy's own. The
    stream is as reproducible as numpy's, and another one than that of a plain generator with the same seed.
    """

    def __init__(self, seed: int | np.random.SeedSequence) -> None:
        super().__init__(np.random.PCG64(seed))
        self._next = self._uniforms().__next__

    def _uniforms(self) -> Iterator[float]:
        draw = super().random
        while True:
            yield from draw(_BLOCK).tolist()

    def random(self, size: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As numpy's; without arguments one number from the block."""
        if size is None and not args and not kwargs:
            return self._next()
        return super().random(size, *args, **kwargs)

    def integers(self, low: Any, high: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As numpy's; for bounds that are plain ints, and nothing else said, one number from the block."""
        first, last = (0, low) if high is None else (low, high)
        quick = not args and not kwargs and type(first) is int and type(last) is int
        if quick and first < last <= first + 2**32:
            return first + int(self._next() * (last - first))
        return super().integers(low, high, *args, **kwargs)
