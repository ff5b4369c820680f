"""Shifts of digits whose size is known, measured in both forms and kept: what notebook 21 draws.

    python -m natslib.training.shift_study logs/shift/digits.parquet

Both sides show all 1,797 digits, and a digit is measured on both or on none. Killed, the same command goes on after its
last classifier, kept in results/shift. About six minutes on one core.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from natslib.analysis.shift import FORMS, all_densities, measure
from natslib.analysis.sides import Side
from natslib.errors import ConfigError
from natslib.files import atomic
from natslib.training.device import ready_device
from natslib.training.environments import Change, coloured, rotated
from natslib.training.shift_trials import trained_features

TRIALS = 6
KEPT = Path("results/shift")
NOISE = 0.25
FLIPS = (0.1, 0.2)
TARGETS = (0.15, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True)
class Variant:
    """Changes of the sources, which share the digits, and of the target; whether the label gates the classifier.

    `flips`: shares of images of p and of q whose colour is not that of their label; None where nothing is coloured.
    """

    name: str
    sources: Sequence[Change]
    target: Change
    flips: tuple[float, float] | None = None
    gated: bool = True


def _coloured(target: float, noise: float = NOISE, *, gated: bool = True) -> Variant:
    name = f"{'coloured' if noise else 'tinted'} → {target:.0%}"
    *sources, last = (partial(coloured, flip=flip, label_noise=noise) for flip in (*FLIPS, target))
    return Variant(name, sources, last, (float(np.mean(FLIPS)), target), gated)


def _rotated(sources: Sequence[float], target: float) -> Variant:
    name = f"rotated {', '.join(f'{angle:g}' for angle in sources)}° → {target:g}°"
    return Variant(name, [partial(rotated, angle=angle) for angle in sources], partial(rotated, angle=target))


VARIANTS = (
    *(_coloured(target) for target in TARGETS),
    *(_coloured(target, gated=False) for target in TARGETS),
    _coloured(0.9, noise=0),
    _rotated((0, 20, 40), 50),
    _rotated((0, 15), 30),
    _rotated((0, 15), 60),
)


def sides(variant: Variant, seed: int = 0) -> tuple[Side, Side]:
    """Return both sides: every digit once on each."""
    digits, rng = load_digits(), np.random.default_rng(seed)
    order = rng.permutation(len(digits.target))
    images = digits.images.astype(np.uint8)[..., None]

    def side(changes: Sequence[Change]) -> Side:
        rows = np.array_split(order, len(changes))
        parts = [
            change((images[some], digits.target[some]), rng)
            for change, some in zip(changes, rows, strict=True)
        ]
        shown, labels = (np.concatenate(each) for each in zip(*parts, strict=True))
        return Side(shown.astype(np.uint8), labels, order)

    return side(variant.sources), side([variant.target])


def record(variant: Variant, place: Path = KEPT, trials: int = TRIALS) -> pd.DataFrame:
    """Return the rows of `analysis.shift.measure` of a variant in both forms, as the thresholds are and calibrated."""
    name = f"{variant.name.replace(' ', '').replace('→', '-')}{'' if variant.gated else '-ungated'}"
    device = ready_device("cpu")
    found, _ = trained_features(
        *sides(variant), place, name, trials=trials, gated=variant.gated, device=device
    )
    at = all_densities(found, seed=0)
    rows = [
        measure(found, at, form, calibrated=calibrated).assign(calibrated=calibrated)
        for form in FORMS
        for calibrated in (False, True)
    ]
    e_p, e_q = variant.flips or (np.nan, np.nan)
    return pd.concat(rows, ignore_index=True).assign(
        variant=variant.name, gated=variant.gated, e_p=e_p, e_q=e_q
    )


def main(path: str) -> int:
    """Measure all variants and write their rows to `path`."""
    rows = pd.concat([record(variant) for variant in VARIANTS], ignore_index=True)
    with atomic(Path(path)) as temporary:
        rows.to_parquet(temporary, index=False)
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise ConfigError("say where the rows go: python -m natslib.training.shift_study FILE.parquet")
    sys.exit(main(sys.argv[1]))
