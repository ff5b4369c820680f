"""Reading the curves of a table: files of some hundred architectures each, one row group a block."""

import bisect
import itertools
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from natslib.benchmarks.schema import Block, sum_in_order
from natslib.benchmarks.store import read_metadata
from natslib.errors import BadSource


class Curves:
    """The folder `curves/` of a table; a file is named by its first architecture index."""

    def __init__(self, folder: Path, n_archs: int):
        self._folder = folder / "curves"
        self._n_archs = n_archs

    @cached_property
    def _files(self) -> list[tuple[int, pq.ParquetFile, dict[Block, int]]]:
        files = []
        for path in sorted(self._folder.glob("*.parquet")):
            try:
                file = pq.ParquetFile(path, memory_map=True)
            except (OSError, pa.ArrowInvalid) as error:
                raise BadSource(f"{path}: not a readable Parquet file ({error})") from None
            blocks = read_metadata(file, str(path))[1]
            files.append((int(path.stem), file, {block: group for group, block in enumerate(blocks)}))
        return files

    def at_epoch(self, block: Block, metric: str, epoch: int) -> np.ndarray:
        """Return float64 of shape (n_archs,): the metric at one epoch, or the time up to it; NaN where missing."""
        column = np.full(self._n_archs, np.nan)
        stored = "time_s" if metric == "total_time_s" else metric
        for _, file, groups in self._files:
            if block not in groups:
                continue
            index, offsets, flat = self._read(file, groups[block], stored)
            if stored == "time_s":
                column[index] = [_time(flat[a:b], epoch, metric) for a, b in itertools.pairwise(offsets)]
            else:
                there = np.diff(offsets) > epoch
                column[index[there]] = flat[offsets[:-1][there] + epoch]
        return column

    def of_architecture(self, block: Block, metric: str, index: int) -> np.ndarray:
        """Return float64 of shape (epochs,) of one architecture; empty where there is none."""
        position = bisect.bisect_right([first for first, _, _ in self._files], index) - 1
        if position < 0:
            return np.empty(0)
        _, file, groups = self._files[position]
        if block not in groups:
            return np.empty(0)
        rows, offsets, flat = self._read(file, groups[block], metric)
        row = np.flatnonzero(rows == index)
        return flat[offsets[row[0]] : offsets[row[0] + 1]] if row.size else np.empty(0)

    @staticmethod
    def _read(file: pq.ParquetFile, group: int, metric: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows = file.read_row_group(group, columns=["arch_index", metric])
        lists = rows[metric].combine_chunks()
        flat = lists.values.to_numpy(zero_copy_only=False).astype(np.float64)
        return rows["arch_index"].to_numpy(), lists.offsets.to_numpy(), flat


def _time(time_s: np.ndarray, epoch: int, metric: str) -> float:
    if 1 < len(time_s) <= epoch:
        return float("nan")
    if metric == "total_time_s":
        return sum_in_order(time_s, epoch + 1)
    return float(time_s[0] if len(time_s) == 1 else time_s[epoch])
