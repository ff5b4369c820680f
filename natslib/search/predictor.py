"""A small ensemble that predicts scores from encodings: random-feature networks with a ridge read-out."""

import numpy as np
import numpy.typing as npt

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
