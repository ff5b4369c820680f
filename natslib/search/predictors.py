"""Ensembles that predict scores from encodings: deep networks as published, and a cheap stand-in for them."""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Ridge:
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


class Networks:
    """`members` networks of `layers` layers of `width` ReLUs, trained side by side as BANANAS trains them.

    Each fit starts anew: uniform weights (Glorot), the mean absolute error of raw targets, Adam, every member with its
    own order of the observations. In numpy, for networks this small are over before a framework has started them; a
    layer's last row of weights is its bias, and all of a member's lie in one row, which is what Adam steps.
    """

    def __init__(
        self, inputs: int, rng: np.random.Generator, members: int = 5, layers: int = 10, width: int = 20
    ) -> None:
        self._rng = rng
        shapes = [(before + 1, after) for before, after in pairwise([inputs, *[width] * layers, 1])]
        ends = np.cumsum([0, *(rows * columns for rows, columns in shapes)])
        self._all = np.zeros((members, int(ends[-1])))
        self._all_slopes = np.zeros_like(self._all)
        self.weights, self.slopes = (
            [
                block[:, start:end].reshape(members, *shape)
                for (start, end), shape in zip(pairwise(ends), shapes, strict=True)
            ]
            for block in (self._all, self._all_slopes)
        )

    def restart(self) -> None:
        """Draw fresh weights; biases are zero."""
        for weights in self.weights:
            members, rows, columns = weights.shape
            limit = np.sqrt(6.0 / (rows - 1 + columns))
            weights[:, :-1] = self._rng.uniform(-limit, limit, (members, rows - 1, columns))
            weights[:, -1] = 0.0

    def fit(
        self,
        encodings: npt.ArrayLike,
        targets: npt.ArrayLike,
        *,
        epochs: int = 150,
        batch: int = 32,
        **adam: Any,
    ) -> None:
        """Train every member from fresh weights on (n, inputs) encodings and (n,) targets."""
        inputs = np.asarray(encodings, dtype=np.float64)
        wanted = np.asarray(targets, dtype=np.float64)[:, None]
        self.restart()
        moments, step = np.zeros((2, *self._all.shape)), 0
        for _ in range(epochs):
            rows = np.tile(np.arange(len(inputs)), (len(self._all), 1))
            order = self._rng.permuted(rows, axis=1)
            for start in range(0, len(inputs), batch):
                drawn, step = order[:, start : start + batch], step + 1
                self.differentiate(inputs[drawn], wanted[drawn])
                self._descend(moments, step, **adam)

    def differentiate(self, inputs: Floats, wanted: Floats) -> None:
        """Set `slopes` to those of the mean absolute error on (members, n, inputs) and (members, n, 1)."""
        seen = self._layers(inputs)
        slope = np.sign(seen[-1] - wanted) / wanted.shape[1]
        for number in reversed(range(len(self.weights))):
            np.matmul(seen[number].transpose(0, 2, 1), slope, out=self.slopes[number][:, :-1])
            slope.sum(axis=1, out=self.slopes[number][:, -1])
            if number:
                back = self.weights[number][:, :-1].transpose(0, 2, 1)
                slope = (slope @ back) * (seen[number] > 0.0)

    def _layers(self, inputs: Floats) -> list[Floats]:
        """Return the inputs and the output of every layer."""
        seen = [inputs]
        for number, weights in enumerate(self.weights, start=1):
            output = seen[-1] @ weights[:, :-1] + weights[:, -1:]
            seen.append(output if number == len(self.weights) else np.maximum(output, 0.0))
        return seen

    def _descend(
        self,
        moments: Floats,
        step: int,
        rate: float = 0.01,
        betas: tuple[float, float] = (0.9, 0.99),
        eps: float = 1e-7,
    ) -> None:
        """Take one Adam step, as Keras does it."""
        first, second = moments
        first += (1.0 - betas[0]) * (self._all_slopes - first)
        second += (1.0 - betas[1]) * (self._all_slopes**2 - second)
        rate *= np.sqrt(1.0 - betas[1] ** step) / (1.0 - betas[0] ** step)
        self._all -= rate * first / (np.sqrt(second) + eps)

    def predict(self, encodings: npt.ArrayLike) -> Floats:
        """Return each member's prediction: (n, inputs) to (members, n)."""
        inputs = np.asarray(encodings, dtype=np.float64)
        return self._layers(np.broadcast_to(inputs, (len(self._all), *inputs.shape)))[-1][:, :, 0]
