"""The density model of BOHB: kernel density estimates over categorical choices (Falkner et al., ICML 2018).

The rules are those of HpBandSter and of the kernel estimator that it takes from statsmodels, oddities included: a
bandwidth comes from the rule of thumb for continuous data, so it may exceed one; the number of levels of a position
is the number of *different values in the data*, so another value at a constant position has infinite density.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class CategoricalDensity:
    """A product-kernel (Aitchison & Aitken) density over codes.

    `data`: codes, shape (n, k). The bandwidth of a position is 1.06 * std * n**(-1 / (4 + k)), never under
    `min_bandwidth`.
    """

    def __init__(self, data: npt.ArrayLike, min_bandwidth: float) -> None:
        self.data = np.asarray(data, dtype=np.int64)
        n, k = self.data.shape
        thumb = 1.06 * self.data.std(axis=0) * n ** (-1.0 / (4 + k))
        self.bandwidth = np.maximum(thumb, min_bandwidth)
        ordered = np.sort(self.data, axis=0)
        levels = 1 + (ordered[1:] != ordered[:-1]).sum(axis=0)
        with np.errstate(divide="ignore"):
            self._elsewhere = self.bandwidth / (levels - 1)
        self._here = 1.0 - self.bandwidth

    def pdf(self, codes: npt.ArrayLike) -> Floats:
        """Return the density at each code, (m, k) to (m,); may be infinite, negative or NaN."""
        same = self.data[None, :, :] == np.asarray(codes)[:, None, :]
        kernels = np.where(same, self._here, self._elsewhere)
        with np.errstate(invalid="ignore"):
            return kernels.prod(axis=2).mean(axis=1)

    def draw_near(self, choices: int, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Draw n codes: a random datum, each position redrawn from all choices with probability `bandwidth`."""
        around = self.data[rng.integers(len(self.data), size=n)]
        redrawn = rng.random(around.shape) >= self._here
        return np.where(redrawn, rng.integers(choices, size=around.shape), around)


def best_ratio(good: Floats, bad: Floats) -> int | None:
    """Return the position of the smallest bad/good density; None where no candidate has a usable one.

    Densities under 1e-32 count as 1e-32. A candidate with finite `good` but unusable ratio is taken at once, as
    HpBandSter does: the bad data then hold nothing of the kind.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        ratios = _at_least(bad) / _at_least(good)
    best, lowest = None, np.inf
    for candidate, ratio in enumerate(ratios.tolist()):
        if not np.isfinite(ratio) and np.isfinite(good[candidate]):
            return candidate
        if ratio < lowest:
            best, lowest = candidate, ratio
    return best


def _at_least(density: Floats, floor: float = 1e-32) -> Floats:
    """Raise densities to the floor; NaN stays NaN."""
    return np.where(density < floor, floor, density)
