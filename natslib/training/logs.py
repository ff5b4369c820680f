"""Raw logs: one JSON line a finished run, appended so that a kill at any moment costs at most what is in training."""

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from natslib.errors import BadSource
from natslib.training.jobs import Job
from natslib.training.loop import LearningCurve

#: Significant digits. A clock gets fewer: it differs by percents between two runs, and digits of noise fill tables.
DIGITS_KEPT, CLOCK_DIGITS = 5, 3


def _numbers(name: str, values: list[float]) -> list[float | None]:
    """Return the values with the digits that are kept of this metric; a value that is not finite becomes null."""
    digits = CLOCK_DIGITS if name.endswith("_s") else DIGITS_KEPT
    return [float(f"{v:.{digits}g}") if math.isfinite(v) else None for v in values]


def split_entry(curve: LearningCurve) -> dict[str, list[float | None]]:
    """Return the columns of one split, one entry an epoch."""
    columns = {"loss": curve.loss, "accuracy": curve.accuracy, "top5": curve.top5, "time_s": curve.time_s}
    return {
        "epoch": list(range(len(curve.loss))),
        **{name: _numbers(name, values) for name, values in columns.items()},
    }


def record(
    job: Job,
    curves: Mapping[str, LearningCurve],
    *,
    params: int,
    flops: int,
    latency_s: float,
    stamp: Mapping[str, object],
) -> dict[str, object]:
    """Return the record of a finished run; a loss that is not finite is null and marks the run as diverged.

    An epoch after which a split was not evaluated has null everywhere; an evaluated one always has an accuracy.
    """
    measured = [pair for curve in curves.values() for pair in zip(curve.loss, curve.accuracy, strict=True)]
    diverged = any(not math.isfinite(loss) for loss, accuracy in measured if not math.isnan(accuracy))
    entry: dict[str, object] = {**job._asdict(), "params_m": params / 1e6, "flops_m": flops / 1e6}
    entry["latency_s"] = _numbers("latency_s", [latency_s])[0]
    entry["splits"] = {name: split_entry(curve) for name, curve in curves.items()}
    entry["stamp"] = dict(stamp)
    return entry | ({"diverged": True} if diverged else {})


def append_lines(path: Path, entries: Sequence[Mapping[str, object]]) -> None:
    """Append records at once and flush them to the disk; on failure the file is cut back to what it was.

    Raises `BadSource` that names the file when the disk is full or cannot be written.
    """
    dumped = [json.dumps(entry, separators=(",", ":"), allow_nan=False) for entry in entries]
    lines = "".join(f"{line}\n" for line in dumped).encode()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    except OSError as error:
        raise BadSource(f"cannot append to {path}: {error}") from error
    size = os.fstat(handle).st_size
    try:
        if os.write(handle, lines) != len(lines):
            raise OSError("only a part was written; is the disk full?")
        os.fsync(handle)
    except OSError as error:
        os.ftruncate(handle, size)
        raise BadSource(f"cannot append to {path}: {error}") from error
    finally:
        os.close(handle)


def drop_torn_line(path: Path) -> None:
    """Cut an unfinished last line off a log; only the owner of the log may do so. Raises `BadSource`."""
    try:
        if path.exists() and not (content := path.read_bytes()).endswith(b"\n"):
            os.truncate(path, content.rfind(b"\n") + 1)
    except OSError as error:
        raise BadSource(f"cannot go on with {path}: {error.strerror}") from error


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of one log, without an unfinished last line; raises `BadSource` that names file and line."""
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise BadSource(f"{path}: cannot be read ({error.strerror})") from error
    for number, line in enumerate(lines, start=1):
        yield parse_record(line, path, number)


def parse_record(line: bytes, path: Path, number: int) -> dict[str, Any]:
    """Return the record in a line of the log `path`; raises `BadSource` that names file and line."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadSource(f"{path}, line {number} is not a JSON record: {error}") from error
    if not _is_record(entry):
        raise BadSource(f"{path}, line {number} is not the record of a run; mend or remove it first")
    return entry


def _is_record(entry: Any) -> bool:
    """Say whether JSON names the run that it is of."""
    if not isinstance(entry, dict) or not isinstance(entry.get("stamp", {}), dict):
        return False
    return all(type(entry.get(name)) is kind for name, kind in Job.__annotations__.items())


def finished_records(folder: Path) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Yield what the logs of a farm's folder hold: each job with its record."""
    for log in sorted(folder.glob("*/*.jsonl")):
        for entry in read_records(log):
            yield Job(*(entry[name] for name in Job._fields)), entry
