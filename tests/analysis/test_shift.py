"""The two shifts against distributions whose shifts are known."""

import numpy as np
import pytest
from scipy.stats import gaussian_kde

from natslib.analysis import shift
from natslib.analysis.shift import Features, Thresholds
from natslib.errors import ConfigError, UnknownName

ROWS = 2_000
FORM = pytest.mark.parametrize("form", shift.FORMS)


def flipped(e_p, e_q, *, rows=ROWS, noise=0, seed=0):
    """Two well-separated Gaussians, the label being which, flipped with another probability on each side."""
    rng = np.random.default_rng(seed)
    cluster = np.arange(2 * rows) % 2
    other = np.arange(2 * rows) >= rows
    labels = cluster ^ (rng.random(2 * rows) < np.where(other, e_q, e_p))
    z = rng.normal(size=(2 * rows, 2 + noise))
    z[:, 0] += 8 * cluster
    return Features(z, labels, other)


def at(features, seed=0):
    return shift.densities(features, np.random.default_rng(seed))


def both(features, form, thresholds=Thresholds()):  # noqa: B008 (frozen)
    found = at(features)
    return (
        shift.diversity(found, thresholds.diversity, form),
        shift.correlation(found, thresholds.correlation, form),
    )


def test_densities_are_those_of_scipy():
    rng = np.random.default_rng(0)
    rows, points = rng.normal(size=(8, 300)) * np.arange(1, 9)[:, None], rng.normal(size=(8, 500)) * 3
    kde = gaussian_kde(rows)
    assert shift._evaluate(kde, points) == pytest.approx(kde(points), rel=1e-5, abs=0)


@FORM
@pytest.mark.parametrize("e_q", [0.15, 0.5, 0.9])
def test_flipped_labels_have_the_correlation_of_the_closed_form(form, e_q):
    diversity, correlation = both(flipped(0.15, e_q), form)
    assert diversity <= 0.01
    assert correlation == pytest.approx(shift.flip_correlation(0.15, e_q, form), abs=0.05)


def test_closed_forms_have_the_values_of_the_paper_s_setting():
    targets = (0.15, 0.3, 0.5, 0.7, 0.9)
    original = [shift.flip_correlation(0.15, e, "original") for e in targets]
    assert original == pytest.approx([0, 0.15, 0.35, 0.55, 0.75])
    plus = [shift.flip_correlation(0.15, e, "plus") for e in targets]
    assert plus == pytest.approx([0, 0.0165, 0.0742, 0.1710, 0.3410], abs=1e-4)
    assert [shift.flip_accuracy(0.15, e) for e in targets] == pytest.approx([0.5, 0.575, 0.675, 0.775, 0.875])


def apart(share, *, move, seed=0):
    """As `flipped` by 0.2 and 0.8, but a share of each side lies at a place of its own, the rest is moved."""
    common = flipped(0.2, 0.8, seed=seed)
    own = np.random.default_rng(seed + 100).random(2 * ROWS) < share
    z = common.z.copy()
    z[:, 1] += np.where(own, np.where(common.other, 9, -9), move * common.other)
    return Features(z, common.labels, common.other)


def test_the_sum_of_the_plus_form_is_the_squared_hellinger_distance_where_densities_agree():
    share = 0.4
    found = sum(both(apart(share, move=0), "plus", Thresholds(1e-4, 1e-4)))
    affinity = (1 - share) * (1 - shift.flip_correlation(0.2, 0.8, "plus"))
    assert found == pytest.approx(1 - affinity, abs=0.05)


def test_the_sum_of_the_plus_form_is_less_where_densities_differ():
    features = apart(0, move=1.5)
    hellinger = 1 - np.exp(-(1.5**2) / 8) * (1 - shift.flip_correlation(0.2, 0.8, "plus"))
    assert sum(both(features, "plus", Thresholds(1e-12, 1e-12))) < hellinger - 0.1


@FORM
def test_features_that_one_side_lacks_are_diversity_and_nothing_else(form):
    features = apart(1, move=0)
    diversity, correlation = both(features, form)
    assert diversity == pytest.approx(1, abs=0.05)
    assert correlation <= 0.03


@FORM
def test_swapping_the_sides_changes_nothing_beyond_the_spread(form):
    pairs = [apart(0.3, move=0.5, seed=seed) for seed in range(4)]
    found = np.array([both(pair, form) for pair in pairs])
    swapped = np.array([both(Features(pair.z, pair.labels, ~pair.other), form) for pair in pairs])
    spread = found.std(axis=0, ddof=1)
    assert (np.abs(found.mean(axis=0) - swapped.mean(axis=0)) <= 2 * spread).all()


def test_the_two_forms_differ():
    features = flipped(0.15, 0.9)
    original, plus = (both(features, form)[1] for form in shift.FORMS)
    assert original - plus > 0.2


def test_both_forms_at_four_points_are_those_of_the_hand():
    """Drawn from 1/2 everywhere; the first point is of p alone, but for less than the threshold of q."""
    found = shift.Densities(
        pooled=np.full(4, 0.5),
        p=np.array([0.4, 0.1, 0.1, 0.4]),
        q=np.array([0.01, 0.1, 0.4, 0.1]),
        p_class=np.array([[0.4, 0.1, 0.1, 0.4], [0.4, 0.3, 0.1, 0.4]]),
        q_class=np.array([[0.01, 0.2, 0.4, 0.1], [0.01, 0.1, 0.4, 0.1]]),
        share=np.array([0.25, 0.75]),
        skipped=(),
    )
    assert shift.diversity(found, 0.05, "original") == pytest.approx(0.39 / 0.5 / 2 / 4)
    assert shift.diversity(found, 0.05, "plus") == pytest.approx((0.4**0.5 - 0.1) ** 2 / 0.5 / 2 / 4)
    # of the points that both sides have, the classes differ at the second alone: at the others q/p is that of all
    original = (0.25 * abs(0.1 - 0.2) + 0.75 * abs(0.3 - 0.1)) / 0.5 / 2 / 4
    assert shift.correlation(found, 0.05, "original") == pytest.approx(original)
    plus = 0.25 * (0.1**0.5 - 0.2**0.5) ** 2 + 0.75 * (0.3**0.5 - 0.1**0.5) ** 2
    assert shift.correlation(found, 0.05, "plus") == pytest.approx(plus / 0.5 / 2 / 4)


def test_no_other_form_is_known():
    with pytest.raises(UnknownName, match="'original', 'plus'"):
        both(flipped(0.1, 0.2), "hellinger")


@FORM
def test_calibration_brings_the_control_of_eight_dimensions_to_what_it_should_be(form):
    rows = 300
    controls = [at(flipped(0.5, 0.5, rows=rows, noise=6, seed=seed), seed) for seed in range(3)]
    used = shift.calibrate(controls, form)
    for measured, threshold in ((shift.diversity, used.diversity), (shift.correlation, used.correlation)):
        mean = np.mean([measured(one, threshold, form) for one in controls])
        assert 0 <= mean <= 0.015
    assert np.mean([shift.correlation(one, used.correlation, form) for one in controls]) >= 0.0025


def test_fixed_thresholds_see_nothing_in_eight_dimensions_and_calibrated_ones_do():
    shifted = at(flipped(0.1, 0.9, rows=300, noise=6))
    controls = [at(flipped(0.5, 0.5, rows=300, noise=6, seed=seed), seed) for seed in range(1, 4)]
    fixed = shift.correlation(shifted, Thresholds().correlation, "original")
    used = shift.calibrate(controls, "original")
    assert fixed < 0.001
    assert shift.correlation(shifted, used.correlation, "original") > 0.015


def test_features_are_standardised_so_that_their_units_do_not_matter():
    features = flipped(0.15, 0.9)
    scaled = Features(features.z * [1e6, 1e-3] + 5, features.labels, features.other)
    assert both(scaled, "original") == pytest.approx(both(features, "original"), abs=1e-6)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda z: np.where(np.arange(len(z))[:, None] == 3, np.nan, z), "1 of 4,000 rows .* not finite"),
        (lambda z: z * [1, 0], "feature 1 is constant"),
        (lambda z: z[:, [0, 0]], "depend on others"),
    ],
    ids=["not finite", "constant", "dependent"],
)
def test_features_without_a_density_are_refused(spoil, words):
    features = flipped(0.1, 0.9)
    with pytest.raises(ConfigError, match=words):
        at(Features(spoil(features.z), features.labels, features.other))


def test_a_class_without_a_density_is_skipped_with_a_warning():
    features = flipped(0.15, 0.9)
    labels = features.labels.copy()
    labels[:1] = 2
    with pytest.warns(UserWarning, match="class 2 is skipped"):
        found = at(Features(features.z, labels, features.other))
    assert found.skipped == (2,)
    assert found.share.sum() == pytest.approx(1)


def trials(e_q, accuracy):
    pairs = {shift.OOD: (0.15, e_q, accuracy), shift.IID: (0.5, 0.5, 0.5)}
    return {
        kind: [
            Features(one.z, one.labels, one.other, known + seed / 1000)
            for seed in range(2)
            for one in [flipped(p, q, rows=300, seed=seed)]
        ]
        for kind, (p, q, known) in pairs.items()
    }


def measured(found, **options):
    return shift.measure(found, shift.all_densities(found, 0), "original", **options)


def test_measuring_gives_a_row_a_trial_with_what_it_was_measured_by():
    rows = measured(trials(0.9, 0.87))
    assert rows[["kind", "trial"]].to_numpy().tolist() == [["ood", 0], ["ood", 1], ["iid", 0], ["iid", 1]]
    assert set(rows["form"]) == {"original"}
    assert (rows["correlation_threshold"] == 5e-4).all()
    assert (rows["n"] == 600).all()
    summary = shift.summarise(rows)
    assert summary.loc["ood", "correlation"] == pytest.approx(rows["correlation"][:2].mean())
    assert summary.loc["ood", "correlation_sd"] == pytest.approx(rows["correlation"][:2].std())
    calibrated = measured(trials(0.9, 0.87), calibrated=True)
    assert (calibrated["correlation_threshold"] != 5e-4).all()


@FORM
def test_calibrated_thresholds_are_those_of_the_control_in_the_form_that_is_measured(form):
    found = trials(0.9, 0.87)
    at_all = shift.all_densities(found, 0)
    rows = shift.measure(found, at_all, form, calibrated=True)
    wanted = shift.calibrate(at_all[shift.IID], form)
    assert set(rows["diversity_threshold"]) == {wanted.diversity}
    assert set(rows["correlation_threshold"]) == {wanted.correlation}
    assert wanted.correlation not in {
        shift.calibrate(at_all[shift.IID], other).correlation for other in shift.FORMS if other != form
    }


def test_what_is_said_follows_from_the_rows():
    diversity, correlation, *more = shift.explain(measured(trials(0.9, 0.87), calibrated=True))
    assert "no feature is found on one side only" in diversity
    assert "go with other labels" in correlation
    assert not more
    _, same, warning = shift.explain(measured(trials(0.15, 0.49), calibrated=True))
    assert "the same labels" in same
    assert warning.startswith("warning: no classifier tells the two sides apart")
