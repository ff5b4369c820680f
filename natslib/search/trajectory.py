"""Trajectories: what happened in many runs, as one frame."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.search.simulate import Record


def trajectory_frame(runs: Sequence[int], seeds: Sequence[int], records: Sequence[Record]) -> pd.DataFrame:
    """Return one row an evaluation, run by run in the order of finishing.

    Columns: run, seed (of the run), step (0 first), arch_index, epochs, score, cost (of this evaluation), spent
    (what of the budget was used up when it finished), incumbent (index of the best architecture so far).
    """
    evaluations = (each for record in records for each in record.evaluations)
    index, epochs, score, cost = (np.array(column) for column in zip(*evaluations, strict=True))
    spent = np.concatenate([record.spent for record in records])
    lengths = np.array([len(record.spent) for record in records])
    return assemble(runs, seeds, lengths, index, epochs, score, cost, spent)


def assemble(
    runs: Sequence[int], seeds: Sequence[int], lengths: npt.NDArray[np.int64], *columns: np.ndarray
) -> pd.DataFrame:
    """Return the frame from its parts: a run, its seed and its length each, and the columns of all runs in a row."""
    index, epochs, score, cost, spent = columns
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
            "cost": cost.astype(np.float64),
            "spent": spent.astype(np.float64),
            "incumbent": index[best_rows(number, epochs, score)],
        }
    )


def best_rows(number: np.ndarray, epochs: np.ndarray, score: np.ndarray) -> npt.NDArray[np.int64]:
    """Return, for every row, the row of the best evaluation so far in its run; `number` ascends from run to run.

    Best is the highest score among the evaluations with the most epochs so far; the earliest where scores tie. The
    BOHB of NATS-Bench takes the highest after any number of epochs: in the end the same (none of 600 runs differed).
    """
    rows = np.arange(len(score))
    order = np.lexsort((-rows, score, epochs, number))  # later runs rank above all of the earlier ones
    place = np.empty_like(rows)
    place[order] = rows
    return order[np.maximum.accumulate(place)]
