"""BOHB: Hyperband whose new architectures come from a density model (Falkner et al., ICML 2018).

Settings as NATS-Bench runs HpBandSter with one worker, which hears of each result before it proposes the next. That of
NAS-Bench-201 is another one: within its 12,000 s it pays all 200 epochs for each evaluation, six in all, and ends at
89.61 and 92.74 on CIFAR-10 (validation and test, simulated); the printed 90.82 and 93.61 came of other code.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from natslib.search.algorithms.successive_halving import bracket, cycle_brackets
from natslib.search.proposals import Result, Search
from natslib.search.subspace import covers
from natslib.spaces import Arch, Space

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

    Densities under 1e-32 count as 1e-32, and so does a `bad` one that is NaN; a `good` one stays NaN. A candidate with
    finite `good` but unusable ratio is taken at once, as HpBandSter does: the bad data then hold nothing of the kind.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        ratios = np.fmax(bad, 1e-32) / np.maximum(good, 1e-32)
    best, lowest = None, np.inf
    for candidate, ratio in enumerate(ratios.tolist()):
        if not np.isfinite(ratio) and np.isfinite(good[candidate]):
            return candidate
        if ratio < lowest:
            best, lowest = candidate, ratio
    return best


def bohb(
    space: Space,
    rng: np.random.Generator,
    *,
    max_epochs: int = 12,
    min_epochs: int = 1,
    eta: int = 3,
    samples: int = 4,
    random_fraction: float = 0.0,
    min_bandwidth: float = 0.3,
) -> Search:
    """Cycle Hyperband's brackets; draw each new architecture where good ones are dense and bad ones are not.

    `samples` candidates are drawn for each new architecture; `random_fraction` of the new ones ignore the model. The
    bandwidth factor of HpBandSter (3 in the paper's command) acts on continuous parameters only, so there is none here.
    """
    model = Model(len(space.positions) + 1, min_bandwidth)

    def propose() -> Arch:
        if model.densities is None or rng.random() < random_fraction:
            return space.sample(rng)
        return propose_from(model, space, samples, rng)

    for rungs in cycle_brackets(max_epochs, min_epochs, eta):
        yield from bracket(rungs, propose, model.observe)


def propose_from(model: "Model", space: Space, samples: int, rng: np.random.Generator) -> Arch:
    """Return the best of a few draws near good architectures, or a random one where no draw has a usable density."""
    assert model.densities is not None
    good, bad = model.densities
    candidates = good.draw_near(len(space.choices), samples, rng)
    candidates = candidates[[covers(space, tuple(code)) for code in candidates.tolist()]]
    best = best_ratio(good.pdf(candidates), bad.pdf(candidates)) if len(candidates) else None
    return space.sample(rng) if best is None else tuple(candidates[best].tolist())


@dataclass
class Model:
    """Densities of the good and of the bad architectures, at the most epochs for which there are enough of both.

    `min_points` results are the fewest for either side; the best 15 percent count as good.
    """

    min_points: int
    min_bandwidth: float
    good_percent: int = 15
    densities: tuple[CategoricalDensity, CategoricalDensity] | None = None
    epochs: int = 0
    results: dict[int, list[Result]] = field(default_factory=dict)

    def observe(self, seen: Result) -> None:
        """Take in a result and refit, unless a model of more epochs exists already."""
        if seen.epochs < self.epochs:
            return
        known = self.results.setdefault(seen.epochs, [])
        known.append(seen)
        good = max(self.min_points, self.good_percent * len(known) // 100)
        bad = max(self.min_points, (100 - self.good_percent) * len(known) // 100)
        if min(good, len(known) - good) < self.min_points:
            return
        order = np.argsort([-result.score for result in known], kind="stable")
        codes = np.array([result.arch for result in known])[order]
        self.densities = (self._density(codes[:good]), self._density(codes[good : good + bad]))
        self.epochs = seen.epochs

    def _density(self, codes: np.ndarray) -> CategoricalDensity:
        return CategoricalDensity(codes, self.min_bandwidth)
