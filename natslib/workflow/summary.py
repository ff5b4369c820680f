"""What the workflow says when it ends: what is not drawn, and the damaged records, with the reasons."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from natslib.workflow.config import TABLES, asked_files, left_out
from natslib.workflow.lacking import read_manifest


def not_drawn(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the figures that a configuration asks for and that show nothing, each with the reason.

    Those that its sources cannot give have no files (`config.left_out`); where only the notebook saw that the table
    does not do, the files say so. From what there is in the working directory.
    """
    drawn = [Path(file) for file in asked_files(config) if file.endswith(".json")]
    records = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in drawn if path.exists()}
    seen = {stem: record["left_out"] for stem, record in records.items() if record.get("left_out")}
    return left_out(config) | seen


def summary(config: Mapping[str, Any]) -> list[str]:
    """Return a line for every table that lacks damaged records, and one for all figures of a source that show nothing
    for the same reason.
    """
    damaged = {
        name: (read_manifest(f"{TABLES}/{name}") or {}).get("damaged", []) for name in config["sources"]
    }
    lines = [_damage(name, files) for name, files in damaged.items() if files]
    by_reason: dict[tuple[str, str], list[str]] = {}
    for stem, reason in not_drawn(config).items():
        figure, _, source = stem.rpartition("_")
        by_reason.setdefault((source, reason), []).append(figure)
    told = [f"left out of {source}, {why}: {', '.join(them)}" for (source, why), them in by_reason.items()]
    return [*lines, *told]


def _damage(name: str, files: list[dict[str, str]]) -> str:
    first = f"{files[0]['file']} ({files[0]['reason']})"
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return f"damaged in {name}, and not in its table: {first}{more}"
