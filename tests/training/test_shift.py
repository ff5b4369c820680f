"""Features of the environment classifier: what they must show of digits whose shift is known."""

import numpy as np
import pandas as pd
import pytest
import torch

from natslib.analysis import shift
from natslib.analysis.shift import IID, OOD, Thresholds
from natslib.analysis.sides import Side, balanced, comparable, held_out, of_trial
from natslib.errors import ConfigError
from natslib.training.loop import set_rate
from natslib.training.shift import (
    EnvironmentClassifier,
    cell_of,
    descend,
    environment_features,
    new_classifier,
    rates,
    train_classifier,
)
from natslib.training.shift_study import VARIANTS, main, record, sides
from natslib.training.shift_trials import trained_features

RECORDED = "logs/shift/digits.parquet"


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def variant(name, *, gated=True):
    (found,) = [each for each in VARIANTS if (each.name, each.gated) == (name, gated)]
    return found


def measured(pair, kind=OOD, number=0, **options):
    """Return environment accuracy, diversity and correlation (original form) of one trial."""
    features = environment_features(*of_trial(*pair, kind, number, 0), number, **options)
    at = shift.densities(features, np.random.default_rng(number))
    used = Thresholds()
    return (
        features.accuracy,
        shift.diversity(at, used.diversity, "original"),
        shift.correlation(at, used.correlation, "original"),
    )


@pytest.fixture(scope="module")
def coloured():
    torch.set_num_threads(1)
    return sides(variant("coloured → 90%"))


def test_coloured_digits_have_correlation_and_no_diversity(coloured):
    accuracy, diversity, correlation = measured(coloured)
    assert diversity <= 0.01
    assert 0.6 <= correlation <= 0.8
    assert accuracy == pytest.approx(shift.flip_accuracy(0.15, 0.9), abs=0.03)


def test_without_the_label_the_classifier_sees_less(coloured):
    accuracy, ungated = (measured(coloured, gated=gated)[0] for gated in (True, False))
    assert ungated <= accuracy - 0.15


def test_turned_digits_have_diversity_and_no_correlation():
    accuracy, diversity, correlation = measured(sides(variant("rotated 0, 15° → 60°")), number=1)
    assert accuracy >= 0.98
    assert diversity >= 0.8
    assert correlation <= 0.03


def unbalanced():
    """The same grey digits below and from five on both sides; one side shows twice as many of the latter."""
    p, q = sides(variant("coloured → 15%"))
    rng = np.random.default_rng(0)
    grey = [Side(side.values.max(axis=-1, keepdims=True), side.labels, side.sources) for side in (p, q)]
    order = rng.permutation(len(p))
    first, second = grey[0][order[:900]], grey[0][order[900:]]
    drop = rng.permutation(np.flatnonzero(second.labels == 0))[: (second.labels == 0).sum() // 2]
    return first, second[np.setdiff1d(np.arange(len(second)), drop)]


def test_other_frequencies_of_labels_are_no_shift():
    p, q = unbalanced()
    assert (q.labels == 1).mean() > 0.6
    p, q, _ = comparable(p, q)
    balanced_p, balanced_q = balanced(p, q, np.random.default_rng(0))
    assert np.bincount(balanced_p.labels).tolist() == np.bincount(balanced_q.labels).tolist()
    found = np.mean([measured((p, q), number=number) for number in range(2)], axis=0)
    assert found[1] <= 0.06
    assert found[2] <= 0.06
    assert found[0] == pytest.approx(0.5, abs=0.08)


def test_the_features_are_of_images_that_were_not_trained_on(coloured):
    p, q = of_trial(*coloured, OOD, 0, 0)
    features = environment_features(p, q, 0)
    assert len(features.z) == pytest.approx(0.2 * (len(p) + len(q)), abs=8)
    assert features.z.shape[1] == 8
    assert features.other.mean() == pytest.approx(0.5, abs=0.02)


def test_the_classifier_sees_exactly_the_images_that_are_not_measured(monkeypatch):
    rng = np.random.default_rng(0)
    pair = [
        Side(rng.integers(0, 256, (100, 8, 8, 1), np.uint8), np.arange(100) % 2, np.arange(100) + 100 * side)
        for side in range(2)
    ]
    seen = []
    monkeypatch.setattr(
        "natslib.training.shift.train_classifier",
        lambda network, images, *others: seen.append(images) or network.eval(),
    )
    features = environment_features(*pair, 3)
    masks = held_out(*pair, np.random.default_rng(3))
    for side, mask, images in zip(pair, masks, *seen, strict=True):
        assert (images.mul(255).round().byte().permute(0, 2, 3, 1).numpy() == side.values[~mask]).all()
    assert len(features.z) == sum(mask.sum() for mask in masks) == 40


def test_training_is_repeated_bit_for_bit_by_its_seed_and_draws_nothing_global():
    p, q = (side[np.arange(0, len(side), 6)] for side in sides(variant("tinted → 90%")))
    state = torch.get_rng_state()
    first, again, other = (environment_features(p, q, seed) for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), state)
    assert (first.z == again.z).all()
    assert first.z.shape != other.z.shape or (first.z != other.z).any()


def test_rates_are_half_a_cosine_and_then_that_of_averaging():
    assert rates()[0] == 0.05
    assert rates()[5:] == [0.025] * 5
    assert rates() == sorted(rates(), reverse=True)


@pytest.mark.parametrize("gated", [True, False])
def test_gradients_that_are_written_out_are_those_of_autograd(gated):
    torch.manual_seed(0)
    network = new_classifier("mlp", 8, 2, 3, gated=gated)
    labels, truth = torch.eye(3)[torch.arange(40) % 3], torch.arange(40) // 20
    batch = (torch.rand(40, 2, 8, 8), labels, truth)
    found, wanted = network.gradients(*batch), EnvironmentClassifier.gradients(network, *batch)
    for (name, _), one, other in zip(network.named_parameters(), found, wanted, strict=True):
        assert one.shape == other.shape, name
        assert (one - other).abs().max() <= 1e-5 * other.abs().max(), name


def test_a_step_is_that_of_torch_s_optimizer():
    torch.manual_seed(0)
    weights = [torch.rand(3, 4), torch.rand(4)]
    others = [weight.clone() for weight in weights]
    optimizer = torch.optim.SGD(others, 0.05, momentum=0.9, weight_decay=1e-4)
    momenta = [None, None]
    for rate in (0.05, 0.04, 0.025):
        gradients = [torch.rand_like(weight) for weight in weights]
        for other, gradient in zip(others, gradients, strict=True):
            other.grad = gradient.clone()
        set_rate(optimizer, rate)
        optimizer.step()
        descend(weights, gradients, momenta, rate)
    for one, other in zip(weights, others, strict=True):
        torch.testing.assert_close(one, other)


def test_weights_are_averaged_and_batch_norms_estimated_anew():
    torch.manual_seed(0)
    network = new_classifier("cell:6111", 8, 1, 2)
    images = [torch.rand(64, 1, 8, 8) + side for side in range(2)]
    labels = [torch.eye(2).repeat(32, 1)] * 2
    found = train_classifier(network, images, labels, torch.Generator().manual_seed(0))
    assert isinstance(found, EnvironmentClassifier)
    assert found is not network
    assert any((a != b).any() for a, b in zip(found.parameters(), network.parameters(), strict=True))
    norm, last = (
        next(m for m in each.modules() if isinstance(m, torch.nn.BatchNorm2d)) for each in (found, network)
    )
    assert (norm.running_mean != last.running_mean).any()
    assert not found.training


@pytest.mark.parametrize("backbone", ["cell:6111", "cell:8048"], ids=["whole", "with a blind end"])
def test_a_cell_is_a_backbone(backbone):
    p, q = (side[np.arange(0, len(side), 4)] for side in sides(variant("coloured → 90%")))
    features = environment_features(p, q, 0, backbone=backbone)
    assert features.accuracy > 0.6


@pytest.mark.parametrize("backbone", ["resnet", "cell", "cell:x", "cell:15625"])
def test_other_backbones_are_refused(backbone):
    with pytest.raises(ValueError, match=r"allowed|15625"):
        cell_of(backbone)


def test_a_cell_needs_sides_that_it_can_halve():
    with pytest.raises(ConfigError, match="not 10; or the backbone 'mlp'"):
        new_classifier("cell:6111", 10, 1, 2)


def test_what_was_trained_is_kept_and_not_trained_again(tmp_path, monkeypatch):
    p, q = (side[np.arange(0, len(side), 6)] for side in sides(variant("coloured → 90%")))
    first, folder = trained_features(p, q, tmp_path, "kept", trials=1, progress=False)
    (folder / "features" / "iid-0.npz").unlink()  # as after a kill
    calls = []
    monkeypatch.setattr(
        "natslib.training.shift_trials.environment_features",
        lambda *a, **k: calls.append(a) or environment_features(*a, **k),
    )
    again, same = trained_features(p, q, tmp_path, "kept", trials=1, progress=False)
    assert same == folder
    assert len(calls) == 1
    for kind in (OOD, IID):
        assert (first[kind][0].z == again[kind][0].z).all()
    _, another = trained_features(p, q, tmp_path, "kept", trials=0, gated=False, progress=False)
    assert another != folder


def test_the_record_says_what_it_measured(tmp_path, monkeypatch):
    monkeypatch.setattr("natslib.training.shift_study.VARIANTS", [variant("coloured → 90%")])
    monkeypatch.setattr(
        "natslib.training.shift_study.record", lambda each: record(each, tmp_path / "kept", trials=1)
    )
    assert main(str(tmp_path / "rows.parquet")) == 0
    rows = pd.read_parquet(tmp_path / "rows.parquet")
    recorded = pd.read_parquet(RECORDED)
    assert rows.columns.tolist() == recorded.columns.tolist()
    keys = ["variant", "gated", "kind", "trial", "form"]
    both = rows[~rows["calibrated"]].merge(
        recorded[~recorded["calibrated"]], on=keys, suffixes=("", "_recorded")
    )
    assert len(both) == 4
    for name in ("diversity", "correlation", "accuracy"):  # other processors round otherwise
        assert (both[name] - both[f"{name}_recorded"]).abs().max() <= 0.06


@pytest.fixture(scope="module")
def rows():
    return pd.read_parquet(RECORDED)


def means(rows, name, form="original", *, kind=OOD, gated=True, calibrated=False):
    some = rows[(rows["kind"] == kind) & (rows["form"] == form) & (rows["gated"] == gated)]
    return some[some["calibrated"] == calibrated].groupby("variant", sort=False)[name].mean()


@pytest.mark.parametrize("form", shift.FORMS)
def test_recorded_correlations_rise_with_the_true_ones(rows, form):
    found = means(rows, "correlation", form).filter(like="coloured")
    assert len(found) == 5
    assert found.is_monotonic_increasing
    assert (means(rows, "diversity", form).filter(like="coloured") <= 0.01).all()


def test_recorded_shifts_are_those_of_the_paper_s_two_kinds(rows):
    correlation, diversity = means(rows, "correlation"), means(rows, "diversity")
    assert 0.62 <= correlation["coloured → 90%"] <= 0.8
    assert diversity["rotated 0, 15° → 60°"] >= 0.8
    assert correlation["rotated 0, 15° → 60°"] <= 0.03


def test_the_recorded_classifiers_are_nearly_as_good_as_any_can_be(rows):
    found = means(rows, "accuracy").filter(like="coloured")
    for name, accuracy in found.items():
        target = float(name.split()[-1].rstrip("%")) / 100
        assert accuracy == pytest.approx(shift.flip_accuracy(0.15, target), abs=0.03), name


def test_the_recorded_gate_matters(rows):
    for name, least in (
        ("accuracy", 0.15),
        ("correlation", 0.1),
    ):  # calibrated: without the gate the noise is larger
        gated, ungated = (means(rows, name, gated=gated, calibrated=True) for gated in (True, False))
        assert gated["coloured → 90%"] - ungated["coloured → 90%"] >= least


@pytest.mark.parametrize("form", shift.FORMS)
def test_the_recorded_controls_are_near_zero_and_calibrated_nearer(rows, form):
    for name in ("diversity", "correlation"):
        fixed = means(rows, name, form, kind=IID)
        assert fixed.mean() <= 0.06
        assert fixed.max() <= 0.1
        assert (means(rows, name, form, kind=IID, calibrated=True) <= 0.015).all()
