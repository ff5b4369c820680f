"""Benchmark tables: reading raw results, converting them to columns, and asking for numbers."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from natslib.errors import BadSource
from natslib.tables.cache import published_table
from natslib.tables.table import Table

if TYPE_CHECKING:
    from natslib.tables.conversion import convert

__all__ = ["Table", "convert", "load"]


def load(source: str | Path) -> Table:
    """Return the table of 'published' or of a folder that `natslib convert` wrote; raises `BadSource`."""
    if source == "published":
        return published_table()
    try:
        found = Path(source).is_dir()
    except OSError as error:  # a name too long, a folder closed to us
        raise BadSource(f"{source!s:.160}: cannot be opened ({error.strerror})") from None
    if not found:
        raise BadSource(f"{source}: neither 'published' nor the folder of a converted table")
    return Table.open(source)


def __getattr__(name: str) -> Any:
    if name == "convert":  # asking tables needs none of what converting does
        from natslib.tables.conversion import convert

        return convert
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
