"""Benchmark tables: reading raw results, converting them to columns, and asking for numbers."""

from pathlib import Path

from natslib.benchmarks.conversion import convert
from natslib.benchmarks.published import read_published
from natslib.benchmarks.table import Table
from natslib.errors import BadSource
from natslib.spaces import get_space

__all__ = ["Table", "convert", "load"]


def load(source: str | Path) -> Table:
    """Return the table of 'published' or of a folder that `natslib convert` wrote; raises `BadSource`."""
    if source == "published":
        finals, origin = read_published()
        return Table.from_finals(finals, get_space("tss"), {"origin": "published", "source": origin})
    if not Path(source).is_dir():
        raise BadSource(f"{source}: neither 'published' nor the folder of a converted table")
    return Table.open(source)
