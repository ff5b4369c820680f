"""Records of one form, one upon the other: their numbers in matrices instead of a run at a time."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from natslib.tables.format.schema import RUN_METRICS, Block, Run, out_of_range

Floats = npt.NDArray[np.float64]
_LARGEST = np.finfo(np.float64).max


class SplitForm(NamedTuple):
    """A split of a run: its number of epochs, and whether it has top-5 accuracies."""

    name: str
    epochs: int
    has_top5: bool


class RunForm(NamedTuple):
    """All of a run but its seed and its numbers."""

    dataset: str
    recipe: str
    splits: tuple[SplitForm, ...]


class Place(NamedTuple):
    """Where the numbers of one split lie among those of a record: its curves by metric, and the costs of its run."""

    run: int
    split: SplitForm
    curves: dict[str, slice]
    costs: slice


@dataclass(frozen=True, eq=False)
class Form:
    """The runs that a record holds, in its order.

    Its numbers, (`size`,), are the losses and accuracies of every run, split and metric, epoch by epoch (`singles` of
    them, kept in single precision), then the times of every run and split, epoch by epoch, then the costs of every run.
    """

    runs: tuple[RunForm, ...]

    @cached_property
    def singles(self) -> int:
        """How many numbers are losses and accuracies."""
        return sum(split.epochs * len(_metrics(split)) for run in self.runs for split in run.splits)

    @cached_property
    def size(self) -> int:
        """How many numbers a record has."""
        times = sum(split.epochs for run in self.runs for split in run.splits)
        return self.singles + times + len(RUN_METRICS) * len(self.runs)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The place of every split of every run, in the order of the record."""
        single, time, cost = 0, self.singles, self.size - len(RUN_METRICS) * len(self.runs)
        found = []
        for number, run in enumerate(self.runs):
            for split in run.splits:
                curves = {}
                for metric in _metrics(split):
                    curves[metric] = slice(single, single := single + split.epochs)
                curves["time_s"] = slice(time, time := time + split.epochs)
                found.append(Place(number, split, curves, slice(cost, cost + len(RUN_METRICS))))
            cost += len(RUN_METRICS)
        return tuple(found)

    def numbers(self, runs: Sequence[Run]) -> Floats:
        """Return the numbers of runs of this form; a single time is repeated for every epoch."""
        curves = [curve for run in runs for curve in run.curves.values()]
        singles = [part for one in curves for part in (one.loss, one.accuracy, one.top5) if part is not None]
        times = [np.broadcast_to(one.time_s, one.loss.shape) for one in curves]
        return np.concatenate(
            [*singles, *times, [getattr(run, name) for run in runs for name in RUN_METRICS]]
        )

    def are_possible(self, numbers: Floats) -> bool:
        """Return whether every number is within the range of its metric (`schema.out_of_range`)."""
        low, high = self._bounds
        return not ((numbers < low) | (numbers > high)).any()

    @cached_property
    def _bounds(self) -> tuple[Floats, Floats]:
        low, high = np.empty(self.size), np.empty(self.size)
        for place in self.places:
            for metric, at in place.curves.items():
                low[at], high[at] = _range(metric)
            for number, metric in enumerate(RUN_METRICS, start=place.costs.start):
                low[number], high[number] = _range(metric)
        return low, high

    @cached_property
    def lasts(self) -> npt.NDArray[np.int64]:
        """Where the last loss, accuracy and top-5 accuracy of every place lie, (places, 3); -1 where there is none."""
        return np.array(
            [
                [place.curves[metric].stop - 1 if metric in place.curves else -1 for metric in _SINGLE]
                for place in self.places
            ]
        )


_SINGLE = ("loss", "accuracy", "top5")


def _metrics(split: SplitForm) -> tuple[str, ...]:
    return _SINGLE if split.has_top5 else _SINGLE[:2]


def _range(metric: str) -> tuple[float, float]:
    """Return the least and the largest number that can be of that metric."""
    ends = np.array([-_LARGEST, 0.0, 100.0, _LARGEST])
    possible = ends[~out_of_range(metric, ends)]
    return float(possible.min()), float(possible.max())


def form_of(runs: Sequence[Run]) -> Form:
    """Return the form of the runs of one record; equal ones are the same object."""
    return _form(
        tuple(
            RunForm(
                run.dataset,
                run.recipe,
                tuple(
                    SplitForm(name, len(curve.loss), curve.top5 is not None)
                    for name, curve in run.curves.items()
                ),
            )
            for run in runs
        )
    )


@functools.lru_cache(maxsize=64)
def _form(runs: tuple[RunForm, ...]) -> Form:
    return Form(runs)


class Column(NamedTuple):
    """One metric of some rows: row after row of values, and how many each row has."""

    flat: npt.NDArray[Any]
    lengths: npt.NDArray[np.int64]


class Stacked(NamedTuple):
    """The rows of one block: epochs, architectures (n,), curves by metric, and what the finals hold of each, (n, 8)."""

    block: Block
    epochs: int
    archs: npt.NDArray[np.int32]
    curves: dict[str, Column]
    finals: Floats


class Stack:
    """The numbers of records of one form and of the same seeds, one a run."""

    def __init__(self, form: Form, seeds: tuple[int, ...]):
        self.form = form
        self._seeds = seeds
        self._index: list[int] = []
        self._singles: list[npt.NDArray[np.float32]] = []
        self._lasts: list[Floats] = []
        self._rest: list[Floats] = []

    @property
    def blocks(self) -> list[Block]:
        """The block of every place of the form."""
        runs, seeds = self.form.runs, self._seeds
        return [Block(*runs[at.run][:2], at.split.name, seeds[at.run]) for at in self.form.places]

    def add(self, index: int, numbers: Floats) -> None:
        """Put a record on top: the numbers of an architecture, unchecked."""
        self._index.append(index)
        with np.errstate(over="ignore"):
            self._singles.append(numbers[: self.form.singles].astype(np.float32))
        self._lasts.append(numbers[self.form.lasts])
        self._rest.append(numbers[self.form.singles :].copy())

    def rows(self) -> Iterator[Stacked]:
        """Yield the rows of every place; a time that is the same for every epoch is kept once."""
        archs = np.array(self._index, np.int32)
        singles, rest, lasts = np.stack(self._singles), np.stack(self._rest), np.stack(self._lasts)
        lasts[:, self.form.lasts == -1] = np.nan
        start = self.form.singles
        for number, (block, place) in enumerate(zip(self.blocks, self.form.places, strict=True)):
            curves = {name: _matrix(singles[:, at]) for name, at in place.curves.items() if name in _SINGLE}
            at = place.curves["time_s"]
            times = rest[:, at.start - start : at.stop - start]
            curves["time_s"] = _times(times)
            costs = rest[:, place.costs.start - start : place.costs.stop - start]
            total = np.cumsum(times, axis=1)[:, -1:]
            finals = np.concatenate([lasts[:, number], times[:, -1:], total, costs], axis=1)
            yield Stacked(block, place.split.epochs, archs, curves, finals)


def _matrix(values: npt.NDArray[Any]) -> Column:
    return Column(values.reshape(-1), np.full(len(values), values.shape[1]))


def _times(times: Floats) -> Column:
    bits = np.ascontiguousarray(times).view(np.int64)
    same = (bits[:, 1:] == bits[:, :-1]).all(axis=1)
    kept = np.ones(times.shape, bool)
    kept[same, 1:] = False
    return Column(times[kept], kept.sum(axis=1))
