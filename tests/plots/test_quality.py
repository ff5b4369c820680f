"""The panels of a benchmark's quality show the numbers of its table, and say what it lacks."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from natslib.plots import own_training

ROW = {
    "column": "digits",
    "cells": 1200,
    "seeds_tau": 0.5,
    "seeds_cells": 600,
    "params_tau": 0.1,
    "real_tau": -0.2,
}


@pytest.fixture
def ax():
    return Figure().subplots()


def test_every_agreement_that_is_known_has_a_mark(ax):
    table = pd.DataFrame(
        [ROW | {"params_real_tau": np.nan}, ROW | {"params_real_tau": np.nan, "seeds_cells": 0}]
    )
    own_training.draw_agreement(ax, table)
    drawn = {group.get_label(): group.get_offsets()[:, 0].tolist() for group in ax.collections}
    assert drawn == {
        "two seeds of ours": [0.5, 0.5],
        "ours and parameters": [0.1, 0.1],
        "ours and the real one": [-0.2, -0.2],
    }
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["digits\n1,200 networks, 600 run twice", "digits\n1,200 networks, none run twice"]
    assert ax.get_xlim()[0] < -0.2


def test_accuracies_stand_against_the_real_ones(ax):
    own, real = pd.Series([90.0, 91, 92, np.nan]), pd.Series([80.0, 81, 82, 83])
    own_training.draw_against(ax, own, real, names=("own", "real"), lacking="nothing")
    assert len(ax.collections[0].get_offsets()) == 3
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("own (%)", "real (%)")
    assert ax.get_title() == "3 networks"


def test_what_lies_far_below_the_panel_is_counted(ax):
    own = pd.Series([10.0, *np.linspace(90, 95, 199)])
    own_training.draw_against(ax, own, own + 1, names=("own", "real"), lacking="nothing")
    assert ax.get_xlim()[0] > 80
    assert ax.get_title() == "200 networks,\n1 below the panel"


def test_without_real_accuracies_the_panel_says_so(ax):
    own_training.draw_against(
        ax, pd.Series([90.0]), pd.Series(dtype=float), names=("a", "b"), lacking="nothing real"
    )
    assert [text.get_text() for text in ax.texts] == ["nothing real"]
