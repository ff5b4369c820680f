"""What the workflow says when it ends: the figures that show nothing, and the damaged records, each with its reason."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from natslib.workflow.config import TABLES, asked_files


def summary(config: Mapping[str, Any]) -> list[str]:
    """Return a line for every figure that a configuration asks for and that its source left out, and one for every
    table that lacks damaged records; from the files that there are, in the working directory.
    """
    drawn = [Path(file) for file in asked_files(config) if file.endswith(".json")]
    told = [f"left out {path.stem}: {reason}" for path in drawn if (reason := _read(path).get("left_out"))]
    tables = {name: Path(TABLES, name, "manifest.json") for name in config["sources"]}
    damaged = {name: _read(path).get("damaged", []) for name, path in tables.items()}
    return [*(_damage(name, files) for name, files in damaged.items() if files), *told]


def _damage(name: str, files: list[dict[str, str]]) -> str:
    first = f"{files[0]['file']} ({files[0]['reason']})"
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return f"damaged in {name}, and not in its table: {first}{more}"


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
