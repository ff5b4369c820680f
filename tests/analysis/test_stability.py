"""Ranks by the seed mean against ranks by one random seed."""

import numpy as np
import pandas as pd
import pytest

from natslib.analysis.seed_noise import draw_runs, rank_stability, seed_ranks, top_ranks


@pytest.fixture
def runs():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        rng.normal(80, 3, 400)[:, None] + rng.normal(0, 0.3, (400, 3)), columns=[777, 888, 999]
    )
    frame.loc[::2, 999] = np.nan
    return frame


def test_draws_are_uniform_over_the_runs_there_are():
    frame = pd.DataFrame({777: np.zeros(9000), 888: np.ones(9000), 999: np.full(9000, np.nan)})
    frame.loc[:5999, 999] = 2.0
    drawn = draw_runs(frame, np.random.default_rng(0))
    assert drawn[:6000].value_counts(normalize=True).round(1).to_dict() == pytest.approx(
        {0: 0.3, 1: 0.3, 2: 0.3}
    )
    assert drawn[6000:].mean() == pytest.approx(0.5, abs=0.03)
    assert drawn.notna().all()


def test_ranks_are_among_the_selected(runs):
    ranks = seed_ranks(runs, 0.1, np.random.default_rng(0))
    assert ranks["by_mean"].tolist() == list(range(1, 41))
    assert sorted(ranks["by_one_seed"]) == list(range(1, 41))


def test_noise_hurts_the_best_most_and_none_hurts_nobody(runs):
    found = rank_stability(runs, np.random.default_rng(0), fractions=(0.05, 1.0))
    assert found["tau"][0] < found["tau"][1] < 1
    assert (found["tau_std"] > 0).all()
    exact = runs.assign(**{"888": 0}).filter([777])
    assert rank_stability(exact, np.random.default_rng(0), fractions=(0.1,), draws=2)["tau"].tolist() == [1.0]


def test_top_ranks_stacks_fractions(runs):
    stacked = top_ranks(runs, np.random.default_rng(0), fractions=(0.1, 0.2))
    assert stacked.columns.tolist() == ["fraction", "arch_index", "by_mean", "by_one_seed"]
    assert stacked["fraction"].value_counts().to_dict() == {0.2: 80, 0.1: 40}
