"""The workflow's configuration, checked and with its paths spelt out."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from natslib.errors import ConfigError


def expand_sources(sources: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return `sources` as its rules use them, with `~` and `$VARIABLES` in paths replaced.

    A source becomes origin, split, budget, `drawn` (the splits of accuracy-against-cost, as the paper pairs them), `files`
    (what must be there first; `published` is no file) and `options` (what `natslib convert` is told besides).
    Raises ConfigError for a variable that is not set.
    """
    return {name: _expand(name, source) for name, source in sources.items()}


def asked_stems(sources: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the figures that `sources` ask for, as the stems of their files: 'fig5_correlation_published'."""
    return [f"{item}_{name}" for name, source in sources.items() for item in source["items"]]


def _expand(name: str, source: Mapping[str, Any]) -> dict[str, Any]:
    origin = _expand_path(name, source["origin"])
    columns = [_expand_path(name, source["columns"])] if "columns" in source else []
    return {
        "origin": origin,
        "split": source["split"],
        "budget": source["budget"],
        "drawn": f"train,{source['split']}",
        "files": ([] if origin == "published" else [origin]) + columns,
        "options": [f"--columns={path}" for path in columns],
    }


def _expand_path(name: str, path: str) -> str:
    expanded = os.path.expandvars(path)
    unset = re.search(r"\$\{?(\w+)", expanded)
    if unset:
        raise ConfigError(
            f"source {name!r}: {path!r} needs the environment variable {unset[1]}, which is not set"
        )
    return str(Path(expanded).expanduser())
