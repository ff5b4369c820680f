"""A NAS-OoD search that the system kills, while its classifiers train and later, ends with the same records."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from natslib.weight_sharing.data import search_data
from natslib.weight_sharing.loop import CHECKPOINT, run_search
from natslib.weight_sharing.presets import settings_of
from natslib.weight_sharing.records import RECORDS
from tests.killing import killed_at_random
from tests.shifted import shifted_images, shifted_split

from .tiny import SCALE

DATA = search_data(shifted_images(), shifted_split(36, 1))
KILLS = 3


def search(folder: Path) -> pd.DataFrame:
    """Spend about as long on the classifiers as on the epochs."""
    smoke = settings_of("smoke", "nas-ood", "tss")
    novelty = replace(smoke.novelty, classifier_epochs=20)
    few = {"batch": 20, "valid_batch": 18, "scored": 3, "epochs": 6, "cosine_epochs": 6}
    return run_search("nas-ood", DATA, replace(smoke, scale=SCALE, novelty=novelty, **few), 0, folder)


def test_kills_at_random_moments_change_nothing_but_times(tmp_path: Path) -> None:
    whole, folder = search(tmp_path / "whole"), tmp_path / "killed"
    # Processor times: on a busy machine a search comes less far in as many seconds, never farther.
    classifiers_s, epochs_s = whole["time_s"][0], whole["time_s"][1:].sum()
    assert killed_at_random(partial(search, folder), KILLS, 0.8 * classifiers_s) == KILLS
    assert not (folder / CHECKPOINT).exists()
    begun = (folder / CHECKPOINT).exists
    assert killed_at_random(partial(search, folder), KILLS, epochs_s / (KILLS + 1), begun) == KILLS
    assert begun()
    assert not (folder / RECORDS).exists()
    again = search(folder)
    pd.testing.assert_frame_equal(whole.drop(columns="time_s"), again.drop(columns="time_s"))
    kept = [sorted(path.name for path in each.iterdir()) for each in (tmp_path / "whole", folder)]
    assert kept[0] == kept[1]
