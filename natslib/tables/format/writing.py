"""Writing a benchmark table: rows of runs into Parquet, one row group a block."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from natslib.datasets import lacks_split
from natslib.errors import BadSource, shown
from natslib.files import atomic
from natslib.spaces import SPACES, Space
from natslib.tables.format.buffers import texts, to_arrow, to_numpy
from natslib.tables.format.column_file import ColumnFile, reading
from natslib.tables.format.costs import count_costs, flag_costs
from natslib.tables.format.schema import (
    CURVE_METRICS,
    CURVES,
    FINALS,
    FORMAT,
    LABEL_LENGTH,
    MEAN_ONLY,
    METRICS,
    RUN_METRICS,
    SEEDS,
    SPLITS,
    UNITS,
    Block,
    Metric,
    Run,
    finals_schema,
    is_label,
    known_metrics,
    out_of_range,
    own_metrics,
    sum_in_order,
)
from natslib.tables.format.stack import Column, Form, Stack, Stacked

METADATA_KEY = b"natslib"
STORED: dict[str, Any] = {"compression": "zstd", "write_page_checksum": True}
_NOTHING = np.empty(0)


class Rows:
    """Collects runs block by block; memory grows with the number of epochs added."""

    def __init__(self, space: Space):
        self.space = space
        self._blocks: dict[Block, int] = {}
        self._finals: list[tuple[float, ...]] = []
        self._curves: dict[Block, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
        self._stacks: dict[tuple[Form, tuple[int, ...]], Stack] = {}

    def add(self, run: Run) -> None:
        """Add one row a split of the run, unchecked."""
        for split, curve in run.curves.items():
            block = Block(run.dataset, run.recipe, split, run.seed)
            number = self._blocks.setdefault(block, len(self._blocks))
            total = sum_in_order(curve.time_s, len(curve.loss))
            top5 = np.nan if curve.top5 is None else curve.top5[-1]
            keys = (number, run.arch_index, len(curve.loss) - 1)
            last = (curve.loss[-1], curve.accuracy[-1], top5, curve.time_s[-1], total)
            self._finals.append((*keys, *last, run.params_m, run.flops_m, run.latency_s))
            columns = self._curves[block]
            columns["arch_index"].append(run.arch_index)
            for name in CURVE_METRICS:
                values = getattr(curve, name)
                columns[name].append(_NOTHING if values is None else values)

    def add_all(self, runs: Iterable[Run]) -> None:
        """Add the runs of one record, which `check_runs` has passed."""
        for run in runs:
            self.add(run)

    def stack(self, form: Form, seeds: tuple[int, ...]) -> Stack:
        """Return where records of a form and of these seeds, one a run, are added as numbers."""
        if (stack := self._stacks.get((form, seeds))) is None:
            stack = self._stacks[form, seeds] = Stack(form, seeds)
            for block in stack.blocks:
                self._blocks.setdefault(block, len(self._blocks))
        return stack

    def write(self, curves: Path) -> pa.Table:
        """Write every epoch of every row as `CURVES`, one row group a block, whole or not at all.

        Return the last epoch of every row, `FINALS`, in no particular order; without a row, nothing is written.
        """
        stacked: dict[Block, list[Stacked]] = defaultdict(list)
        for stack in self._stacks.values():
            for rows in stack.rows():
                stacked[rows.block].append(rows)
        finals = self._last_epochs(stacked)
        if finals.num_rows:
            self._write_curves(curves, stacked)
        return finals

    def _last_epochs(self, stacked: Mapping[Block, list[Stacked]]) -> pa.Table:
        flat = [np.array(self._finals).reshape(-1, 3 + len(METRICS))]
        for block, parts in stacked.items():
            for part in parts:
                keys = np.empty((len(part.archs), 3))
                keys[:, 0], keys[:, 1], keys[:, 2] = self._blocks[block], part.archs, part.epochs - 1
                flat.append(np.concatenate([keys, part.finals], axis=1))
        columns = np.concatenate(flat).T
        number, arch_index, epoch = columns[:3].astype(np.int32)
        table: dict[str, Any] = {"arch_index": arch_index, "epoch": epoch}
        for at, name in enumerate(("dataset", "recipe", "split")):
            labels = texts([str(block[at]) for block in self._blocks])
            table[name] = pa.DictionaryArray.from_arrays(to_arrow(number), labels)
        table["seed"] = np.array([block.seed for block in self._blocks], dtype=np.int32)[number]
        table |= dict(zip(METRICS, columns[3:], strict=True))
        table["cost_mismatch"] = pa.nulls(len(number), pa.bool_())
        arrays = {
            name: to_arrow(column) if isinstance(column, np.ndarray) else column
            for name, column in table.items()
        }
        return pa.table({name: arrays[name] for name in FINALS.names}, schema=FINALS)

    def _write_curves(self, path: Path, stacked: Mapping[Block, list[Stacked]]) -> None:
        with atomic(path) as temporary:
            leaves = {
                f"{name}.list.element": "BYTE_STREAM_SPLIT" for name in CURVE_METRICS if name != "time_s"
            }
            keys = ["dataset", "recipe", "split", "time_s.list.element"]
            schema = CURVES.with_metadata(_metadata(self.space, sorted(self._blocks, key=block_order)))
            with pq.ParquetWriter(
                temporary, schema, use_dictionary=keys, column_encoding=leaves, **STORED
            ) as writer:
                for block in sorted(self._blocks, key=block_order):
                    writer.write_table(self._block_of_curves(block, stacked.get(block, [])).cast(schema))

    def _block_of_curves(self, block: Block, stacked: list[Stacked]) -> pa.Table:
        """Return the rows of a block by ascending architecture."""
        index = [part.archs for part in stacked]
        columns = {
            name: [part.curves.get(name, _no_column(part)) for part in stacked] for name in CURVE_METRICS
        }
        if (single := self._curves.get(block)) is not None:
            index.append(np.array(single["arch_index"], np.int32))
            for name in CURVE_METRICS:
                lengths = np.array([len(values) for values in single[name]])
                columns[name].append(Column(np.concatenate(single[name]), lengths))
        arch_index = np.concatenate(index)
        table = pa.table(_key_columns(block, arch_index) | _list_arrays(columns), schema=CURVES)
        if (np.diff(arch_index) < 0).any():
            return table.take(to_arrow(np.argsort(arch_index, kind="stable")))
        return table


def _no_column(part: Stacked) -> Column:
    return Column(_NOTHING, np.zeros(len(part.archs), np.int64))


def _list_arrays(columns: Mapping[str, list[Column]]) -> dict[str, pa.Array]:
    arrays = {}
    for name, parts in columns.items():
        offsets = np.concatenate([[0], np.cumsum(np.concatenate([part.lengths for part in parts]))])
        flat = to_arrow(np.concatenate([part.flat for part in parts]), CURVES.field(name).type.value_type)
        arrays[name] = pa.ListArray.from_arrays(to_arrow(offsets.astype(np.int32)), flat)
    return arrays


def check_runs(runs: Iterable[Run], space: Space) -> list[Run]:
    """Return the runs of one record; raises `BadSource` if one is damaged: then none of them counts."""
    checked = [_checked(run, space) for run in runs]
    for metric in METRICS:
        values = _values(checked, metric)
        if values and out_of_range(metric, np.concatenate(values)).any():
            _refuse_impossible(checked, metric)
    return checked


def _checked(run: Run, space: Space) -> Run:
    """Return the run; raises `BadSource` if no run can have such an architecture, seed, name, split or epochs."""
    index, seed, names = run.arch_index, run.seed, (run.dataset, run.recipe)
    if type(index) is not int or not 0 <= index < len(space):
        raise BadSource(f"no architecture of the {space.title} space has that index")
    if type(seed) is not int or not 0 <= seed < SEEDS:
        raise BadSource(f"a seed is a whole number from 0 to {SEEDS - 1}")
    if not all(map(is_label, names)):
        raise BadSource(
            f"the names of dataset and recipe are printable text of at most {LABEL_LENGTH} characters"
        )
    if "train" not in run.curves or any(len(curve.loss) == 0 for curve in run.curves.values()):
        raise BadSource("a run has training results and at least one epoch")
    if told := next(filter(None, (lacks_split(run.dataset, split) for split in run.curves)), ""):
        raise BadSource(told)
    return run


def _values(runs: Iterable[Run], metric: str) -> list[np.ndarray]:
    """Return what the runs hold of a metric, an array each or an array a split; nothing of what is derived."""
    if metric in RUN_METRICS:
        return [np.array([getattr(run, metric)], np.float64) for run in runs]
    curves = (curve for run in runs for curve in run.curves.values()) if metric in CURVE_METRICS else ()
    return [values for curve in curves if (values := getattr(curve, metric)) is not None]


def _refuse_impossible(runs: Iterable[Run], metric: str) -> None:
    for run in runs:
        for values in _values([run], metric):
            if (wrong := out_of_range(metric, values)).any():
                raise BadSource(
                    f"the run {run.dataset} {run.seed} at recipe {run.recipe!r} is damaged: "
                    f"{values[wrong][0]:.12g} cannot be {metric} ({UNITS[metric]})"
                )


def block_order(block: Block) -> tuple[str, str, int, int]:
    """Return the sort key that puts blocks by dataset, recipe, split and seed."""
    return block.dataset, block.recipe, SPLITS.index(block.split), block.seed


def block_of_finals(
    block: Block, values: dict[str, np.ndarray], own: Mapping[str, Metric] | None = None
) -> pa.Table:
    """Return one block as `FINALS`, with the columns of `own` metrics.

    `values` holds 'arch_index', 'epoch' and any metrics (absent ones become NaN).
    """
    schema = finals_schema(own or {})
    arch_index = np.asarray(values["arch_index"], dtype=np.int32)
    columns = _key_columns(block, arch_index)
    columns["epoch"] = to_arrow(np.broadcast_to(values["epoch"], arch_index.shape).astype(np.int32))
    for name in known_metrics(schema):
        column = np.broadcast_to(values.get(name, np.nan), arch_index.shape)
        columns[name] = to_arrow(np.asarray(column, dtype=np.float64))
    columns["cost_mismatch"] = pa.nulls(len(arch_index), pa.bool_())
    return pa.table(columns, schema=schema)


def _key_columns(block: Block, arch_index: np.ndarray) -> dict[str, pa.Array]:
    zeros = to_arrow(np.zeros(len(arch_index), dtype=np.int32))
    columns: dict[str, pa.Array] = {
        name: pa.DictionaryArray.from_arrays(zeros, texts([getattr(block, name)]))
        for name in ("dataset", "recipe", "split")
    }
    columns["seed"] = to_arrow(np.full(len(arch_index), block.seed, dtype=np.int32))
    columns["arch_index"] = to_arrow(arch_index)
    return columns


class Written(NamedTuple):
    """The blocks of a file of finals with their numbers of rows, and what `count_costs` says of them."""

    blocks: list[tuple[Block, int]]
    costs: dict[str, int]


def write_finals(
    table: pa.Table, path: Path | pa.NativeFile, space: Space, *, named: bool = False
) -> Written:
    """Write `FINALS` rows, and any own metrics, sorted into blocks, one row group each; return what was written.

    Raises `BadSource` when an architecture stands twice in a block, or costs contradict what is known of them; `named`
    as in `flag_costs`.
    """
    table = flag_costs(table.unify_dictionaries(), space, named=named)
    blocks = _split_into_blocks(table)
    schema = finals_schema(own_metrics(table.schema))
    schema = schema.with_metadata(_metadata(space, [block for block, _ in blocks]))
    keys = ["dataset", "recipe", "split", "params_m", "flops_m", "latency_s", "time_s", "total_time_s"]
    with pq.ParquetWriter(path, schema, use_dictionary=keys, **STORED) as writer:
        for block, rows in blocks:
            part = table.take(to_arrow(rows))
            index = to_numpy(part["arch_index"])
            if (twice := np.flatnonzero(np.diff(index) == 0)).size:
                raise BadSource(f"architecture {index[twice[0]]} stands twice in {tuple(block)}")
            writer.write_table(part.cast(schema), row_group_size=max(1, len(rows)))
    return Written([(block, len(rows)) for block, rows in blocks], count_costs(table))


def _split_into_blocks(table: pa.Table) -> list[tuple[Block, np.ndarray]]:
    """Return for each block, in block order, its row numbers by ascending architecture index."""
    names = ("dataset", "recipe", "split")
    labels, codes = {}, {}
    for name in names:
        column = table[name].combine_chunks()
        labels[name], codes[name] = column.dictionary.to_pylist(), to_numpy(column.indices)
    seeds = to_numpy(table["seed"])
    order = np.lexsort((to_numpy(table["arch_index"]), seeds, *(codes[name] for name in names)))
    stacked = np.stack([*(codes[name][order] for name in names), seeds[order]])
    starts = np.flatnonzero((stacked[:, 1:] != stacked[:, :-1]).any(axis=0)) + 1
    blocks = []
    for rows in np.split(order, starts) if len(order) else []:
        dataset, recipe, split = (labels[name][codes[name][rows[0]]] for name in names)
        blocks.append((Block(dataset, recipe, split, int(seeds[rows[0]])), rows))
    return sorted(blocks, key=lambda pair: block_order(pair[0]))


def _metadata(space: Space, blocks: list[Block]) -> dict[bytes, bytes]:
    content = {"format": FORMAT, "space": space.name, "blocks": [list(block) for block in blocks]}
    return {METADATA_KEY: json.dumps(content).encode()}


def read_metadata(file: ColumnFile) -> tuple[Space, list[Block]]:
    """Return the space and the blocks (one a row group) of a Parquet file of ours; raises `BadSource`."""
    raw = (file.schema.metadata or {}).get(METADATA_KEY)
    if raw is None:
        raise BadSource(
            f"{file.name}: a Parquet file, but not a table that natslib wrote; see `natslib convert --help`"
        )
    with reading(file.name):
        content = json.loads(raw)
        if content["format"] != FORMAT:
            raise BadSource(
                f"{file.name}: table format {shown(content['format'])}, this natslib reads {FORMAT}; "
                "convert it again"
            )
        blocks = [Block(*block) for block in content["blocks"]]
        if not all(map(_is_block, blocks)) or len({*blocks}) != file.metadata.num_row_groups:
            raise ValueError("its blocks are none")
        return SPACES[content["space"]], blocks


def _is_block(block: Block) -> bool:
    names = is_label(block.dataset) and is_label(block.recipe) and block.split in SPLITS
    return names and type(block.seed) is int and MEAN_ONLY <= block.seed < SEEDS
