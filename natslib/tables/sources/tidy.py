"""Any tidy table (CSV or Parquet, one row an architecture) with a small mapping of its columns to ours.

The mapping is a YAML file:

    space: tss
    arch: arch                  # the column with architecture strings, or with official indices
    epochs: {"12": 12}          # only for recipes whose name is not their number of epochs
    datasets: [mine]            # only for datasets other than natslib's
    columns:
      val_acc: {dataset: cifar10-valid, recipe: "12", split: valid, seed: mean, metric: accuracy}

Every value in it is read as text: the recipe 01 is '01', with or without quotes.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import yaml

from natslib.datasets import DATASETS
from natslib.errors import BadSource, ConfigError, NatslibError, shown, unknown_name
from natslib.files import sha256
from natslib.spaces import Space, get_space
from natslib.tables.format.limits import check_parquet
from natslib.tables.format.schema import (
    LABEL_LENGTH,
    MAX_EPOCHS,
    MEAN_ONLY,
    METRICS,
    SEEDS,
    SPLITS,
    Block,
    is_label,
    out_of_range,
)
from natslib.tables.format.writing import block_of_finals

_KEYS = ("space", "arch", "epochs", "datasets", "columns")
_COLUMN_KEYS = ("dataset", "recipe", "split", "seed", "metric")


def read_tidy(path: Path, mapping_path: Path) -> tuple[pa.Table, Space, dict[str, Any]]:
    """Return the rows (`FINALS`), their space and where they come from; raises `BadSource` or `ConfigError`.

    `time_s` of a split also gives its `total_time_s`; empty cells are not measured.
    """
    for file in (path, mapping_path):
        if not file.is_file():
            raise BadSource(f"{file}: no such file")
    mapping = _read_mapping(mapping_path)
    space = get_space(mapping["space"])
    if path.suffix == ".parquet":
        check_parquet(path, len(space))
    frame = _read_frame(path)
    names = [mapping["arch"], *mapping["columns"]]
    if missing := [name for name in names if name not in frame.columns]:
        raise ConfigError(
            f"{mapping_path}: no column {shown(missing[0])} in {path.name}; it has {', '.join(map(str, frame.columns))}"
        )
    index = _indices(frame[mapping["arch"]], space, path)
    blocks: dict[Block, dict[str, np.ndarray]] = {}
    for name, target in mapping["columns"].items():
        block, metric = _target(name, target, mapping["datasets"], mapping_path)
        values = blocks.setdefault(block, {})
        if metric in values:
            raise ConfigError(f"{mapping_path}: two columns for {metric} of {tuple(block)}")
        values[metric] = _numbers(frame[name], metric, path)
    tables = [
        _block_table(block, values, index, _epochs(block.recipe, mapping, mapping_path))
        for block, values in blocks.items()
    ]
    digests = {file.name: sha256(file) for file in (path, mapping_path)}
    return pa.concat_tables(tables), space, {"name": path.name, "sha256": digests}


def _block_table(block: Block, values: dict[str, np.ndarray], index: np.ndarray, epochs: int) -> pa.Table:
    if "time_s" in values and "total_time_s" not in values:
        values["total_time_s"] = _total_time_s(values["time_s"], epochs)
    there = ~np.all([np.isnan(column) for column in values.values()], axis=0)
    rows = {name: column[there] for name, column in values.items()}
    rows |= {"arch_index": index[there], "epoch": np.array(epochs - 1)}
    return block_of_finals(block, rows)


def _total_time_s(time_s: np.ndarray, epochs: int) -> np.ndarray:
    """Return the time of all epochs added one after the other, to the last bit as `schema.sum_in_order` adds."""
    total = time_s.copy()
    for _ in range(epochs - 1):
        total += time_s
    return total


class _PlainLoader(yaml.BaseLoader):
    """Reads every scalar as text, and no aliases: a few lines of those unfold into a mapping of any size."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias; write its value out")
        return super().compose_node(parent, index)


def _read_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping with all its keys; its names are text, what its columns mean is not looked at."""
    try:
        mapping = yaml.load(path.read_text(encoding="utf-8"), _PlainLoader)
    except (OSError, yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise BadSource(f"{path}: not a readable YAML mapping ({error!s:.300})") from None
    if not isinstance(mapping, dict) or not {"space", "arch", "columns"} <= set(mapping):
        raise ConfigError(f"{path}: a mapping needs 'space', 'arch' and 'columns'")
    for key in mapping:
        if key not in _KEYS:
            raise unknown_name(f"key in {path}", key, _KEYS)
    mapping = {"epochs": {}, "datasets": []} | mapping
    for key in ("space", "arch"):
        if not isinstance(mapping[key], str):
            raise ConfigError(f"{path}: {key!r} is one name, not a value {shown(mapping[key])}")
    if not isinstance(mapping["epochs"], dict):
        raise ConfigError(f"{path}: 'epochs' maps recipes to their numbers of epochs")
    if not isinstance(mapping["datasets"], list) or not all(map(is_label, mapping["datasets"])):
        raise ConfigError(f"{path}: 'datasets' lists names of 1 to {LABEL_LENGTH} characters")
    if not isinstance(mapping["columns"], dict) or not mapping["columns"]:
        raise ConfigError(f"{path}: 'columns' maps at least one column name to its meaning")
    return mapping


def _read_frame(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (OSError, ValueError, pa.ArrowInvalid, pd.errors.ParserError) as error:
        raise BadSource(f"{path}: not a readable {path.suffix[1:]} table ({error})") from None


def _indices(archs: pd.Series, space: Space, path: Path) -> np.ndarray:
    try:
        if pd.api.types.is_integer_dtype(archs):
            return np.array([space.index(int(index)) for index in archs], dtype=np.int64)
        return space.indices(archs.astype(str).tolist())
    except (NatslibError, TypeError) as error:
        raise BadSource(f"{path}: {error}") from None


def _target(name: str, target: Any, datasets: list[str], path: Path) -> tuple[Block, str]:
    column = f"column {shown(name)}"
    if not isinstance(target, dict) or set(target) != set(_COLUMN_KEYS):
        raise ConfigError(f"{path}: {column} needs exactly {', '.join(_COLUMN_KEYS)}")
    for key, allowed in (("split", SPLITS), ("metric", METRICS)):
        if target[key] not in allowed:
            raise unknown_name(f"{key} of {column}", target[key], allowed)
    dataset, recipe, seed = target["dataset"], target["recipe"], target["seed"]
    known = [*DATASETS, *datasets]
    if dataset not in known:
        raise unknown_name(f"dataset of {column} (your own stand under 'datasets')", dataset, known)
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


def _numbers(column: pd.Series, metric: str, path: Path) -> np.ndarray:
    """Return a column as floats, NaN where empty; raises `BadSource` for what cannot be values of that metric."""
    where = f"{path}: column {shown(column.name)}"
    try:
        if column.dtype.kind in "bmM":  # truth values, spans and dates turn into numbers silently
            raise TypeError(str(column.dtype))
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError, OverflowError) as error:
        raise BadSource(f"{where} holds something other than numbers ({error!s:.120})") from None
    if (wrong := np.flatnonzero(out_of_range(metric, values))).size:
        raise BadSource(
            f"{where}: {values[wrong[0]]} in row {wrong[0] + 1} cannot be {metric}; leave empty what was not measured"
        )
    if metric in ("accuracy", "top5") and 0 < np.max(values, initial=0, where=values == values) <= 1:
        raise BadSource(f"{where}: no value above 1; {metric} is in percent, so multiply fractions by 100")
    return values


def _epochs(recipe: str, mapping: dict[str, Any], path: Path) -> int:
    epochs = _whole(mapping["epochs"].get(recipe, recipe))
    if epochs is None or not 1 <= epochs <= MAX_EPOCHS:
        raise ConfigError(
            f"{path}: say under 'epochs' how many epochs recipe {recipe!r} has, from 1 to {MAX_EPOCHS}"
        )
    return epochs
