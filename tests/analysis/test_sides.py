"""Sides made comparable, mixed and split."""

import numpy as np
import pytest

from natslib.analysis import sides
from natslib.analysis.shift import IID, OOD
from natslib.analysis.sides import Side
from natslib.errors import ConfigError


def features(counts, *, d=2, seed=0, names=None):
    """A side of random features with so many rows of each class."""
    labels = np.repeat(names if names is not None else np.arange(len(counts)), counts)
    values = np.random.default_rng(seed).normal(size=(len(labels), d))
    return Side(values, labels, np.arange(len(labels)) + 10_000 * seed)


def images(counts, *, shape=(8, 8, 1), seed=0):
    labels = np.repeat(np.arange(len(counts)), counts)
    values = np.random.default_rng(seed).integers(0, 256, (len(labels), *shape), np.uint8)
    return Side(values, labels, np.arange(len(labels)) + 10_000 * seed)


@pytest.mark.parametrize(
    ("p", "q", "words"),
    [
        (images([90, 90]), images([90, 90], shape=(12, 12, 1)), "8×8 pixels with 1 .* 12×12 pixels with 1 channels"),
        (images([90, 90]), images([90, 90], shape=(8, 8, 3)), "1 channels.* 3 channels"),
        (images([90, 90]), features([90, 90]), "images of 8×8 .* 2 features"),
        (features([90, 90]), features([90, 90], d=3), "2 features, the other 3 features"),
        (features([90, 90, 90]), features([90, 90], seed=1), "different classes: one alone has 2;"),
        (features([9, 9], names=["cat", "dog"]), features([9, 9], names=["cat", "ox"]), "one alone has dog, ox;"),
        (features([9, 9]), features([9, 9], names=["0", "1"]), "different classes"),
        (features([90, 90]), features([90, 90]), "the same rows with the same labels"),
        (features([90, 5]), features([90, 90], seed=1), "fewer than two classes .* 6 rows a class .*1: 5"),
        (images([90, 89]), images([90, 90], seed=1), "90 rows a class on both sides .* 8 features.*1: 89"),
        (features([90]), features([90], seed=1), "fewer than two classes .*one class"),
    ],
    ids=[
        "size", "channels", "mixed", "features", "classes", "named classes", "numbers and text", "the same",
        "too small", "too few held out", "one class",
    ],
)  # fmt: skip
def test_sides_that_cannot_be_compared_are_refused(p, q, words):
    with pytest.raises(ConfigError, match=words):
        sides.comparable(p, q)


def test_the_same_rows_in_another_order_are_the_same():
    side = images([90, 90])
    order = np.random.default_rng(0).permutation(180)
    with pytest.raises(ConfigError, match="the same rows"):
        sides.comparable(side, side[order])


@pytest.mark.parametrize(("value", "words"), [(np.nan, "not finite"), (1.0, "feature 1 is constant")])
def test_features_that_say_nothing_are_refused_before_anything_is_measured(value, words):
    pair = [features([90, 90], seed=seed) for seed in (0, 1)]
    for side in pair:
        side.values[:, 1] = value
    with pytest.raises(ConfigError, match=words):
        sides.comparable(*pair)


def test_a_small_class_is_left_out_of_both_sides_and_named():
    p, q, small = sides.comparable(features([90, 90, 5]), features([90, 90, 90], seed=1))
    assert small == {"2": 5}
    assert [sorted(set(side.labels.tolist())) for side in (p, q)] == [[0, 1], [0, 1]]


def test_balancing_equalises_every_class():
    p, q = sides.balanced(features([30, 70]), features([50, 20], seed=1), np.random.default_rng(0))
    assert np.bincount(p.labels).tolist() == np.bincount(q.labels).tolist() == [30, 20]
    assert len(set(p.sources.tolist())) == 50


def test_the_control_draws_both_sides_from_both():
    p, q = features([40, 40]), features([40, 40], seed=1)
    mixed = sides.of_trial(p, q, IID, 0, 0)
    kept = sides.of_trial(p, q, OOD, 0, 0)
    assert all((side.sources >= 10_000).mean() in (0, 1) for side in kept)
    assert all(0.3 < (side.sources >= 10_000).mean() < 0.7 for side in mixed)
    assert [np.bincount(side.labels).tolist() for side in mixed] == [[40, 40], [40, 40]]
    both = np.concatenate([side.sources for side in mixed])
    assert sorted(both.tolist()) == sorted([*p.sources.tolist(), *q.sources.tolist()])


def test_views_of_one_image_are_never_on_both_sides_of_the_split():
    p, q = features([150, 150]), features([150, 150], seed=1)
    p, q = (Side(side.values, side.labels, side.sources // 3) for side in (p, q))
    mixed = sides.of_trial(p, q, IID, 0, 0)
    measured = sides.held_out(*mixed, np.random.default_rng(0))
    chosen, others = (
        {
            source
            for side, mask in zip(mixed, measured, strict=True)
            for source in side.sources[mask ^ flip].tolist()
        }
        for flip in (False, True)
    )
    assert not chosen & others
    for side, mask in zip(mixed, measured, strict=True):
        shares = [mask[side.labels == label].mean() for label in (0, 1)]
        assert shares == pytest.approx([0.2, 0.2], abs=0.08)


def test_a_fifth_of_each_class_is_measured():
    masks = sides.held_out(features([90, 100]), features([90, 100], seed=1), np.random.default_rng(0))
    assert [(mask[:90].sum(), mask[90:].sum()) for mask in masks] == [(18, 20), (18, 20)]


def test_rows_of_the_same_bytes_have_one_source():
    p, q = images([3, 3]), images([3, 3], seed=1)
    q.values[4] = p.values[1]
    p, q = sides.number_sources([p, q])
    assert q.sources[4] == p.sources[1]
    assert len({*p.sources.tolist(), *q.sources.tolist()}) == 11


def test_images_are_not_measured_as_they_are():
    with pytest.raises(ConfigError, match="a classifier learns them"):
        sides.measured_features(images([3, 3]), images([3, 3]))
