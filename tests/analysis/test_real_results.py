"""The numbers of the paper's items that the real 200-epoch validation results give."""

import numpy as np
import pytest

from natslib.analysis import seed_noise
from natslib.analysis.columns import accuracy_frame, explain_absent, find_columns, seed_frames
from natslib.analysis.correlation import correlation_pairs
from natslib.analysis.ranks import optima, rank_table
from natslib.analysis.seed_noise import noise_ceiling, repeat_correlation
from natslib.spaces import TOPOLOGY
from natslib.spaces.topology import equivalence_class, is_connected


@pytest.fixture(scope="module")
def table(published_table):
    return published_table


@pytest.fixture(scope="module")
def columns(table):
    return find_columns(table.runs(), table.values)


@pytest.fixture(scope="module")
def accuracy(table, columns):
    return accuracy_frame(table.values, columns)


@pytest.fixture(scope="module")
def runs(table, columns):
    return seed_frames(table.per_seed, columns)


def test_it_holds_validation_only_and_says_so(columns):
    assert [column.label for column in columns] == ["C10-V", "C100-V", "I120-V"]
    assert explain_absent(columns) == "Not in this source: C10-T, C100-T, I120-T."


def test_optima(accuracy):
    assert optima(accuracy)["arch_index"].tolist() == [6111, 9930, 10676]
    assert optima(accuracy)["accuracy"].tolist() == pytest.approx([91.607, 73.493, 46.733], abs=0.001)


def test_figure_5_all_architectures(accuracy):
    pairs = correlation_pairs(accuracy)
    assert pairs["n"].tolist() == [15625] * 3
    assert pairs["kendall"].tolist() == pytest.approx([0.8689, 0.8347, 0.8401], abs=0.001)
    assert pairs["spearman"][1] == pytest.approx(0.9598, abs=0.001)
    assert pairs["pearson"].tolist()[:2] == pytest.approx([0.9686, 0.8287], abs=0.001)


def test_ranks_of_the_landmarks(accuracy):
    ranks = rank_table(accuracy, [11472, 1462]).xs("rank", level="quantity")
    assert ranks.to_numpy().tolist() == [[240, 375, 637], [685, 261, 3201]]


def test_seed_standard_deviations(runs):
    table = seed_noise.noise_table(runs)
    assert table.loc["mean_std"].tolist() == pytest.approx([0.227, 0.376, 0.414], abs=0.001)
    assert (table.loc["reliability"] > 0.997).all()


@pytest.mark.parametrize(
    ("label", "published"),
    [
        ("C10-V", [0.53, 0.77, 0.77, 0.79, 0.95]),
        ("C100-V", [0.62, 0.58, 0.61, 0.69, 0.94]),
        ("I120-V", [0.42, 0.56, 0.68, 0.78, 0.95]),
    ],
)
def test_rank_stability_of_the_best(runs, label, published):
    found = seed_noise.rank_stability(runs[label], np.random.default_rng(0), draws=5)
    assert found["count"].tolist() == [156, 781, 1562, 3125, 15625]
    for tau, spread, target in zip(found["tau"], found["tau_std"], published, strict=True):
        assert tau == pytest.approx(
            target, abs=0.01 + 3 * spread
        )  # the target is one draw, with two decimals


def test_noise_ceiling_reproduces_the_stored_repeats(runs):
    for label, frame in runs.items():
        found = noise_ceiling(frame, np.random.default_rng(0), draws=1)
        assert found["repeat_one"][0] == pytest.approx(repeat_correlation(frame), abs=0.01), label
        assert 0.94 < found["perfect_mean"][0] < 0.96


def test_equivalent_cells_differ_as_two_seeds_do(runs):
    classes = equivalence_class("exact")
    for frame in runs.values():
        apart = seed_noise.pair_differences(frame, classes, np.random.default_rng(0))
        medians = apart.groupby("kind")["difference"].median()
        assert medians["equal networks"] == pytest.approx(medians["same architecture"], rel=0.15)
        assert medians["other architectures"] > 5 * medians["same architecture"]


def test_equal_records_are_of_equivalent_cells(runs):
    working = is_connected(TOPOLOGY.codes())
    varied = {label: frame[working[frame.index]] for label, frame in runs.items()}
    counts = seed_noise.coincidences(varied, equivalence_class("expression"))
    assert counts["records"] == 38396
    assert counts["pairs of equal networks"] > 0.99 * counts["pairs"] > 20_000
