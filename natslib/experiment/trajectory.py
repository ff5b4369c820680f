"""Trajectories: what happened in many runs, as one frame."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.experiment.oracle import Answer
from natslib.experiment.protocol import Record


def trajectory_frame(runs: Sequence[int], seeds: Sequence[int], records: Sequence[Record]) -> pd.DataFrame:
    """Return one row an evaluation, run by run in the order of finishing.

    Columns: run, seed (of the run), step (0 first), arch_index, epochs, score, cost_s (of this evaluation), time_s
    (simulated time at which it finished), incumbent (index of the best architecture so far).
    """
    lengths = [len(record.time_s) for record in records]
    index, epochs, score, cost_s = zip(
        *(answer for record in records for answer in record.answers), strict=True
    )
    return pd.DataFrame(
        {
            "run": np.repeat(np.array(runs, dtype=np.int64), lengths),
            "seed": np.repeat(np.array(seeds, dtype=np.int64), lengths),
            "step": np.concatenate([np.arange(length) for length in lengths]),
            "arch_index": np.array(index, dtype=np.int64),
            "epochs": np.array(epochs, dtype=np.int64),
            "score": np.array(score, dtype=np.float64),
            "cost_s": np.array(cost_s, dtype=np.float64),
            "time_s": np.concatenate([record.time_s for record in records]),
            "incumbent": np.concatenate([incumbents(record.answers) for record in records]),
        }
    )


def incumbents(answers: Sequence[Answer]) -> npt.NDArray[np.int64]:
    """Return the index of the best architecture after each evaluation.

    Best is the highest score among the evaluations with the most epochs so far; the earliest where scores tie.
    """
    index, epochs, score, _ = zip(*answers, strict=True)
    steps = np.arange(len(answers))
    order = np.lexsort((-steps, score, epochs))
    place = np.empty_like(steps)
    place[order] = steps
    best = order[np.maximum.accumulate(place)]
    return np.array(index, dtype=np.int64)[best]
