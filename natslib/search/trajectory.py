"""Trajectories: what happened in many runs, as one frame."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.search.simulate import Record


def trajectory_frame(runs: Sequence[int], seeds: Sequence[int], records: Sequence[Record]) -> pd.DataFrame:
    """Return one row an evaluation, run by run in the order of finishing.

    Columns: run, seed (of the run), step (0 first), arch_index, epochs, score, cost_s (of this evaluation), time_s
    (simulated time at which it finished), incumbent (index of the best architecture so far).
    """
    answers = (answer for record in records for answer in record.answers)
    index, epochs, score, cost_s = (np.array(column) for column in zip(*answers, strict=True))
    time_s = np.concatenate([record.time_s for record in records])
    lengths = np.array([len(record.time_s) for record in records])
    return assemble(runs, seeds, lengths, index, epochs, score, cost_s, time_s)


def assemble(
    runs: Sequence[int], seeds: Sequence[int], lengths: npt.NDArray[np.int64], *columns: np.ndarray
) -> pd.DataFrame:
    """Return the frame from its parts: a run, its seed and its length each, and the columns of all runs in a row."""
    index, epochs, score, cost_s, time_s = columns
    number = np.repeat(np.arange(len(lengths)), lengths)
    first = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return pd.DataFrame(
        {
            "run": np.array(runs, dtype=np.int64)[number],
            "seed": np.array(seeds, dtype=np.int64)[number],
            "step": np.arange(len(number)) - first,
            "arch_index": index.astype(np.int64),
            "epochs": epochs.astype(np.int64),
            "score": score.astype(np.float64),
            "cost_s": cost_s.astype(np.float64),
            "time_s": time_s.astype(np.float64),
            "incumbent": index[best_rows(number, epochs, score)],
        }
    )


def best_rows(number: np.ndarray, epochs: np.ndarray, score: np.ndarray) -> npt.NDArray[np.int64]:
    """Return, for every row, the row of the best evaluation so far in its run; `number` ascends from run to run.

    Best is the highest score among the evaluations with the most epochs so far; the earliest where scores tie.
    """
    rows = np.arange(len(score))
    order = np.lexsort((-rows, score, epochs, number))  # later runs rank above all of the earlier ones
    place = np.empty_like(rows)
    place[order] = rows
    return order[np.maximum.accumulate(place)]
