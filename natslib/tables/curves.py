"""Reading the curves of a table: files of some hundred architectures each, one row group a block."""

import bisect
import itertools
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from natslib.errors import BadSource
from natslib.tables.format.folder import reading
from natslib.tables.format.schema import CURVES, Block, sum_in_order
from natslib.tables.format.writing import read_metadata


class Curves:
    """The files of curves that a table's manifest lists; each is named by its first architecture index.

    Raises `BadSource` with the name of a file that cannot be read.
    """

    def __init__(self, folder: Path, names: Sequence[str], n_archs: int):
        self._paths = [folder / name for name in names]
        self._n_archs = n_archs

    @cached_property
    def _files(self) -> list[tuple[Path, pq.ParquetFile, dict[Block, int]]]:
        files = []
        for path in self._paths:
            with reading(path):
                file = pq.ParquetFile(path, memory_map=True)
                blocks = read_metadata(file, str(path))[1]
                if not file.schema_arrow.equals(CURVES) or file.num_row_groups != len(blocks):
                    raise BadSource(f"{path}: it does not hold the columns and blocks of curves")
            files.append((path, file, {block: group for group, block in enumerate(blocks)}))
        return files

    def at_epoch(self, block: Block, metric: str, epoch: int) -> np.ndarray:
        """Return float64 of shape (n_archs,): the metric at one epoch, or the time up to it; NaN where missing."""
        column = np.full(self._n_archs, np.nan)
        stored = "time_s" if metric == "total_time_s" else metric
        for path, file, groups in self._files:
            if block not in groups:
                continue
            with reading(path):
                index, offsets, flat = self._read(file, groups[block], stored)
                if stored == "time_s":
                    column[index] = [_time(flat[a:b], epoch, metric) for a, b in itertools.pairwise(offsets)]
                else:
                    there = np.diff(offsets) > epoch
                    column[index[there]] = flat[offsets[:-1][there] + epoch]
        return column

    def of_architecture(self, block: Block, metric: str, index: int) -> np.ndarray:
        """Return float64 of shape (epochs,) of one architecture; empty where there is none."""
        position = bisect.bisect_right([int(path.stem) for path in self._paths], index) - 1
        if position < 0:
            return np.empty(0)
        path, file, groups = self._files[position]
        if block not in groups:
            return np.empty(0)
        with reading(path):
            rows, offsets, flat = self._read(file, groups[block], metric)
            row = np.flatnonzero(rows == index)
            return flat[offsets[row[0]] : offsets[row[0] + 1]] if row.size else np.empty(0)

    def extent(self, block: Block) -> str:
        """Return 'every epoch', 'last epoch only', 'some epochs' or 'none': what the first file of a block has."""
        for path, file, groups in self._files:
            if block not in groups:
                continue
            with reading(path):
                for metric in ("loss", "accuracy"):
                    _, offsets, flat = self._read(file, groups[block], metric)
                    counted = np.concatenate([[0], np.cumsum(~np.isnan(flat))])
                    recorded = np.diff(counted[offsets])
                    if recorded.any():
                        most = int(np.argmax(recorded))
                        return _extent(flat[offsets[most] : offsets[most + 1]])
        return "none"

    @staticmethod
    def _read(file: pq.ParquetFile, group: int, metric: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows = file.read_row_group(group, columns=["arch_index", metric])
        lists = rows[metric].combine_chunks()
        flat = lists.values.to_numpy(zero_copy_only=False).astype(np.float64)
        return rows["arch_index"].to_numpy(), lists.offsets.to_numpy(), flat


def _extent(values: np.ndarray) -> str:
    recorded = ~np.isnan(values)
    if recorded.all():
        return "every epoch"
    return "last epoch only" if recorded.sum() == 1 and recorded[-1] else "some epochs"


def _time(time_s: np.ndarray, epoch: int, metric: str) -> float:
    if 1 < len(time_s) <= epoch:
        return float("nan")
    if metric == "total_time_s":
        return sum_in_order(time_s, epoch + 1)
    return float(time_s[0] if len(time_s) == 1 else time_s[epoch])
