"""Trajectories on disk: a folder of Parquet parts that can be interrupted and gone on with."""

import hashlib
import inspect
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from natslib.errors import BadSource, ConfigError
from natslib.files import read_json, write_atomic
from natslib.search.oracle import Oracle
from natslib.search.proposals import SearchFunction
from natslib.search.repeat import Runs, repeat, search_function, search_name
from natslib.search.simulate import Protocol, SearchFailed

RUNS_PER_PART = 50
DESCRIPTION = "search.json"


def repeat_into(
    folder: str | Path,
    search: str | SearchFunction,
    oracle: Oracle,
    protocol: Protocol,
    *,
    runs: int,
    seed: int,
    processes: int = 1,
) -> Runs:
    """As `repeat`, but keep finished runs in `folder` and do only those that are not there yet.

    The folder gets `search.json`, which says what was run, and Parquet parts of up to 50 runs, each written whole or
    not at all. Raises `ConfigError` where the folder holds another search. Failed runs are not kept: asked for again,
    they are tried again.
    """
    place = Path(folder)
    if runs < 1:
        raise ConfigError(f"runs={runs} was given; a search needs at least one run")
    protocol.check(oracle)
    described = description(search, oracle, protocol, seed)
    describe_into(place, described, begun=bool(finished_runs(place)))
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
        name = f"runs-{numbers[0]:06d}-{numbers[-1]:06d}.parquet"
        write_atomic(place / name, part.frame.to_parquet(index=False))
    if not finished_runs(place):
        raise SearchFailed(f"not one of {runs} runs was finished; the first: {failures[0]}")
    frame = read_runs(place)
    return Runs(frame[frame["run"] < runs].reset_index(drop=True), tuple(failures))


def read_runs(folder: str | Path) -> pd.DataFrame:
    """Return all finished runs of a folder as one frame (see `trajectory_frame`), in order of run and step."""
    parts = sorted(Path(folder).glob("runs-*.parquet"))
    if not parts:
        raise BadSource(f"{folder}: no trajectories here (no runs-*.parquet)")
    frame = pd.concat([pd.read_parquet(part) for part in parts], ignore_index=True)
    return frame.sort_values(["run", "step"], kind="stable", ignore_index=True)


def read_description(folder: str | Path) -> dict[str, Any]:
    """Return what was run: algorithm, its source, space, oracle, protocol and seed. Raises `BadSource`."""
    return read_json(Path(folder) / DESCRIPTION, "description of a search")


def description(
    search: str | SearchFunction, oracle: Oracle, protocol: Protocol, seed: int
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


def describe_into(folder: Path, wanted: dict[str, Any], *, begun: bool) -> None:
    """Write the description, or compare with that of what was `begun` there; raises `ConfigError` where they differ."""
    folder.mkdir(parents=True, exist_ok=True)
    if not begun:
        write_atomic(folder / DESCRIPTION, json.dumps(wanted, indent=1).encode())
        return
    there = read_description(folder)
    different = [key for key in wanted if there.get(key) != wanted[key]]
    if different:
        listed = "; ".join(f"{key} is {there.get(key)!r} there, {wanted[key]!r} asked" for key in different)
        raise ConfigError(f"{folder} holds the runs of another search ({listed}); choose another folder")


def finished_runs(folder: Path) -> set[int]:
    """Return the numbers of the runs that are kept in the folder."""
    parts = folder.glob("runs-*.parquet")
    return {run for part in parts for run in pd.read_parquet(part, columns=["run"])["run"].unique().tolist()}


def run_folder(
    base: str | Path,
    search: str | SearchFunction,
    oracle: Oracle,
    protocol: Protocol,
    *,
    runs: int,
    seed: int,
) -> Path:
    """Return a folder below `base` for exactly these runs: change the function or anything else, and it is another."""
    told = description(search, oracle, protocol, seed) | {"runs": runs}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    return Path(base) / f"{told['algorithm']}-{digest[:12]}"
