"""What a notebook of searches is asked for; see `requests`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from natslib.analysis.multi_trial import RULES
from natslib.errors import ConfigError, unknown_name
from natslib.search.algorithms import get_search
from natslib.workflow.requests import TableRequest


@dataclass(frozen=True)
class SearchRequest(TableRequest):
    """Searches on every dataset of a table: `algorithms`, a list with commas, `runs` times each from root `seed`.

    `recipe`: the recipe that scores, "paper" or "longest" (see `experiment.settings`). The result does not depend
    on `processes`.
    """

    algorithms: str
    runs: int
    seed: int
    processes: int

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.names:
            get_search(name)
        if self.runs < 2 or self.seed < 0 or self.processes < 1:
            raise ConfigError(
                f"runs is {self.runs}, seed is {self.seed}, processes is {self.processes}; "
                "allowed are runs >= 2 (an interval needs two), seed >= 0, processes >= 1"
            )

    @property
    def names(self) -> list[str]:
        """The algorithms, one by one."""
        return _names(self.algorithms)

    @property
    def how(self) -> dict[str, int]:
        """The keyword arguments of a search."""
        return {"runs": self.runs, "seed": self.seed, "processes": self.processes}

    def provenance(self, manifest: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As of every request, without the number of processes, on which nothing depends."""
        record = super().provenance(manifest)
        record["parameters"].pop("processes")
        return record


@dataclass(frozen=True)
class AnytimeRequest(SearchRequest):
    """Anytime curves of the paper's algorithms, and of those and `others` (`runs_others` times each)."""

    others: str
    runs_others: int
    rule: str
    figure_anytime: str
    figure_algorithms: str

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.other_names:
            get_search(name)
        if self.rule not in RULES:
            raise unknown_name("rule of anytime curves", self.rule, RULES)
        if self.runs_others < 2:
            raise ConfigError(f"runs_others is {self.runs_others}; allowed is 2 or more")

    @property
    def other_names(self) -> list[str]:
        """The other algorithms, one by one."""
        return _names(self.others)


@dataclass(frozen=True)
class MultiTrialRequest(SearchRequest):
    """The multi-trial half of Table 4."""

    figure_table4: str


@dataclass(frozen=True)
class ProxyRequest(SearchRequest):
    """Search on the short recipe (`recipe`) against search on the longest."""

    figure_proxy: str


@dataclass(frozen=True)
class NasBench201Request(SearchRequest):
    """NAS-Bench-201's multi-trial rows and its sorted accuracies."""

    figure_sorted: str
    figure_rows: str


@dataclass(frozen=True)
class YourRequest(SearchRequest):
    """One's own algorithm beside `algorithms`; `entry` is the folder of the leaderboard entry, of `author`."""

    author: str
    entry: str
    figure_yours: str

    def provenance(self, manifest: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As of every search, without the place of the entry."""
        record = super().provenance(manifest)
        record["parameters"].pop("entry")
        return record


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
