"""What a generator of a novel domain comes to by its own loss alone, on rotated digits, and where that goes wrong."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from natslib.nets.transport import transport
from natslib.novelty import AT_DESK, PUBLISHED, Novelty
from natslib.spaces import SMALL_SCALE
from natslib.training.environments import rotated_digits
from natslib.training.images import ImageSet, augmented_epoch, draw_plan, normalise
from natslib.training.novel_domain import LOSSES, NovelDomain, Novelties, form_of
from tests.shifted import shifted_images

BATCH = 64
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def images() -> ImageSet:
    return rotated_digits(views=0).pooled()


def novel_domain(images: ImageSet, novelty: Novelty) -> NovelDomain:
    return NovelDomain(form_of(images, "this"), novelty, SMALL_SCALE, 0, torch.device("cpu"))


@pytest.fixture(scope="module")
def judges(images: ImageSet) -> NovelDomain:
    """Trained once; whoever draws gets copies."""
    novel = novel_domain(images, AT_DESK)
    novel.train_judges(images, images.evaluations["valid"], torch.Generator().manual_seed(0))
    return novel


def trained(
    images: ImageSet, judges: NovelDomain, novelty: Novelty, epochs: int = 6
) -> tuple[Novelties, dict[str, float]]:
    """Return how drawn held-out images compare, and the last losses by name, once the generator has trained."""
    novel = novel_domain(images, novelty)
    for name in ("classes", "domains"):
        getattr(novel, name).load_state_dict(getattr(judges, name).state_dict())
    generator, losses = torch.Generator().manual_seed(0), {}
    for _ in range(epochs):
        epoch = augmented_epoch(images, draw_plan(images, generator))
        prepared = normalise(epoch.images, images)
        for part in zip(
            *(each.split(BATCH) for each in (prepared, epoch.labels, epoch.domains)), strict=True
        ):
            novel.optimizer.zero_grad()
            drawn = novel.judged(*part)
            drawn.loss.backward()
            novel.optimizer.step()
            losses = dict(zip(LOSSES, drawn.losses.tolist(), strict=True))
    valid = images.evaluations["valid"]
    return novel.novelties(normalise(valid.images, images), valid.labels, valid.domains), losses


def test_the_classifiers_are_right_on_held_out_images(judges: NovelDomain) -> None:
    of_classes, of_domains = judges.accuracies
    assert of_classes > 90
    assert of_domains > 95
    assert not judges.classes.training
    assert not any(weight.requires_grad for weight in judges.classes.parameters())


def test_with_features_of_length_one_drawn_digits_keep_their_label_and_come_back(
    images: ImageSet, judges: NovelDomain
) -> None:
    found, losses = trained(images, judges, AT_DESK)
    assert found.label_accuracy >= 85
    assert losses["cycle_loss"] <= 0.15


def embedded(novel: NovelDomain, images: torch.Tensor) -> torch.Tensor:
    """Return what transport is measured between: D's features, of length one where the settings say so."""
    found = novel.domains.features(images)
    return found / found.norm(dim=1, keepdim=True) if novel.novelty.unit_embeddings else found


@pytest.mark.parametrize("unit", [True, False])
def test_the_generator_is_told_the_weighed_sum_of_its_losses_less_the_transport(unit: bool) -> None:
    data = shifted_images()
    weights = {"cycle_weight": 3.0, "label_weight": 5.0, "novelty_weight": 7.0}
    novel = novel_domain(data, replace(AT_DESK, **weights, unit_embeddings=unit))
    images, labels, domains = normalise(data.train.images, data), data.train.labels, data.train.domains
    with torch.no_grad():
        drawn, loss, losses = novel.judged(images, labels, domains)
        cycle = (novel.back(drawn, domains) - images).abs().mean()
        label = cross_entropy(novel.classes(drawn), labels)
        distance = transport(embedded(novel, drawn), embedded(novel, images))
        torch.testing.assert_close(losses, torch.stack([cycle, label, distance]))
        torch.testing.assert_close(loss, 3 * cycle + 5 * label - 7 * distance)
        found = novel.novelties(images, labels, domains)
        new, *sources = (
            embedded(novel, some) for some in (drawn, images[domains == 0], images[domains == 1])
        )
        told = torch.stack([transport(new, source) for source in sources]).mean(), transport(*sources)
        sure = [100 * novel.domains(some).softmax(1).amax(1).mean() for some in (drawn, images)]
    assert (found.distance, found.source_distance) == pytest.approx(tuple(map(float, told)), rel=1e-4)
    assert (found.confidence, found.source_confidence) == pytest.approx(tuple(map(float, sure)), rel=1e-4)


def test_images_that_stay_as_they_are_are_not_novel(
    images: ImageSet, judges: NovelDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is measured of drawn images tells them from their sources: an identity gains nothing by any of it."""
    monkeypatch.setattr(judges, "draw", lambda images, domains: images)
    valid = images.evaluations["valid"]
    found = judges.novelties(normalise(valid.images, images), valid.labels, valid.domains)
    assert found.confidence == found.source_confidence
    assert found.distance < found.source_distance
    assert found.label_accuracy == pytest.approx(judges.accuracies[0])


def test_the_transport_is_what_pushes_drawn_digits_away(images: ImageSet, judges: NovelDomain) -> None:
    _, pushed = trained(images, judges, replace(AT_DESK, novelty_weight=2.0))
    _, still = trained(images, judges, replace(AT_DESK, novelty_weight=0.0))
    assert pushed["transport"] > 1.5 * still["transport"]


def test_raw_features_lose_the_label(images: ImageSet, judges: NovelDomain) -> None:
    """The released form of the loss, kept as it is: the transport grows without an end."""
    found, _ = trained(images, judges, replace(PUBLISHED, generator_learning_rate=1e-3), epochs=12)
    assert found.label_accuracy < 50
    assert found.distance > 3 * found.source_distance


def test_without_the_classifier_s_loss_the_label_is_lost_too(images: ImageSet, judges: NovelDomain) -> None:
    lost = replace(
        AT_DESK, label_weight=0.0, novelty_weight=5.0, cycle_weight=1.0, generator_learning_rate=3e-3
    )
    assert trained(images, judges, lost)[0].label_accuracy < 50
