"""What `snakemake --report` says besides the figures: their captions, and what is missing or left out."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from natslib.workflow.catalogue import CATALOGUE
from natslib.workflow.config import CONFIG, asked_files, command_to_draw
from natslib.workflow.summary import not_drawn

_MARKUP = str.maketrans({sign: f"\\{sign}" for sign in r"\*`|_"})  # as reStructuredText reads them


@dataclass(frozen=True)
class Reported:
    """What a configuration, read from `file`, asks for, as far as it lies in the working directory."""

    config: Mapping[str, Any]
    file: str = CONFIG

    @cached_property
    def asked(self) -> dict[str, list[str]]:
        """The files of every figure that is asked for, by its stem."""
        files: dict[str, list[str]] = {}
        for file in asked_files(self.config):
            files.setdefault(Path(file).stem, []).append(file)
        return files

    @cached_property
    def missing(self) -> list[str]:
        """The stems of the figures that are asked for and lack files."""
        return [stem for stem, files in self.asked.items() if not all(map(_exists, files))]

    @property
    def drawn(self) -> list[str]:
        """The files of the figures that are there; none of a job that lacks one: a report takes all of a job."""
        jobs = [
            [f"{stem}{item.behind.format(source=source)}" for stem in item.figures.values()]
            for item in CATALOGUE.values()
            for source in (self.config["sources"] if item.behind else [""])
        ]
        whole = [stem for stems in jobs if not set(stems) & set(self.missing) for stem in stems]
        return [file for stem in whole for file in self.asked.get(stem, [])]

    def command(self, stem: str) -> str:
        """Return what draws a figure."""
        return command_to_draw(stem, self.config["figures"], self.file)

    @property
    def left_out(self) -> dict[str, str]:
        """The figures that a source cannot give, and why, as reStructuredText."""
        return {stem: _plain(reason) for stem, reason in not_drawn(self.config).items()}

    def captions(self, files: Iterable[str]) -> list[str]:
        """Return what stands below the figures of one job, as reStructuredText, a paragraph a figure."""
        records = {Path(file).stem: _read(file) for file in files if file.endswith(".json")}
        return [
            f"**{_plain(record.get('title') or stem)}**: {_plain(record.get('caption', ''))}"
            for stem, record in records.items()
        ]


def _exists(file: str) -> bool:
    return Path(file).is_file()


def _read(file: str) -> dict[str, Any]:
    return json.loads(Path(file).read_text(encoding="utf-8")) if _exists(file) else {}


def _plain(text: str) -> str:
    return " ".join(text.split()).translate(_MARKUP)
