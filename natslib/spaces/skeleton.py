"""The macro skeleton of both spaces of NATS-Bench, of which a code says the cells and the widths (its section 3)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from natslib.datasets import Dataset
from natslib.errors import ConfigError
from natslib.spaces.cost import Count, Scale, count
from natslib.spaces.space import Code, CodeArray

Layout: TypeAlias = Callable[[CodeArray, Scale], tuple[npt.NDArray[np.integer], npt.NDArray[np.integer], int]]


@dataclass(frozen=True)
class Skeleton:
    """Networks of the paper's skeleton.

    `layout(codes, scale)` gives the cell codes (..., 6), the widths (..., 5) and the number of cells a stage.
    `stem_first`: whether the stem's weights are drawn before those of the body. `equal` finds the classes of exactly
    equal networks, `shrunk` and `densest` what `removals` and `dense` return; without them there is nothing to remove.
    """

    layout: Layout
    stem_first: bool = True
    equal: Callable[[], npt.NDArray[np.int64]] | None = None
    shrunk: Callable[[Code], CodeArray] | None = None
    densest: Callable[[np.random.Generator], Code] | None = None
    builder: ClassVar[str] = "natslib.nets.candidate:build_skeleton"

    def count(self, codes: CodeArray, dataset: Dataset, scale: Scale) -> Count:
        """Return parameters and multiply-accumulates, int64 (...)."""
        return count(*self.layout(codes, scale), dataset)

    def classes(self, n: int) -> npt.NDArray[np.int64]:
        """Return the class of exactly equal networks of each of `n` architectures; each its own without a rule."""
        return np.arange(n) if self.equal is None else self.equal()

    def removals(self, code: Code) -> CodeArray:
        """Return the codes with one thing less, (n, k); raises `ConfigError` where nothing can be removed."""
        if self.shrunk is None:
            raise _nothing_to_remove()
        return self.shrunk(code)

    def dense(self, rng: np.random.Generator) -> Code:
        """Draw a code to remove from; raises `ConfigError` where nothing can be removed."""
        if self.densest is None:
            raise _nothing_to_remove()
        return self.densest(rng)


def _nothing_to_remove() -> ConfigError:
    return ConfigError(
        "this space does not say what can be removed (`shrunk` and `densest` of its `Skeleton`)"
    )
