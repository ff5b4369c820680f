"""Trajectories on disk: a folder of Parquet parts that can be interrupted and gone on with."""

import hashlib
import inspect
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from natslib.errors import BadSource, ConfigError, shown
from natslib.files import atomic, lock, read_json, write_atomic
from natslib.search.oracle import Answering
from natslib.search.proposals import SearchFunction
from natslib.search.repeat import Runs, repeat, search_function, search_name
from natslib.search.simulate import Protocol, SearchFailed

RUNS_PER_PART = 50
DESCRIPTION = "search.json"
TOLD = b"natslib"
"""The key under which a Parquet file tells of itself."""
DESCRIBED: dict[str, Any] = {
    "algorithm": str,
    "space": str,
    "epochs": list,
    "source": {},
    "protocol": {"budget": (int, float), "unit": str, "overshoot": str, "repeats": str, "workers": int},
    "seed": int,
}
PART = dict.fromkeys(("run", "seed", "step", "arch_index", "epochs", "incumbent"), "i")
PART |= dict.fromkeys(("score", "cost", "spent"), "f")
MEND = "remove it, and the same command makes it again"


def repeat_into(
    folder: str | Path,
    search: str | SearchFunction,
    oracle: Answering,
    protocol: Protocol,
    *,
    runs: int,
    seed: int,
    processes: int = 1,
) -> Runs:
    """As `repeat`, but keep finished runs in `folder` and do only those that are not there yet.

    The folder gets `search.json`, which says what was run, and Parquet parts of up to 50 runs, each written whole or
    not at all. Raises `ConfigError` where the folder holds another search or another process works in it, `BadSource`
    where a part is damaged. Failed runs are not kept: asked for again, they are tried again.
    """
    place = Path(folder)
    if runs < 1:
        raise ConfigError(f"runs={runs} was given; a search needs at least one run")
    protocol.check(oracle)
    with searching_in(place):
        describe_into(place, description(search, oracle, protocol, seed))
        failures = _do_missing(place, search, oracle, protocol, runs=runs, seed=seed, processes=processes)
        if not finished_runs(place):
            raise SearchFailed(f"not one of {runs} runs was finished; the first: {failures[0]}")
        frame = read_runs(place)
    return Runs(frame[frame["run"] < runs].reset_index(drop=True), tuple(failures))


@contextmanager
def searching_in(folder: Path) -> Iterator[None]:
    """Keep every other search out of a folder for as long as the block runs; raises `ConfigError` where one is in."""
    busy = f"another search is writing to {folder}: wait for it or stop it"
    with lock(folder / ".search.lock", busy=busy):
        for suffix in ("parquet", "json", "pt"):
            for cut_short in folder.glob(f".*.{suffix}.[0-9]*.tmp"):  # of a process that was killed
                cut_short.unlink()
        yield


def _do_missing(
    place: Path,
    search: str | SearchFunction,
    oracle: Answering,
    protocol: Protocol,
    *,
    runs: int,
    seed: int,
    processes: int,
) -> list[str]:
    """Do the runs that are not in the folder yet and return the messages of those that fail."""
    missing = sorted(set(range(runs)) - finished_runs(place))
    failures: list[str] = []
    for start in range(0, len(missing), RUNS_PER_PART):
        numbers = missing[start : start + RUNS_PER_PART]
        try:
            part = repeat(search, oracle, protocol, runs=numbers, seed=seed, processes=processes)
        except SearchFailed as all_failed:
            failures.append(str(all_failed))
            continue
        failures += part.failures
        finished = part.frame["run"]  # a part that bore the names of failed runs could take another's place
        name = f"runs-{finished.min():06d}-{finished.max():06d}.parquet"
        write_atomic(place / name, part.frame.to_parquet(index=False))
    return failures


def read_runs(folder: str | Path) -> pd.DataFrame:
    """Return all finished runs of a folder as one frame (see `trajectory_frame`), in order of run and step.

    Raises `BadSource` where there are none, or a part is damaged or holds what another one does.
    """
    parts = sorted(Path(folder).glob("runs-*.parquet"))
    if not parts:
        raise BadSource(f"{folder}: no trajectories here (no runs-*.parquet)")
    frame = pd.concat([read_frame(part, PART) for part in parts], ignore_index=True)
    twice = frame.loc[frame.duplicated(["run", "step"]), "run"]
    if len(twice):
        raise BadSource(f"{folder}: two of its runs-*.parquet hold run {twice.iloc[0]}; remove one of them")
    return frame.sort_values(["run", "step"], kind="stable", ignore_index=True)


def read_frame(path: Path, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Return a Parquet file that a search wrote.

    `kinds`: the columns that it must have, and numpy's letter of what they hold. Raises `BadSource` where it is
    damaged or another.
    """
    try:
        frame = pd.read_parquet(io.BytesIO(path.read_bytes()))  # a path that looks like a URL is a path
    except (OSError, ValueError, TypeError, LookupError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())
        raise BadSource(f"{path}: no readable result of a search ({reason:.200}); {MEND}") from None
    if wrong := [name for name in kinds if name not in frame or frame[name].dtype.kind != kinds[name]]:
        raise BadSource(f"{path}: no result of a search (its column {wrong[0]!r}); {MEND}")
    return frame


def write_told(path: Path, table: pa.Table, told: Mapping[str, Any]) -> None:
    """Write a table as Parquet with what it tells of itself (`read_told`)."""
    named = table.replace_schema_metadata({TOLD: json.dumps(told).encode()})
    with atomic(path) as temporary:
        pq.write_table(named, temporary, compression="zstd", compression_level=19)


def read_told(path: Path, kinds: Mapping[str, type], wrong: str) -> dict[str, Any]:
    """Return what a Parquet file tells of itself; raises `BadSource` ("PATH: `wrong`") unless it has these `kinds`."""
    try:
        told: dict[str, Any] = json.loads((pq.read_schema(path).metadata or {})[TOLD])
        if all(isinstance(told[name], kind) for name, kind in kinds.items()):
            return told
    except (OSError, ValueError, TypeError, LookupError, RecursionError, pa.ArrowException):
        pass
    raise BadSource(f"{path}: {wrong}")


def read_description(folder: str | Path) -> dict[str, Any]:
    """Return what was run: algorithm, its source, space, oracle, protocol and seed. Raises `BadSource`."""
    path = Path(folder) / DESCRIPTION
    told = read_json(path, "description of a search")
    check_shape(told, DESCRIBED, path, "description of a search on a table")
    return told


def check_shape(content: Mapping[str, Any], shape: Mapping[str, Any], path: Path, kind: str) -> None:
    """Raise `BadSource` unless JSON has these keys with values of these types; a mapping stands for an object."""
    for key, wanted in shape.items():
        value = content.get(key)
        if isinstance(wanted, Mapping) and isinstance(value, dict):
            check_shape(value, wanted, path, kind)
        elif isinstance(wanted, Mapping) or not isinstance(value, wanted):
            raise BadSource(f"{path}: no {kind}, its {key!r} is {shown(value)}")


def description(
    search: str | SearchFunction, oracle: Answering, protocol: Protocol, seed: int
) -> dict[str, Any]:
    """Return what determines the trajectories, in JSON's types."""
    function = search_function(search, oracle)
    return {
        "algorithm": search_name(search),
        "algorithm_sha256": source_hash(function),
        "settings": dict(getattr(function, "keywords", {})),
        "space": oracle.space.name,
        "epochs": list(oracle.epochs),
        "split": oracle.split,
        "source": oracle.source,
        "oracle_sha256": oracle.fingerprint,
        "protocol": asdict(protocol) | {"unit": oracle.unit},
        "seed": seed,
    }


def source_hash(function: Any) -> str | None:
    """Return a hash of the source of a function (of a `partial`, of what it wraps), None where there is none."""
    try:
        source = inspect.getsource(inspect.unwrap(getattr(function, "func", function)))
    except (OSError, TypeError):
        return None
    return hashlib.sha256(source.encode()).hexdigest()


def describe_into(folder: Path, wanted: dict[str, Any]) -> None:
    """Write the description; where the folder holds results, compare, and raise `ConfigError` where they differ."""
    if not any(folder.glob("*.parquet")) and not any(folder.glob("*.pt")):
        write_atomic(folder / DESCRIPTION, json.dumps(wanted, indent=1).encode())
        return
    there = read_json(folder / DESCRIPTION, "description of a search")
    different = [key for key in wanted if there.get(key) != wanted[key]]
    if different:
        listed = "; ".join(
            f"{key} is {there.get(key)!r:.80} there, {wanted[key]!r:.80} asked" for key in different
        )
        raise ConfigError(f"{folder} holds the runs of another search ({listed}); choose another folder")


def finished_runs(folder: Path) -> set[int]:
    """Return the numbers of the runs that are kept in the folder."""
    parts = folder.glob("runs-*.parquet")
    return {run for part in parts for run in read_frame(part, PART)["run"].unique().tolist()}


def run_folder(
    base: str | Path,
    search: str | SearchFunction,
    oracle: Answering,
    protocol: Protocol,
    *,
    runs: int,
    seed: int,
) -> Path:
    """Return a folder below `base` for exactly these runs: change the function or anything else, and it is another."""
    told = description(search, oracle, protocol, seed) | {"runs": runs}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    return Path(base) / f"{told['algorithm']}-{digest[:12]}"


def kept_runs(
    base: Path,
    search: str | SearchFunction,
    oracle: Answering,
    protocol: Protocol,
    *,
    runs: int,
    seed: int,
) -> pd.DataFrame | None:
    """Return what `repeat` would, where `repeat_into` kept all of it in `run_folder(base, ...)`; None elsewhere."""
    folder = run_folder(base, search, oracle, protocol, runs=runs, seed=seed)
    if not folder.is_dir() or finished_runs(folder) != set(range(runs)):
        return None
    return read_runs(folder)
