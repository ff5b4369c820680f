"""A table that answers for cells that were not trained by the trained member of their class of exactly equal networks.

Two cells of an exact class are the same function of input and weights (see `natslib.spaces.equivalence`), so what
training one of them gives is what training the other would, but for the seed. That holds for losses and accuracies;
parameters and FLOPs count operations that the function may not use, and are the asked cell's own; times are measured or
missing. The formulas of the 4,930 `expression` classes are not always one function: they answer for nobody.
"""

import numpy as np
import numpy.typing as npt

from natslib.tables.format.costs import COSTS, exact_costs, scale_of
from natslib.tables.format.schema import Block
from natslib.tables.reader import Question, Reader

ANSWERED = ("loss", "accuracy", "top5")
NOBODY = -1
Indices = npt.NDArray[np.int64]


class ClassReader(Reader):
    """Reads a table's columns with the cells that were not trained answered through their class."""

    def __init__(self, reader: Reader):
        super().__init__(reader._finals, list(reader._blocks), reader._space, reader._curves)
        self._by: dict[tuple[str, str, str], Indices] = {}

    def __getstate__(self) -> dict[str, object]:
        return super().__getstate__() | {"_by": {}}

    def answered_by(self, dataset: str, recipe: str, split: str) -> Indices:
        """Return which cell answers for every cell: itself where it was trained, `NOBODY` where none of its class was.

        Of several trained members, the one with most seeds answers; of equals the lowest index.
        """
        key = dataset, recipe, split
        if key not in self._by:
            self._by[key] = _answers(self.count_runs(*key), self._space.classes())
        return self._by[key]

    def measured(self) -> Indices:
        """Return the indices of the architectures that have any answer, ascending."""
        classes = self._space.classes()
        return np.flatnonzero(np.isin(classes, classes[super().measured()]))

    def _of_run(self, asked: Question) -> npt.NDArray[np.float64]:
        column = super()._of_run(asked)
        by = self.answered_by(asked.dataset, asked.recipe, asked.split)
        through = np.flatnonzero((by != NOBODY) & (by != np.arange(len(by))))
        if asked.metric in ANSWERED:
            column[through] = column[by[through]]
        elif asked.metric in COSTS:
            column[through] = self._closed_form(self.block(asked), asked.metric, through)
        return column

    def _closed_form(self, block: Block, metric: str, cells: Indices) -> npt.NDArray[np.float64]:
        """Return the cells' own cost by the formula that gives most of the costs stored there; NaN without one."""
        stored = self._final(block, metric)
        known = np.flatnonzero(~np.isnan(stored))
        scale = scale_of(self._space, metric, block.dataset, known, stored[known])
        if scale is None:
            return np.full(len(cells), np.nan)
        return exact_costs(self._space, metric, block.dataset, cells, scale)

    def curve(self, asked: Question, index: int) -> npt.NDArray[np.float64]:
        """Return what `Reader.curve` does, a loss or accuracy through the class."""
        by = self.answered_by(asked.dataset, asked.recipe, asked.split)[index]
        return super().curve(asked, int(by) if asked.metric in ANSWERED and by != NOBODY else index)


def _answers(runs: Indices, classes: Indices) -> Indices:
    cells = np.arange(len(runs))
    best_last = np.lexsort((-cells, runs))
    best_last = best_last[runs[best_last] > 0]
    of_class = np.full(len(runs), NOBODY)
    of_class[classes[best_last]] = best_last  # of several values for one class the last stays
    return np.where(runs > 0, cells, of_class[classes])
