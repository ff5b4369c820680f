"""DARTS-PT's selection on tables: the exact results on the genuine one, and the rule on small ones by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import natslib
from natslib.errors import ConfigError, NotMeasured
from natslib.search.projection import PerfectSupernet, Score, decide, mask_out, project, undecided
from natslib.spaces import TOPOLOGY

TWO = replace(
    TOPOLOGY, choices=("a", "b", "c"), positions=("left", "right"), template="{}{}", shuffle_seed=None
)


def supernet(*values: float) -> PerfectSupernet:
    """A table of two positions with three choices each: aa, ab, ac, ba, ..."""
    return PerfectSupernet(TWO, values)


@pytest.fixture(scope="module")
def genuine(shared_data) -> PerfectSupernet:
    """CIFAR-10 test accuracy after 200 epochs, mean of the runs."""
    frame = pd.read_csv(shared_data / "nats-tss-cifar10.csv", index_col="arch_index")
    return PerfectSupernet(TOPOLOGY, frame["c10_test200_mean"].to_numpy())


def test_every_order_on_the_genuine_table(genuine: PerfectSupernet) -> None:
    found = genuine.select_in_every_order()
    assert len(found) == 720
    assert found["arch_index"].nunique() == 16
    assert found["accuracy"].mean() == pytest.approx(94.056, abs=5e-4)
    assert found["accuracy"].min() == pytest.approx(93.503, abs=5e-4)
    counts = found.groupby(found["accuracy"].round(2)).size()
    assert counts[[93.76, 94.36, 94.37]].tolist() == [212, 202, 132]
    cells = found.groupby("arch_index").size().sort_values(ascending=False).index
    convolutions = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|{}~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    expected = [convolutions.format(op) for op in ("nor_conv_3x3", "skip_connect")]
    assert [TOPOLOGY.string(int(index)) for index in cells[:2]] == expected


def test_magnitude_on_the_genuine_table_misses_the_skip(genuine: PerfectSupernet) -> None:
    code = genuine.select_by_marginals()
    assert code == (3,) * 6
    assert genuine.values[TOPOLOGY.index(code)] == pytest.approx(93.76, abs=5e-3)


def test_every_order_on_the_published_table() -> None:
    values = natslib.load("published").values(
        "accuracy", dataset="cifar10-valid", recipe="200", split="valid"
    )
    net = PerfectSupernet(TOPOLOGY, values)
    found = net.select_in_every_order()
    assert (len(found), found["arch_index"].nunique()) == (720, 32)
    assert found["accuracy"].agg(["mean", "min", "max"]).round(2).tolist() == [91.10, 89.94, 91.61]
    assert values[TOPOLOGY.index(net.select_by_marginals())] == pytest.approx(90.20, abs=5e-3)


def test_a_masked_score_is_the_mean_over_the_completions_without_the_choice() -> None:
    net = supernet(*range(9))
    left = undecided(TWO)
    assert net.evaluate(left).accuracy == 4.0
    assert net.evaluate(mask_out(left, 0, 2)).accuracy == np.mean([0, 1, 2, 3, 4, 5])
    assert net.evaluate(decide(mask_out(left, 1, 0), 0, 1)).accuracy == np.mean([4, 5])


def test_later_decisions_depend_on_earlier_ones() -> None:
    # By itself "a" is better on the right (60 against 51.3 and 10); beside the "b" that is found first, "b" is.
    net = supernet(70, 0, 10, 50, 94, 10, 60, 60, 10)
    assert [each.choice for each in net.select([0, 1])] == [1, 1]
    assert [each.choice for each in net.select([1, 0])] == [0, 0]
    assert net.select_by_marginals() == (1, 0)
    assert net.select_in_every_order()["accuracy"].tolist() == [94, 70]


def test_the_order_of_the_choices_changes_nothing() -> None:
    values = np.random.default_rng(0).normal(size=len(TOPOLOGY))
    turned = replace(TOPOLOGY, shuffle_seed=None)
    permutation = np.array([3, 0, 4, 1, 2])
    renamed = np.empty_like(values)
    renamed[turned.indices(permutation[TOPOLOGY.codes()])] = values
    plain = [each.choice for each in PerfectSupernet(TOPOLOGY, values).select([5, 3, 1, 0, 2, 4])]
    other = [each.choice for each in PerfectSupernet(turned, renamed).select([5, 3, 1, 0, 2, 4])]
    assert permutation[plain].tolist() == other


def test_the_loss_decides_among_equal_accuracies() -> None:
    losses = iter([0.5, 0.9, 0.7])
    accuracies = iter([98.0, 98.0, 99.0])
    decision = project(undecided(TWO), 1, lambda _: Score(next(accuracies), next(losses)))
    assert (decision.position, decision.choice) == (1, 1)
    assert decision.scores[2] == Score(99.0, 0.7)


def test_what_is_not_measured_is_left_out_or_refused() -> None:
    nan = float("nan")
    assert supernet(1, nan, 3, 4, 5, 6, 7, 8, nan).evaluate(undecided(TWO)).accuracy == np.mean(
        [1, 3, 4, 5, 6, 7, 8]
    )
    with pytest.raises(NotMeasured, match=r"none of the 2 .* left with left a, right b or c is measured"):
        supernet(1, nan, nan, 0, 0, 0, 0, 0, 0).select([0, 1])
    with pytest.raises(ConfigError, match=r"shape \(2,\) were given; allowed is \(9,\)"):
        PerfectSupernet(TWO, [1, 2])
