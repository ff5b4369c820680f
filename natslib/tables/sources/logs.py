"""Raw logs of our own training: a folder of `*.jsonl` files, one line a run, as `natslib train` writes them."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from natslib.datasets import lacks_split
from natslib.errors import BadSource, shown
from natslib.spaces import Space, get_space
from natslib.tables.format.schema import (
    CURVE_METRICS,
    LABEL_LENGTH,
    RUN_METRICS,
    SEEDS,
    SPLITS,
    Curve,
    Run,
    is_label,
    out_of_range,
)

_KEYS = ("space", "arch_index", "dataset", "recipe", "seed", *RUN_METRICS, "splits")


def read_rawlogs(folder: Path) -> tuple[list[Run], Space, dict[str, Any], list[dict[str, str]]]:
    """Return the runs of a folder, their space, where they come from, and what is damaged.

    A damaged line costs its run alone; it is listed as {'file': '<name>, line <number>', 'reason': ...}. So is
    the later line when two hold the same architecture, dataset, recipe and seed. A last line without a line end
    is a run that was being written when its process died; it is left out. Raises `BadSource` when no line can
    be read, or when the runs are of two spaces.
    """
    logs = _Logs()
    for file in sorted(path for path in folder.glob("*.jsonl") if path.is_file()):
        logs.read(file)
    return (
        [run for run, _ in logs.runs.values()],
        logs.space(folder),
        {"sha256": logs.digests},
        logs.damaged,
    )


@dataclass
class _Logs:
    """What the files read so far hold; a run is kept with the place that it stands at."""

    runs: dict[tuple[int, str, str, int], tuple[Run, str]] = field(default_factory=dict)
    spaces: dict[str, Space] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    damaged: list[dict[str, str]] = field(default_factory=list)

    def read(self, file: Path) -> None:
        try:
            content = file.read_bytes()
        except OSError as error:
            self.damaged.append({"file": file.name, "reason": f"it cannot be read ({error.strerror})"})
            return
        self.digests[file.name] = hashlib.sha256(content).hexdigest()
        for number, line in enumerate(content.split(b"\n")[:-1], start=1):
            if line.strip():
                self.add(f"{file.name}, line {number}", line)

    def add(self, place: str, line: bytes) -> None:
        try:
            space, run = _parse(line)
            key = (run.arch_index, run.dataset, run.recipe, run.seed)
            if key in self.runs:
                raise ValueError(f"the same architecture, dataset, recipe and seed as {self.runs[key][1]}")
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            self.damaged.append({"file": place, "reason": f"not the record of a run ({error!s:.200})"})
        else:
            self.runs[key] = run, place
            self.spaces[space.name] = space

    def space(self, folder: Path) -> Space:
        if not self.spaces:
            first = (
                f"; the first: {self.damaged[0]['file']}: {self.damaged[0]['reason']}" if self.damaged else ""
            )
            raise BadSource(f"{folder}: no finished run in its *.jsonl files{first}")
        if len(self.spaces) > 1:
            raise BadSource(
                f"{folder}: runs of {len(self.spaces)} search spaces; a table holds one, convert them apart"
            )
        return next(iter(self.spaces.values()))


def _parse(line: bytes) -> tuple[Space, Run]:
    record = json.loads(line.decode("utf-8"))
    if not isinstance(record, dict) or not set(_KEYS) <= set(record):
        raise ValueError(f"it needs {', '.join(_KEYS)}")
    for name in ("dataset", "recipe"):
        if not is_label(record[name]):
            raise ValueError(f"{name} {shown(record[name])} is not a name of 1 to {LABEL_LENGTH} characters")
    splits = record["splits"]
    if not isinstance(splits, dict) or "train" not in splits:
        raise ValueError("'splits' needs 'train'")
    if told := next(filter(None, (lacks_split(record["dataset"], split) for split in splits)), ""):
        raise ValueError(told)
    space = get_space(record["space"])
    return space, Run(
        arch_index=_whole(record, "arch_index", len(space)),
        dataset=record["dataset"],
        recipe=record["recipe"],
        seed=_whole(record, "seed", SEEDS),
        **{name: float(_numbers(name, [record[name]])[0]) for name in RUN_METRICS},
        curves={split: _curve(split, columns) for split, columns in splits.items()},
    )


def _whole(record: dict[str, Any], name: str, stop: int) -> int:
    value = record[name]
    if type(value) is not int or not 0 <= value < stop:
        raise ValueError(f"{name} {shown(value)} is not a whole number from 0 to {stop - 1}")
    return value


def _curve(split: str, columns: Any) -> Curve:
    if split not in SPLITS:
        raise ValueError(f"split {shown(split)} is none of {', '.join(SPLITS)}")
    if not isinstance(columns, dict) or not {"epoch", "loss", "accuracy", "time_s"} <= set(columns):
        raise ValueError(f"split {split!r} needs epoch, loss, accuracy and time_s")
    given = {name: columns[name] for name in ("epoch", *CURVE_METRICS) if name in columns}
    if not all(isinstance(column, list) for column in given.values()):
        raise ValueError(f"split {split!r} has a column that is not a list")
    epochs = given.pop("epoch")
    if not epochs or epochs != list(range(len(epochs))) or {len(a) for a in given.values()} != {len(epochs)}:
        raise ValueError(f"split {split!r} has uneven columns or epochs")
    arrays = {name: _numbers(name, column) for name, column in given.items()}
    return Curve(arrays["loss"], arrays["accuracy"], arrays.get("top5"), arrays["time_s"])


def _numbers(name: str, column: list[Any]) -> npt.NDArray[np.float64]:
    """Return JSON numbers as floats, null as NaN; raises `ValueError` or `OverflowError` for anything else."""
    if wrong := set(map(type, column)) - {int, float, type(None)}:
        raise ValueError(f"{name} holds {wrong.pop().__name__} where a number or null belongs")
    values = np.array(column, dtype=np.float64)
    if out_of_range(name, values).any():
        raise ValueError(f"{name} holds a number outside its range")
    return values
