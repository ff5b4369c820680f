"""The records of finished weight-sharing searches, joined to one small file a space. Needs no torch."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from natslib.errors import BadSource
from natslib.files import read_json
from natslib.search.store import DESCRIPTION, read_frame, read_told, write_told

RECORDS, SCORES, STAMP = "run.parquet", "scores.parquet", "stamp.json"
_RECORD = {
    "method": "O",
    "dataset": "O",
    "seed": "i",
    "warm_up": "f",
    "epoch": "i",
    "arch_index": "i",
    "arch": "O",
}
_RECORD |= {"time_s": "f", "diverged": "b"}
_SCORE = {"arch_index": "i", "inside": "b", "accuracy": "f", "loss": "f"}


def join_runs(folders: Sequence[Path], records: Path, scores: Path) -> None:
    """Join the searches of one space: `records` gets a row an epoch, `scores` a row a scored architecture.

    Both have the columns of the single files; the scores also say method, dataset, seed and warm-up. The descriptions
    and the stamps of the searches are kept in each file (`manifest_of`). Raises `BadSource` where one is not finished.
    """
    told = [_Finished(folder) for folder in folders]
    manifest = {
        "searches": [each.description for each in told],
        "stamps": _distinct(each.stamp for each in told),
    }
    _write(records, [each.records() for each in told], manifest)
    _write(scores, [each.scores() for each in told], manifest)


def manifest_of(path: Path) -> dict[str, Any]:
    """Return what a joined file was made of: `searches`, as in each `search.json`, and the distinct `stamps`."""
    wrong = "not a file of joined searches (it does not say which)"
    return read_told(path, {"searches": list, "stamps": list}, wrong)


def read_run(path: Path) -> pd.DataFrame:
    """Return the records of one finished search (see `natslib.weight_sharing.loop`); raises `BadSource`."""
    records = read_frame(path, _RECORD)
    if records.empty:
        raise BadSource(f"{path}: it holds no epoch; remove it and run the search again")
    return records


class _Finished:
    """The folder of one finished search."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.description = read_json(folder / DESCRIPTION, "description of a search")
        self.stamp = read_json(folder / STAMP, "stamp of a search")

    def records(self) -> pd.DataFrame:
        return read_run(self._found(RECORDS))

    def scores(self) -> pd.DataFrame:
        run = self.records().iloc[0]
        named = {name: run[name] for name in ("method", "dataset", "seed", "warm_up")}
        return read_frame(self._found(SCORES), _SCORE).assign(**named)

    def _found(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists():
            raise BadSource(f"{self.folder}: the search is not finished (no {name})")
        return path


def _write(path: Path, frames: list[pd.DataFrame], manifest: dict[str, Any]) -> None:
    table = pa.concat_tables(
        [pa.Table.from_pandas(frame, preserve_index=False) for frame in frames], promote_options="permissive"
    )
    write_told(path, table, manifest)


def _distinct(stamps: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for stamp in stamps:
        if stamp not in found:
            found.append(stamp)
    return found
