"""What a configuration asks to be drawn, and what there is of it: figures, their records, holes, verdicts."""

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from natslib.analysis.verdicts import VERDICTS as VERDICT_WORDS
from natslib.errors import BadSource, ConfigError
from natslib.workflow.catalogue import CATALOGUE, Item
from natslib.workflow.config import CONFIG, asked_files, command_to_draw, left_out
from natslib.workflow.notebook import failure
from natslib.workflow.paths import from_root, project_root

VERDICTS = "verdicts"
"""The item that judges all facts."""
EXECUTED = "results/notebooks"
"""The folder of the executed notebooks, from the project's root."""


@dataclass(frozen=True)
class Drawing:
    """One figure of an item from one source ("" where it needs none): its files, or why there are none."""

    item: Item
    parameter: str
    source: str
    folder: str
    lacking: str = ""
    config: str = CONFIG

    @property
    def stem(self) -> str:
        """The name of its files."""
        return "_".join(part for part in (self.item.figures[self.parameter], self.source) if part)

    @property
    def command(self) -> str:
        """What draws it."""
        return command_to_draw(self.stem, self.folder, self.config)

    @property
    def is_drawn(self) -> bool:
        """Whether its picture and its record are there, and are to be."""
        return not self.lacking and self.file(".png").is_file() and self.file(".json").is_file()

    @property
    def left_out(self) -> str:
        """Why the source cannot give it, or ""."""
        return self.lacking or self.record.get("left_out", "")

    @cached_property
    def record(self) -> dict[str, Any]:
        """Its provenance and caption; nothing where it is not drawn. Raises `BadSource` for a damaged file."""
        return _read_json(self.file(".json")) if self.is_drawn else {}

    @property
    def title(self) -> str:
        """What stands above it: its own title, where its record has one, else its item's."""
        return self.record.get("title") or f"{self.item.named}: {self.item.title}"

    @property
    def alt(self) -> str:
        """What says in words what it shows: its `alt`, where its record has one, else its caption."""
        return self.record.get("alt") or f"{self.title}. {self.record.get('caption', '')}"

    @property
    def suffixes(self) -> list[str]:
        """Those of its files that are there."""
        files = self.item.files(self.parameter)
        return [suffix for suffix in files if self.file(suffix).is_file()]

    def file(self, suffix: str) -> Path:
        """Return the path of one of its files."""
        return from_root(f"{self.folder}/{self.stem}{suffix}")


@dataclass(frozen=True)
class Run:
    """An item drawn from one source: what one executed notebook tells."""

    item: Item
    source: str
    drawings: list[Drawing]

    @property
    def name(self) -> str:
        """That of the executed notebook."""
        return "_".join(part for part in (self.item.name, self.source) if part)

    @property
    def executed(self) -> Path:
        """The path of the executed notebook."""
        return from_root(f"{EXECUTED}/{self.name}.ipynb")

    @cached_property
    def failure(self) -> str:
        """In which cell the notebook stopped and why, or ""; a source that cannot give a figure is no failure."""
        drawn = all(drawing.is_drawn or drawing.left_out for drawing in self.drawings)
        return failure(self.executed) if self.executed.is_file() and not drawn else ""


@dataclass(frozen=True)
class Contents:
    """All that is asked for, in the catalogue's order."""

    drawings: list[Drawing]
    facts: pd.DataFrame = field(repr=False)

    @property
    def catalogue(self) -> dict[str, Item]:
        """Every item, by name."""
        return CATALOGUE

    @property
    def items(self) -> dict[str, list[Run]]:
        """The runs of every item of the catalogue, by name: none where no source is asked for it."""
        runs: dict[str, list[Run]] = {name: [] for name in CATALOGUE}
        for (name, source), each in groupby(self.drawings, key=lambda one: (one.item.name, one.source)):
            runs[name].append(Run(CATALOGUE[name], source, list(each)))
        return runs

    @property
    def holes(self) -> list[Drawing]:
        """What is asked for and not there."""
        return [drawing for drawing in self.drawings if not drawing.is_drawn and not drawing.left_out]

    @property
    def left_out(self) -> list[Drawing]:
        """What the sources cannot give."""
        return [drawing for drawing in self.drawings if drawing.left_out]

    def judged(self, item: Item) -> pd.DataFrame:
        """Return the facts, published beside regenerated, on what an item is called in print ("Table 4")."""
        numbers = [
            f"{kind} {number}"
            for kind, all_of_it in re.findall(r"(Table|Figure)s? (\d+(?:(?:, | and )\d+)*)", item.number)
            for number in re.findall(r"\d+", all_of_it)
        ]
        if item.name == VERDICTS:
            return self.facts
        pattern = rf"{re.escape(item.paper)}, (?:{'|'.join(numbers)})(?!\d)"
        return self.facts[self.facts["item"].str.match(pattern)] if numbers else self.facts[:0]

    def verdicts(self, item: Item) -> dict[str, int]:
        """Return how many of an item's facts have which verdict: those that some have."""
        counts = self.judged(item)["verdict"].value_counts()
        return {verdict: int(counts[verdict]) for verdict in VERDICT_WORDS if verdict in counts}


def read_contents(config: str | Path = CONFIG) -> Contents:
    """Return what the configuration in a file (from the project's root) asks for.

    Raises `BadSource` for a file that is not there or no YAML, `ConfigError` for one that the schema refuses.
    """
    with contextlib.chdir(project_root()):
        asked = read_config(Path(config))
        folder = asked["figures"]
        stems, lacking = {Path(file).stem for file in asked_files(asked)}, left_out(asked)
        known = [
            Drawing(item, parameter, source, folder, lacking.get(f"{stem}_{source}", ""), str(config))
            for item in CATALOGUE.values()
            for source in (asked["sources"] if item.behind else [""])
            for parameter, stem in item.figures.items()
        ]
        facts = _read_facts(asked)
    return Contents([each for each in known if each.stem in stems or each.left_out or each.is_drawn], facts)


def read_config(path: Path) -> dict[str, Any]:
    """Return a configuration with its defaults, as the Snakefile has it; raises as `read_contents`."""
    from snakemake.exceptions import WorkflowError
    from snakemake.utils import validate

    try:
        asked = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadSource(f"{path}: no configuration ({error})") from None
    if not isinstance(asked, dict):
        raise BadSource(f"{path}: no configuration (allowed are settings with names)")
    try:
        validate(asked, str(from_root("config/schema.yaml")))
    except WorkflowError as error:
        raise ConfigError(f"{path}: {error}") from None
    return asked


def _read_facts(config: Mapping[str, Any]) -> pd.DataFrame:
    """Return what the notebook of verdicts saved of all sources, with a column for the source."""
    item = CATALOGUE[VERDICTS]
    stems = {
        name: Drawing(item, next(iter(item.figures)), name, config["figures"]) for name in config["sources"]
    }
    frames = [
        pd.read_csv(drawing.file(".csv"), keep_default_na=False).assign(source=name)
        for name, drawing in stems.items()
        if drawing.is_drawn and not drawing.left_out
    ]
    return pd.concat([pd.DataFrame(columns=["item", "verdict", "source"]), *frames], ignore_index=True)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadSource(f"{path}: no record of a figure ({error}); draw it again") from None
