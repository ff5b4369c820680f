"""natslib: the NATS-Bench paper, alive."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from natslib.tables import Table

__version__ = "0.1.0"
__all__ = ["load"]


def load(source: "str | Path") -> "Table":
    """Return the table of a known source ('published') or of a folder that `natslib convert` wrote.

    Raises `natslib.errors.BadSource` when there is none.
    """
    from natslib import tables  # here, so that `import natslib` costs nothing

    return tables.load(source)
