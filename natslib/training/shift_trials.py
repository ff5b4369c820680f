"""The trials of a shift: features of every one kept in a file, so that a killed measurement goes on after the last."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from natslib.analysis.shift import IID, OOD, Features
from natslib.analysis.sides import Side, of_trial
from natslib.files import atomic, write_atomic
from natslib.training.shift import MLP, environment_features

FEATURES = "features"
_CPU = torch.device("cpu")


def trials_folder(place: Path, name: str, p: Side, q: Side, settings: Mapping[str, object]) -> Path:
    """Return the folder in `place` of what is measured with these sides and settings; any others have another one."""
    told = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for side in (p, q):
        told.update(str(side.values.shape).encode())
        for part in (side.values, side.sources):
            told.update(part.tobytes())
        told.update(str(side.labels.tolist()).encode())
    return place / f"{name}-{told.hexdigest()[:8]}"


def trained_features(
    p: Side,
    q: Side,
    place: Path,
    name: str,
    *,
    trials: int,
    seed: int = 0,
    backbone: str = MLP,
    gated: bool = True,
    device: torch.device = _CPU,
    progress: bool = True,
) -> tuple[dict[str, list[Features]], Path]:
    """Return the features of so many trials of the two sides, and of as many of the control, and the folder of both.

    What the folder holds already is not trained again.
    """
    settings = {"backbone": backbone, "gated": gated, "seed": seed}
    folder = trials_folder(place, name, p, q, settings)
    write_atomic(folder / "settings.json", json.dumps({"sides": name, **settings}, indent=1).encode())
    found: dict[str, list[Features]] = {OOD: [], IID: []}
    todo = [(number, kind) for number in range(trials) for kind in found]
    for number, kind in tqdm(todo, desc=name, unit="classifier", disable=not progress):
        path = folder / FEATURES / f"{kind}-{number}.npz"
        if not path.exists():
            sides = of_trial(p, q, kind, number, seed)
            trained = environment_features(
                *sides, seed + number, backbone=backbone, gated=gated, device=device
            )
            with atomic(path) as temporary, temporary.open("wb") as file:
                np.savez(file, **vars(trained))
        found[kind].append(_read(path))
    return found, folder


def _read(path: Path) -> Features:
    with np.load(path) as kept:
        return Features(kept["z"], kept["labels"], kept["other"], float(kept["accuracy"]))
