"""The catalogue: every item that natslib draws, read from `catalogue.yaml`; so is the table in guides/figures.md.

`python -m natslib.workflow.catalogue` prints that table.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from natslib.errors import unknown_name

FIGURE = (".svg", ".pdf", ".png", ".csv", ".json")
TABLE = (*FIGURE, ".md", ".tex")
"""The files of a figure, and of one that is a table."""
EDGES = ("tss", "dag5")
"""The spaces whose architectures say which edges a cell has."""
DATA = {
    "scores": "validation accuracies, which score a search",
    "test": "validation and test accuracies of one dataset",
    "datasets": "accuracies of two datasets",
    "seeds": "two runs of an architecture",
    "trainings": "a shorter training and a longer one, or curves",
}
"""What an item may need of a source, by the word in its `data`."""


@dataclass(frozen=True)
class Item:
    """One item; `catalogue.yaml` says what the fields mean."""

    name: str
    paper: str
    number: str
    title: str
    notebook: str
    figures: dict[str, str]
    tables: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    parameters: dict[str, str] = field(default_factory=dict, hash=False)
    only: str = ""
    data: tuple[str, ...] = ()
    threads: int = 1

    @property
    def path(self) -> str:
        """The notebook, from the project's root."""
        return f"notebooks/{self.notebook}.ipynb"

    @property
    def named(self) -> str:
        """What the item is called in print."""
        return self.number if self.paper == "own" else f"{self.paper}, {self.number}"

    @property
    def behind(self) -> str:
        """What stands behind the names of files: the source's wildcard, where there is a source."""
        return "_{source}" if "table" in self.needs else ""

    def files(self, parameter: str) -> tuple[str, ...]:
        """Return the suffixes of the files that a figure is saved as."""
        return TABLE if parameter in self.tables else FIGURE


def read_catalogue() -> dict[str, Item]:
    """Return the items by name, in the order of the file."""
    entries = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return {name: Item(name, **entry) for name, entry in entries.items()}


CATALOGUE = read_catalogue()


_ONLY = {
    "topology": "it is about the topology space",
    "edges": "it is about spaces of cells",
    "own": "it is about training of our own",
}
"""Why a source of another kind has no such item, by the item's `only`."""


def asked_of(items: str | Iterable[str], *, space: str, own: bool) -> dict[str, str]:
    """Return the figures that a source is asked for, without the source's name, and why it cannot have them, or "".

    `items`: "all", which is everything for a source of that space ("tss", ...), trained by ourselves or not; or the
    stems of figures, as in `catalogue.yaml`, which are all for it. Raises `UnknownName`.
    """
    known = {
        stem: item for item in CATALOGUE.values() if "table" in item.needs for stem in item.figures.values()
    }
    if items != "all":
        for stem in items:
            if stem not in known:
                raise unknown_name("item", stem, ["all", *known])
        return dict.fromkeys(items, "")
    for_it = {"topology": space == "tss", "edges": space in EDGES, "own": own, "": True}
    return {stem: "" if for_it[item.only] else _ONLY[item.only] for stem, item in known.items()}


def catalogue_table() -> str:
    """Return the table of guides/figures.md: an item a row."""
    lines = ["| paper item | notebook | rule | files in `figures/`, one set a source |", "|---|---|---|---|"]
    sources = {
        "topology": " (topology space)",
        "edges": " (spaces of cells)",
        "own": " (sources of own training)",
        "": "",
    }
    for item in CATALOGUE.values():
        paper = {"NATS-Bench": "", "own": ""}.get(item.paper, f"{item.paper}, ")
        files = ", ".join(
            f"`{stem}{item.behind.replace('{source}', 'SOURCE')}`" for stem in item.figures.values()
        )
        files += sources[item.only] if item.behind else " (no source)"
        files += "".join(f" (needs {DATA[kind]})" for kind in item.data)
        cells = (
            f"{paper}{item.number}: {item.title}",
            f"[{item.notebook}](../{item.path})",
            f"`{item.name}`",
            files,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(catalogue_table(), end="")
