"""Shapes of the generator and the classifier, and that a domain asked for makes a difference."""

import pytest
import torch

from natslib.nets import count_params
from natslib.nets.generator import Generator, SmallClassifier
from natslib.spaces import PAPER_SCALE, SMALL_SCALE


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def domains(n: int, value: int) -> torch.Tensor:
    return torch.full((n,), value)


@pytest.mark.parametrize("side", [8, 15, 16, 18, 32])
def test_an_image_keeps_its_shape_and_changes_by_one_at_most(side: int) -> None:
    generator = Generator(3, 4, side, SMALL_SCALE)
    images = torch.randn(5, 3, side, side)
    drawn = generator(images, domains(5, 0), domains(5, 3))
    assert drawn.shape == images.shape
    assert 0 < (drawn - images).abs().max() <= 1


@pytest.mark.parametrize("side", [8, 32])
def test_the_domains_asked_for_change_what_is_drawn_in_the_middle_too(side: int) -> None:
    generator = Generator(1, 3, side, SMALL_SCALE)
    images, half = torch.randn(4, 1, side, side), side // 2
    first = generator(images, domains(4, 0), domains(4, 2))
    for source, target in ((0, 1), (1, 2)):
        other = generator(images, domains(4, source), domains(4, target))
        assert (other - first)[:, :, half, half].abs().min() > 1e-4


def test_the_paper_s_generator_is_64_wide_and_the_small_one_fits_in_200_kilobytes() -> None:
    assert Generator(3, 4, 32, PAPER_SCALE).first[0].out_channels == 64
    assert 4 * count_params(Generator(3, 4, 8, SMALL_SCALE)) < 100_000


@pytest.mark.parametrize(("scale", "width"), [(PAPER_SCALE, 64), (SMALL_SCALE, 32)])
@pytest.mark.parametrize("side", [8, 32])
def test_the_classifier_tells_classes_by_as_many_features_as_channels(scale, width: int, side: int) -> None:
    network = SmallClassifier(1, 10, side, scale)
    images = torch.randn(3, 1, side, side)
    assert network.features(images).shape == (3, width)
    assert network(images).shape == (3, 10)
