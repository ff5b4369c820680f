"""A mapping drafted for a table whose columns it recognises; what it cannot know stands as "?", which is refused."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from natslib.datasets import DATASETS
from natslib.errors import BadSource, ConfigError
from natslib.spaces import SIZE, SPACES, TOPOLOGY
from natslib.tables.format.costs import COSTS
from natslib.tables.format.schema import SPLITS, UNITS
from natslib.tables.sources.cells import decimal_sign, numbers, texts
from natslib.tables.sources.frames import Sheet, read_sheet
from natslib.tables.sources.mapping import METRIC_UNITS

UNKNOWN = "?"
_DATASETS = {
    "cifar10-valid": r"c(?:ifar)?-?10-?v(?:alid)?",
    "cifar10": r"c(?:ifar)?-?10",
    "cifar100": r"c(?:ifar)?-?100",
    "ImageNet16-120": r"(?:imagenet|inet|in|img)-?16(?:-?120)?|imagenet",
}
_SPLITS = {
    "valid": r"(?:x-)?val(?:id|idation)?",
    "test": r"(?:x-|ori-)?test(?:ing)?",
    "train": r"train(?:ing)?",
}
_METRICS = {
    "accuracy": r"acc(?:uracy)?|top-?1",
    "top5": r"top-?5",
    "loss": r"loss|nll",
    "latency_s": r"latency|lat",
    "params_m": r"params?|parameters",
    "flops_m": r"m?flops?|macs",
    UNKNOWN: r"times?|seconds|runtime|elapsed",  # of an epoch, or of all
}
_SEEDS = {"777": "777", "888": "888", "999": "999", "mean": "mean|avg|average"}
_UNITS = r"m|s|ms|in-m|percent|pct|top1|value|epochs?|hp|run-?\d+"
_KEYS = {
    "dataset": r"data-?set",
    "seed": r"(?:random-?)?seed",
    "recipe": r"recipe|hp|budget|(?:n-|max-|num-)?epochs",
    "split": r"split|set|subset",
    "epoch": r"epoch",
}
_INDEX = r"(?:arch|architecture|net|cell)?-?(?:index|idx|id)?"
_MANY = 20  # different cells that are looked at
_TUPLE = r"[(\[]?\d+(?:[, ]+\d+)+[)\]]?"


@dataclass
class _Draft:
    """Lines of a mapping: the head, the keys, a line a column, and what is said about the rest."""

    head: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)

    def text(self, path: Path) -> str:
        return "\n".join(
            [
                f'# Drafted from {path.name}; check every line. "?" is what the file does not say: put it in.',
                *self.head,
                *([f"keys: {_flow(self.keys)}"] if self.keys else []),
                "columns:",
                *(self.columns or ['  "?": {}  # no column was recognised']),
                *self.rest,
                f"# metrics and their units: {METRIC_UNITS}",
            ]
        )


def draft(path: Path) -> str:
    """Return a mapping for the columns of a table that it recognises; raises `BadSource` or `ConfigError`."""
    if path.is_dir():
        raise ConfigError(f"{path}: a draft is made of one file; give one of the folder's")
    sheet = read_sheet(path, None)
    if not len(sheet.frame):
        raise BadSource(f"{path}: not one row in it")
    made, cells = _Draft(), {name: texts(sheet.frame[name]) for name in sheet.names}
    used = _arch(made, cells)
    for key, pattern in _KEYS.items():
        if column := [name for name in sheet.names if re.fullmatch(pattern, _plain(name))]:
            made.keys[key] = column[0]
    _words(made, {key: list(cells[name].unique()[:_MANY]) for key, name in made.keys.items()})
    for name in sheet.names:
        if name not in (*used, *made.keys.values()):
            _column(made, sheet, name)
    return made.text(path)


def _arch(made: _Draft, cells: dict[str, pd.Series]) -> list[str]:
    """Say which columns hold architectures, and how; return them."""
    space, arch, encoding = found_arch(cells, {name: column.iloc[0] for name, column in cells.items()})
    names = list(map(_word, arch or [UNKNOWN]))
    made.head += [
        f"space: {_word(space)}" + ("  # tss or sss" if space == UNKNOWN else ""),
        "arch: " + (names[0] if len(names) == 1 else f"[{', '.join(names)}]"),
        *([f"encoding: {encoding}"] if encoding else []),
    ]
    return arch


def found_arch(cells: dict[str, pd.Series], first: dict[str, str]) -> tuple[str, list[str], str]:
    """Return the space, the columns of architectures and their encoding, as strings, names, tuples or indices."""
    for space in SPACES.values():
        if strings := [name for name, text in first.items() if text in space.strings()]:
            return space.name, strings[:1], ""
        choices = [name for name, column in cells.items() if column.isin(space.choices).all()]
        if len(choices) == len(space.positions):
            return space.name, choices, "names  # in official order?"
    if tuples := [name for name, text in first.items() if re.fullmatch(_TUPLE, text)]:
        if len(re.findall(r"\d+", first[tuples[0]])) == len(SIZE.positions):
            return SIZE.name, tuples[:1], "code"
        return TOPOLOGY.name, tuples[:1], '"?"  # code (natslib\'s choices) or naslib'
    for name, column in cells.items():
        if re.fullmatch(_INDEX, _plain(name)) and column.str.fullmatch(r"\d+(\.0)?").all():
            zeros = column.str.fullmatch(r"0\d+").any()
            return UNKNOWN, [name], '"?"  # index or code' if zeros else ""
    return UNKNOWN, [], ""


def _words(made: _Draft, cells: dict[str, list[str]]) -> None:
    """Say under 'names', 'datasets' and 'epochs' what cells of the columns of keys mean to natslib."""
    names, own = dict[str, str](), list[str]()
    for key, known, words in (("dataset", DATASETS, _DATASETS), ("split", SPLITS, _SPLITS)):
        for cell in [cell for cell in cells.get(key, []) if cell not in known]:
            meant = [word for word, pattern in words.items() if re.fullmatch(pattern, _plain(cell))]
            if meant or key == "split":
                names[cell] = meant[0] if meant else UNKNOWN
            else:
                own.append(cell)
    if own:
        made.head.append(f"datasets: [{', '.join(map(_word, own))}]  # your own")
    if names:
        made.head.append(f"names: {_flow(names)}")
    if recipes := [cell for cell in cells.get("recipe", []) if not cell.removesuffix(".0").isdigit()]:
        made.head.append(f"epochs: {_flow(dict.fromkeys(recipes, UNKNOWN))}")


def _column(made: _Draft, sheet: Sheet, name: str) -> None:
    """Add the line of a column that holds numbers and whose name says what; name the others among the rest."""
    try:
        column = sheet.frame[name]
        sign = "." if sheet.separator in (None, ",") else decimal_sign([(column, True)], "")
        values = numbers(column, sign, "").to_numpy(dtype=np.float64, na_value=np.nan)
    except (BadSource, ValueError, TypeError):
        made.rest.append(f"# not used: {_word(name)} (no numbers)")
        return
    said, rest = _said(name)
    if not {"metric", "dataset", "split"} & set(said):
        made.rest.append(f"# not used: {_word(name)} (its name does not say what it is)")
        return
    largest, notes = np.nanmax(values, initial=0), [f"# ? {rest!r}"] if rest else []
    if said.get("metric") == UNKNOWN:
        notes.append(f"# ? time_s ({UNITS['time_s']}) or total_time_s ({UNITS['total_time_s']})")
    if "metric" not in said:
        said["metric"] = "accuracy" if 1 < largest <= 100 and not rest else UNKNOWN
        notes.append("# ? metric")
    notes += [f"# ? its name says {said[key]}, but {key} is a column" for key in said if key in made.keys]
    if said["metric"] in COSTS and largest > 10_000:
        notes.append(f"# ? up to {largest:.0f}: divide by 10^6 first")
    if said.get("dataset") == "cifar10-valid" and "split" not in said:
        said["split"] = "valid"
        notes.append("# ? split")
    if (said.get("dataset"), said.get("split")) == ("cifar10", "valid"):
        said["dataset"] = "cifar10-valid"
    target = {
        key: said.get(key, UNKNOWN)
        for key in ("dataset", "recipe", "split", "seed", "metric")
        if key not in made.keys
    }
    made.columns.append(f"  {_word(name)}: {_flow(target)}" + "".join(f"  {note}" for note in notes))


def _said(name: str) -> tuple[dict[str, str], str]:
    """Return what a column's name says of its dataset, split, metric, seed and recipe, and what it says besides."""
    rest, said = f"-{_plain(name)}-", dict[str, str]()
    for key, words in (("dataset", _DATASETS), ("split", _SPLITS), ("metric", _METRICS), ("seed", _SEEDS)):
        for word, pattern in words.items():
            cut = re.sub(rf"-(?:{pattern})(?=-)", "", rest, count=1)
            if key not in said and cut != rest:
                said[key], rest = word, cut
    if recipe := re.search(r"-(?:hp|ep?|epochs?)?-?(\d{1,3})(?=-)", rest):
        said["recipe"], rest = recipe[1], rest.replace(recipe[0], "", 1)
    if seed := re.search(r"-seed-?(\d+)(?=-)", rest):
        said["seed"], rest = seed[1], rest.replace(seed[0], "", 1)
    return said, re.sub(rf"-(?:{_UNITS})(?=-)", "", rest).strip("-")


def _plain(name: str) -> str:
    """Return a column's name in lower case with '-' between its words and before its numbers."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return re.sub(r"(val|valid|validation|test|train|acc)(?=\d)", r"\1-", plain)


def _word(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_][\w-]*", text) else json.dumps(text, ensure_ascii=False)


def _flow(entries: dict[str, str]) -> str:
    return "{" + ", ".join(f"{_word(key)}: {_word(value)}" for key, value in entries.items()) + "}"
