"""The rows of somebody's table, block by block: which say the same twice, and which epochs of a run are there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from natslib.errors import BadSource
from natslib.tables.format.schema import MEAN_ONLY, RUN_METRICS, Block, Curve, Run

Values = dict[str, npt.NDArray[np.float64]]
_KEYS = "'keys': {dataset: ..., recipe: ..., split: ..., seed: ..., epoch: ...}"


@dataclass
class BlockRows:
    """The rows of one block: `index`, `epoch` (None: a row is a run) and every metric of `values`, (rows,) each.

    `file` and `row` say where each stands: a number in `files`, and the row there from 0.
    """

    index: npt.NDArray[np.int64]
    epoch: npt.NDArray[np.int64] | None
    files: tuple[Path, ...]
    file: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]
    values: Values = field(default_factory=dict)

    def place(self, number: int) -> str:
        """Return where a row stands, such as 'row 3 of in.csv'."""
        return f"row {self.row[number] + 1} of {self.files[self.file[number]].name}"

    def measured(self) -> "BlockRows":
        """Return the rows of those architectures for which something was measured, by architecture and epoch."""
        somewhere = ~np.all([np.isnan(column) for column in self.values.values()], axis=0)
        kept = np.flatnonzero(np.isin(self.index, self.index[somewhere]))
        keys = (self.index[kept],) if self.epoch is None else (self.epoch[kept], self.index[kept])
        kept = kept[np.lexsort(keys)]
        return BlockRows(
            self.index[kept],
            None if self.epoch is None else self.epoch[kept],
            self.files,
            self.file[kept],
            self.row[kept],
            {name: column[kept] for name, column in self.values.items()},
        )


def block_name(block: Block) -> str:
    """Return a block as messages call it, such as 'cifar10-valid, 200, valid, mean'."""
    return ", ".join([*block[:3], "mean" if block.seed == MEAN_ONLY else str(block.seed)])


def joined(parts: Iterable[dict[Block, BlockRows]]) -> dict[Block, BlockRows]:
    """Put the rows of the same block together, one part after the other."""
    found: dict[Block, list[BlockRows]] = {}
    for part in parts:
        for block, rows in part.items():
            found.setdefault(block, []).append(rows)
    return {block: rows[0] if len(rows) == 1 else _concatenated(rows) for block, rows in found.items()}


def _concatenated(parts: list[BlockRows]) -> BlockRows:
    names = dict.fromkeys(name for rows in parts for name in rows.values)
    starts = np.cumsum([0, *(len(rows.files) for rows in parts)])
    return BlockRows(
        np.concatenate([rows.index for rows in parts]),
        None
        if parts[0].epoch is None
        else np.concatenate([rows.epoch for rows in parts if rows.epoch is not None]),
        tuple(file for rows in parts for file in rows.files),
        np.concatenate([rows.file + start for rows, start in zip(parts, starts, strict=False)]),
        np.concatenate([rows.row for rows in parts]),
        {
            name: np.concatenate([rows.values.get(name, np.full(len(rows.index), np.nan)) for rows in parts])
            for name in names
        },
    )


def refuse_doubles(rows: BlockRows, block: Block) -> None:
    """Raise `BadSource` with both places where an architecture stands twice in a block, or an epoch of it."""
    keys = (rows.row, rows.index) if rows.epoch is None else (rows.row, rows.epoch, rows.index)
    order = np.lexsort(keys)
    same = np.diff(rows.index[order]) == 0
    if rows.epoch is not None:
        same &= np.diff(rows.epoch[order]) == 0
    if not same.any():
        return
    first, second = order[np.flatnonzero(same)[0] :][:2]
    what = f"architecture {rows.index[first]}"
    if rows.epoch is not None:
        what = f"epoch {rows.epoch[first]} of {what}"
    raise BadSource(
        f"{what} stands twice in {block_name(block)}: {rows.place(first)} and {rows.place(second)}; a row is one "
        f"architecture, or name the columns that tell rows apart under {_KEYS}"
    )


def by_epoch(rows: BlockRows, block: Block, epochs: int) -> tuple[npt.NDArray[np.int64], Values]:
    """Return the architectures, (n,), and each metric epoch by epoch, (n, `epochs`), from `measured` rows.

    Epochs may be counted from 0 or from 1, the same for a whole block; raises `BadSource` unless all are there.
    """
    assert rows.epoch is not None
    index, starts, counts = np.unique(rows.index, return_index=True, return_counts=True)
    base = int(rows.epoch.min())
    expected = np.concatenate([np.arange(count) for count in counts]) + base
    wrong = (counts != epochs) | ~np.logical_and.reduceat(rows.epoch == expected, starts)
    if base > 1 or wrong.any():
        at = int(np.flatnonzero(wrong | (base > 1))[0])
        held = rows.epoch[starts[at] : starts[at] + counts[at]]
        raise BadSource(
            f"architecture {index[at]} of {block_name(block)} has {counts[at]} epochs, {held[0]} to {held[-1]} "
            f"({rows.place(int(starts[at]))}), in a block that counts from {base}; recipe {block.recipe!r} has "
            f"{epochs}, each needs a row, 0 to {epochs - 1} or 1 to {epochs}. For the last epoch alone, keep its rows "
            "and leave 'epoch' out of 'keys'"
        )
    return index, {name: column.reshape(len(index), epochs) for name, column in rows.values.items()}


def last_epoch(values: Values) -> Values:
    """Return what the finals hold of metrics epoch by epoch, (n, epochs) to (n,); times are added in order."""
    last = {name: column[:, -1] for name, column in values.items()}
    if "time_s" in values and "total_time_s" not in values:
        last["total_time_s"] = np.cumsum(values["time_s"], axis=1)[:, -1]
    return last


def curves_of(index: npt.NDArray[np.int64], values: Values, block: Block) -> Iterator[Run]:
    """Yield one run an architecture, with the curve of the block's split alone."""
    last, epochs = last_epoch(values), next(iter(values.values())).shape[1]
    nothing, no_time = np.full(epochs, np.nan), np.array([np.nan])
    for row, arch_index in enumerate(index.tolist()):
        curve = Curve(
            loss=values["loss"][row] if "loss" in values else nothing,
            accuracy=values["accuracy"][row] if "accuracy" in values else nothing,
            top5=values["top5"][row] if "top5" in values else None,
            time_s=values["time_s"][row] if "time_s" in values else no_time,
        )
        costs = {name: float(last[name][row]) if name in last else np.nan for name in RUN_METRICS}
        yield Run(arch_index, block.dataset, block.recipe, block.seed, **costs, curves={block.split: curve})
