"""Correlation alignment: the same means and covariances of the features (Sun and Saenko 2016)."""

from typing import ClassVar

from torch import Tensor

from natslib.training.objectives.aligned import Aligned


class Coral(Aligned):
    """CORAL as DomainBed has it: the mean squared gap of means plus that of covariances."""

    name: ClassVar[str] = "coral"

    def between(self, one: Tensor, other: Tensor) -> Tensor:
        """Return the gaps' mean squares."""
        means = (one.mean(0) - other.mean(0)).square().mean()
        return means + (one.T.cov() - other.T.cov()).square().mean()
