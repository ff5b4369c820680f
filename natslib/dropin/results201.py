"""`ArchResults` and `ResultsCount` as `nas_201_api` hands them out: numpy's sums, and no mending of costs."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from natslib.dropin import results, run
from natslib.dropin.text import print_information


class ResultsCount(run.ResultsCount):
    """One training of one architecture."""

    average: ClassVar[Callable[[list[Any]], Any]] = staticmethod(np.mean)
    BadEpoch: ClassVar[type[Exception]] = AssertionError
    BadSet: ClassVar[type[Exception]] = KeyError

    def _total(self, split: str) -> float:
        times = list(self._by_epoch("time_s", split).values())
        return float(np.sum(times)) if len(times) == self.epochs else super()._total(split)


class ArchResults(results.ArchResults):
    """All trainings of one architecture by one hp."""

    trial: ClassVar[type[run.ResultsCount]] = ResultsCount

    def _agreed(self, field: str, dataset: str, runs: list[run.ResultsCount]) -> list[float]:
        return [getattr(result, field) for result in runs]

    def show(self, is_print: bool = False) -> list[str]:
        """Return what there is of the architecture as lines of text; with `is_print`, print them too."""
        return print_information(self, None, is_print, joint=", ", tested=False)
