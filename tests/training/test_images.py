"""Augmentation: shifts stay within their limit, are uniform, and images keep their labels; bad images are refused."""

from dataclasses import replace

import pytest
import torch

from natslib.errors import BadSource
from natslib.training.images import EpochPlan, ImageSet, Split, augmented_epoch, draw_plan, normalise


def still(data: ImageSet) -> EpochPlan:
    n = len(data.train)
    corners = torch.full((n, 2), data.shift)
    return EpochPlan(torch.arange(n), corners, torch.zeros(n, dtype=torch.bool))


def test_an_epoch_without_chance_is_the_training_set(tiny_images: ImageSet) -> None:
    epoch = augmented_epoch(tiny_images, still(tiny_images))
    assert torch.equal(epoch.images, tiny_images.train.images)
    assert torch.equal(epoch.labels, tiny_images.train.labels)


def test_images_move_by_their_corner_and_zeros_move_in(tiny_images: ImageSet) -> None:
    plan = still(tiny_images)
    plan.corners[3] = torch.tensor([0, 4])
    moved, image = augmented_epoch(tiny_images, plan).images[3], tiny_images.train.images[3]
    assert torch.equal(moved[2:, :-2], image[:-2, 2:])
    assert not moved[:2].any()
    assert not moved[:, -2:].any()


def test_mirroring_turns_left_and_right(tiny_images: ImageSet) -> None:
    plan = still(tiny_images)
    plan.mirrored[5] = True
    epoch = augmented_epoch(tiny_images, plan)
    assert torch.equal(epoch.images[5], tiny_images.train.images[5].flip(1))
    assert torch.equal(epoch.images[4], tiny_images.train.images[4])


def test_labels_follow_their_images(tiny_images: ImageSet) -> None:
    plan = still(tiny_images)
    order = torch.randperm(len(tiny_images.train), generator=torch.Generator().manual_seed(0))
    epoch = augmented_epoch(tiny_images, replace(plan, order=order))
    assert torch.equal(epoch.images, tiny_images.train.images[order])
    assert torch.equal(epoch.labels, tiny_images.train.labels[order])


def test_every_shift_and_both_sides_are_equally_likely(tiny_images: ImageSet) -> None:
    generator = torch.Generator().manual_seed(0)
    plans = [draw_plan(tiny_images, generator) for _ in range(200)]
    counts = torch.bincount(torch.cat([plan.corners.flatten() for plan in plans]))
    assert len(counts) == 5
    assert (counts / counts.sum() - 0.2).abs().max() < 0.01
    assert abs(torch.cat([plan.mirrored for plan in plans]).float().mean() - 0.5) < 0.02
    assert not draw_plan(replace(tiny_images, flip=False), generator).mirrored.any()


def test_normalised_images_lie_channels_last_in_memory(tiny_images: ImageSet) -> None:
    images = normalise(tiny_images.train.images, tiny_images)
    assert images.shape == (48, 3, 8, 8)
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert images[0, 2, 4, 6] == pytest.approx((int(tiny_images.train.images[0, 4, 6, 2]) - 122.0) / 62.0)


def test_wrong_labels_and_shapes_are_refused(tiny_images: ImageSet) -> None:
    train = tiny_images.train
    with pytest.raises(BadSource, match="tiny, train: class labels go from 0 to 6; allowed are 0 to 5"):
        replace(tiny_images, classes=6)
    with pytest.raises(BadSource, match="tiny, train: 47 labels for 48 images"):
        replace(tiny_images, train=Split(train.images, train.labels[1:]))
    with pytest.raises(BadSource, match=r"tiny, train: \(48, 1\) labels for 48 images; allowed is one each"):
        replace(tiny_images, train=Split(train.images, train.labels[:, None]))
    with pytest.raises(BadSource, match=r"tiny, train: images are torch.float32 \(48, 8, 8, 3\)"):
        replace(tiny_images, train=Split(train.images.float(), train.labels))
    with pytest.raises(BadSource, match=r"\(48, 7, 8, 3\); allowed is torch.uint8 \(n, side, side, 3\)"):
        replace(tiny_images, train=Split(train.images[:, 1:], train.labels))
    with pytest.raises(BadSource, match=r"test: images are .* \(48, 4, 4, 3\);.*the side as in training"):
        replace(tiny_images, evaluations={"test": Split(train.images[:, ::2, ::2], train.labels)})
