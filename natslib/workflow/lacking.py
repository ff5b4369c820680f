"""What a table lacks of the data that an item draws, by its manifest: the item is left out and the reason listed."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from natslib.workflow.catalogue import DATA, Item

FEWEST = 3
"""Architectures; of fewer, nothing can be ranked."""
Blocks = dict[str, list[dict[str, Any]]]
"""The blocks of a manifest's accuracies by dataset; both trainings of CIFAR-10 count as one, as in the papers."""


def read_manifest(folder: str | Path) -> dict[str, Any] | None:
    """Return the manifest of a table, None where the folder holds none.

    Unchecked, unlike `tables.format.folder.read_manifest`: that imports pyarrow, for which a plan need not wait, and
    refuses an older format, which the workflow makes anew.
    """
    path = Path(folder, "manifest.json")
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def lacks(item: Item, manifest: Mapping[str, Any]) -> str:
    """Return what of an item's `data` a table does not hold, in words; "" where it has all."""
    held: Blocks = defaultdict(list)
    for block in manifest["blocks"]:
        if block["rows"] >= FEWEST:
            held["cifar10" if block["dataset"] == "cifar10-valid" else block["dataset"]].append(block)
    has_curves = any(name.startswith("curves/") for name in manifest["sha256"])
    lacking = [DATA[kind] for kind in item.data if not _HOLDS[kind](held, has_curves)]
    return f"it lacks {' and '.join(lacking)}" if lacking else ""


def _of(blocks: list[dict[str, Any]], split: str) -> list[dict[str, Any]]:
    return [block for block in blocks if block["split"] == split]


def _scores(held: Blocks, has_curves: bool) -> bool:
    return any(_of(blocks, "valid") for blocks in held.values())


def _test(held: Blocks, has_curves: bool) -> bool:
    return any(_of(blocks, "valid") and _of(blocks, "test") for blocks in held.values())


def _datasets(held: Blocks, has_curves: bool) -> bool:
    return any(sum(bool(_of(blocks, split)) for blocks in held.values()) > 1 for split in ("valid", "test"))


def _seeds(held: Blocks, has_curves: bool) -> bool:
    runs = defaultdict(set)
    for blocks in held.values():
        for block in blocks:
            runs[block["dataset"], block["recipe"], block["split"]].add(block["seed"])
    return any(len(seeds - {"mean"}) > 1 for (_, _, what), seeds in runs.items() if what in ("valid", "test"))


def _trainings(held: Blocks, has_curves: bool) -> bool:
    recipes = ({block["recipe"] for block in _of(blocks, "valid")} for blocks in held.values())
    return any(len(each) > (0 if has_curves else 1) for each in recipes)


_HOLDS: dict[str, Callable[[Blocks, bool], bool]] = {
    "scores": _scores,
    "test": _test,
    "datasets": _datasets,
    "seeds": _seeds,
    "trainings": _trainings,
}
"""Whether a table has what a word of `catalogue.DATA` means."""
