"""The table: one call a question, for one architecture or for all of them.

Missing is missing: a value that was not recorded is NaN in an array and raises `NotMeasured` when asked for
by itself. It is never taken from another split, seed or epoch.
"""

import contextlib
import copy
import html
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from natslib.errors import BadSource, ConfigError, NotMeasured
from natslib.spaces import Arch, Space
from natslib.tables.curves import Curves
from natslib.tables.equivalents import ClassReader
from natslib.tables.format.column_file import ColumnFile
from natslib.tables.format.folder import altered_files, curve_footers, open_folder
from natslib.tables.format.schema import MEAN_ONLY, Metric
from natslib.tables.format.writing import read_metadata, write_finals
from natslib.tables.reader import Question, Reader, Seed

if TYPE_CHECKING:
    import pandas as pd


class Table:
    """Results of many architectures of one search space; columns are read from disk when first asked for.

    Arguments that recur: `metric` is one of `metrics`; `dataset` names the training set (CIFAR-10
    validation accuracy is dataset 'cifar10-valid', split 'valid'; CIFAR-10 test accuracy dataset 'cifar10',
    split 'test': NATS-Bench, section 3.2); `recipe` is a recipe such as '12' or '200'; `split` is train,
    valid, test or valtest. Of these three what is left out is the only one that holds the metric; where there are
    several, that is a `ConfigError`. `seed` is one run's seed or 'mean' over the runs there are; `epoch` counts from
    0, None is the last. All raise `NotMeasured` where the table has no such thing, `UnknownName` for a word
    that never names anything, `ConfigError` for an argument of a wrong type (recipes are strings, seeds and
    epochs whole numbers), and `BadSource` for a file that is damaged, exchanged or cannot be read.

    The last epoch is kept in double precision, and is the same by its number and by None. Losses and accuracies of the
    epochs before it are kept in single precision (float32, seven digits): runs that differ by less are equal there.
    Times are kept whole. Parameters, FLOPs and latency are of a run, and the same under each of its splits and epochs.

    As a mapping: `len` counts the architectures of the space, iterating yields their strings in the order of their
    indices, and `table[arch]` is all that is known of one.

    Several threads may ask one table, and so may a process after a fork; a table can be pickled and copied.
    """

    def __init__(self, finals: ColumnFile, folder: Path | None, manifest: dict[str, Any]):
        self.space, blocks = read_metadata(finals)
        self.manifest = manifest
        self._folder = folder
        footers = curve_footers(manifest) if folder else {}
        curves = Curves(folder, footers, self.space) if folder and footers else None
        self._reader = Reader(finals, blocks, self.space, curves)

    @classmethod
    def open(cls, folder: str | Path) -> "Table":
        """Open a folder that `natslib convert` finished; raises `BadSource` where it is not whole."""
        finals, manifest = open_folder(Path(folder))
        return cls(finals, Path(folder), manifest)

    @classmethod
    def from_finals(cls, finals: pa.Table, space: Space, manifest: dict[str, Any]) -> "Table":
        """Make a table in memory from rows of the schema `FINALS`, own metrics beside; raises `BadSource`."""
        sink = pa.BufferOutputStream()
        costs = write_finals(finals, sink, space).costs
        return cls(ColumnFile("finals", sink.getvalue()), None, manifest | {"costs": costs})

    def through_classes(self) -> "Table":
        """Return this table with cells that were not trained answered by a trained one of exactly equal network.

        Only losses and accuracies are; parameters and FLOPs are the asked cell's closed form, times and latency stay
        missing. `answered_by` and a column of `summary` say who answered; `runs`, `measured_metrics`, `frame` go on to
        tell what was measured. In the size space no two networks are equal: nothing changes.
        """
        table = copy.copy(self)
        table._reader = ClassReader(self._reader)
        return table

    def __len__(self) -> int:
        return len(self.space)

    def __iter__(self) -> Iterator[str]:
        return iter(self.space.strings())

    def __contains__(self, arch: Arch) -> bool:
        """Whether anything was measured of the architecture; raises `UnknownArchitecture`."""
        return self.space.index(arch) in self._reader.measured()

    def __getitem__(self, arch: Arch) -> "pd.DataFrame":
        """Return all last values of an architecture: a row a dataset, recipe and split, a column a metric.

        Means over the seeds, NaN where not measured. Raises `UnknownArchitecture`.
        """
        import pandas as pd

        index, rows = self.space.index(arch), {}
        for dataset, recipe, split in self._places():
            held = self.measured_metrics(dataset, recipe, split)
            asked = {name: Question(name, dataset, recipe, split, "mean", None) for name in held}
            rows[dataset, recipe, split] = {
                name: self._reader.column(each)[index] for name, each in asked.items()
            }
        frame = pd.DataFrame.from_dict(rows, orient="index")
        frame.index = pd.MultiIndex.from_tuples(rows, names=["dataset", "recipe", "split"])
        return frame[[name for name in self.metrics if name in frame]]

    def __repr__(self) -> str:
        return (
            f"<Table of {self.manifest['origin']!r}: {len(self._reader.measured()):,} of {len(self):,} "
            f"architectures of the {self.space.title} space, {len(self.runs())} blocks; see runs()>"
        )

    def _repr_html_(self) -> str:
        """Show in a notebook what there is: a row a dataset, recipe and split."""
        import pandas as pd

        rows = []
        for dataset, recipe, split in self._places():
            blocks = self._reader.blocks(dataset, recipe, split)
            seeds = ", ".join("mean" if block.seed == MEAN_ONLY else str(block.seed) for block in blocks)
            held = ", ".join(self.measured_metrics(dataset, recipe, split))
            counts = int((self.answered_by(dataset, recipe, split) >= 0).sum())
            rows.append(
                (dataset, recipe, split, f"{counts:,}", seeds, held, self.curves(dataset, recipe, split))
            )
        columns = ["dataset", "recipe", "split", "architectures", "seeds", "metrics", "curves"]
        shown = pd.DataFrame(rows, columns=columns).to_html(index=False, border=0)
        return f"<p>{html.escape(repr(self)[1:-1])}</p>{shown}"

    def _places(self) -> list[tuple[str, str, str]]:
        runs = self.runs()
        return list(dict.fromkeys(zip(runs["dataset"], runs["recipe"], runs["split"], strict=True)))

    # what there is

    @property
    def metrics(self) -> dict[str, Metric]:
        """Unit and sense of every metric that can be asked for: `schema.METRICS`, then those of the table's own."""
        return self._reader.metrics

    def runs(self, metric: str | None = None) -> "pd.DataFrame":
        """Return one row a block: dataset, recipe, split, seed, n_archs (rows), epochs (number trained).

        With a metric, only the blocks that hold it.
        """
        return self._reader.runs(metric)

    def measured_metrics(self, dataset: str, recipe: str, split: str) -> list[str]:
        """Return the metrics that are recorded for any architecture there, in the order of `metrics`."""
        return self._reader.held(dataset, recipe, split)

    def curves(self, dataset: str, recipe: str, split: str) -> str:
        """Return 'none', 'every epoch', 'last epoch only' or 'some epochs': what `epoch` can ask for there."""
        return self._reader.curves(dataset, recipe, split)

    def missing(self) -> np.ndarray:
        """Return the indices of the architectures that this table has no answer for at all, ascending."""
        return np.setdiff1d(np.arange(len(self.space)), self._reader.measured())

    def answered_by(self, dataset: str, recipe: str, split: str) -> np.ndarray:
        """Return whose runs answer for each architecture there, (len(space),) int64; -1 where nobody's do.

        That is always the architecture itself, but in a table made by `through_classes`.
        """
        return self._reader.answered_by(dataset, recipe, split)

    def contradicted(self, dataset: str, recipe: str, split: str) -> "pd.DataFrame":
        """Return which stored parameters and FLOPs contradict their closed form: bool, a row an architecture.

        One column a seed, 'mean' where the source holds only a mean.
        """
        import pandas as pd

        asked = Question("params_m", dataset, recipe, split, "mean", None)
        seeds = self._reader.seeds(asked)
        names = ["mean" if seed == MEAN_ONLY else seed for seed in seeds]
        index = pd.RangeIndex(len(self.space), name="arch_index")
        return pd.DataFrame(self._reader.flags(asked, seeds) == 1, index=index, columns=names)

    def frame(self) -> "pd.DataFrame":
        """Return all last-epoch rows as a tidy data frame with the columns of `schema.FINALS`."""
        return self._reader.frame()

    def verify(self) -> int:
        """Compare the bytes of every file with the manifest and return their number; raises `BadSource`.

        A table that is no folder has none: `published` is compared whenever it is loaded.
        """
        if self._folder is None:
            return 0
        if altered := altered_files(self._folder, self.manifest):
            raise BadSource(f"{self._folder}: altered since the manifest was written: {', '.join(altered)}")
        return len(self.manifest["sha256"])

    def only_place(
        self, metric: str, *, dataset: str | None = None, recipe: str | None = None, split: str | None = None
    ) -> tuple[str, str, str]:
        """Return dataset, recipe and split, each that is left out being the only one there is for the metric.

        Raises `ConfigError`, which lists them, where there are several.
        """
        if dataset is not None and recipe is not None and split is not None:
            return dataset, recipe, split
        return self._reader.only_place(metric, dataset, recipe, split)

    def _asked(
        self,
        metric: str,
        dataset: str | None,
        recipe: str | None,
        split: str | None,
        seed: Seed,
        epoch: int | None,
    ) -> Question:
        """Return the question, completed by what is the only choice, and checked."""
        place = self.only_place(metric, dataset=dataset, recipe=recipe, split=split)
        asked = Question(metric, *place, seed, epoch)
        asked.check()
        return asked

    # all architectures at once

    def values(
        self,
        metric: str = "accuracy",
        *,
        dataset: str | None = None,
        recipe: str | None = None,
        split: str | None = None,
        seed: Seed = "mean",
        epoch: int | None = None,
    ) -> np.ndarray:
        """Return a read-only float64 array of shape (len(space),) by architecture index; NaN where not measured."""
        asked = self._asked(metric, dataset, recipe, split, seed, epoch)
        return self._reader.column(asked)

    def per_seed(
        self,
        metric: str = "accuracy",
        *,
        dataset: str | None = None,
        recipe: str | None = None,
        split: str | None = None,
        epoch: int | None = None,
    ) -> "pd.DataFrame":
        """Return a frame with one row an architecture (index `arch_index`) and one column a seed; NaN where missing."""
        import pandas as pd

        asked = self._asked(metric, dataset, recipe, split, "mean", epoch)
        if not (runs := self._single_runs(asked)):
            raise self._reader.not_measured(asked, f"single runs of {asked.what}")
        return pd.DataFrame(runs, index=pd.RangeIndex(len(self.space), name="arch_index"))

    def summary(
        self,
        metric: str = "accuracy",
        *,
        dataset: str | None = None,
        recipe: str | None = None,
        split: str | None = None,
        epoch: int | None = None,
    ) -> "pd.DataFrame":
        """Return one row an architecture: a column a seed, then mean, std (n - 1) and count over the seeds.

        Where the source holds only a mean, there are no seed columns, std is NaN and count is 0. Costs that contradict
        the closed form stand in their column and count no further (see `value`). A table made by `through_classes`
        adds `answered_by`.
        """
        import pandas as pd

        columns = self._summary(self._asked(metric, dataset, recipe, split, "mean", epoch))
        return pd.DataFrame(columns, index=pd.RangeIndex(len(self.space), name="arch_index"))

    def summary_of(
        self,
        metric: str,
        arch: Arch,
        *,
        dataset: str | None = None,
        recipe: str | None = None,
        split: str | None = None,
        epoch: int | None = None,
    ) -> dict[int | str, float]:
        """Return what `summary` says of one architecture, by the names of its columns, without making a frame."""
        index = self.space.index(arch)
        columns = self._summary(self._asked(metric, dataset, recipe, split, "mean", epoch))
        return {name: column[index].item() for name, column in columns.items()}

    def _summary(self, asked: Question) -> dict[int | str, np.ndarray]:
        runs = self._single_runs(asked)
        counted = np.array([*runs.values()]).reshape(len(runs), len(self.space)).T
        counted[self._reader.left_out(asked, list[Any](runs))] = np.nan
        columns = runs | {"mean": self._reader.column(asked)}
        columns["std"], columns["count"] = _spread(counted)
        if isinstance(self._reader, ClassReader):
            columns["answered_by"] = self.answered_by(asked.dataset, asked.recipe, asked.split)
        return columns

    def _single_runs(self, asked: Question) -> dict[int | str, np.ndarray]:
        columns: dict[int | str, np.ndarray] = {}
        for seed in self._reader.seeds(asked):
            if seed != MEAN_ONLY:
                with contextlib.suppress(NotMeasured):  # a seed without the metric has no column
                    columns[seed] = self._reader.column(asked._replace(seed=seed))
        return columns

    def best(
        self,
        metric: str = "accuracy",
        k: int = 1,
        *,
        dataset: str | None = None,
        recipe: str | None = None,
        split: str | None = None,
        seed: Seed = "mean",
    ) -> "pd.DataFrame":
        """Return the best `k` architectures: arch_index, arch, and the metric; of equals, the lowest index first.

        Raises `ConfigError` for `k` below 1.
        """
        import pandas as pd

        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
            raise ConfigError(f"k is {k!r}; allowed is a whole number from 1")
        values = self.values(metric, dataset=dataset, recipe=recipe, split=split, seed=seed)
        order = np.argsort(-values if self._is_higher_better(metric) else values, kind="stable")[:k]
        order = order[~np.isnan(values[order])]
        archs = [self.space.string(int(index)) for index in order]
        return pd.DataFrame({"arch_index": order, "arch": archs, metric: values[order]})

    def ranks(
        self,
        metric: str = "accuracy",
        *,
        dataset: str | None = None,
        recipe: str | None = None,
        split: str | None = None,
        seed: Seed = "mean",
    ) -> np.ndarray:
        """Return ranks of shape (len(space),), 1 = best; equals share the better rank, NaN where not measured."""
        import pandas as pd

        values = self.values(metric, dataset=dataset, recipe=recipe, split=split, seed=seed)
        return pd.Series(values).rank(method="min", ascending=not self._is_higher_better(metric)).to_numpy()

    def _is_higher_better(self, metric: str) -> bool:
        return self.metrics[metric].better == "higher"

    def regret(
        self,
        metric: str = "accuracy",
        *,
        dataset: str | None = None,
        recipe: str | None = None,
        split: str | None = None,
        seed: Seed = "mean",
    ) -> np.ndarray:
        """Return how much worse than the best each architecture is, in the metric's unit; shape (len(space),), >= 0."""
        values = self.values(metric, dataset=dataset, recipe=recipe, split=split, seed=seed)
        return np.nanmax(values) - values if self._is_higher_better(metric) else values - np.nanmin(values)

    def cost(
        self,
        *,
        dataset: str | None = None,
        recipe: str | None = None,
        seed: Seed = "mean",
        epoch: int | None = None,
        validation: bool = True,
    ) -> np.ndarray:
        """Return the simulated seconds of one evaluation, shape (len(space),).

        All training epochs up to `epoch` and, unless `validation` is False, one pass over the validation
        set, as `simulate_train_eval` of the official reader charges them (NATS-Bench, section 5).
        """
        trained = self._asked("total_time_s", dataset, recipe, "train", seed, epoch)
        cost = self._reader.column(trained)
        if not validation:
            return cost
        try:
            passes = self._reader.column(trained._replace(split="valid"))
        except NotMeasured as error:
            raise NotMeasured(f"{error}; cost(..., validation=False) leaves that pass out") from None
        return cost + passes / (self._reader.epochs(trained) if epoch is None else epoch + 1)

    # one architecture

    def value(
        self,
        metric: str,
        arch: Arch,
        *,
        dataset: str | None = None,
        recipe: str | None = None,
        split: str | None = None,
        seed: Seed = "mean",
        epoch: int | None = None,
    ) -> float:
        """Return one number of one architecture, given by index, string or code.

        Parameters and FLOPs of a run that contradict their closed form, as 204 official records do, answer for its
        seed; the mean leaves them out where another run of the architecture does not. (The official reader takes
        the run of seed 888 where runs differ.)
        """
        index = self.space.index(arch)
        asked = self._asked(metric, dataset, recipe, split, seed, epoch)
        number = float(self._reader.column(asked)[index])
        if number != number:  # NaN
            metric_at = asked._replace(metric=f"{metric} of architecture {index}").what
            raise self._reader.not_measured(asked, metric_at, index)
        return number

    def curve(
        self,
        metric: str,
        arch: Arch,
        *,
        dataset: str | None = None,
        recipe: str | None = None,
        split: str | None = None,
        seed: int,
    ) -> "pd.DataFrame":
        """Return epoch (from 0) and value of one run of one architecture; epochs not recorded are left out."""
        import pandas as pd

        asked = self._asked(metric, dataset, recipe, split, seed, None)
        if asked.seed == "mean":
            raise ConfigError(
                "seed is 'mean'; a curve is that of one run: allowed is a whole number such as 777"
            )
        values = self._reader.curve(asked, self.space.index(arch))
        recorded = np.flatnonzero(~np.isnan(values))
        return pd.DataFrame({"epoch": recorded, metric: values[recorded]})


def _spread(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the standard deviation (n - 1) and the number of the values in each row that are not NaN."""
    count = (~np.isnan(values)).sum(axis=1)
    mean = np.divide(np.nansum(values, axis=1), count, out=np.full(len(values), np.nan), where=count > 0)
    squares = np.nansum((values - mean[:, None]) ** 2, axis=1)
    variance = np.divide(squares, count - 1, out=np.full(len(values), np.nan), where=count > 1)
    return np.sqrt(variance), count
