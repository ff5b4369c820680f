"""The official archives of NATS-Bench: from the records of one architecture to runs.

An archive comes as a directory (`…-simple`, `…-full`), as the downloaded `.tar` of it, or as one
`.pickle.pbz2` (`wholefile`). A record is the official dict of one architecture: recipe -> results of every
(dataset, seed).
"""

import functools
import itertools
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from natslib.datasets import get_dataset
from natslib.errors import BadSource, NatslibError, UnknownArchitecture, shown
from natslib.spaces import SPACES, TOPOLOGY, Scale, Space
from natslib.spaces.size import CELL
from natslib.tables.format.schema import MAX_EPOCHS, Curve, Run
from natslib.tables.sources.tar import read_tar
from natslib.tables.sources.unpickle import MAX_BYTES, decompress, loads

PACKED = ".pickle.pbz2"
_DAMAGE = (
    NatslibError,
    ArithmeticError,
    AttributeError,
    IndexError,
    KeyError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True)
class Item:
    """Where the record of one architecture lies: `size` bytes at `offset` of the file `path`, and when that changed."""

    index: int
    name: str
    path: str
    offset: int
    size: int
    changed_ns: int

    def read(self) -> bytes:
        """Return the packed bytes; raises `BadSource` when the file is gone, shorter than it was, or too large."""
        if self.size > MAX_BYTES:
            raise BadSource(f"{self.size:,} bytes, more than any official record")
        try:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                data = file.read(self.size)
        except OSError as error:
            raise BadSource(f"it cannot be read ({error.strerror})") from None
        if len(data) != self.size:
            raise BadSource(f"{len(data):,} bytes where {self.size:,} were expected")
        return data


def list_items(source: Path) -> tuple[list[Item], list[dict[str, str]]]:
    """Return the records of an archive directory or tar by ascending index, and what of a tar is damaged.

    Raises `BadSource` where there is no record, where two claim to be one architecture, and for an unsafe tar.
    """
    damage = ""
    try:
        if source.is_dir():
            found = list(_directory_files(source))
        else:
            members, damage = read_tar(source)
            changed = source.stat().st_mtime_ns
            found = [(name, str(source), offset, size, changed) for name, offset, size in members]
    except OSError as error:
        raise BadSource(f"{source}: cannot be read ({error.strerror})") from None
    items = _by_index(source, found)
    if not items:
        reason = f"; {damage}" if damage else ""
        raise BadSource(f"{source}: no record named like 000000.pickle.pbz2 in it{reason}")
    damaged = [{"file": source.name, "reason": f"{damage}; {len(items):,} records read, the rest not"}]
    return items, damaged if damage else []


def _by_index(source: Path, found: list[tuple[str, str, int, int, int]]) -> list[Item]:
    items: dict[int, Item] = {}
    for name, path, offset, size, changed_ns in found:
        number = name.removesuffix(PACKED)
        if len(number) == len(name) or not number.isdecimal() or len(number.lstrip("0")) > 6:
            continue
        item = Item(int(number), name, path, offset, size, changed_ns)
        if item.index in items:
            raise BadSource(
                f"{source}: both {items[item.index].name} and {name} claim to be architecture {item.index}"
            )
        items[item.index] = item
    return [items[index] for index in sorted(items)]


def _directory_files(source: Path) -> Iterator[tuple[str, str, int, int, int]]:
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.is_file():
                told = entry.stat()
                yield entry.name, entry.path, 0, told.st_size, told.st_mtime_ns


def read_record(item: Item) -> dict[str, Any]:
    """Return the official dict of one architecture; raises `BadSource`."""
    return check_record(loads(decompress(item.read())))


def check_record(record: Any) -> dict[str, Any]:
    """Return `record` if it has the shape recipe -> {'arch_index', 'arch_str', 'all_results'}; raises `BadSource`."""
    ok = isinstance(record, dict) and record and all(isinstance(recipe, str) for recipe in record)
    for part in record.values() if ok else ():
        ok = ok and isinstance(part, dict) and isinstance(part.get("all_results"), dict)
    if not ok:
        raise BadSource("not the record of one architecture (recipe -> results)")
    return record


def space_of(record: dict[str, Any]) -> Space:
    """Return the search space whose string the record carries; raises `BadSource`."""
    string = next(iter(record.values())).get("arch_str")
    for space in SPACES.values():
        try:
            space.index(string if isinstance(string, str) else "")
        except UnknownArchitecture:
            continue
        return space
    raise BadSource(f"its architecture {shown(string)} belongs to no known search space")


def runs_of(record: dict[str, Any], space: Space, index: int) -> Iterator[Run]:
    """Yield every run of a record; raises `BadSource` when it is not the record of architecture `index`."""
    if index >= len(space):
        raise BadSource(f"the {space.title} space has no architecture {index}")
    for recipe, part in record.items():
        claimed, string = part.get("arch_index"), part.get("arch_str")
        if type(claimed) is not int or claimed != index or string != space.string(index):
            raise BadSource(
                f"it holds architecture {shown(claimed)} {shown(string)}, not {index} of {space.title}"
            )
        for key, trial in part["all_results"].items():
            try:
                dataset, seed = key
                yield _run(trial, index, dataset, recipe, seed)
            except _DAMAGE as error:
                names = " ".join(map(shown, key)) if isinstance(key, tuple) and len(key) == 2 else shown(key)
                reason = f"{type(error).__name__}: {error!s:.100}"
                raise BadSource(f"the run {names} at recipe {recipe[:20]!r} is damaged ({reason})") from None


def _run(trial: dict[str, Any], index: int, dataset: str, recipe: str, seed: int) -> Run:
    epochs = trial["epochs"]
    if type(epochs) is not int or not 0 < epochs <= MAX_EPOCHS:
        raise ValueError(f"{shown(epochs)} epochs")
    train = Curve(
        loss=_by_epoch(trial["train_losses"], epochs),
        accuracy=_by_epoch(trial["train_acc1es"], epochs),
        top5=None if trial["train_acc5es"] is None else _by_epoch(trial["train_acc5es"], epochs),
        time_s=_collapse(_by_epoch(trial["train_times"], epochs)),
    )
    losses, accuracies, times = (
        _by_set(trial[f"eval_{what}"], epochs) for what in ("losses", "acc1es", "times")
    )
    curves = {"train": train}
    for name, accuracy in accuracies.items():
        curves[split_name(name, dataset)] = Curve(losses[name], accuracy, None, _collapse(times[name]))
    latency = trial["latency"]
    return Run(
        arch_index=index,
        dataset=dataset,
        recipe=recipe,
        seed=seed,
        params_m=float(_numbers([trial["params"]])[0]),
        flops_m=float(_numbers([trial["flop"]])[0]),
        latency_s=sum(_numbers(latency).tolist()) / len(latency) if latency else float("nan"),
        curves=curves,
    )


def split_name(evaluated_on: str, dataset: str) -> str:
    """Return our name of an official evaluation set: `ori-test` is the test set, or test and validation set."""
    whole = "valtest" if "valtest" in get_dataset(dataset).images else "test"
    return {"x-valid": "valid", "x-test": "test", "ori-test": whole}[evaluated_on]


def evaluation_sets(dataset: str) -> dict[str, str]:
    """Return our split for each evaluation set that official records of a dataset name, in the order of most of them.

    CIFAR-10 is tested on the original test set alone; of others, and of anybody's own, that set is both halves.
    """
    if dataset == "cifar10":
        return {"ori-test": "test"}
    if dataset == "cifar10-valid":
        return {"x-valid": "valid", "ori-test": "test"}
    return {"x-valid": "valid", "x-test": "test", "ori-test": "valtest"}


def arch_config(space: Space, arch_str: str, classes: int | None, scale: Scale) -> dict[str, Any]:
    """Return the official description of a network of one of the two official spaces."""
    if space is TOPOLOGY:
        return {
            "channel": scale.channels,
            "num_cells": scale.cells,
            "arch_str": arch_str,
            "class_num": classes,
        }
    named = {"name": "infer.shape.tiny", "channels": arch_str, "arch_str": arch_str}
    return named | {"genotype": TOPOLOGY.string(CELL), "class_num": classes}


def _by_epoch(values: dict[int, float], epochs: int) -> np.ndarray:
    if len(values) != epochs or tuple(values) != _epoch_keys(epochs):
        raise ValueError(f"values for {len(values)} epochs of {epochs}")
    return _numbers(values.values())


def _numbers(values: Collection[Any]) -> np.ndarray:
    """Return them as float64; numpy would also take text, truth values and None."""
    if wrong := set(map(type, values)) - {float, int}:
        raise TypeError(f"{wrong.pop().__name__} where a number belongs")
    return np.fromiter(values, np.float64, len(values))


@functools.lru_cache(maxsize=16)
def _epoch_keys(epochs: int) -> tuple[int, ...]:
    return tuple(range(epochs))


def _by_set(values: dict[str, float], epochs: int) -> dict[str, np.ndarray]:
    """Return an array of shape (epochs,) for each set of a dict with keys `<set>@<epoch>`; NaN where absent."""
    flat = _numbers(values.values())
    curves, start = {}, 0
    for name, at in _layout("\n".join(values)):
        part = flat[start : start + len(at)]
        start += len(at)
        if at[-1] >= epochs:
            raise ValueError(f"epoch {at[-1]} of {epochs}")
        if len(at) < epochs:
            part, recorded = np.full(epochs, np.nan), part
            part[at] = recorded
        curves[name] = part
    return curves


@functools.lru_cache(maxsize=64)
def _layout(keys: str) -> tuple[tuple[str, np.ndarray], ...]:
    """Return for each evaluation set, in the order of the keys (one a line), the epochs of its consecutive keys."""
    epochs: dict[str, list[int]] = {}
    for key in keys.split("\n"):
        name, epoch = key.split("@")
        if name not in epochs or next(reversed(epochs)) == name:
            epochs.setdefault(name, []).append(int(epoch))
        else:
            raise ValueError(f"the keys of {name!r} are scattered")
    if any(at[0] < 0 or any(a >= b for a, b in itertools.pairwise(at)) for at in epochs.values()):
        raise ValueError("the epochs of a set do not ascend from 0")
    return tuple((name, np.array(at)) for name, at in epochs.items())


def _collapse(time_s: np.ndarray) -> np.ndarray:
    """Return a single value where the same time is stored for every epoch."""
    same = time_s[1:].tobytes() == time_s[:-1].tobytes()  # ten times faster than comparing arrays this small
    return time_s[:1] if same else time_s
