"""BANANAS: Bayesian optimisation with an ensemble of networks on path encodings (White et al., AAAI 2021)."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from natslib.search.proposals import Result, Search, evaluate, score_of
from natslib.spaces import Arch, Space
from natslib.spaces.topology import path_encoding

Floats = npt.NDArray[np.float64]


class Ensemble:
    """`members` one-hidden-layer networks, their hidden layers random and fixed, their read-outs fitted in closed form.

    It stands where the papers train deep ensembles for minutes: it is refitted in a millisecond. Targets are
    standardised; `ridge` is the strength of the penalty relative to one observation.
    """

    def __init__(
        self, inputs: int, rng: np.random.Generator, members: int = 5, hidden: int = 64, ridge: float = 1.0
    ) -> None:
        self._weights = rng.standard_normal((members, inputs + 1, hidden)) / np.sqrt(inputs)
        self._readouts: Floats = np.zeros((members, hidden + 1, 1))
        self._ridge = ridge * np.eye(hidden + 1)
        self._centre, self._scale = 0.0, 1.0
        self._rng = rng

    def _hidden(self, encodings: npt.ArrayLike) -> Floats:
        inputs = np.asarray(encodings, dtype=np.float64)
        padded = np.hstack([inputs, np.ones((len(inputs), 1))])
        layer = np.maximum(padded @ self._weights, 0.0)
        return np.concatenate([layer, np.ones((*layer.shape[:2], 1))], axis=2)

    def fit(self, encodings: npt.ArrayLike, scores: npt.ArrayLike) -> None:
        """Fit every member to its own bootstrap of (n, inputs) encodings and (n,) scores."""
        raw = np.asarray(scores, dtype=np.float64)
        self._centre, self._scale = float(raw.mean()), float(raw.std()) + 1e-12
        targets = (raw - self._centre) / self._scale
        features = self._hidden(encodings)
        counts = self._rng.multinomial(
            len(targets), np.full(len(targets), 1 / len(targets)), size=len(features)
        )
        weighted = features * counts[:, :, None]
        gram = weighted.transpose(0, 2, 1) @ features + self._ridge
        solved = np.linalg.solve(gram, weighted.transpose(0, 2, 1) @ targets[:, None])
        self._readouts = solved.astype(np.float64)

    def predict(self, encodings: npt.ArrayLike) -> Floats:
        """Return each member's prediction: (n, inputs) to (members, n)."""
        return (self._hidden(encodings) @ self._readouts)[:, :, 0] * self._scale + self._centre


def bananas(
    space: Space,
    rng: np.random.Generator,
    *,
    start: int = 10,
    batch: int = 10,
    candidates: int = 100,
    parents: int = 10,
) -> Search:
    """Evaluate, batch by batch, the mutants of the best so far that independent Thompson sampling ranks first.

    Each candidate is ranked by one draw from a normal distribution with the ensemble's mean and spread. The topology
    space is encoded by the paths from input to output, the size space one-hot. The ensemble is `predictor.Ensemble`.
    """
    encode = encoding_of(space)
    known = yield from evaluate([space.sample(rng) for _ in range(start)])
    model = Ensemble(encode(space.codes([0])).shape[1], rng)
    while True:
        model.fit(encode(np.array([seen.arch for seen in known])), [seen.score for seen in known])
        pool = mutants(space, known, rng, candidates, parents)
        guesses = model.predict(encode(np.array(pool)))
        draws = guesses.mean(axis=0) + guesses.std(axis=0) * rng.standard_normal(len(pool))
        chosen = np.argsort(-draws, kind="stable")[:batch]
        known += yield from evaluate([pool[number] for number in chosen])


def encoding_of(space: Space) -> Callable[[np.ndarray], np.ndarray]:
    """Return the encoding of codes that suits the space: paths for topologies, indicators for sizes."""
    return path_encoding if space.name == "tss" else space.one_hot


def mutants(
    space: Space, known: list[Result], rng: np.random.Generator, count: int, parents: int
) -> list[Arch]:
    """Return up to `count` architectures not evaluated yet: single and double changes of the `parents` best.

    Where too few of them are left nearby, random ones make up the number, as far as they are new; where nothing new was
    found, one that is known comes back.
    """
    best = sorted(known, key=score_of, reverse=True)[:parents]
    taken = {seen.arch for seen in known}
    pool: dict[Arch, None] = {}
    for attempt in range(10 * count):
        arch = space.mutate(best[attempt % len(best)].arch, rng)
        arch = space.mutate(arch, rng) if rng.random() < 0.5 else arch
        if arch not in taken:
            pool[arch] = None
        if len(pool) == count:
            return list(pool)
    further = [space.sample(rng) for _ in range(count - len(pool))]
    pool |= dict.fromkeys(arch for arch in further if arch not in taken)
    return list(pool) or [space.sample(rng)]
