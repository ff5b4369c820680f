"""Somebody's table (CSV, JSON lines, Parquet) with a small mapping of its columns to ours.

A row is an architecture, a run or an epoch; `natslib.tables.sources.mapping` says how that is told.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from natslib.datasets import DATASETS, lacks_split
from natslib.errors import BadSource, ConfigError, shown, unknown_name
from natslib.files import sha256
from natslib.spaces import Space
from natslib.tables.format.schema import (
    LABEL_LENGTH,
    MAX_EPOCHS,
    MEAN_ONLY,
    PERCENT,
    SEEDS,
    SPLITS,
    Block,
    Run,
    finals_schema,
    is_label,
)
from natslib.tables.format.writing import block_of_finals
from natslib.tables.sources.blocks import (
    BlockRows,
    Values,
    block_name,
    by_epoch,
    curves_of,
    joined,
    last_epoch,
    refuse_doubles,
)
from natslib.tables.sources.cells import decimal_sign, numbers, whole_numbers
from natslib.tables.sources.checks import check_alike, check_block, check_on_dataset, numbers_of
from natslib.tables.sources.encodings import indices
from natslib.tables.sources.frames import READ, Sheet, read_sheet, suffix_of
from natslib.tables.sources.mapping import Mapping, read_mapping
from natslib.tables.sources.metrics import check_metric

_COLUMN_KEYS = ("dataset", "recipe", "split", "seed", "metric")


@dataclass(frozen=True)
class Reading:
    """How one file was understood: the index of each row's architecture, and the rows of each block.

    `origins` names the column behind each metric of a block; `decimal` is the sign that its numbers are written with.
    """

    sheet: Sheet
    decimal: str
    index: npt.NDArray[np.int64]
    blocks: dict[Block, BlockRows]
    origins: dict[tuple[Block, str], str]


def tidy_files(path: Path, mapping_path: Path) -> list[Path]:
    """Return the files that a table of `path` depends on, the mapping first; raises `BadSource` or `ConfigError`.

    A folder is read by what stands under 'files' of its mapping; a table in it that does not stand there is refused.
    """
    files = [file for file, _ in read_mapping(mapping_path).sources(path)]
    for file in files:
        if not file.is_file():
            raise BadSource(f"{file}: no such file")
    held = [file for file in path.iterdir() if suffix_of(file) in READ] if path.is_dir() else []
    if other := sorted(set(held) - set(files)):
        raise ConfigError(
            f"{other[0]} does not stand under 'files' of {mapping_path}; name it there or move it elsewhere"
        )
    return [mapping_path, *files]


def read_tidy(path: Path, mapping_path: Path) -> tuple[pa.Table, Space, dict[str, Any], list[Run]]:
    """Return the rows (`FINALS`), their space, where they come from, and runs where every epoch is there.

    `time_s` of a split also gives its `total_time_s`; empty cells are not measured. Raises `BadSource` or
    `ConfigError`.
    """
    files = tidy_files(path, mapping_path)
    mapping = read_mapping(mapping_path)
    finals, runs = put_together(read_files(path, mapping), mapping)
    digests = {mapping_path.name: sha256(mapping_path)}
    digests |= {
        str(file.relative_to(path)) if file != path else file.name: sha256(file) for file in files[1:]
    }
    return finals, mapping.space, {"name": path.name, "sha256": digests}, runs


def put_together(readings: Iterable[Reading], mapping: Mapping) -> tuple[pa.Table, list[Run]]:
    """Return the rows of all files, and runs where every epoch is there; raises `BadSource` or `ConfigError`."""
    tables, runs = [finals_schema(mapping.metrics).empty_table()], list[Run]()
    blocks = joined(reading.blocks for reading in readings)
    check_alike({block: (rows.index, rows.values) for block, rows in blocks.items()}, mapping.path)
    for block, rows in blocks.items():
        refuse_doubles(rows, block)
        epochs = _epochs(block.recipe, mapping.epochs, mapping.path)
        if not len((measured := rows.measured()).index):
            continue
        index, values = measured.index, measured.values
        if measured.epoch is not None:
            index, curves = by_epoch(measured, block, epochs)
            runs += curves_of(index, curves, block)
            values = last_epoch(curves)
        check_block(block, values, index, epochs, mapping.path)
        rows_of_block: dict[str, np.ndarray] = {"arch_index": index, "epoch": np.array(epochs - 1)}
        rows_of_block |= _with_total_time(values, epochs)
        tables.append(block_of_finals(block, rows_of_block, mapping.metrics))
    return pa.concat_tables(tables), runs


def read_files(path: Path, mapping: Mapping) -> Iterator[Reading]:
    """Yield how each file is understood; raises `BadSource` or `ConfigError`."""
    for file, fixed in mapping.sources(path):
        sheet = read_sheet(file, mapping.used, mapping.separator)
        if not len(sheet.frame):
            raise BadSource(f"{file}: not one row in it")
        yield _understand(sheet, fixed, mapping)


def _understand(sheet: Sheet, fixed: dict[str, str], mapping: Mapping) -> Reading:
    frame, where = sheet.frame, str(sheet.path)
    index = indices([frame[name] for name in mapping.arch], mapping.encoding, mapping.space, where)
    epoch = whole_numbers(frame[mapping.keys["epoch"]], "epoch", where) if "epoch" in mapping.keys else None
    decimal = mapping.decimal or _decimal(sheet, mapping)
    read: Values = {}
    parts: list[dict[Block, BlockRows]] = []
    origins: dict[tuple[Block, str], str] = {}
    for said, at in mapping.groups(frame, fixed, where):
        parts.append({})
        for name, target in mapping.targets():
            block, metric = _target(name, mapping.whole(name, target, said), mapping)
            if block not in parts[-1]:
                epochs = None if epoch is None else epoch[at]
                parts[-1][block] = BlockRows(index[at], epochs, (sheet.path,), np.zeros_like(at), at)
            values = parts[-1][block].values
            if metric in values:
                raise ConfigError(f"{mapping.path}: two columns for {metric} of {block_name(block)}")
            column = f"{where}: column {shown(name)}"
            if (key := f"{metric} {name}") not in read:
                cells = numbers(frame[name], decimal, where)
                read[key] = numbers_of(cells, metric, column, mapping.metrics)
            values[metric] = read[key][at]
            check_on_dataset(column, metric, block.dataset, values[metric], index[at], at + 1, mapping.space)
            origins[block, metric] = name
    return Reading(sheet, decimal, index, joined(parts), origins)


def _decimal(sheet: Sheet, mapping: Mapping) -> str:
    """Return the decimal sign of a file that does not separate its cells with commas."""
    if sheet.separator in (None, ","):
        return "."
    percent: dict[str, bool] = {}
    for name, target in mapping.targets():
        percent[name] = percent.get(name, False) or (
            isinstance(target, dict) and target.get("metric") in PERCENT
        )
    return decimal_sign([(sheet.frame[name], to_100) for name, to_100 in percent.items()], str(sheet.path))


def _with_total_time(values: Values, epochs: int) -> Values:
    """Return the metrics with `total_time_s`, where `time_s` gives it."""
    if "time_s" not in values or "total_time_s" in values:
        return values
    return values | {"total_time_s": _total_time_s(values["time_s"], epochs)}


def _total_time_s(time_s: np.ndarray, epochs: int) -> np.ndarray:
    """Return the time of all epochs added one after the other, to the last bit as `schema.sum_in_order` adds."""
    total = time_s.copy()
    for _ in range(epochs - 1):
        total += time_s
    return total


def _target(name: str, target: Any, mapping: Mapping) -> tuple[Block, str]:
    column, path = f"column {shown(name)}", mapping.path
    if not isinstance(target, dict) or set(target) != set(_COLUMN_KEYS):
        raise ConfigError(
            f"{path}: {column} needs exactly {', '.join(_COLUMN_KEYS)}, but for what stands under 'keys'"
        )
    if target["split"] not in SPLITS:
        raise unknown_name(f"split of {column}", target["split"], SPLITS)
    check_metric(name, target["metric"], mapping.metrics, path)
    dataset, recipe, seed = target["dataset"], target["recipe"], target["seed"]
    known = [*DATASETS, *mapping.datasets]
    if dataset not in known:
        raise unknown_name(f"dataset of {column} (your own stand under 'datasets')", dataset, known)
    if told := lacks_split(dataset, target["split"]):
        raise ConfigError(f"{path}: {column}: {told}")
    if not is_label(recipe):
        raise ConfigError(
            f"{path}: {column} has recipe {shown(recipe)}; allowed are names of 1 to {LABEL_LENGTH} characters"
        )
    number = MEAN_ONLY if seed == "mean" else _whole(seed)
    if number is None or number >= SEEDS:
        raise ConfigError(
            f"{path}: {column} has seed {shown(seed)}; allowed are 'mean' and whole numbers from 0 to {SEEDS - 1}"
        )
    return Block(dataset, recipe, target["split"], number), target["metric"]


def _whole(text: Any) -> int | None:
    """Return a text of 1 to 10 digits as a number, None for anything else."""
    plain = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 10
    return int(text) if plain else None


def _epochs(recipe: str, said: dict[str, Any], path: Path) -> int:
    epochs = _whole(said.get(recipe, recipe))
    if epochs is None or not 1 <= epochs <= MAX_EPOCHS:
        raise ConfigError(
            f"{path}: say under 'epochs' how many epochs recipe {recipe!r} has, from 1 to {MAX_EPOCHS}"
        )
    return epochs
