"""Features that are to look alike in every two environments, as in CORAL and MMD."""

from abc import abstractmethod
from collections.abc import Mapping
from itertools import combinations
from typing import ClassVar

from torch import Tensor

from natslib.training.objectives.objective import (
    Batch,
    Classifying,
    Number,
    Objective,
    Outcome,
    mean_of,
    penalised,
)


class Aligned(Objective):
    """Risk plus `weight` times the mean over pairs of environments of what is `between` their features."""

    numbers: ClassVar[Mapping[str, Number]] = {"weight": Number(1.0, -1, 1)}

    @abstractmethod
    def between(self, one: Tensor, other: Tensor) -> Tensor:
        """Return how far two sets of features (n, d) and (m, d) are apart, a scalar."""

    def loss(self, network: Classifying, batch: Batch) -> Outcome:
        """Return the risk and the weighted distance of environments that have two images in the batch."""
        features = network.features(batch.images)
        pairs = combinations([features[rows] for rows in self.rows(batch, fewest=2)], 2)
        apart = mean_of([self.between(one, other) for one, other in pairs], features)
        return penalised(network.classifier(features), batch.labels, self.values["weight"], apart)
