"""A search by removals written down evaluation by evaluation; killed, the same call goes on after the last one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from natslib.errors import ConfigError
from natslib.files import lock
from natslib.search.algorithms.autoshrink import descend
from natslib.search.proposals import Result, Search, evaluate
from natslib.search.store import read_frame, read_told, write_told
from natslib.spaces import Code, CodeArray

COLUMNS = {"cell": "O", "parent": "O", "step": "i", "edges": "i", "again": "b", "seed": "i", "score": "f"}
"""The columns of every record, and numpy's letter of what they hold."""

Row = dict[str, Any]
Measure = Callable[[Code, int], Mapping[str, Any]]
Report = Callable[[int, Row], object]


@dataclass
class Descent:
    """One way down from a complete cell, at each step to the best of `candidates` removals, to `keep` edges.

    `measure` returns what is to be kept of a cell and the seed of its training, in plain values; `score` of it is
    maximised. At the end the start and what each step kept are trained `again`, once a seed: the best of several
    candidates is best by luck too, and its own score tells nothing of that.
    """

    start: Code
    removals: Callable[[Code], CodeArray]
    measure: Measure
    candidates: int
    keep: int
    seed: int
    again: Sequence[int]
    kept: list[Code] = field(default_factory=list)
    _fresh: bool = False
    _step: int = 0

    def search(self, rng: np.random.Generator) -> Search:
        """Ask for one cell after another; `row` says what is asked for."""
        yield from descend(
            self.start, self._removals, _scores, rng, candidates=self.candidates, keep=self.keep
        )
        self._fresh = True
        for seed in self.again:
            for step, code in enumerate(self.kept):
                self.seed, self._step = seed, step
                yield from evaluate([code])

    def row(self, code: Code, measured: bool) -> Row:
        """Return the row of the cell that was asked for last; without what is measured where that is known."""
        step = self._step if self._fresh else len(self.kept)
        parent = self.kept[max(step - 1, 0)]
        told = {"cell": text_of(code), "parent": text_of(parent), "step": step, "edges": sum(code)}
        told |= {"again": self._fresh, "seed": self.seed}
        return told | dict(self.measure(code, self.seed)) if measured else told

    def _removals(self, code: Code) -> CodeArray:
        self.kept.append(code)
        return self.removals(code)


def record(
    descent: Descent,
    rng: np.random.Generator,
    path: Path,
    *,
    settings: Mapping[str, Any],
    stamp: Mapping[str, Any],
    report: Report = lambda number, row: None,
) -> pd.DataFrame:
    """Go the whole way down and return a row an evaluation, kept in `path`; what that holds is not measured again.

    Columns: those of `COLUMNS` (`step` counts what was removed before, 0 is the start) and what is measured. Raises
    `ConfigError` where the file is of other settings, another process writes it, or its rows are not what this search
    asks for; `BadSource` where it is damaged. `stamp` is kept with it, and `report` told of each new row.
    """
    manifest = {"settings": dict(settings), "stamp": dict(stamp)}
    with lock(path.with_name(f".{path.name}.lock"), busy=f"another search writes {path}: wait or stop it"):
        rows = _begun(path, settings)
        search, answer, number = descent.search(rng), None, 0
        while True:
            try:
                code: Any = search.send(answer)
            except StopIteration:
                return pd.DataFrame(rows)
            asked = descent.row(code, measured=number == len(rows))
            if number == len(rows):
                rows.append(asked)
                write_told(path, pa.Table.from_pandas(pd.DataFrame(rows), preserve_index=False), manifest)
                report(len(rows), asked)
            elif asked != {name: rows[number][name] for name in asked}:
                raise ConfigError(
                    f"{path}, row {number + 1} is {rows[number]['cell']}, and this search asks for {asked['cell']}: "
                    "choose another file"
                )
            answer = Result(code, float(rows[number]["score"]), 0)
            number += 1


def read_record(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the rows of a record, and what it says of how was searched: `settings`, `stamp`. Raises `BadSource`."""
    frame = read_frame(path, COLUMNS)
    wrong = "not the record of a search (it does not say of which)"
    return frame, read_told(path, {"settings": dict, "stamp": dict}, wrong)


def text_of(code: Sequence[int]) -> str:
    """Return a code as digits, "1011"."""
    return "".join(map(str, code))


def _scores(seen: list[Result]) -> npt.NDArray[np.float64]:
    return np.array([result.score for result in seen])


def _begun(path: Path, settings: Mapping[str, Any]) -> list[Row]:
    if not path.exists():
        return []
    frame, told = read_record(path)
    for name, value in settings.items():
        if (found := told["settings"].get(name)) != value:
            raise ConfigError(
                f"{path} is of a search with {name} {found!r}, and {value!r} was asked: choose another"
            )
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
