"""The parameters of a notebook: declared in its parameters cell alone, and checked here by their names.

The cell after that one is `asked = parameters.check(globals())`. What a name means and allows is the same in every
notebook; a name that begins with `figure` is the stem of a figure's files, without a suffix, from the project's root.
"""

import ast
import contextlib
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from natslib.errors import BadSource, ConfigError, shown, unknown_name
from natslib.files import sha256
from natslib.spaces import SPACES
from natslib.tables.format.schema import SPLITS
from natslib.workflow.catalogue import TABLE
from natslib.workflow.paths import from_root

SPREAD = "spread"
_KEPT_OF_MANIFEST = ("origin", "space", "source", "sha256", "versions")
INJECTED = "# Parameters\n"
_NO_MATTER = ("figure", "item", "processes", "entry")
"""Beginnings of the names that a figure's record leaves out: the result does not depend on them."""
ALGORITHMS, SUPERNETS = "natslib.search:SEARCHES", "natslib.weight_sharing:METHODS"
SETTINGS = "natslib.weight_sharing.presets:PRESETS"
Check = Callable[[str, Any], Any]


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ConfigError(
            f"{name} is {shown(value)}; allowed is text, in quotes (papermill: -r instead of -p)"
        )
    return value


def _stem(name: str, value: Any) -> str:
    stem = _text(name, value)
    if not stem or Path(stem).suffix in TABLE:
        raise ConfigError(f"{name} is {stem!r}; allowed is a file name without its suffix, as in results/fig")
    return stem


def _whole(least: int, why: str = "") -> Check:
    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ConfigError(f"{name} is {shown(value)}; allowed are whole numbers from {least}{why}")
        return value

    return check


def _registered(place: str) -> Any:
    """Return what stands at a place such as "natslib.search:SEARCHES".

    By its name: a notebook that searches imports the algorithms itself, and the others need not be drawn again when
    one of them changes (`workflow.imports` reads import statements).
    """
    module, name = place.split(":")
    return getattr(importlib.import_module(module), name)


def _one_of(noun: str, allowed: Iterable[str] | str) -> Check:
    """Return the check for one of `allowed`, which are names or the place of a registry."""

    def check(name: str, value: Any) -> str:
        known = _registered(allowed) if isinstance(allowed, str) else allowed
        if _text(name, value) not in known:
            raise unknown_name(noun, value, known)
        return value

    return check


def _list_of(noun: str, allowed: Iterable[str] | str) -> Check:
    one = _one_of(noun, allowed)

    def check(name: str, value: Any) -> list[str]:
        return [one(name, each) for each in _names(name, value)]

    return check


def _names(name: str, value: Any) -> list[str]:
    return [each.strip() for each in _text(name, value).split(",") if each.strip()]


def _percent(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise ConfigError(f"{name} is {shown(value)}; allowed is 0 to 100 (percent)")
    return float(value)


def _percents(name: str, value: Any) -> list[float]:
    """Return percents; a lone one may be a number."""
    if not isinstance(value, str):
        return [_percent(name, value)]
    try:
        numbers = [float(each) for each in _names(name, value)]
    except ValueError:
        numbers = []
    if not numbers:
        raise ConfigError(
            f"{name} is {shown(value)}; allowed are numbers from 0 to 100 (percent) with commas"
        )
    return [_percent(name, number) for number in numbers]


def _further(name: str, value: Any) -> list[tuple[str, str]]:
    """Return datasets and settings."""
    settings = _one_of("settings", SETTINGS)
    pairs = [each.partition(":") for each in _names(name, value)]
    if not all(dataset and how for dataset, _, how in pairs):
        raise ConfigError(f"{name} is {value!r}; allowed is DATASET:SETTINGS, several with commas")
    return [(dataset, settings(name, how)) for dataset, _, how in pairs]


def _budget(name: str, value: Any) -> str:
    _registered("natslib.search.study:parse_budget")(_text(name, value))
    return value


def _architecture(name: str, value: Any) -> int | str:
    return int(value) if _text(name, value).isdecimal() else value


def _architectures(name: str, value: Any) -> list[int]:
    """Return the indices; none where they are to be spread over the table."""
    listed = _text(name, value).split(",")
    if value != SPREAD and not all(each.strip().isdecimal() for each in listed):
        raise ConfigError(f"{name} is {value!r}; allowed are {SPREAD!r} or indices with commas")
    return [] if value == SPREAD else [int(each) for each in listed]


_RUNS = _whole(2, " (an interval needs two)")
CHECKS: dict[str, Check] = {
    "item": _text,  # what the title of a figure calls it, where two papers have it
    "table": _text,  # "published", or the folder that `natslib convert` wrote
    "recipe": _text,  # of training: its name, "longest", in searches "paper", or "every"
    "reference": _text,  # another table to compare with
    "reference_column": _text,
    "split": _one_of("split", SPLITS),
    "splits": _list_of("split", SPLITS),
    "correlations": _list_of("correlation", "natslib.analysis.correlation:METHODS"),
    "moments_pct": _percents,  # of the epochs of a training
    "costs": _names,  # metrics, also those that only the table knows
    "dataset": _text,  # in a notebook on several, their names with commas
    "seed": _whole(0),
    "draws": _whole(1),
    "thresholds_pct": _percents,
    "threshold_column": _text,
    "may_lose_pct": _percent,  # points of accuracy below the start of a path
    "architecture": _architecture,
    "architectures": _architectures,
    "widths": _text,
    "algorithms": _list_of("algorithm", ALGORITHMS),
    "others": _list_of("algorithm", ALGORITHMS),
    "budget": _budget,  # of a run: "paper", or such as "20000 s" or "100 evaluations"
    "evaluations": _whole(1),  # of a search that trains what it proposes
    "runs": _RUNS,
    "runs_others": _RUNS,
    "paths": _RUNS,  # of AutoShrink, from a start each
    "processes": _whole(1),
    "rule": _one_of("rule of anytime curves", "natslib.analysis.multi_trial:RULES"),
    "methods": _list_of("weight-sharing method", SUPERNETS),
    "masking": _list_of("weight-sharing method", SUPERNETS),
    "recorded": _text,  # the folder of recorded runs of searches
    "trajectories": _text,  # the folder of the trajectories of multi-trial searches; "" is none
    "searches": _text,  # the folder of the joined records of weight-sharing searches, with one of each settings in it
    "settings": _list_of("settings", SETTINGS),  # how was searched
    "further": _further,  # other datasets that were searched on, each with its settings
    "forms": _text,  # the folder of the records of AutoShrink's published forms
    "shifts": _text,  # the file of the recorded shifts, a row a trial
    "form": _one_of("form of the two shifts", "natslib.analysis.shift:FORMS"),
    "configuration": _text,  # a configuration of the workflow
    "trials": _text,  # the file of the recorded trials of objectives, as `natslib objectives` wrote it
    "selection": _one_of("way to choose a trial", "natslib.analysis.ranking:RULES"),
    "baselines": _list_of("weight-sharing method", SUPERNETS),
    "found": _text,  # the folder of a table of what searches ended with
    "retrained": _text,  # a table of one cell, trained by several recipes
    "generator": _text,  # the file of a generator's weights that a search kept
    "own": _text,  # the folder of our own tables, embedded-tss and embedded-sss, as far as they are there
    "author": _text,
    "entry": _text,  # the folder of a leaderboard entry
}


def check(namespace: Mapping[str, Any]) -> "Parameters":
    """Return the parameters in a notebook's namespace, checked.

    Raises `ConfigError` or `UnknownName` for the first value that is not allowed, and for a parameter that papermill
    was given and the notebook does not declare.
    """
    _refuse_undeclared(namespace.get("In", ()))
    named = {name: value for name, value in namespace.items() if name in CHECKS or name.startswith("figure")}
    return Parameters(named, {name: CHECKS.get(name, _stem)(name, value) for name, value in named.items()})


def _refuse_undeclared(cells: Sequence[str]) -> None:
    """Raise `UnknownName` for what papermill injects into a notebook that does not know it: papermill only warns.

    `cells`: the sources of the cells that have run, as IPython keeps them; papermill writes a comment above its own.
    """
    injected = [cell.startswith(INJECTED) for cell in cells]
    declared = [
        name for cell, given in zip(cells, injected, strict=True) if not given for name in _assigned(cell)
    ]
    for cell, given in zip(cells, injected, strict=True):
        for name in _assigned(cell) if given else ():
            if name not in declared:
                raise unknown_name("parameter of this notebook", name, declared)


def _assigned(cell: str) -> Iterator[str]:
    """Return the names that a cell's plain assignments set; none of a cell that is no Python."""
    with contextlib.suppress(SyntaxError):
        for node in ast.parse(cell).body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


@dataclass(frozen=True)
class Parameters:
    """A notebook's parameters as attributes: lists with commas as lists, the rest as `given`."""

    given: Mapping[str, Any]
    checked: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        if name in ("given", "checked") or name not in self.checked:
            raise AttributeError(f"the notebook declares no parameter {name!r}")
        return self.checked[name]

    @property
    def source(self) -> str:
        """The table to load: the folder, where there is one of that name in the project, or the name itself."""
        folder = from_root(self.table)
        return str(folder) if folder.is_dir() else self.table

    @property
    def how(self) -> dict[str, Any]:
        """The keyword arguments of a search that is run many times."""
        told = {name: self.checked[name] for name in ("runs", "seed", "processes")}
        kept = self.checked.get("trajectories")
        return told | {"trajectories": from_root(kept)} if kept else told

    def stem(self, name: str) -> Path:
        """Return the absolute stem that parameter `name` asks for."""
        return from_root(self.checked[name])

    def file(self, name: str) -> Path:
        """Return the absolute path of the file that parameter `name` names; raises `BadSource` where there is none."""
        path = from_root(self.checked[name])
        if not path.is_file():
            raise BadSource(f"{path}: no such file, which {name} asks for")
        return path

    def records(self, space: str, kind: str = "", settings: str = "") -> Path:
        """Return the file of the records of a space, a row an epoch; of its supernets' scores with `kind` "-scores".

        They are those of the searches with `settings`, by default the first that the notebook declares.
        """
        return self._found(space, kind, _names("dataset", self.dataset)[0], settings or self.settings[0])

    def _found(self, space: str, kind: str, dataset: str, settings: str) -> Path:
        path = self._file(space, kind, dataset, settings)
        if not path.is_file():
            raise BadSource(
                f"{path}: no such file; the workflow writes it for a configuration with `searches`"
            )
        return path

    def _file(self, space: str, kind: str, dataset: str, settings: str) -> Path:
        return from_root(self.searches) / settings / f"{space}-{dataset}{kind}.parquet"

    @property
    def _searched(self) -> list[tuple[str, str]]:
        """The datasets that were searched on, and by which settings."""
        datasets = _names("dataset", self.dataset)
        pairs = [(dataset, settings) for settings in self.settings for dataset in datasets]
        return pairs + self.checked.get("further", [])

    def read_records(self, space: str, kind: str = "", methods: str = "methods") -> pd.DataFrame:
        """Return the records of the searches that parameter `methods` names, in the order of their names.

        Where the notebook declares several settings or datasets, those of all; columns of these names tell them apart.
        """
        parts = [pd.read_parquet(self._found(space, kind, *searched)) for searched in self._searched]
        frame, names = pd.concat(parts, ignore_index=True), self.checked[methods]
        kept = frame[frame["method"].isin(names)]
        return kept.sort_values("method", key=lambda column: column.map(names.index), kind="stable")

    def own_table(self, space: str, kind: str = "embedded") -> Path | None:
        """Return the folder of our own table of a space; None where there is none yet.

        `kind` "searched": that of what searches ended with and the other table lacks.
        """
        folder = from_root(self.own) / f"{kind}-{space}"
        return folder if folder.is_dir() else None

    def provenance(self, manifest: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what a figure's record says: the parameters that matter, the table's origin and hashes, and those of
        the records of weight-sharing searches that are there.
        """
        asked = {name: value for name, value in self.given.items() if not name.startswith(_NO_MATTER)}
        told = {name: manifest[name] for name in _KEPT_OF_MANIFEST if name in manifest} if manifest else {}
        record = {"parameters": asked, **({"table": told} if manifest else {})}
        if "searches" not in self.checked:
            return record
        kinds = [
            (space, kind, *each) for each in self._searched for space in SPACES for kind in ("", "-scores")
        ]
        named = [self._file(*kind) for kind in kinds]
        files = {f"{path.parent.name}/{path.name}": path for path in named if path.is_file()}
        hashes = {name: sha256(path) for name, path in files.items()}
        manifest_of = _registered("natslib.weight_sharing.records:manifest_of")
        stamps = {name: manifest_of(path)["stamps"] for name, path in files.items()}
        return record | {"searches": {"sha256": hashes, "stamps": stamps}}
