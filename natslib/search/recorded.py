"""Runs that were recorded, for searches that compute long: a small file keeps what they asked for, the table answers.

`python -m natslib.workflow.record RUNS FILE` records what `natslib search --out RUNS` has done.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from natslib.errors import BadSource, ConfigError
from natslib.search.leaderboard import trajectories_hash
from natslib.search.oracle import Oracle
from natslib.search.proposals import Trial
from natslib.search.simulate import Protocol, run_named, run_seed
from natslib.search.store import (
    description,
    read_description,
    read_frame,
    read_runs,
    read_told,
    write_told,
)
from natslib.search.trajectory import trajectory_frame

ASKED = dict.fromkeys(("run", "arch_index", "epochs"), "i")


def record_runs(runs: Path, file: Path) -> None:
    """Record the runs that a folder holds (`natslib.search.store`) in a Parquet file.

    Raises `BadSource` where the folder holds none, and `ConfigError` for several simulated workers, whose evaluations
    finish in another order than they were asked for.
    """
    told, frame = read_description(runs), read_runs(runs)
    if told["protocol"]["workers"] > 1:
        raise ConfigError(
            f"{runs} was run with {told['protocol']['workers']} workers; runs of one can be recorded"
        )
    manifest = {"search": told, "trajectories_sha256": trajectories_hash(frame)}
    table = pa.Table.from_pandas(frame[list(ASKED)].astype("int32"), preserve_index=False)
    write_told(file, table, manifest)


def recorded_runs(
    folder: Path, search: str, oracle: Oracle, protocol: Protocol, *, runs: int, seed: int
) -> pd.DataFrame | None:
    """Return what `repeat` would, from a file in `folder`; None where none holds so many runs of just this search.

    Just this is the same function, table, protocol and seed. Raises `BadSource` for a damaged file.
    """
    wanted = json.loads(json.dumps(description(search, oracle, protocol, seed)))
    for file in sorted(folder.glob("*.parquet")):
        told = manifest_of(file)
        if told["search"] == wanted:
            frame = replay(file, search, oracle, protocol, seed=seed)
            if trajectories_hash(frame) != told["trajectories_sha256"]:
                raise BadSource(
                    f"{file}: its runs are not those that were recorded; remove it, or record them again"
                )
            if frame["run"].nunique() >= runs:
                return frame[frame["run"] < runs].reset_index(drop=True)
    return None


def manifest_of(file: Path) -> dict[str, Any]:
    """Return what a file says of its runs: `search`, as in `search.json`, and `trajectories_sha256`."""
    wrong = "no recorded runs of a search (it does not say which); remove it"
    return read_told(file, {"search": dict, "trajectories_sha256": str}, wrong)


def replay(file: Path, name: str, oracle: Oracle, protocol: Protocol, *, seed: int) -> pd.DataFrame:
    """Return the trajectories: every architecture asked for again, answered with the run's own draws."""
    frame = read_frame(file, ASKED)
    runs = frame["run"].unique().tolist()
    seeds = [run_seed(seed, run) for run in runs]
    records = [
        run_named(name, run, _asking(frame[frame["run"] == run]), oracle, protocol, run_seed(seed, run))
        for run in runs
    ]
    return trajectory_frame(runs, seeds, records)


def _asking(asked: pd.DataFrame) -> Any:
    """Return the search that asks for these architectures, whatever it hears."""

    def ask(*_: Any) -> Iterator[Any]:
        for index, epochs in zip(asked["arch_index"].tolist(), asked["epochs"].tolist(), strict=True):
            yield Trial(index, epochs)

    return ask
