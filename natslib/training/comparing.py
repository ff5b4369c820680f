"""Many trials of objectives: killed at any moment, the same call goes on after the last finished one."""

import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from natslib.errors import BadSource
from natslib.files import lock, write_atomic
from natslib.training.logs import append_lines, drop_torn_line
from natslib.training.trials import Trial, TrialData, run_trial

LOG, FRAME = "trials.jsonl", "trials.parquet"


def planned(
    datasets: Sequence[str],
    objectives: Sequence[str],
    *,
    network: str,
    draws: int,
    seeds: Sequence[int],
    steps: int,
) -> list[Trial]:
    """Return all trials, every beginning of which compares all objectives: the draws of all before the next draw."""
    return [
        Trial(dataset, network, objective, draw, seed, steps)
        for draw, seed, dataset, objective in product(range(draws), seeds, datasets, objectives)
    ]


def compare(
    trials: Sequence[Trial],
    folder: Path,
    images: Callable[[str], TrialData],
    report: Callable[[int, int, Trial], object],
) -> pd.DataFrame:
    """Run the trials that `folder` does not hold yet; return all of them, one a row, and keep them as Parquet there.

    Columns: those of `Trial`, `numbers` (JSON) and those of `run_trial`. `images` returns those of a dataset; `report`
    is told how many of how many are done, and which was the last. Raises `ConfigError` while another process works in
    the folder, `BadSource` for a log that is damaged or cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log, loaded = folder / LOG, cache(images)
    with lock(folder / ".lock", busy=f"another comparison is writing to {folder}: wait or stop it"):
        drop_torn_line(log)
        done = {_trial(entry): entry for entry in _entries(log)}
        for trial in trials:
            if trial not in done:
                done[trial] = run_trial(trial, loaded(trial.dataset))
                append_lines(log, [done[trial]])
                report(sum(one in done for one in trials), len(trials), trial)
        frame = pd.DataFrame(
            [{**done[trial], "numbers": json.dumps(done[trial]["numbers"])} for trial in trials]
        )
        write_atomic(folder / FRAME, frame.to_parquet(index=False))
    return frame


def _entries(log: Path) -> list[dict[str, Any]]:
    """Return the finished trials of a log."""
    try:
        return [json.loads(line) for line in log.read_bytes().splitlines()] if log.exists() else []
    except ValueError as error:
        raise BadSource(f"{log} is damaged ({error}); mend or remove it") from error


def _trial(entry: dict[str, Any]) -> Trial:
    return Trial(**{field.name: entry[field.name] for field in fields(Trial)})
