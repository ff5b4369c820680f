"""Reading the curves of a table: files of some hundred architectures each, one row group a block."""

import bisect
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from natslib.errors import BadSource
from natslib.spaces import Space
from natslib.tables.format.buffers import to_numpy
from natslib.tables.format.column_file import ColumnFile, reading
from natslib.tables.format.limits import check_size
from natslib.tables.format.schema import CURVE_METRICS, CURVES, Block, Curve, out_of_range, sum_in_order
from natslib.tables.format.writing import read_metadata


class Curves:
    """The files of curves that a table's manifest lists; each is named by the first architecture that went in.

    `footers` gives the SHA-256 of each file's footer by its name. Raises `BadSource` with the name of a file that
    cannot be read.
    """

    def __init__(self, folder: Path, footers: Mapping[str, str], space: Space):
        self._folder = folder
        self._footers = footers
        self._space = space
        self._opened: list[tuple[ColumnFile, dict[Block, int]]] | None = None
        self._firsts = [int(Path(name).stem) for name in footers]

    @property
    def _files(self) -> list[tuple[ColumnFile, dict[Block, int]]]:
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _open(self) -> list[tuple[ColumnFile, dict[Block, int]]]:
        files = []
        for name, footer in self._footers.items():
            file = ColumnFile.open(self._folder / name, footer)
            space, blocks = read_metadata(file)
            check_size(file.metadata, len(space), file.name)
            if space != self._space or not file.schema.equals(CURVES):
                raise BadSource(f"{file.name}: it does not hold the columns and blocks of curves")
            files.append((file, {block: group for group, block in enumerate(blocks)}))
        return files

    def at_epoch(self, block: Block, metric: str, epoch: int) -> np.ndarray:
        """Return float64 of shape (n_archs,): the metric at one epoch, or the time up to it; NaN where missing."""
        column = np.full(len(self._space), np.nan)
        stored = "time_s" if metric == "total_time_s" else metric
        for file, groups in self._files:
            if block not in groups:
                continue
            index, offsets, flat = self._read(file, groups[block], stored)
            with reading(file.name):
                if stored == "time_s":
                    column[index] = [_time(flat[a:b], epoch, metric) for a, b in itertools.pairwise(offsets)]
                else:
                    there = np.diff(offsets) > epoch
                    column[index[there]] = flat[offsets[:-1][there] + epoch]
        return column

    def of_architecture(self, block: Block, metric: str, index: int) -> np.ndarray:
        """Return float64 of shape (epochs,) of one architecture; empty where there is none."""
        for file, group in self._holding(block, index):
            rows, offsets, flat = self._read(file, group, metric)
            if (row := np.flatnonzero(rows == index)).size:
                return flat[offsets[row[0]] : offsets[row[0] + 1]]
        return np.empty(0)

    def around(self, block: Block, index: int) -> dict[int, Curve]:
        """Return the curves of one architecture and of all that lie with it, by index; empty where it has none.

        Losses and accuracies are float32, as they are kept.
        """
        for file, group in self._holding(block, index):
            archs, rows = file.by_arch(CURVE_METRICS, group, len(self._space))
            if index in archs:
                with reading(file.name):
                    columns = [_lists(rows[metric], metric, file.name) for metric in CURVE_METRICS]
                    return {
                        arch: Curve(loss, accuracy, top5 if len(top5) else None, time_s)
                        for arch, loss, accuracy, top5, time_s in zip(archs.tolist(), *columns, strict=True)
                    }
        return {}

    def _holding(self, block: Block, index: int) -> Iterator[tuple[ColumnFile, int]]:
        """Yield the files that may hold an architecture of a block, with its row group, the likely one first.

        Sources in index order give files in index order; the official single file need not be.
        """
        likely = max(0, bisect.bisect_right(self._firsts, index) - 1)
        for file, groups in [*self._files[likely:], *self._files[:likely]]:
            if block in groups:
                reach = file.statistics(groups[block], "arch_index")
                if reach is None or reach.min <= index <= reach.max:
                    yield file, groups[block]

    def extent(self, block: Block) -> str:
        """Return 'every epoch', 'last epoch only', 'some epochs' or 'none': what the first file of a block has."""
        for file, groups in self._files:
            if block not in groups:
                continue
            for metric in ("loss", "accuracy"):
                _, offsets, flat = self._read(file, groups[block], metric)
                counted = np.concatenate([[0], np.cumsum(~np.isnan(flat))])
                recorded = np.diff(counted[offsets])
                if recorded.any():
                    most = int(np.argmax(recorded))
                    return _extent(flat[offsets[most] : offsets[most + 1]])
        return "none"

    def _read(self, file: ColumnFile, group: int, metric: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return architecture indices (rows,), and the values of row n: `flat[offsets[n]:offsets[n + 1]]`."""
        index, rows = file.by_arch([metric], group, len(self._space))
        with reading(file.name):
            lists = rows[metric].combine_chunks()
            flat = to_numpy(lists.values).astype(np.float64)
            return index, to_numpy(lists.offsets), flat


def _lists(column: pa.ChunkedArray, metric: str, name: str) -> list[np.ndarray]:
    """Return an array a row; raises `BadSource` where a value cannot be of that metric."""
    lists = column.combine_chunks()
    flat = to_numpy(lists.values)
    if out_of_range(metric, flat).any():
        raise BadSource(f"{name}: damaged or altered, it holds values that cannot be {metric}")
    return [flat[start:stop] for start, stop in itertools.pairwise(to_numpy(lists.offsets))]


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
