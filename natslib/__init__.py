"""natslib: the NATS-Bench paper, alive."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from natslib.comparison import compare
    from natslib.nets import build_network
    from natslib.spaces import get_space
    from natslib.tables import Table
    from natslib.training import train_one as train

__version__ = "0.1.0"
__all__ = ["Table", "build_network", "compare", "get_space", "load", "train"]

_PLACES = {  # imported when first asked for, so that `import natslib` costs nothing and needs no torch
    "Table": "tables:Table",
    "build_network": "nets:build_network",
    "compare": "comparison:compare",
    "get_space": "spaces:get_space",
    "train": "training:train_one",
}


def load(source: str | Path) -> "Table":
    """Return the table of a known source ('published') or of a folder that `natslib convert` wrote.

    Raises `natslib.errors.BadSource` when there is none.
    """
    from natslib import tables

    return tables.load(source)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'natslib' has no attribute {name!r}")
    module, _, word = _PLACES[name].partition(":")
    found = globals()[name] = getattr(import_module(f"natslib.{module}"), word)
    return found


def __dir__() -> list[str]:
    return __all__
