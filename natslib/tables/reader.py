"""Reading a table: one column a question, what there is, and what is said where there is nothing."""

import contextlib
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from natslib.datasets import get_dataset
from natslib.errors import BadSource, ConfigError, NotMeasured, unknown_name
from natslib.spaces import Space
from natslib.tables.curves import Curves
from natslib.tables.format.costs import COSTS
from natslib.tables.format.folder import FINALS_FILE, reading
from natslib.tables.format.schema import (
    CURVE_METRICS,
    MEAN_ONLY,
    METRICS,
    RUN_METRICS,
    SPLITS,
    Block,
    known_metrics,
    out_of_range,
)

Seed = int | Literal["mean"]
RECENT = 64  # columns at an epoch that are kept; a column of the last epoch is kept for good
NO_CURVES = "this source has no curves: it holds the last epoch only, which is epoch None"


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

    `name` is what an error calls the file of the finals; `curves` is None where the source has none.
    """

    def __init__(
        self, finals: pq.ParquetFile, name: str, blocks: list[Block], space: Space, curves: Curves | None
    ):
        self._finals = finals
        self._name = name
        self._blocks = {block: row_group for row_group, block in enumerate(blocks)}
        self.metrics = known_metrics(finals.schema_arrow)
        self._space = space
        self._curves = curves
        self._last: dict[Question, np.ndarray] = {}
        self._recent: dict[Question, np.ndarray] = {}  # the one asked for longest ago stands first

    # what there is

    def runs(self, metric: str | None = None) -> pd.DataFrame:
        """Return what `Table.runs` does."""
        if metric is not None and metric not in self.metrics:
            raise unknown_name("metric", metric, self.metrics)
        rows = []
        for block, row_group in self._blocks.items():
            if metric is not None and not self.has(block, metric):
                continue
            meta = self._finals.metadata.row_group(row_group)
            epoch = meta.column(self._finals.schema_arrow.get_field_index("epoch")).statistics
            rows.append((*block, meta.num_rows, epoch.max + 1))
        frame = pd.DataFrame(rows, columns=[*Block._fields, "n_archs", "epochs"])
        return frame.assign(seed=frame["seed"].map(lambda seed: "mean" if seed == MEAN_ONLY else seed))

    def blocks(self, dataset: str, recipe: str, split: str) -> list[Block]:
        """Return the blocks there, one a seed, by ascending seed."""
        return sorted(b for b in self._blocks if (b.dataset, b.recipe, b.split) == (dataset, recipe, split))

    def has(self, block: Block, metric: str) -> bool:
        """Whether the block holds the metric of any architecture."""
        row_group = self._finals.metadata.row_group(self._blocks[block])
        stats = row_group.column(self._finals.schema_arrow.get_field_index(metric)).statistics
        return stats is not None and stats.has_min_max

    def curves(self, dataset: str, recipe: str, split: str) -> str:
        """Return what `Table.curves` does."""
        if self._curves is None:
            return "none"
        extents = [self._curves.extent(block) for block in self.blocks(dataset, recipe, split)]
        return next((extent for extent in extents if extent != "none"), "none")

    def measured(self) -> np.ndarray:
        """Return the indices of the architectures that have any row, ascending."""
        with reading(self._name):
            index = self._finals.read(columns=["arch_index"])["arch_index"].to_numpy()
        return np.unique(index)

    def count_runs(self, dataset: str, recipe: str, split: str) -> np.ndarray:
        """Return how many runs each architecture has there, (len(space),) int64."""
        counts = np.zeros(len(self._space), np.int64)
        with reading(self._name):
            for block in self.blocks(dataset, recipe, split):
                rows = self._finals.read_row_group(self._blocks[block], columns=["arch_index"])
                counts[rows["arch_index"].to_numpy()] += 1
        return counts

    def answered_by(self, dataset: str, recipe: str, split: str) -> np.ndarray:
        """Return what `Table.answered_by` does."""
        return np.where(self.count_runs(dataset, recipe, split) > 0, np.arange(len(self._space)), -1)

    def frame(self) -> pd.DataFrame:
        """Return what `Table.frame` does."""
        with reading(self._name):
            return self._finals.read().to_pandas()

    # a column

    def column(self, asked: Question) -> np.ndarray:
        """Return the read-only column of shape (len(space),); raises `NotMeasured` where all of it is missing."""
        if asked.epoch is None:
            if asked not in self._last:
                self._last[asked] = self._load(asked)
            return self._last[asked]
        column = self._recent.pop(asked) if asked in self._recent else self._load(asked)
        self._recent[asked] = column
        if len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]
        return column

    def _load(self, asked: Question) -> np.ndarray:
        column = self._mean(asked) if asked.seed == "mean" else self._of_run(asked)
        if np.isnan(column).all():
            raise self.not_measured(asked)
        if (wrong := np.flatnonzero(out_of_range(asked.metric, column))).size:
            raise self._impossible(asked, column, int(wrong[0]))
        column.flags.writeable = False
        return column

    def _mean(self, asked: Question) -> np.ndarray:
        """Mean over seeds, added in ascending order of the seed as the official reader does."""
        seeds = self.seeds(asked)
        total, count = np.zeros(len(self._space)), np.zeros(len(self._space))
        read = self.column if asked.epoch is None else self._load  # single runs at an epoch are not kept
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
        table = self._name.removesuffix(f"/{FINALS_FILE}")
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
        if self._curves is None or asked.metric not in METRICS:
            return np.full(len(self._space), np.nan)
        return self._curves.at_epoch(block, asked.metric, asked.epoch)

    def _final(self, block: Block, metric: str) -> np.ndarray:
        column = np.full(len(self._space), np.nan)
        with reading(self._name):
            rows = self._finals.read_row_group(self._blocks[block], columns=["arch_index", metric])
            column[rows["arch_index"].to_numpy()] = rows[metric].cast(pa.float64()).to_numpy()
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
        columns = [self._final(asked.block(seed), "cost_mismatch") for seed in seeds]
        return np.stack(columns, axis=1) if columns else np.empty((len(self._space), 0))

    def curve(self, asked: Question, index: int) -> np.ndarray:
        """Return float64 of shape (epochs,) of one run of one architecture, NaN where missing; raises `NotMeasured`."""
        if asked.metric not in CURVE_METRICS:
            raise unknown_name("metric of a curve", asked.metric, CURVE_METRICS)
        block = self.block(asked)
        if self._curves is None:
            raise self.not_measured(asked, f"{asked.metric} curve", where=NO_CURVES)
        values = self._curves.of_architecture(block, asked.metric, index)
        if asked.metric == "time_s" and len(values) == 1:
            values = np.full(self.epochs(asked), values[0])
        if np.isnan(values).all():
            what = f"{asked.metric} curve of architecture {index}, seed {asked.seed}"
            raise self.not_measured(asked, what, index)
        if out_of_range(asked.metric, values).any():
            raise self._impossible(asked, values, index)
        return values

    # where it is, and what is said where it is not

    def epochs(self, asked: Question) -> int:
        """Return the number of epochs of a whole run."""
        return self._run_epochs[(asked.dataset, asked.recipe)]

    @cached_property
    def _run_epochs(self) -> dict[tuple[str, str], int]:
        runs = self.runs()
        epochs: dict[tuple[str, str], int] = {}
        for dataset, recipe, count in zip(runs["dataset"], runs["recipe"], runs["epochs"], strict=True):
            epochs[(dataset, recipe)] = max(count, epochs.get((dataset, recipe), 0))
        return epochs

    def seeds(self, asked: Question) -> list[int]:
        """Return the seeds there, ascending; raises `NotMeasured` or `UnknownName` where there is none."""
        seeds = [block.seed for block in self.blocks(asked.dataset, asked.recipe, asked.split)]
        if asked.metric not in self.metrics or not seeds:
            self.block(asked)
        return seeds

    def block(self, asked: Question) -> Block:
        """Return the block of one run; raises `NotMeasured` or `UnknownName`."""
        if asked.metric not in self.metrics:
            raise unknown_name("metric", asked.metric, self.metrics)
        if asked.split not in SPLITS:
            raise unknown_name("split", asked.split, SPLITS)
        if asked.dataset not in {known.dataset for known in self._blocks}:
            get_dataset(asked.dataset)
        if asked.seed != "mean":
            block = asked.block(asked.seed)
            if block in self._blocks:
                return block
        raise self.not_measured(asked)

    def not_measured(
        self, asked: Question, what: str = "", index: int | None = None, where: str = ""
    ) -> NotMeasured:
        """Return the error: `what` was asked (by default the question), `where` there is something instead.

        `index` is given where other architectures have it.
        """
        if not where and index is None and asked.epoch is not None and self._has_run(asked):
            held = self.curves(asked.dataset, asked.recipe, asked.split)
            where = NO_CURVES if self._curves is None else f"its curves: {held}"
        if not where:
            only = "" if index is None else f" for some architectures, not for {index}"
            where = f"nearest in this table{only}: {self._nearest(asked)}"
        place = f"dataset {asked.dataset!r}, recipe {asked.recipe!r}, split {asked.split!r}"
        return NotMeasured(f"no {what or asked.what} for {place}; {where}")

    def _has_run(self, asked: Question) -> bool:
        there = self.blocks(asked.dataset, asked.recipe, asked.split)
        return any(asked.seed in ("mean", block.seed) for block in there)

    def _nearest(self, asked: Question) -> str:
        there = self.runs()
        for name in ("dataset", "recipe", "split"):
            narrower = there[there[name] == getattr(asked, name)]
            there = narrower if len(narrower) else there
        seeds: dict[tuple[str, str, str], list[str]] = {}
        for d, b, s, seed in zip(*(there[name] for name in Block._fields), strict=True):
            seeds.setdefault((d, b, s), []).append(str(seed))
        return "; ".join(f"{d} recipe {b!r} {s!r} (seeds {', '.join(of)})" for (d, b, s), of in seeds.items())
