"""The YAML file that says what the columns of somebody's table are; `natslib convert --help` shows its grammar.

Every value in it is read as text: the recipe 01 is '01', with or without quotes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import yaml

from natslib.errors import BadSource, ConfigError, shown, unknown_name
from natslib.spaces import Space, get_space
from natslib.tables.format.schema import LABEL_LENGTH, UNITS, Metric, is_label
from natslib.tables.sources.cells import labels
from natslib.tables.sources.encodings import ENCODINGS
from natslib.tables.sources.metrics import read_metrics

ROW_KEYS = ("dataset", "recipe", "split", "seed", "epoch")
SEPARATORS = (",", ";", "\t", "|")
METRIC_UNITS = "; ".join(f"{metric}: {unit}" for metric, unit in UNITS.items())
_SPACE, _ARCH, _COLUMNS = "space", "arch", "columns"
_KEYS = (
    _SPACE,
    _ARCH,
    "encoding",
    "separator",
    "decimal",
    "keys",
    "names",
    "files",
    "epochs",
    "datasets",
    "metrics",
    _COLUMNS,
)


@dataclass(frozen=True)
class Mapping:
    """What a mapping says; `columns` gives each column its targets, whose values are not looked at yet.

    `keys` maps what tells rows apart (`ROW_KEYS`) to columns; `files` maps the files of a folder to what holds for all
    their rows, `names` cells of the columns of `keys` to natslib's words. `encoding`, `separator` and `decimal` are
    None where the table itself has to show them.
    """

    path: Path
    space: Space
    arch: tuple[str, ...]
    encoding: str | None
    separator: str | None
    decimal: str | None
    keys: dict[str, str]
    names: dict[str, str]
    files: dict[str, dict[str, str]]
    epochs: dict[str, Any]
    datasets: list[str]
    metrics: dict[str, Metric]
    columns: dict[str, list[Any]]

    @property
    def used(self) -> list[str]:
        """The columns that a table has to have, each once."""
        return list(dict.fromkeys([*self.arch, *self.keys.values(), *self.columns]))

    def targets(self) -> Iterator[tuple[str, Any]]:
        """Yield every column with each of its targets."""
        for name, targets in self.columns.items():
            yield from ((name, target) for target in targets)

    def whole(self, name: str, target: Any, said: dict[str, str]) -> Any:
        """Return a target of column `name` with what `keys` or `files` say of its rows; raises `ConfigError`."""
        if not isinstance(target, dict):
            return target
        if twice := sorted(set(target) & set(said)):
            raise ConfigError(
                f"{self.path}: column {shown(name)} says {twice[0]}, and so does 'keys' or 'files'; say it once"
            )
        return target | said

    def groups(
        self, frame: pd.DataFrame, fixed: dict[str, str], where: str
    ) -> Iterator[tuple[dict[str, str], npt.NDArray[np.int64]]]:
        """Yield what tells rows apart, epochs aside, each with its rows; raises `BadSource` for an empty cell."""
        columns = {key: labels(frame[name], key, where) for key, name in self.keys.items() if key != "epoch"}
        if not columns:
            yield fixed, np.arange(len(frame))
            return
        codes, different = pd.MultiIndex.from_arrays(list(columns.values())).factorize()
        order = np.argsort(codes, kind="stable")
        starts = np.searchsorted(codes[order], np.arange(1, len(different)))
        for cells, rows in zip(different, np.split(order, starts), strict=True):
            said = {key: self.names.get(cell, cell) for key, cell in zip(columns, cells, strict=True)}
            yield fixed | said, rows

    def sources(self, path: Path) -> list[tuple[Path, dict[str, str]]]:
        """Return the files behind `path`, each with what holds for all its rows; raises `BadSource` or `ConfigError`.

        A folder is read by what stands under 'files'; a table in it that does not stand there is refused.
        """
        if path.is_dir() != bool(self.files):
            raise ConfigError(
                f"{self.path}: several files are converted by giving their folder, and each of them under 'files': "
                f"files: {{a.csv: {{seed: 777}}, b.csv: {{seed: 888}}}}"
            )
        return [(path / name, fixed) for name, fixed in self.files.items()] or [(path, {})]


class _PlainLoader(yaml.BaseLoader):
    """Reads every scalar as text, and no aliases: a few lines of those unfold into a mapping of any size."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias; write its value out")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep)
        if len(mapping) != len(node.value):
            raise yaml.YAMLError(f"a key stands twice: {', '.join(str(key.value) for key, _ in node.value)}")
        return mapping


def read_mapping(path: Path) -> Mapping:
    """Read a mapping; raises `BadSource` or `ConfigError` for what its grammar does not know."""
    if not path.is_file():
        raise BadSource(f"{path}: no such file")
    try:
        given = yaml.load(path.read_text(encoding="utf-8"), _PlainLoader)
    except (OSError, yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise BadSource(f"{path}: not a readable YAML mapping ({error!s:.300})") from None
    if not isinstance(given, dict) or not {_SPACE, _ARCH, _COLUMNS} <= set(given):
        raise ConfigError(f"{path}: a mapping needs 'space', 'arch' and 'columns'")
    for key in given:
        if key not in _KEYS:
            raise unknown_name(f"key in {path}", key, _KEYS)
    if not isinstance(given[_SPACE], str):
        raise ConfigError(f"{path}: 'space' is one name, not a value {shown(given[_SPACE])}")
    if not isinstance(given.get("epochs", {}), dict):
        raise ConfigError(f"{path}: 'epochs' maps recipes to their numbers of epochs")
    datasets = given.get("datasets", [])
    if not isinstance(datasets, list) or not all(map(is_label, datasets)):
        raise ConfigError(f"{path}: 'datasets' lists names of 1 to {LABEL_LENGTH} characters")
    keys = _keys(given.get("keys", {}), "keys", ROW_KEYS, path)
    return Mapping(
        path=path,
        space=get_space(given[_SPACE]),
        arch=_arch(given[_ARCH], path),
        encoding=_one_of(given, "encoding", ENCODINGS, path),
        separator=_one_of(given, "separator", SEPARATORS, path),
        decimal=_one_of(given, "decimal", (",", "."), path),
        keys=keys,
        names=_names(given.get("names", {}), path),
        files=_files(given.get("files", {}), keys, path),
        epochs=given.get("epochs", {}),
        datasets=datasets,
        metrics=read_metrics(given.get("metrics", {}), path),
        columns=_columns(given[_COLUMNS], path),
    )


def _arch(value: Any, path: Path) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"{path}: 'arch' is one column's name, or a list of them, one a position")
    return tuple(names)


def _one_of(given: dict[str, Any], key: str, allowed: Iterable[str], path: Path) -> str | None:
    value = given.get(key)
    if value is not None and value not in allowed:
        raise unknown_name(f"{key} in {path}", value, allowed)
    return value


def _keys(value: Any, key: str, allowed: tuple[str, ...], path: Path) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value.values()):
        raise ConfigError(f"{path}: {key!r} maps {', '.join(allowed)} to names: {{seed: seed}}")
    for name in value:
        if name not in allowed:
            raise unknown_name(f"key under {key!r} in {path}", name, allowed)
    return value


def _names(value: Any, path: Path) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value.values()):
        raise ConfigError(f"{path}: 'names' maps what rows say to natslib's words: {{val: valid}}")
    return value


def _files(value: Any, keys: dict[str, str], path: Path) -> dict[str, dict[str, str]]:
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: 'files' maps file names to what holds for all their rows")
    for name, fixed in value.items():
        _keys(fixed, f"files: {shown(name)}", ROW_KEYS[:-1], path)
        if both := sorted(set(fixed) & set(keys)):
            raise ConfigError(f"{path}: {both[0]!r} stands under 'keys' and for {shown(name)}; say it once")
    return value


def _columns(value: Any, path: Path) -> dict[str, list[Any]]:
    if not isinstance(value, dict) or not value:
        raise ConfigError(f"{path}: 'columns' maps at least one column name to its meaning")
    if empty := [name for name, target in value.items() if target == []]:
        raise ConfigError(f"{path}: column {shown(empty[0])} has an empty list of meanings")
    return {name: target if isinstance(target, list) else [target] for name, target in value.items()}
