"""Any tidy table (CSV or Parquet, one row an architecture) with a small mapping of its columns to ours.

The mapping is a YAML file:

    space: tss
    arch: arch                  # the column with architecture strings, or with official indices
    epochs: {"12": 12}          # only for budgets whose name is not their number of epochs
    columns:
      val_acc: {dataset: cifar10-valid, budget: "12", split: valid, seed: mean, metric: accuracy}
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import yaml

from natslib.benchmarks.schema import MEAN_ONLY, METRICS, SPLITS, Block
from natslib.benchmarks.store import block_of_finals
from natslib.errors import BadSource, ConfigError, NatslibError, unknown_name
from natslib.spaces import Space, get_space

_KEYS = ("space", "arch", "epochs", "columns")
_COLUMN_KEYS = ("dataset", "budget", "split", "seed", "metric")


def read_tidy(path: Path, mapping_path: Path) -> tuple[pa.Table, Space, dict[str, Any]]:
    """Return the rows (`FINALS`), their space and where they come from; raises `BadSource` or `ConfigError`.

    `time_s` of a split also gives its `total_time_s`; empty cells are not measured.
    """
    mapping = _read_mapping(mapping_path)
    space = get_space(mapping["space"])
    frame = _read_frame(path)
    names = [mapping["arch"], *mapping["columns"]]
    if missing := [name for name in names if name not in frame.columns]:
        raise ConfigError(
            f"{mapping_path}: no column {missing[0]!r} in {path.name}; it has {', '.join(frame.columns)}"
        )
    index = _indices(frame[mapping["arch"]], space, path)
    blocks: dict[Block, dict[str, np.ndarray]] = {}
    for name, target in mapping["columns"].items():
        block, metric = _target(name, target, mapping_path)
        values = blocks.setdefault(block, {})
        if metric in values:
            raise ConfigError(f"{mapping_path}: two columns for {metric} of {tuple(block)}")
        values[metric] = _numbers(frame[name], path)
    tables = [
        _block_table(block, values, index, _epochs(block.budget, mapping, mapping_path))
        for block, values in blocks.items()
    ]
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (path, mapping_path)}
    return pa.concat_tables(tables), space, {"name": path.name, "sha256": digests}


def _block_table(block: Block, values: dict[str, np.ndarray], index: np.ndarray, epochs: int) -> pa.Table:
    if "time_s" in values and "total_time_s" not in values:
        repeated = np.broadcast_to(values["time_s"][:, None], (len(index), epochs))
        values["total_time_s"] = np.cumsum(repeated, axis=1)[:, -1]
    there = ~np.all([np.isnan(column) for column in values.values()], axis=0)
    rows = {name: column[there] for name, column in values.items()}
    rows |= {"arch_index": index[there], "epoch": np.array(epochs - 1)}
    return block_of_finals(block, rows)


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        mapping = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadSource(f"{path}: not a readable YAML mapping ({error})") from None
    if not isinstance(mapping, dict) or not {"space", "arch", "columns"} <= set(mapping):
        raise ConfigError(f"{path}: a mapping needs 'space', 'arch' and 'columns'")
    for key in mapping:
        if key not in _KEYS:
            raise unknown_name(f"key in {path}", key, _KEYS)
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
    except NatslibError as error:
        raise BadSource(f"{path}: {error}") from None


def _target(name: str, target: Any, path: Path) -> tuple[Block, str]:
    if not isinstance(target, dict) or set(target) != set(_COLUMN_KEYS):
        raise ConfigError(f"{path}: column {name!r} needs exactly {', '.join(_COLUMN_KEYS)}")
    for key, allowed in (("split", SPLITS), ("metric", METRICS)):
        if target[key] not in allowed:
            raise unknown_name(f"{key} of column {name!r}", target[key], allowed)
    seed = target["seed"]
    if seed != "mean" and not (isinstance(seed, int) and seed >= 0):
        raise ConfigError(
            f"{path}: column {name!r} has seed {seed!r}; allowed are 'mean' and whole numbers from 0"
        )
    number = MEAN_ONLY if seed == "mean" else seed
    return Block(str(target["dataset"]), str(target["budget"]), target["split"], number), target["metric"]


def _numbers(column: pd.Series, path: Path) -> np.ndarray:
    try:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise BadSource(
            f"{path}: column {column.name!r} holds something other than numbers ({error})"
        ) from None


def _epochs(budget: str, mapping: dict[str, Any], path: Path) -> int:
    epochs = (mapping.get("epochs") or {}).get(budget, budget)
    if not str(epochs).isdigit() or int(epochs) < 1:
        raise ConfigError(f"{path}: say under 'epochs' how many epochs budget {budget!r} has")
    return int(epochs)
