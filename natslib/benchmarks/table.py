"""The table: one call a question, for one architecture or for all of them.

Missing is missing: a value that was not recorded is NaN in an array and raises `NotMeasured` when asked for
by itself. It is never taken from another split, seed or epoch.
"""

import json
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from natslib.benchmarks.curves import Curves
from natslib.benchmarks.schema import CURVE_METRICS, MEAN_ONLY, METRICS, SPLITS, Block
from natslib.benchmarks.store import read_metadata, write_finals
from natslib.datasets import get_dataset
from natslib.errors import BadSource, ConfigError, NotMeasured, unknown_name
from natslib.spaces import Space, get_space

Seed = int | Literal["mean"]
Arch = int | str | tuple[int, ...]
HIGHER_IS_BETTER = ("accuracy", "top5")


class Table:
    """Results of many architectures of one search space; columns are read from disk when first asked for.

    Arguments that recur: `metric` is one of `METRICS`; `dataset` names the training set (CIFAR-10
    validation accuracy is dataset 'cifar10-valid', split 'valid'; CIFAR-10 test accuracy dataset 'cifar10',
    split 'test': NATS-Bench, section 3.2); `budget` is a recipe such as '12' or '200'; `split` is train,
    valid, test or valtest; `seed` is one run's seed or 'mean' over the runs there are; `epoch` counts from
    0, None is the last. All raise `NotMeasured` where the table has no such thing, and `UnknownName` for a
    word that never names anything.
    """

    def __init__(self, finals: pq.ParquetFile, folder: Path | None, manifest: dict[str, Any]):
        space, blocks = read_metadata(finals, str(folder / "finals.parquet" if folder else "finals"))
        self.space: Space = get_space(space)
        self.manifest = manifest
        self._finals = finals
        self._blocks = {block: row_group for row_group, block in enumerate(blocks)}
        self._curves = Curves(folder, len(self.space)) if folder else None
        self._columns: dict[tuple[Any, ...], np.ndarray] = {}

    @classmethod
    def open(cls, folder: str | Path) -> "Table":
        """Open a folder that `natslib convert` finished; raises `BadSource`."""
        folder = Path(folder)
        try:
            manifest = json.loads((folder / "manifest.json").read_text())
            finals = pq.ParquetFile(folder / "finals.parquet", memory_map=True)
        except FileNotFoundError as error:
            raise BadSource(f"{folder}: no finished table here ({error.filename} is missing)") from None
        except (OSError, ValueError, pa.ArrowInvalid) as error:
            raise BadSource(f"{folder}: not a readable table ({error})") from None
        return cls(finals, folder, manifest)

    @classmethod
    def from_finals(cls, finals: pa.Table, space: Space, manifest: dict[str, Any]) -> "Table":
        """Make a table in memory from rows of the schema `FINALS`."""
        sink = pa.BufferOutputStream()
        write_finals(finals, sink, space)
        return cls(pq.ParquetFile(pa.BufferReader(sink.getvalue())), None, manifest)

    # what there is

    def runs(self) -> pd.DataFrame:
        """Return one row a block: dataset, budget, split, seed, n_archs (rows), epochs (number trained)."""
        rows = []
        for block, row_group in self._blocks.items():
            meta = self._finals.metadata.row_group(row_group)
            epoch = meta.column(self._finals.schema_arrow.get_field_index("epoch")).statistics
            rows.append((*block, meta.num_rows, epoch.max + 1))
        frame = pd.DataFrame(rows, columns=[*Block._fields, "n_archs", "epochs"])
        return frame.assign(seed=frame["seed"].map(lambda seed: "mean" if seed == MEAN_ONLY else seed))

    def measured_metrics(self, dataset: str, budget: str, split: str) -> list[str]:
        """Return the metrics that are recorded for any architecture there, in the order of `METRICS`."""
        blocks = [
            block
            for block in self._blocks
            if (block.dataset, block.budget, block.split) == (dataset, budget, split)
        ]
        held = []
        for metric in METRICS:
            column = self._finals.schema_arrow.get_field_index(metric)
            stats = [
                self._finals.metadata.row_group(self._blocks[block]).column(column).statistics
                for block in blocks
            ]
            if any(stat is not None and stat.has_min_max for stat in stats):
                held.append(metric)
        return held

    def frame(self) -> pd.DataFrame:
        """Return all last-epoch rows as a tidy data frame with the columns of `schema.FINALS`."""
        return self._finals.read().to_pandas()

    # all architectures at once

    def values(
        self,
        metric: str,
        *,
        dataset: str,
        budget: str,
        split: str,
        seed: Seed = "mean",
        epoch: int | None = None,
    ) -> np.ndarray:
        """Return a read-only float64 array of shape (len(space),) by architecture index; NaN where not measured."""
        key = (metric, dataset, budget, split, seed, epoch)
        if key not in self._columns:
            self._columns[key] = self._load(*key)
        return self._columns[key]

    def per_seed(
        self, metric: str, *, dataset: str, budget: str, split: str, epoch: int | None = None
    ) -> pd.DataFrame:
        """Return a frame with one row an architecture (index `arch_index`) and one column a seed; NaN where missing."""
        runs = self._single_runs(metric, dataset, budget, split, epoch)
        if runs.empty:
            raise self._not_measured(f"single runs of {metric}", dataset, budget, split)
        return runs

    def summary(
        self, metric: str, *, dataset: str, budget: str, split: str, epoch: int | None = None
    ) -> pd.DataFrame:
        """Return one row an architecture: a column a seed, then mean, std (n - 1) and count over the seeds.

        Where the source holds only a mean, there are no seed columns, std is NaN and count is 0.
        """
        runs = self._single_runs(metric, dataset, budget, split, epoch)
        mean = self.values(metric, dataset=dataset, budget=budget, split=split, epoch=epoch)
        return runs.assign(mean=mean, std=runs.std(axis=1), count=runs.count(axis=1))

    def _single_runs(
        self, metric: str, dataset: str, budget: str, split: str, epoch: int | None
    ) -> pd.DataFrame:
        where: dict[str, Any] = {"dataset": dataset, "budget": budget, "split": split, "epoch": epoch}
        seeds = [seed for seed in self._seeds(metric, dataset, budget, split) if seed != MEAN_ONLY]
        columns = {seed: self.values(metric, seed=seed, **where) for seed in seeds}
        return pd.DataFrame(columns, index=pd.RangeIndex(len(self.space), name="arch_index"))

    def best(
        self,
        k: int = 1,
        metric: str = "accuracy",
        *,
        dataset: str,
        budget: str,
        split: str,
        seed: Seed = "mean",
    ) -> pd.DataFrame:
        """Return the best `k` architectures: arch_index, arch, and the metric; of equals, the lowest index first."""
        values = self.values(metric, dataset=dataset, budget=budget, split=split, seed=seed)
        order = np.argsort(-values if metric in HIGHER_IS_BETTER else values, kind="stable")[:k]
        order = order[~np.isnan(values[order])]
        archs = [self.space.string(int(index)) for index in order]
        return pd.DataFrame({"arch_index": order, "arch": archs, metric: values[order]})

    def ranks(
        self, metric: str = "accuracy", *, dataset: str, budget: str, split: str, seed: Seed = "mean"
    ) -> np.ndarray:
        """Return ranks of shape (len(space),), 1 = best; equals share the better rank, NaN where not measured."""
        values = self.values(metric, dataset=dataset, budget=budget, split=split, seed=seed)
        return pd.Series(values).rank(method="min", ascending=metric not in HIGHER_IS_BETTER).to_numpy()

    def regret(
        self, metric: str = "accuracy", *, dataset: str, budget: str, split: str, seed: Seed = "mean"
    ) -> np.ndarray:
        """Return how much worse than the best each architecture is, in the metric's unit; shape (len(space),), >= 0."""
        values = self.values(metric, dataset=dataset, budget=budget, split=split, seed=seed)
        return np.nanmax(values) - values if metric in HIGHER_IS_BETTER else values - np.nanmin(values)

    def cost(
        self,
        *,
        dataset: str,
        budget: str,
        seed: Seed = "mean",
        epoch: int | None = None,
        validation: bool = True,
    ) -> np.ndarray:
        """Return the simulated seconds of one evaluation, shape (len(space),).

        All training epochs up to `epoch` and, unless `validation` is False, one pass over the validation
        set, as `simulate_train_eval` of the official reader charges them (NATS-Bench, section 5).
        """
        where: dict[str, Any] = {"dataset": dataset, "budget": budget, "seed": seed, "epoch": epoch}
        cost = self.values("total_time_s", split="train", **where)
        if not validation:
            return cost
        return cost + self.values("total_time_s", split="valid", **where) / self._epochs(
            dataset, budget, epoch
        )

    # one architecture

    def value(
        self,
        arch: Arch,
        metric: str,
        *,
        dataset: str,
        budget: str,
        split: str,
        seed: Seed = "mean",
        epoch: int | None = None,
    ) -> float:
        """Return one number of one architecture, given by index, string or code."""
        index = self.space.index(arch)
        number = float(
            self.values(metric, dataset=dataset, budget=budget, split=split, seed=seed, epoch=epoch)[index]
        )
        if number != number:  # NaN
            what = f"{metric} of architecture {index}{self._asked(seed, epoch)}"
            raise self._not_measured(what, dataset, budget, split, index)
        return number

    def curve(
        self, arch: Arch, metric: str, *, dataset: str, budget: str, split: str, seed: int
    ) -> pd.DataFrame:
        """Return epoch (from 0) and value of one run of one architecture; epochs not recorded are left out."""
        if metric not in CURVE_METRICS:
            raise unknown_name("metric of a curve", metric, CURVE_METRICS)
        index, block = self.space.index(arch), self._block(metric, dataset, budget, split, seed)
        values = self._curves.of_architecture(block, metric, index) if self._curves else np.empty(0)
        if metric == "time_s" and len(values) == 1:
            values = np.full(self._epochs(dataset, budget, None), values[0])
        recorded = np.flatnonzero(~np.isnan(values))
        if not recorded.size:
            raise self._not_measured(
                f"{metric} curve of architecture {index}, seed {seed}", dataset, budget, split, index
            )
        return pd.DataFrame({"epoch": recorded, metric: values[recorded]})

    # how it is read

    def _load(
        self, metric: str, dataset: str, budget: str, split: str, seed: Seed, epoch: int | None
    ) -> np.ndarray:
        if seed == "mean":
            column = self._mean(metric, dataset, budget, split, epoch)
        else:
            block = self._block(metric, dataset, budget, split, seed)
            column = self._final(block, metric) if epoch is None else self._at_epoch(block, metric, epoch)
            if np.isnan(column).all():
                raise self._not_measured(f"{metric}{self._asked(seed, epoch)}", dataset, budget, split)
        column.flags.writeable = False
        return column

    def _mean(self, metric: str, dataset: str, budget: str, split: str, epoch: int | None) -> np.ndarray:
        """Mean over seeds, added in ascending order of the seed as the official reader does."""
        seeds = self._seeds(metric, dataset, budget, split)
        total, count = np.zeros(len(self.space)), np.zeros(len(self.space))
        for seed in [seed for seed in seeds if seed != MEAN_ONLY] or seeds:
            column = self.values(metric, dataset=dataset, budget=budget, split=split, seed=seed, epoch=epoch)
            there = ~np.isnan(column)
            total[there] += column[there]
            count += there
        return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)

    def _final(self, block: Block, metric: str) -> np.ndarray:
        rows = self._finals.read_row_group(self._blocks[block], columns=["arch_index", metric])
        column = np.full(len(self.space), np.nan)
        column[rows["arch_index"].to_numpy()] = rows[metric].to_numpy()
        return column

    def _at_epoch(self, block: Block, metric: str, epoch: int) -> np.ndarray:
        epochs = self._epochs(block.dataset, block.budget, None)
        if not 0 <= epoch < epochs:
            raise ConfigError(f"epoch {epoch}: budget {block.budget!r} has epochs 0 to {epochs - 1}")
        if metric in CURVE_METRICS or metric == "total_time_s":
            return (
                self._curves.at_epoch(block, metric, epoch)
                if self._curves
                else np.full(len(self.space), np.nan)
            )
        return self._final(block, metric)

    def _epochs(self, dataset: str, budget: str, epoch: int | None) -> int:
        """Number of epochs up to and including `epoch`."""
        if epoch is not None:
            return epoch + 1
        return int(self._run_epochs[(dataset, budget)])

    @cached_property
    def _run_epochs(self) -> dict[tuple[str, str], int]:
        runs = self.runs()
        epochs: dict[tuple[str, str], int] = {}
        for dataset, budget, count in zip(runs["dataset"], runs["budget"], runs["epochs"], strict=True):
            epochs[(dataset, budget)] = max(count, epochs.get((dataset, budget), 0))
        return epochs

    def _seeds(self, metric: str, dataset: str, budget: str, split: str) -> list[int]:
        seeds = [b.seed for b in self._blocks if (b.dataset, b.budget, b.split) == (dataset, budget, split)]
        if metric not in METRICS or not seeds:
            self._block(metric, dataset, budget, split, "mean")
        return sorted(seeds)

    def _block(self, metric: str, dataset: str, budget: str, split: str, seed: Seed) -> Block:
        if metric not in METRICS:
            raise unknown_name("metric", metric, METRICS)
        if split not in SPLITS:
            raise unknown_name("split", split, SPLITS)
        if dataset not in {known.dataset for known in self._blocks}:
            get_dataset(dataset)
        if seed != "mean" and (block := Block(dataset, budget, split, seed)) in self._blocks:
            return block
        raise self._not_measured(f"{metric}{self._asked(seed, None)}", dataset, budget, split)

    @staticmethod
    def _asked(seed: Seed, epoch: int | None) -> str:
        return ("" if seed == "mean" else f" of seed {seed}") + (
            "" if epoch is None else f" at epoch {epoch}"
        )

    def _not_measured(
        self, what: str, dataset: str, budget: str, split: str, index: int | None = None
    ) -> NotMeasured:
        there = self.runs()
        for name, value in (("dataset", dataset), ("budget", budget), ("split", split)):
            narrower = there[there[name] == value]
            there = narrower if len(narrower) else there
        seeds: dict[tuple[str, str, str], list[str]] = {}
        for d, b, s, seed in zip(*(there[name] for name in Block._fields), strict=True):
            seeds.setdefault((d, b, s), []).append(str(seed))
        exists = "; ".join(
            f"{d} budget {b!r} {s!r} (seeds {', '.join(of)})" for (d, b, s), of in seeds.items()
        )
        where = f"dataset {dataset!r}, budget {budget!r}, split {split!r}"
        only = "" if index is None else f" for some architectures, not for {index}"
        return NotMeasured(f"no {what} for {where}; nearest in this table{only}: {exists}")
