"""What a table holds, asked as the official API asks its records: by hp, dataset, seed, evaluation set and epoch."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from natslib.datasets import PAPER
from natslib.errors import NotMeasured
from natslib.tables.format.schema import MEAN_ONLY, Block, Curve, sum_in_order
from natslib.tables.reader import Seed
from natslib.tables.sources.official import evaluation_sets
from natslib.tables.table import Table

NAN = float("nan")
NEAR = 128  # pieces of curves that are kept, each of some hundred architectures: 30 MB at most
PATIENCE = 64  # pieces read on end for one epoch, before that epoch is read for all architectures at once
COLUMNS = 24  # plans at one epoch, for all architectures, that are kept: 1 to 3 MB each
Read = Callable[[int], tuple[float, float, float]]
"""An architecture's loss, accuracy and seconds of all epochs so far; NaN where something was not recorded."""


class Plan(NamedTuple):
    """How to answer for any architecture: the number of epochs so far, and what reads each set, 'train' first.

    `near`: piece by piece; otherwise from columns of all architectures.
    """

    epochs: int
    sets: tuple[tuple[str, Read], ...]
    near: bool


class NearCurves:
    """Curves read a piece at a time, each of the architectures that lie together; the latest pieces are kept."""

    def __init__(self, table: Table):
        self._reader = table._reader
        self._kept: dict[tuple[Block, int], Curve | None] = {}
        self._pieces: deque[list[tuple[Block, int]]] = deque()
        self._read = self._since = 0
        self._asked: object = None

    def get(self, block: Block, index: int) -> Curve | None:
        """Return the curves of one split of one run; None where there are none."""
        key = block, index
        if key not in self._kept:
            self._read += 1
            found: dict[int, Curve | None] = {index: None, **self._reader.curves_around(block, index)}
            self._kept |= {(block, other): curve for other, curve in found.items()}
            self._pieces.append([(block, other) for other in found])
            if len(self._pieces) > NEAR:
                for old in self._pieces.popleft():
                    self._kept.pop(old, None)
        return self._kept[key]

    def is_column_due(self, asked: object) -> bool:
        """Whether one and the same thing was `asked` of so many pieces that reading all at once is cheaper."""
        if asked != self._asked:
            self._asked, self._since = asked, self._read
        return self._read - self._since >= PATIENCE


class Group:
    """The runs of one dataset and hp."""

    def __init__(self, records: "Records", dataset: str, hp: str):
        self.dataset, self.hp = dataset, hp
        self.sets = evaluation_sets(dataset)
        self._records, self._table = records, records.table
        runs = records.runs
        self.epochs = int(runs.loc[(runs["dataset"] == dataset) & (runs["recipe"] == hp), "epochs"].max())
        there = self._table._reader.seeds_of(dataset, hp)
        self.has_mean = there.pop(MEAN_ONLY, np.zeros(len(records.space), bool)).item
        rows = np.array(list(there.values()), bool).reshape(len(there), len(records.space))
        kinds, kind = np.unique(rows, axis=1, return_inverse=True)
        self._kind = kind.reshape(-1).item
        self._seeds = [[seed for seed, has in zip(there, one, strict=True) if has] for one in kinds.T]
        self._columns: dict[tuple[str, str, Seed], Callable[[int], float]] = {}
        self.plans: dict[tuple[Seed, int | None], Plan] = {}

    def seeds(self, index: int) -> list[int]:
        """Return the seeds of an architecture's runs, ascending; the list is not to be changed."""
        return self._seeds[self._kind(index)]

    def last(self, metric: str, split: str, seed: Seed) -> Callable[[int], float]:
        """Return what reads the metric of an architecture after the last epoch; NaN where it was not recorded."""
        key = metric, split, seed
        if key not in self._columns:
            self._columns[key] = self._column(metric, split, seed, None)
        return self._columns[key]

    def _column(self, metric: str, split: str, seed: Seed, epoch: int | None) -> Callable[[int], float]:
        where: dict[str, Any] = {"dataset": self.dataset, "recipe": self.hp, "split": split}
        try:
            return self._table.values(metric, seed=seed, epoch=epoch, **where).item
        except NotMeasured:
            return lambda index: NAN

    def curve(self, split: str, seed: int, index: int) -> Curve | None:
        """Return every epoch of one split of one run, the last in single precision; None where there are none."""
        return self._records.curves.get(Block(self.dataset, self.hp, split, seed), index)

    def plan(self, seed: Seed, epoch: int | None) -> Plan:
        """Return the readers for a seed, or the mean over an architecture's seeds, at an epoch; None is the last."""
        plan = self.plans.get((seed, epoch))
        if plan is None or (plan.near and self._records.curves.is_column_due((self, epoch))):
            plan = self.plans[seed, epoch] = self._planned(seed, epoch)
            if epoch is not None and not plan.near:
                self._records.keep(self, (seed, epoch))
        return plan

    def _planned(self, seed: Seed, epoch: int | None) -> Plan:
        at = self.epochs - 1 if epoch is None else epoch
        is_last = at == self.epochs - 1
        near = not is_last and not self._records.curves.is_column_due((self, epoch))
        sets = {"train": "train"} | self.sets
        reads = [
            self._near(split, seed, at) if near else self._far(split, seed, None if is_last else at)
            for split in sets.values()
        ]
        return Plan(at + 1, tuple(zip(sets, reads, strict=True)), near)

    def _far(self, split: str, seed: Seed, epoch: int | None) -> Read:
        loss, accuracy, seconds = (
            self.last(metric, split, seed) if epoch is None else self._column(metric, split, seed, epoch)
            for metric in ("loss", "accuracy", "total_time_s")
        )
        return lambda index: (loss(index), accuracy(index), seconds(index))

    def _near(self, split: str, seed: Seed, epoch: int) -> Read:
        def of_run(one: int, index: int) -> tuple[float, float, float]:
            curve = self.curve(split, one, index)
            if curve is None or epoch >= len(curve.loss):
                return NAN, NAN, NAN
            return (
                float(curve.loss[epoch]),
                float(curve.accuracy[epoch]),
                sum_in_order(curve.time_s, epoch + 1),
            )

        def of_mean(index: int) -> tuple[float, float, float]:
            runs = [of_run(one, index) for one in self.seeds(index)] or [(NAN, NAN, NAN)]
            loss, accuracy, seconds = (sum(values) / len(runs) for values in zip(*runs, strict=True))
            return loss, accuracy, seconds

        return of_mean if seed == "mean" else lambda index: of_run(seed, index)


class Records:
    """The runs of a table by hp and dataset, each group made ready when it is first asked for."""

    def __init__(self, table: Table):
        self.table, self.space = table, table.space
        self.runs = table.runs()
        self.curves = NearCurves(table)
        self.measured: list[int] = table._reader.measured().tolist()
        self.hps = sorted(set(self.runs["recipe"]), key=lambda hp: (len(hp.lstrip("0")), hp))
        self.datasets = {
            hp: _in_order(self.runs.loc[self.runs["recipe"] == hp, "dataset"]) for hp in self.hps
        }
        self._groups: dict[tuple[str, str], Group] = {}
        self._kept: deque[tuple[Group, tuple[Seed, int | None]]] = deque()

    def group(self, hp: str, dataset: str) -> Group:
        """Return the runs of a dataset at an hp; raises `KeyError` where no architecture has one."""
        group = self._groups.get((hp, dataset))
        if group is None:
            if hp not in self.datasets:
                raise KeyError(f"no hp {hp!r}: the source has {', '.join(map(repr, self.hps))}")
            if dataset not in self.datasets[hp]:
                told = ", ".join(map(repr, self.datasets[hp]))
                raise KeyError(f"no dataset {dataset!r} at hp {hp!r}: there the source has {told}")
            group = self._groups[hp, dataset] = Group(self, dataset, hp)
        return group

    def groups_of(self, index: int, hp: str) -> list[Group]:
        """Return the groups at an hp that an architecture has runs in, or a mean."""
        groups = [self.group(hp, dataset) for dataset in self.datasets.get(hp, [])]
        return [group for group in groups if group.seeds(index) or group.has_mean(index)]

    def hps_of(self, index: int) -> list[str]:
        """Return the hps that an architecture was trained by."""
        return [hp for hp in self.hps if self.groups_of(index, hp)]

    def keep(self, group: Group, key: tuple[Seed, int | None]) -> None:
        """Note a plan of large columns, and let the oldest go where there are too many."""
        self._kept.append((group, key))
        if len(self._kept) > COLUMNS:
            old, at = self._kept.popleft()
            old.plans.pop(at, None)


def _in_order(datasets: Iterable[str]) -> list[str]:
    """Return the datasets, each once, the paper's first and in the order of official records."""
    found = set(datasets)
    return [name for name in PAPER if name in found] + sorted(found.difference(PAPER))
