"""Reading a table: one column a question, what there is, and what is said where there is nothing."""

import contextlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from natslib.datasets import get_dataset
from natslib.errors import BadSource, ConfigError, NotMeasured, unknown_name
from natslib.spaces import Space
from natslib.tables.curves import Curves
from natslib.tables.format.buffers import to_numpy
from natslib.tables.format.column_file import ColumnFile, reading
from natslib.tables.format.costs import COSTS
from natslib.tables.format.folder import FINALS_FILE
from natslib.tables.format.schema import (
    CURVE_METRICS,
    MAX_EPOCHS,
    MEAN_ONLY,
    METRICS,
    RUN_METRICS,
    SPLITS,
    Block,
    Curve,
    known_metrics,
    out_of_range,
)
from natslib.tables.missing import NO_CURVES, instead

if TYPE_CHECKING:
    import pandas as pd

Seed = int | Literal["mean"]
RECENT = 64  # columns at an epoch that are kept; a column of the last epoch is kept for good


class Question(NamedTuple):
    """What a column is asked for; `Table` says what each word means."""

    metric: str
    dataset: str
    recipe: str
    split: str
    seed: Seed
    epoch: int | None

    @property
    def what(self) -> str:
        """The metric, and the seed and epoch where they are not the mean and the last."""
        seed = "" if self.seed == "mean" else f" of seed {self.seed}"
        return f"{self.metric}{seed}" + ("" if self.epoch is None else f" at epoch {self.epoch}")

    def block(self, seed: int) -> Block:
        """Return the block of one run of what is asked for."""
        return Block(self.dataset, self.recipe, self.split, seed)

    def check(self) -> None:
        """Raise `ConfigError` for an argument of a wrong type: '777' is no seed, 200 no recipe, True no epoch."""
        for name, value in zip(Question._fields[:4], self, strict=False):
            if not isinstance(value, str):
                raise ConfigError(f"{name} is {value!r}; allowed is a string, such as {_EXAMPLES[name]!r}")
        if self.seed != "mean" and not (_is_whole(self.seed) and self.seed >= 0):
            raise ConfigError(f"seed is {self.seed!r}; allowed are 'mean' or a whole number such as 777")
        if self.epoch is not None and not _is_whole(self.epoch):
            raise ConfigError(
                f"epoch is {self.epoch!r}; allowed are None, the last, or a whole number from 0"
            )


_EXAMPLES = {"metric": "accuracy", "dataset": "cifar10", "recipe": "200", "split": "test"}


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


class Reader:
    """The columns of one table, read when first asked for; a question to it has been checked.

    `curves` is None where the source has none. Several threads may ask at once: two that miss the same column both
    read it, and what one of them keeps answers the next.
    """

    def __init__(self, finals: ColumnFile, blocks: list[Block], space: Space, curves: Curves | None):
        self._finals = finals
        self._blocks = {block: row_group for row_group, block in enumerate(blocks)}
        self.metrics = known_metrics(finals.schema)
        self._space = space
        self._curves = curves
        self._last: dict[Question, np.ndarray] = {}
        self._epochs: dict[tuple[str, str], int] = {}  # no `cached_property`: a fork can leave its lock held
        self._recent: OrderedDict[Question, np.ndarray] = OrderedDict()  # asked for longest ago: first

    def __getstate__(self) -> dict[str, object]:
        """Leave the columns kept out of pickles and copies."""
        return vars(self) | {"_last": {}, "_recent": OrderedDict()}

    # what there is

    def runs(self, metric: str | None = None) -> "pd.DataFrame":
        """Return what `Table.runs` does."""
        if metric is not None and metric not in self.metrics:
            raise unknown_name("metric", metric, self.metrics)
        import pandas as pd  # only here and where frames are made: a number needs none

        rows = []
        for block, row_group in self._blocks.items():
            if metric is not None and not self.has(block, metric):
                continue
            n_archs = self._finals.metadata.row_group(row_group).num_rows
            rows.append((*block, n_archs, self._epochs_of(block)))
        frame = pd.DataFrame(rows, columns=[*Block._fields, "n_archs", "epochs"])
        return frame.assign(seed=frame["seed"].map(lambda seed: "mean" if seed == MEAN_ONLY else seed))

    def _epochs_of(self, block: Block) -> int:
        """Return the number of epochs of the longest run of a block."""
        epoch = self._finals.statistics(self._blocks[block], "epoch")
        with reading(self._finals.name):
            if epoch is None or not epoch.has_min_max or not 0 <= epoch.min <= epoch.max < MAX_EPOCHS:
                raise ValueError(f"no epochs of {tuple(block)}")
        return int(epoch.max) + 1

    def blocks(self, dataset: str, recipe: str, split: str) -> list[Block]:
        """Return the blocks there, one a seed, by ascending seed."""
        return sorted(b for b in self._blocks if (b.dataset, b.recipe, b.split) == (dataset, recipe, split))

    def has(self, block: Block, metric: str) -> bool:
        """Whether the block holds the metric of any architecture."""
        stats = self._finals.statistics(self._blocks[block], metric)
        return stats is not None and bool(stats.has_min_max)

    def held(self, dataset: str, recipe: str, split: str) -> list[str]:
        """Return what `Table.measured_metrics` does."""
        there = self.blocks(dataset, recipe, split)
        return [metric for metric in self.metrics if any(self.has(block, metric) for block in there)]

    def curves(self, dataset: str, recipe: str, split: str) -> str:
        """Return what `Table.curves` does."""
        if self._curves is None:
            return "none"
        extents = [self._curves.extent(block) for block in self.blocks(dataset, recipe, split)]
        return next((extent for extent in extents if extent != "none"), "none")

    def measured(self) -> np.ndarray:
        """Return the indices of the architectures that have any row, ascending."""
        there = np.zeros(len(self._space), bool)
        for block in self._blocks:
            there[self._index(block)] = True
        return np.flatnonzero(there)

    def _index(self, block: Block) -> np.ndarray:
        return self._finals.by_arch([], self._blocks[block], len(self._space))[0]

    def count_runs(self, dataset: str, recipe: str, split: str) -> np.ndarray:
        """Return how many runs each architecture has there, (len(space),) int64."""
        counts = np.zeros(len(self._space), np.int64)
        for block in self.blocks(dataset, recipe, split):
            counts[self._index(block)] += 1
        return counts

    def seeds_of(self, dataset: str, recipe: str) -> dict[int, np.ndarray]:
        """Return which architectures have a run there, (len(space),) bool for each seed, ascending."""
        there: dict[int, np.ndarray] = {}
        for block in sorted(self._blocks, key=lambda block: block.seed):
            if block[:2] == (dataset, recipe):
                column = there.setdefault(block.seed, np.zeros(len(self._space), bool))
                column[self._index(block)] = True
        return there

    def has_means(self, dataset: str, recipe: str) -> bool:
        """Whether only the mean over runs is known of something there."""
        return any(block[:2] == (dataset, recipe) and block.seed == MEAN_ONLY for block in self._blocks)

    def curves_around(self, block: Block, index: int) -> dict[int, Curve]:
        """Return what `Curves.around` does; empty where the source has no curves."""
        return {} if self._curves is None else self._curves.around(block, index)

    def answered_by(self, dataset: str, recipe: str, split: str) -> np.ndarray:
        """Return what `Table.answered_by` does."""
        return np.where(self.count_runs(dataset, recipe, split) > 0, np.arange(len(self._space)), -1)

    def frame(self) -> "pd.DataFrame":
        """Return what `Table.frame` does."""
        rows = self._finals.read()
        with reading(self._finals.name):
            return rows.to_pandas()

    # a column

    def column(self, asked: Question) -> np.ndarray:
        """Return the read-only column of shape (len(space),); raises `NotMeasured` where all of it is missing."""
        if asked.epoch is None:
            if (column := self._last.get(asked)) is None:
                column = self._last[asked] = self.load(asked)
            return column
        column = self._recent.pop(asked, None)
        if column is None:
            column = self.load(asked)
        self._recent[asked] = column
        while len(self._recent) > RECENT:
            with contextlib.suppress(KeyError):  # another thread was first
                self._recent.popitem(last=False)
        return column

    def load(self, asked: Question) -> np.ndarray:
        """Return what `column` does, and keep it nowhere."""
        column = None
        for split in self._splits(asked):
            if column is None or np.isnan(column).any():
                with contextlib.suppress(NotMeasured):
                    found = self._of_split(asked._replace(split=split))
                    column = found if column is None else np.where(np.isnan(column), found, column)
        if column is None or np.isnan(column).all():
            raise self.not_measured(asked)
        if (wrong := np.flatnonzero(out_of_range(asked.metric, column))).size:
            raise self._impossible(asked, column, int(wrong[0]))
        column.flags.writeable = False
        return column

    def _splits(self, asked: Question) -> list[str]:
        """Return where the metric stands: parameters, FLOPs and latency are of a run, under whichever split."""
        if asked.metric not in RUN_METRICS:
            return [asked.split]
        there = {block.split for block in self._blocks if block[:2] == (asked.dataset, asked.recipe)}
        return [asked.split, *(split for split in SPLITS if split in there - {asked.split})]

    def _of_split(self, asked: Question) -> np.ndarray:
        return self._mean(asked) if asked.seed == "mean" else self._of_run(asked)

    def _mean(self, asked: Question) -> np.ndarray:
        """Mean over seeds, added in ascending order of the seed as the official reader does."""
        self._check_names(asked)
        seeds = [block.seed for block in self.blocks(asked.dataset, asked.recipe, asked.split)]
        total, count = np.zeros(len(self._space)), np.zeros(len(self._space))
        read = self.column if asked.epoch is None else self.load  # single runs at an epoch are not kept
        single = [seed for seed in seeds if seed != MEAN_ONLY] or seeds
        if MEAN_ONLY in seeds and not any(self.has(asked.block(seed), asked.metric) for seed in single):
            single = [MEAN_ONLY]
        left_out = self.left_out(asked, single)
        for seed, out in zip(single, left_out.T, strict=True):
            with contextlib.suppress(NotMeasured):
                column = read(asked._replace(seed=seed))
                there = ~(np.isnan(column) | out)
                total[there] += column[there]
                count += there
        return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)

    def _impossible(self, asked: Question, values: np.ndarray, index: int) -> BadSource:
        wrong = values[out_of_range(asked.metric, values)][0]
        table = self._finals.name.removesuffix(f"/{FINALS_FILE}")
        return BadSource(
            f"{table}: damaged or altered, {wrong:.12g} of architecture {index} cannot be {asked.what} "
            f"({self.metrics[asked.metric].unit})"
        )

    def _of_run(self, asked: Question) -> np.ndarray:
        block = self.block(asked)
        if asked.epoch is None:
            return self._final(block, asked.metric)
        epochs = self.epochs(asked)
        if not 0 <= asked.epoch < epochs:
            raise ConfigError(f"epoch {asked.epoch}: recipe {asked.recipe!r} has epochs 0 to {epochs - 1}")
        if asked.metric in RUN_METRICS:
            return self._final(block, asked.metric)
        column = np.full(len(self._space), np.nan)
        if self._curves is not None and asked.metric in METRICS:
            column = self._curves.at_epoch(block, asked.metric, asked.epoch)
        ends = self._finals.statistics(self._blocks[block], "epoch")
        ended = ends.min <= asked.epoch <= ends.max  # the last epoch of some runs stands among the finals
        return self._final(block, asked.metric, asked.epoch, column) if ended else column

    def _final(
        self, block: Block, metric: str, epoch: int | None = None, others: np.ndarray | None = None
    ) -> np.ndarray:
        """Return what the finals hold; with an `epoch`, only of runs that it is the last of, and `others` else."""
        column = np.full(len(self._space), np.nan) if others is None else others
        index, rows = self._finals.by_arch(["epoch", metric], self._blocks[block], len(self._space))
        with reading(self._finals.name):
            last = (to_numpy(rows["epoch"]) == epoch) if epoch is not None else np.full(len(index), True)
            column[index[last]] = to_numpy(rows[metric].cast(pa.float64()))[last]
        return column

    def left_out(self, asked: Question, seeds: list[int]) -> np.ndarray:
        """Return the runs that a mean of costs leaves out, (len(space), len(seeds)) bool; none of other metrics.

        They contradict the closed form, and another run of the architecture does not.
        """
        if asked.metric not in COSTS:
            return np.zeros((len(self._space), len(seeds)), bool)
        flags = self.flags(asked, seeds)
        return np.asarray((flags == 1) & (flags == 0).any(axis=1, keepdims=True))

    def flags(self, asked: Question, seeds: list[int]) -> np.ndarray:
        """Return whether stored costs contradict the closed form, (len(space), len(seeds)): 1, 0, NaN where unknown."""
        places = [asked._replace(split=split) for split in self._splits(asked)]
        blocks = [
            next(place.block(seed) for place in places if place.block(seed) in self._blocks) for seed in seeds
        ]
        columns = [self._final(block, "cost_mismatch") for block in blocks]
        return np.stack(columns, axis=1) if columns else np.empty((len(self._space), 0))

    def curve(self, asked: Question, index: int) -> np.ndarray:
        """Return float64 of shape (epochs,) of one run of one architecture, NaN where missing; raises `NotMeasured`."""
        if asked.metric not in (*CURVE_METRICS, "total_time_s"):
            raise unknown_name("metric of a curve", asked.metric, (*CURVE_METRICS, "total_time_s"))
        block = self.block(asked)
        if self._curves is None:
            raise self.not_measured(asked, f"{asked.metric} curve", where=NO_CURVES)
        timed = asked.metric in ("time_s", "total_time_s")
        values = self._curves.of_architecture(block, "time_s" if timed else asked.metric, index)
        if timed and len(values) == 1:
            values = np.full(self.epochs(asked), values[0])
        if np.isnan(values).all():
            what = f"{asked.metric} curve of architecture {index}, seed {asked.seed}"
            raise self.not_measured(asked, what, index)
        if out_of_range(asked.metric, values).any():
            raise self._impossible(asked, values, index)
        if asked.metric == "total_time_s":
            return np.cumsum(values)
        if not timed:
            with contextlib.suppress(NotMeasured):  # nobody's last epoch is recorded
                values[-1] = self.column(asked)[index]
        return values

    # where it is, and what is said where it is not

    def epochs(self, asked: Question) -> int:
        """Return the number of epochs of a whole run."""
        if not self._epochs:
            longest: dict[tuple[str, str], int] = {}
            for block in self._blocks:
                longest[block[:2]] = max(self._epochs_of(block), longest.get(block[:2], 0))
            self._epochs = longest
        return self._epochs[(asked.dataset, asked.recipe)]

    def only_place(
        self, metric: str, dataset: str | None, recipe: str | None, split: str | None
    ) -> tuple[str, str, str]:
        """Return the one dataset, recipe and split with the metric, of those that fit what is given.

        Raises `ConfigError` where several fit, and where none does what a question for them would raise.
        """
        given = {"dataset": dataset, "recipe": recipe, "split": split}
        asked = Question(metric, dataset or "", recipe or "", split or "", "mean", None)
        asked.check()
        if metric not in self.metrics:
            raise unknown_name("metric", metric, self.metrics)
        fit = [block for block in self._blocks if self.has(block, metric)]
        for name, value in given.items():
            fit = [block for block in fit if value is None or getattr(block, name) == value]
        if not fit:
            some = next(iter(self._blocks))
            self._check_names(asked._replace(dataset=dataset or some.dataset, split=split or some.split))
            raise self.not_measured(asked)
        for name in (name for name, value in given.items() if value is None):
            choices = list(dict.fromkeys(getattr(block, name) for block in fit))
            if len(choices) > 1:
                listed = ", ".join(map(repr, choices))
                raise ConfigError(f"{name} is not given, and {metric} is there for several: {listed}")
        return fit[0].dataset, fit[0].recipe, fit[0].split

    def seeds(self, asked: Question) -> list[int]:
        """Return the seeds there, ascending; raises `NotMeasured` or `UnknownName` where there is none."""
        self._check_names(asked)
        splits = self._splits(asked)
        seeds = {block.seed for split in splits for block in self.blocks(asked.dataset, asked.recipe, split)}
        if not seeds:
            raise self.not_measured(asked)
        return sorted(seeds)

    def block(self, asked: Question) -> Block:
        """Return the block of one run; raises `NotMeasured` or `UnknownName`."""
        self._check_names(asked)
        if asked.seed != "mean":
            block = asked.block(asked.seed)
            if block in self._blocks:
                return block
        raise self.not_measured(asked)

    def _check_names(self, asked: Question) -> None:
        """Raise `UnknownName` for a word that never names anything."""
        if asked.metric not in self.metrics:
            raise unknown_name("metric", asked.metric, self.metrics)
        if asked.split not in SPLITS:
            raise unknown_name("split", asked.split, SPLITS)
        if asked.dataset not in {known.dataset for known in self._blocks}:
            get_dataset(asked.dataset)

    def not_measured(
        self, asked: Question, what: str = "", index: int | None = None, where: str = ""
    ) -> NotMeasured:
        """Return the error: `what` was asked (by default the question), `where` there is something instead.

        `index` is given where other architectures have it.
        """
        named = {"dataset": asked.dataset, "recipe": asked.recipe, "split": asked.split}
        place = ", ".join(f"{name} {value!r}" for name, value in named.items() if value) or "anything"
        return NotMeasured(f"no {what or asked.what} for {place}; {where or instead(self, asked, index)}")
