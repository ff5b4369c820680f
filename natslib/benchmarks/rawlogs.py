"""Raw logs of our own training: a folder of `*.jsonl` files, one line a run, as `natslib train` writes them."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from natslib.benchmarks.schema import CURVE_METRICS, SPLITS, Curve, Run
from natslib.errors import BadSource
from natslib.spaces import Space, get_space


def read_rawlogs(folder: Path) -> tuple[Iterator[Run], Space, dict[str, Any]]:
    """Return the runs of a folder, their space and where they come from; raises `BadSource` naming file and line.

    A last line without a line end is a run that was being written when its process died; it is left out.
    """
    files = sorted(folder.glob("*.jsonl"))
    lines = [
        (file, number, line) for file in files for number, line in enumerate(_whole_lines(file), start=1)
    ]
    if not lines:
        raise BadSource(f"{folder}: no finished run in its *.jsonl files")
    names = {_parse(*line)["space"] for line in lines}
    if len(names) > 1:
        raise BadSource(
            f"{folder}: runs of {len(names)} search spaces; a table holds one, convert them apart"
        )
    space = get_space(names.pop())
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    return (_run(_parse(*line), *line[:2]) for line in lines), space, {"name": folder.name, "sha256": digests}


def _whole_lines(file: Path) -> list[str]:
    text = file.read_text(encoding="utf-8", errors="replace")
    return [line for line in text[: text.rfind("\n") + 1].split("\n") if line]


def _parse(file: Path, number: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
        record["space"], record["splits"]["train"], record["arch_index"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadSource(f"{file}, line {number}: not the record of a run ({error!r:.120})") from None
    return record


def _run(record: dict[str, Any], file: Path, number: int) -> Run:
    try:
        return Run(
            arch_index=int(record["arch_index"]),
            dataset=str(record["dataset"]),
            budget=str(record["budget"]),
            seed=int(record["seed"]),
            params_m=_number(record["params_m"]),
            flops_m=_number(record["flops_m"]),
            latency_s=_number(record["latency_s"]),
            curves={split: _curve(split, columns) for split, columns in record["splits"].items()},
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BadSource(f"{file}, line {number}: damaged run ({error!r:.120})") from None


def _curve(split: str, columns: dict[str, list[float | None]]) -> Curve:
    arrays = {name: np.array(columns[name], dtype=np.float64) for name in CURVE_METRICS if name in columns}
    epochs = columns["epoch"]
    if (
        split not in SPLITS
        or epochs != list(range(len(epochs)))
        or {len(a) for a in arrays.values()} != {len(epochs)}
    ):
        raise ValueError(f"split {split!r} has uneven columns or epochs")
    return Curve(arrays["loss"], arrays["accuracy"], arrays.get("top5"), arrays["time_s"])


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
