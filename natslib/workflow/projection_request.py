"""What the notebook of DARTS-PT is asked for; see `requests`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from natslib.errors import BadSource, ConfigError
from natslib.weight_sharing.records import manifest_of
from natslib.workflow.paths import from_root
from natslib.workflow.requests import Request, TableRequest


@dataclass(frozen=True)
class ProjectionRequest(Request):
    """Searches on `dataset`, whose joined records are in the folder `searches`, looked up in `table`.

    `table`: "published" or the folder that `natslib convert` wrote. `seed`: the search whose decisions are drawn.
    """

    table: str
    searches: str
    dataset: str
    seed: int
    figure_choices: str
    figure_strength: str
    figure_orders: str
    figure_rows: str

    source = TableRequest.source

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}; allowed is 0 or more")

    @property
    def records(self) -> Path:
        """The file of the records of the topology space; raises `BadSource` where there is none."""
        path = from_root(self.searches) / f"tss-{self.dataset}.parquet"
        if not path.is_file():
            raise BadSource(
                f"{path}: no such file; the workflow writes it for a configuration with `searches`"
            )
        return path

    def provenance(self, manifest: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As of every request, with the hash of the records and where they were made."""
        told = {"sha256": hashlib.sha256(self.records.read_bytes()).hexdigest()}
        return super().provenance(manifest) | {
            "searches": told | {"stamps": manifest_of(self.records)["stamps"]}
        }
