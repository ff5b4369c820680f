"""Shares that draws confirm, and a study whose answer is known: noise that only equal networks can tell."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from natslib.analysis.equal_networks import (
    FOREST,
    MEMORY,
    RANDOM,
    TOGETHER,
    answered,
    inflation,
    predictor_study,
    seen_share,
    sizes_of,
    study_means,
)
from natslib.errors import NotMeasured
from natslib.spaces import get_space

CLASSES = np.array([0, 0, 0, 1, 1, 2, 3])


def test_sizes_and_counts() -> None:
    assert sizes_of(CLASSES).tolist() == [3, 3, 3, 2, 2, 1, 1]
    assert answered(CLASSES).tolist() == [7, 4, 5]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6])
def test_the_share_that_is_seen_is_the_mean_over_all_draws(count: int) -> None:
    shares = []
    for drawn in combinations(range(7), count):
        left = np.setdiff1d(np.arange(7), drawn)
        shares.append(np.isin(CLASSES[left], CLASSES[list(drawn)]).mean())
    assert seen_share(CLASSES, [count]) == pytest.approx([np.mean(shares)])


def test_of_a_random_half_of_the_papers_cells_seven_in_ten_are_seen() -> None:
    """The issue counts 70.8 % in one draw; the mean over all draws is 70.3 %, and draws vary by 0.4 points."""
    classes = get_space("tss").classes()
    assert answered(classes).tolist() == [15_625, 5_234, 11_782]
    (mean,) = seen_share(classes, [15_625 // 2])
    assert mean == pytest.approx(0.70341, abs=1e-5)
    rng, drawn = np.random.default_rng(0), []
    for _ in range(40):
        order = rng.permutation(15_625)
        drawn.append(np.isin(classes[order[7812:]], classes[order[:7812]]).mean())
    assert np.mean(drawn) == pytest.approx(mean, abs=3 * np.std(drawn) / 40**0.5)
    assert abs(0.708 - mean) < 2 * np.std(drawn)


def study(accuracy: pd.Series, classes: np.ndarray, counts: list[int], draws: int = 3) -> pd.DataFrame:
    encodings = get_space("tss").one_hot(get_space("tss").codes()[: len(classes)])
    return study_means(predictor_study(encodings, accuracy, classes, counts=counts, draws=draws, seed=0))


@pytest.fixture(scope="module")
def lucky() -> pd.DataFrame:
    """A study of classes of four whose accuracies are drawn at random: codes say nothing of other classes."""
    classes = np.arange(2000) // 4
    accuracy = pd.Series(np.random.default_rng(0).normal(size=500)[classes])
    return study(accuracy, classes, [100, 800])


def test_equal_networks_answer_for_one_another(lucky: pd.DataFrame) -> None:
    memory = lucky[lucky["predictor"] == MEMORY]
    assert memory["split"].eq(RANDOM).all()
    assert memory["tau"].to_numpy() == pytest.approx(1)


def test_what_is_kept_together_is_not_seen(lucky: pd.DataFrame) -> None:
    seen = lucky[lucky["predictor"] == FOREST].set_index(["split", "train"])["seen"]
    assert seen[TOGETHER].eq(0).all()
    expected = seen_share(np.arange(2000) // 4, [100, 800])
    assert seen[RANDOM].to_numpy() == pytest.approx(expected, abs=0.05)


def test_without_equal_networks_both_kinds_of_halves_say_the_same() -> None:
    codes = get_space("tss").codes()[:1200]
    accuracy = pd.Series(codes.astype(float) @ [6, 5, 4, 3, 2, 1])
    means = study(accuracy, np.arange(1200), [400])
    assert means[means["predictor"] == FOREST]["tau"].min() > 0.7
    assert inflation(means).abs().max() < 0.03


def test_a_forest_gains_from_equal_networks_it_has_seen() -> None:
    """Classes of one code but for the last edge: the forest finds the others by their common edges."""
    space = get_space("tss")
    codes = space.codes().astype(int)
    classes = codes[:, :5] @ 5 ** np.arange(5)
    accuracy = pd.Series(np.random.default_rng(0).normal(size=5**5)[classes])
    encodings = space.one_hot(space.codes())
    rows = predictor_study(encodings, accuracy, classes, counts=[4000], draws=2, seed=1)
    assert inflation(study_means(rows)).iloc[0] > 0.1


def test_counts_above_half_are_left_out_and_too_few_are_refused() -> None:
    classes = np.arange(300)
    accuracy = pd.Series(np.random.default_rng(0).normal(size=300))
    assert study(accuracy, classes, [50, 400])["train"].unique().tolist() == [50]
    with pytest.raises(NotMeasured, match=r"80 architectures are measured: half of them is less than 50"):
        study(accuracy.where(accuracy.index < 80), classes, [50, 400])


def test_the_same_seed_gives_the_same_study() -> None:
    classes = np.arange(400) // 2
    accuracy = pd.Series(np.random.default_rng(0).normal(size=400))
    pd.testing.assert_frame_equal(study(accuracy, classes, [60]), study(accuracy, classes, [60]))
