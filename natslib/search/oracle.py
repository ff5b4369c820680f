"""The oracle: what one evaluation answers (a score) and what it costs, from plain arrays or from a table."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from natslib.errors import ConfigError, NotMeasured, unknown_name
from natslib.search.subspace import Subspace
from natslib.spaces import Space
from natslib.tables.table import Table

Evaluation: TypeAlias = tuple[int, int, float, float]
"""Index of the architecture, epochs trained, score, cost."""
SECONDS, EVALUATIONS = "s", "evaluations"
"""The units of costs and budgets. In evaluations a full training counts one, a shorter one its share of the epochs."""


class Answering(Protocol):
    """What a search is run against: an `Oracle` of scores that are there, or one that trains when it is asked.

    `instant`: it answers at once, so that a search that takes long hangs. `cheapest`: what the cheapest training costs.
    The evaluator of one that is not may leave scores NaN until its method `finish` is asked for them
    (`natslib.search.simulate.Finish`).
    """

    @property
    def space(self) -> Space: ...
    @property
    def epochs(self) -> tuple[int, ...]: ...
    @property
    def split(self) -> str: ...
    @property
    def source(self) -> dict[str, Any]: ...
    @property
    def unit(self) -> str: ...
    @property
    def instant(self) -> bool: ...
    @property
    def cheapest(self) -> float: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def search_space(self) -> Any: ...
    def prepare(self) -> None: ...
    def evaluator(self, rng: np.random.Generator) -> Callable[[Any, int | None], Evaluation]: ...


@dataclass(frozen=True, eq=False)
class Oracle:
    """Scores and costs of a space.

    `scores`: shape (seeds, len(space), fidelities), NaN where nothing was measured; with several seeds each evaluation
    draws one of those that its architecture has. `costs`: shape (len(space), fidelities), of one evaluation
    in `unit`, simulated seconds or evaluations.
    `epochs`: the fidelities, ascending; the last is the full training. `split`: what the score is measured on.
    `source` says where the numbers come from; it is stored beside the trajectories.
    """

    space: Space
    scores: npt.NDArray[np.float64]
    costs: npt.NDArray[np.float64]
    epochs: tuple[int, ...]
    split: str
    source: dict[str, Any] = field(default_factory=dict)
    unit: str = SECONDS
    instant: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_shapes(self)
        check_costs(self)

    @classmethod
    def from_table(
        cls,
        table: Table,
        *,
        dataset: str,
        recipe: str,
        split: str,
        draw: str | int,
        epochs: Sequence[int] | None = None,
        charge_validation: bool = True,
        unit: str = SECONDS,
        metric: str = "accuracy",
    ) -> "Oracle":
        """Return the oracle of one block of a benchmark table.

        `draw`: "random" (each evaluation draws one stored run, as `simulate_train_eval` does), "mean" (mean of
        the stored runs) or a seed (that run). `epochs`: the fidelities wanted, e.g. (1, 4, 12); None: the full
        training only. The cost is that of `table.cost`: the training so far and one validation pass, as both papers
        charge it; `charge_validation` False leaves the pass out, for tables that lack its time. With `unit`
        "evaluations" a full training costs one, whatever its time: that asks a table for accuracies only. Of a metric
        whose lower values are better the score is the negative, for searches look for high scores.
        Raises `NotMeasured` where the table lacks the block, the seed, an epoch or the costs.
        """
        sign = sense(table, metric)
        block = block_of(table, dataset, recipe, split, metric)
        full = int(block["epochs"].max())
        wanted = tuple(epochs) if epochs else (full,)
        place: dict[str, Any] = {"dataset": dataset, "recipe": recipe}
        at = [
            None if epoch == full else epoch - 1 for epoch in wanted
        ]  # the table counts from 0; None is the last
        scores = [
            [sign * table.values(metric, **place, split=split, seed=seed, epoch=epoch) for epoch in at]
            for seed in drawn_seeds(block, draw)
        ]
        if unit == SECONDS:
            costs = np.array([evaluation_cost_s(table, place, epoch, charge_validation) for epoch in at]).T
        elif unit == EVALUATIONS:
            costs = np.broadcast_to(np.array(wanted) / full, (len(table.space), len(wanted)))
        else:
            raise unknown_name("unit of costs", unit, (SECONDS, EVALUATIONS))
        source = {**place, "split": split, "draw": draw, "charge_validation": charge_validation}
        source |= {} if metric == "accuracy" else {"metric": metric}
        return cls(table.space, np.array(scores).transpose(0, 2, 1), costs, wanted, split, source, unit)

    @cached_property
    def measured(self) -> npt.NDArray[np.int64]:
        """The indices of the architectures that can be evaluated, ascending."""
        return np.flatnonzero(~np.isnan(self.scores[:, :, -1]).all(axis=0))

    @property
    def cheapest(self) -> float:
        """What the cheapest evaluation costs."""
        return float(np.nanmin(self.costs[self.measured]))

    def limited(self, indices: npt.ArrayLike) -> "Oracle":
        """Return an oracle that answers for these architectures only; itself where it answers for no other."""
        others = np.setdiff1d(self.measured, np.asarray(indices))
        if not len(others):
            return self
        scores = self.scores.copy()
        scores[:, others] = np.nan
        return replace(self, scores=scores)

    @cached_property
    def search_space(self) -> Subspace:
        """The space that a search may move in: what is measured of the space."""
        return Subspace(self.space, self.measured)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of everything that can be answered, to recognise the same oracle later."""
        parts = [
            self.space.name.encode(),
            repr(self.epochs).encode(),
            self.split.encode(),
            self.unit.encode(),
        ]
        digest = hashlib.sha256(b"\0".join(parts))
        digest.update(np.ascontiguousarray(self.scores).tobytes())
        digest.update(np.ascontiguousarray(self.costs).tobytes())
        return digest.hexdigest()

    def prepare(self) -> None:
        """Build the look-up tables now instead of at the first evaluation, for processes to share or for timing."""
        _ = self.search_space, self._index_of, self._answers

    def evaluator(self, rng: np.random.Generator) -> Callable[[Any, int | None], Evaluation]:
        """Return the function (architecture, epochs) -> (index, epochs, score, cost) of one run.

        The architecture is best given as a code; epochs None is the full training. `rng` draws the stored run
        where there are several. Raises `UnknownArchitecture`, or `NotMeasured` for an unmeasured architecture or
        number of epochs.
        """
        index_of, answers, full = self._index_of, self._answers, self.epochs[-1]

        def evaluate(arch: Any, epochs: int | None) -> Evaluation:
            epochs = full if epochs is None else epochs
            try:
                index = index_of[arch]
                scores, cost_s = answers[epochs][index]
            except (KeyError, TypeError):  # a string, an index, an array, or a mistake
                index = self._locate(arch, epochs)
                scores, cost_s = answers[epochs][index]
            score = scores[0] if len(scores) == 1 else scores[int(rng.random() * len(scores))]
            return index, epochs, score, cost_s

        return evaluate

    @cached_property
    def _index_of(self) -> dict[tuple[int, ...], int]:
        codes = self.space.codes(self.measured).tolist()
        return {tuple(code): index for code, index in zip(codes, self.measured.tolist(), strict=True)}

    @cached_property
    def _answers(self) -> dict[int, list[tuple[tuple[float, ...], float]]]:
        """For each fidelity and architecture, the stored scores and the cost; lists are faster than arrays here."""
        answers = {}
        for number, epochs in enumerate(self.epochs):
            rows = self.scores[:, :, number].T.tolist()
            present = [
                tuple(score for score in row if score == score) for row in rows
            ]  # NaN differs from itself
            answers[epochs] = list(zip(present, self.costs[:, number].tolist(), strict=True))
        return answers

    def _locate(self, arch: Any, epochs: int) -> int:
        index = self.space.index(arch)
        if epochs not in self.epochs:
            allowed = ", ".join(map(str, self.epochs))
            raise NotMeasured(
                f"a score after {epochs!r} epochs was asked for; this oracle answers after {allowed}"
            )
        if not self._answers[epochs][index][0]:
            raise NotMeasured(
                f"architecture {index} is not measured; {len(self.measured)} of {len(self.space)} are"
            )
        return index


def block_of(table: Table, dataset: str, recipe: str, split: str, metric: str) -> Any:
    """Return the rows of `table.runs(metric)` for the block; raises `NotMeasured` naming the blocks that exist."""
    runs = table.runs(metric)
    found = runs[(runs["dataset"] == dataset) & (runs["recipe"] == recipe) & (runs["split"] == split)]
    if found.empty:
        blocks = sorted(set(zip(runs["dataset"], runs["recipe"], runs["split"], strict=True)))
        listed = ", ".join("/".join(map(str, block)) for block in blocks)
        raise NotMeasured(f"the table has no scores of {dataset}/{recipe}/{split}; it has {listed}")
    return found


def sense(table: Table, metric: str) -> int:
    """Return 1 for a metric whose higher values are better, else -1; raises `UnknownName`."""
    if metric not in table.metrics:
        raise unknown_name("metric", metric, table.metrics)
    return 1 if table.metrics[metric].better == "higher" else -1


class NotTimed(NotMeasured):
    """A table that lacks the time of the validation pass."""


def evaluation_cost_s(table: Table, place: dict[str, Any], epoch: int | None, validation: bool) -> Any:
    """Return `table.cost` in seconds; raises `NotTimed`, with the way out, where only the pass lacks its time."""
    without = table.cost(**place, epoch=epoch, validation=False)
    try:
        return table.cost(**place, epoch=epoch, validation=True) if validation else without
    except NotMeasured as error:
        hint = "to leave the validation pass out, say charge_validation=False (--no-validation-cost)"
        raise NotTimed(f"{error}; {hint}") from None


def drawn_seeds(block: Any, draw: str | int) -> list[Any]:
    """Return the seeds to load: all of the block's for "random", else "mean" or the one seed."""
    single = sorted(seed for seed in block["seed"].unique().tolist() if seed != "mean")
    if draw == "random":
        if not single:
            raise NotMeasured(
                "a random stored run was asked for; the table has only the mean of its runs (draw 'mean')"
            )
        return single
    if draw == "mean" or isinstance(draw, int):
        return [draw]
    raise unknown_name("draw", draw, ("random", "mean", *map(str, single)))


def check_shapes(oracle: Oracle) -> None:
    """Raise `ConfigError` unless scores, costs and epochs fit the space and each other."""
    n, fidelities = len(oracle.space), len(oracle.epochs)
    if (
        oracle.scores.ndim != 3
        or oracle.scores.shape[1:] != (n, fidelities)
        or oracle.costs.shape != (n, fidelities)
    ):
        raise ConfigError(
            f"scores of shape {oracle.scores.shape} and costs of shape {oracle.costs.shape} were given; "
            f"needed are (seeds, {n}, {fidelities}) and ({n}, {fidelities})"
        )
    if not oracle.epochs or list(oracle.epochs) != sorted(set(oracle.epochs)):
        raise ConfigError(f"the epochs {oracle.epochs} were given; they must ascend without repeats")


def check_costs(oracle: Oracle) -> None:
    """Raise `NotMeasured` where nothing was measured, or where a measured score has no cost above zero."""
    have = ~np.isnan(oracle.scores).all(axis=0)
    if not have.any():
        raise NotMeasured("the oracle has no score at all; a search needs at least one measured architecture")
    free = have & ~(oracle.costs > 0)
    if free.any():
        raise NotMeasured(
            f"{int(free.any(axis=1).sum())} measured architectures have no cost in {oracle.unit}; a search "
            "under a time budget needs the training and validation times of each: give a budget in evaluations"
        )
