"""What a table holds, asked as the official API asks its records: by hp, dataset, seed, evaluation set and epoch."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from natslib.datasets import PAPER
from natslib.errors import NotMeasured
from natslib.tables.format.schema import MEAN_ONLY, Block, Curve
from natslib.tables.reader import Question, Seed
from natslib.tables.sources.official import evaluation_sets
from natslib.tables.table import Table

PIECES = 128  # pieces of curves that are kept, each of some hundred architectures: 30 MB at most
HISTORIES = 512  # histories of single architectures that are kept: 13 MB at most
PATIENCE = 512  # pieces read on end for one epoch, before that epoch is read for all architectures at once
TOLD = 2048  # answers after the last epoch that are kept as they were given, 1 KB each, for each seed and dataset
COLUMNS = 16  # answers at one epoch for all architectures that are kept: 2 to 4 MB each
NAN = float("nan")
Item = Callable[[int], float]
Floats = npt.NDArray[np.float64]
_LOSS, _ACCURACY, _PER_TIME, _ALL_TIME = range(4)
_WHATS = ("loss", "accuracy", "per-time", "all-time")
_KEPT = {"loss": _LOSS, "accuracy": _ACCURACY, "total_time_s": _ALL_TIME}
_TOLD = {"train": "train", "x-valid": "valid", "x-test": "test", "ori-test": "valtest"}
_TOLD_OF_CIFAR10 = {"train": "train", "x-valid": "valid", "ori-test": "test"}


class Answers(NamedTuple):
    """What `get_more_info` answers for every architecture, (n, 4 a set), and of which of them nothing is lacking.

    `told`: answers that were given, at most `TOLD`, as dicts.
    """

    rows: Floats
    whole: bytes
    told: dict[int, dict[str, Any]]

    def keep(self, index: int, told: dict[str, Any]) -> None:
        """Keep an answer for when it is asked for again."""
        if len(self.told) >= TOLD:
            self.told.clear()
        self.told[index] = told.copy()


class Pieces:
    """Curves, read a piece at a time, each of the architectures that lie together; the latest pieces are kept."""

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
            if len(self._pieces) > PIECES:
                for old in self._pieces.popleft():
                    self._kept.pop(old, None)
        return self._kept[key]

    def is_column_due(self, asked: object) -> bool:
        """Whether one and the same thing was `asked` of so many pieces on end that reading all at once is cheaper."""
        if asked != self._asked:
            self._asked, self._since = asked, self._read
        return self._read - self._since >= PATIENCE


class Group:
    """The runs of one dataset and hp."""

    def __init__(self, records: "Records", dataset: str, hp: str):
        self.dataset, self.hp = dataset, hp
        self.sets = evaluation_sets(dataset)
        self._splits = {"train": "train"} | self.sets
        self.is_cifar10 = dataset in ("cifar10", "cifar10-valid")
        told = _TOLD_OF_CIFAR10 if self.is_cifar10 else _TOLD
        self.names = tuple(f"{told[name]}-{what}" for name in self._splits for what in _WHATS)
        self._records, self._reader = records, records.table._reader
        runs = records.runs
        self.epochs = int(runs.loc[(runs["dataset"] == dataset) & (runs["recipe"] == hp), "epochs"].max())
        there = self._reader.seeds_of(dataset, hp)
        self.has_mean = there.pop(MEAN_ONLY, np.zeros(len(records.space), bool)).item
        rows = np.array(list(there.values()), bool).reshape(len(there), len(records.space))
        kind = np.zeros(len(records.space), np.int64)
        for row in rows:
            kind = np.unique(2 * kind + row, return_inverse=True)[1]
        self._kind = kind.item
        firsts = np.unique(kind, return_index=True)[1]
        self._of_kind = [
            [seed for seed, has in zip(there, one, strict=True) if has] for one in rows[:, firsts].T
        ]
        self._all_seeds = list(there)
        self._items: dict[tuple[str, str, Seed], Item] = {}
        self.answers: dict[Seed, Answers] = {}
        self.at_epoch: dict[tuple[Seed, int], Answers] = {}

    def seeds(self, index: int) -> list[int]:
        """Return the seeds of an architecture's runs, ascending; the list is not to be changed."""
        return self._of_kind[self._kind(index)]

    def last(self, metric: str, split: str, seed: Seed) -> Item:
        """Return what reads the metric of an architecture after the last epoch; NaN where it was not recorded."""
        key = metric, split, seed
        if key not in self._items:
            self._items[key] = self._column(metric, split, seed).item
        return self._items[key]

    def _column(self, metric: str, split: str, seed: Seed) -> Floats:
        if metric not in _KEPT:
            return self._read(metric, split, seed, None)
        at = list(self._splits.values()).index(split)
        column: Floats = self.answered(seed).rows[:, 4 * at + _KEPT[metric]]
        return column

    def _read(self, metric: str, split: str, seed: Seed, epoch: int | None) -> Floats:
        try:
            return self._reader.load(Question(metric, self.dataset, self.hp, split, seed, epoch))
        except NotMeasured:
            return np.full(len(self._records.space), np.nan)

    def curve(self, split: str, seed: int, index: int) -> Curve | None:
        """Return every epoch of one split of one run, the last in single precision; None where there are none."""
        return self._records.pieces.get(Block(self.dataset, self.hp, split, seed), index)

    # what `get_more_info` answers: names are `self.names`, values NaN where nothing was recorded

    def answered(self, seed: Seed) -> Answers:
        """Return the answers after the last epoch, of a seed or of the mean over the seeds each architecture has."""
        if seed not in self.answers:
            self.answers[seed] = self._answered(seed, None)
        return self.answers[seed]

    def row(self, seed: Seed, epoch: int, index: int) -> list[float]:
        """Return the answer for one architecture after an epoch, which is not the last."""
        far = self.at_epoch.get((seed, epoch))
        if far is None:
            history = self._records.histories.get((self, seed, index))
            if history is None:
                history = self._history(seed, index)
                self._records.keep_history((self, seed, index), history)
                if self._records.pieces.is_column_due((self, epoch)):
                    self.at_epoch[seed, epoch] = self._answered(seed, epoch)
                    self._records.keep_column(self, (seed, epoch))
            return history[epoch].tolist()
        return far.rows[index].tolist()

    def _answered(self, seed: Seed, epoch: int | None) -> Answers:
        rows = np.full((len(self._records.space), len(self.names)), np.nan)
        if seed == "mean" and self._all_seeds and not self._reader.has_means(self.dataset, self.hp):
            rows = self._mean([self._single(one, epoch).rows for one in self._all_seeds])
        else:
            for at, split in enumerate(self._splits.values()):
                for metric, column in _KEPT.items():
                    rows[:, 4 * at + column] = self._read(metric, split, seed, epoch)
        rows[:, _PER_TIME::4] = rows[:, _ALL_TIME::4] / (self.epochs if epoch is None else epoch + 1)
        return Answers(rows, (~np.isnan(rows).any(axis=1)).astype(np.uint8).tobytes(), {})

    def _single(self, seed: int, epoch: int | None) -> Answers:
        return self.answered(seed) if epoch is None else self._answered(seed, epoch)

    def _mean(self, runs: list[Floats]) -> Floats:
        """Return the mean over the runs that there are, added in ascending order of the seed as officially."""
        total, count = np.zeros(runs[0].shape), np.zeros(runs[0].shape, np.int8)
        for run in runs:
            there = ~np.isnan(run)
            np.add(total, run, out=total, where=there)
            count += there
        return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)

    def _history(self, seed: Seed, index: int) -> Floats:
        """Return the answers for one architecture after each epoch, (epochs, 4 a set)."""
        runs = [self._history_of_run(one, index) for one in (self.seeds(index) if seed == "mean" else [seed])]
        rows = self._mean(runs) if seed == "mean" else runs[0]
        rows[:, _PER_TIME::4] = rows[:, _ALL_TIME::4] / np.arange(1, self.epochs + 1)[:, None]
        return rows

    def _history_of_run(self, seed: int, index: int) -> Floats:
        rows = np.full((self.epochs, len(self.names)), np.nan)
        for at, split in enumerate(self._splits.values()):
            curve = self.curve(split, seed, index)
            if curve is not None:
                epochs, seconds = len(curve.loss), curve.time_s
                each = np.full(epochs, seconds[0]) if len(seconds) == 1 else seconds
                rows[:epochs, 4 * at + _LOSS] = curve.loss
                rows[:epochs, 4 * at + _ACCURACY] = curve.accuracy
                rows[:epochs, 4 * at + _ALL_TIME] = np.cumsum(each)
        return rows


class Records:
    """The runs of a table by hp and dataset, each group made ready when it is first asked for."""

    def __init__(self, table: Table):
        self.table, self.space = table, table.space
        self.runs = table.runs()
        self.measured: list[int] = table._reader.measured().tolist()
        self.hps = sorted(set(self.runs["recipe"]), key=lambda hp: (len(hp.lstrip("0")), hp))
        self.datasets = {
            hp: _in_order(self.runs.loc[self.runs["recipe"] == hp, "dataset"]) for hp in self.hps
        }
        self.groups: dict[tuple[str, str], Group] = {}
        self.pieces = Pieces(table)
        self.histories: OrderedDict[tuple[Group, Seed, int], Floats] = OrderedDict()
        self._columns: deque[tuple[Group, tuple[Seed, int]]] = deque()

    def group(self, hp: str, dataset: str) -> Group:
        """Return the runs of a dataset at an hp; raises `KeyError` where no architecture has one."""
        group = self.groups.get((hp, dataset))
        if group is None:
            if hp not in self.datasets:
                raise KeyError(f"no hp {hp!r}: the source has {', '.join(map(repr, self.hps))}")
            if dataset not in self.datasets[hp]:
                told = ", ".join(map(repr, self.datasets[hp]))
                raise KeyError(f"no dataset {dataset!r} at hp {hp!r}: there the source has {told}")
            group = self.groups[hp, dataset] = Group(self, dataset, hp)
        return group

    def groups_of(self, index: int, hp: str) -> list[Group]:
        """Return the groups at an hp that an architecture has runs in, or a mean."""
        groups = [self.group(hp, dataset) for dataset in self.datasets.get(hp, [])]
        return [group for group in groups if group.seeds(index) or group.has_mean(index)]

    def hps_of(self, index: int) -> list[str]:
        """Return the hps that an architecture was trained by."""
        return [hp for hp in self.hps if self.groups_of(index, hp)]

    def keep_history(self, key: tuple[Group, Seed, int], history: Floats) -> None:
        """Keep the answers after each epoch of one architecture, and let the oldest go where there are too many."""
        self.histories[key] = history
        if len(self.histories) > HISTORIES:
            self.histories.popitem(last=False)

    def keep_column(self, group: Group, key: tuple[Seed, int]) -> None:
        """Note that a group has the answers at an epoch of all architectures, and let the oldest go as above."""
        self._columns.append((group, key))
        if len(self._columns) > COLUMNS:
            old, at = self._columns.popleft()
            old.at_epoch.pop(at, None)


def _in_order(datasets: Iterable[str]) -> list[str]:
    """Return the datasets, each once, the paper's first and in the order of official records."""
    found: set[Any] = set(datasets)
    return [name for name in PAPER if name in found] + sorted(found.difference(PAPER))
