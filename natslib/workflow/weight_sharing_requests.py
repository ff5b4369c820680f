"""What a notebook of weight-sharing searches is asked for; see `requests`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from natslib.errors import unknown_name
from natslib.weight_sharing import METHODS
from natslib.weight_sharing.records import manifest_of
from natslib.workflow.paths import from_root
from natslib.workflow.requests import Request, TableRequest


@dataclass(frozen=True)
class SharedRequest(Request):
    """Searches on `dataset` whose joined records are in the folder `searches`, and two kinds of tables to look them up.

    `methods`: those to show, a list with commas. `table`: "published" or the folder that `natslib convert` wrote.
    `own`: the folder of the tables of our own benchmark, `embedded-tss` and `embedded-sss`, as far as they are there.
    """

    table: str
    searches: str
    dataset: str
    own: str
    methods: str

    def __post_init__(self) -> None:
        super().__post_init__()
        _search_names(self.methods)

    source = TableRequest.source

    def records(self, space: str) -> Path:
        """Return the file of the records of a space, a row an epoch."""
        return from_root(self.searches) / f"{space}-{self.dataset}.parquet"

    def read_records(self, space: str) -> pd.DataFrame:
        """Return the records of the asked searches of a space."""
        return _rows_of(self.records(space), self.methods)

    def read_scores(self, space: str) -> pd.DataFrame:
        """Return the scores that the supernets of the asked searches gave."""
        return _rows_of(self.scores(space), self.methods)

    def scores(self, space: str) -> Path:
        """Return the file of the scores that the supernets of a space gave."""
        return from_root(self.searches) / f"{space}-{self.dataset}-scores.parquet"

    def own_table(self, space: str) -> Path | None:
        """Return the folder of our own table of a space; None where there is none yet."""
        folder = from_root(self.own) / f"embedded-{space}"
        return folder if folder.is_dir() else None

    def provenance(self, manifest: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As of every request, with the files of records, their hashes and where they were made."""
        files = [path for space in ("tss", "sss") for path in (self.records(space), self.scores(space))]
        hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
        stamps = {path.name: manifest_of(path)["stamps"] for path in files}
        return super().provenance(manifest) | {"searches": {"sha256": hashes, "stamps": stamps}}


@dataclass(frozen=True)
class EpochsRequest(SharedRequest):
    """The current architectures of the searches over their epochs."""

    figure_epochs: str


@dataclass(frozen=True)
class SharedTableRequest(SharedRequest):
    """The weight-sharing half of Table 4."""

    figure_table4: str


@dataclass(frozen=True)
class WrongRequest(SharedRequest):
    """What goes wrong: operations over the epochs, magnitude against masking, and the supernets' ranks.

    `masking`: the searches, a list with commas, of which magnitude and masking are compared.
    """

    masking: str
    figure_operations: str
    figure_magnitudes: str
    figure_ranks: str

    def __post_init__(self) -> None:
        super().__post_init__()
        _search_names(self.masking)

    def read_masked(self) -> pd.DataFrame:
        """Return the records of the searches that mask operations."""
        return _rows_of(self.records("tss"), self.masking)


def _search_names(text: str) -> list[str]:
    """Return the searches of a list with commas; raises `UnknownName` for one that is none."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in METHODS:
            raise unknown_name("weight-sharing method", name, METHODS)
    return names


def _rows_of(path: Path, methods: str) -> pd.DataFrame:
    """Return the rows of the named searches, in the order of their names."""
    frame, names = pd.read_parquet(path), _search_names(methods)
    kept = frame[frame["method"].isin(names)]
    return kept.sort_values("method", key=lambda column: column.map(names.index), kind="stable")
