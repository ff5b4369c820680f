"""What captions say of recorded shifts."""

import pandas as pd

from natslib.datasets import DATASETS
from natslib.plots.shift import PAIRS, describe_shifts
from natslib.training.shift_study import VARIANTS


def rows() -> pd.DataFrame:
    """Tinted digits in two trials, and rows that are not to be told of."""
    kept = {"variant": "tinted → 90%", "kind": "ood", "form": "original", "gated": True, "calibrated": False}
    others = [{"kind": "iid"}, {"form": "plus"}, {"gated": False}, {"calibrated": True}]
    frame = pd.DataFrame([kept, kept, *(kept | other for other in others)])
    return frame.assign(diversity=[0.0, 0.02, *[9.0] * 4], correlation=[0.4, 0.6, *[9.0] * 4])


def test_a_caption_tells_both_shifts_of_what_was_recorded() -> None:
    said = describe_shifts(rows(), ["digits-tinted", "digits-rotated", "pets"])
    assert said == "diversity/correlation: tinted digits 0.01/0.50"
    assert describe_shifts(rows(), ["pets"]) == ""


def test_the_pairs_are_data_sets_and_recorded_variants() -> None:
    assert set(PAIRS) <= set(DATASETS)
    assert set(PAIRS.values()) <= {variant.name for variant in VARIANTS}
