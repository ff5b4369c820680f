"""Small images of environments that differ by what anybody sees, in tests of what trains on several."""

from dataclasses import replace

import torch

from natslib.training.images import ImageSet, Split

CLASSES = 3


def shifted_split(n: int, seed: int, *, alike: bool = False, domains: int = 2, side: int = 8) -> Split:
    """Return noise whose brightness is its class, and whose upper half is the brighter the higher its domain."""
    generator = torch.Generator().manual_seed(seed)
    labels, numbers = torch.arange(n) % CLASSES, torch.arange(n) // CLASSES % domains
    images = torch.randint(0, 60, (n, side, side, 1), generator=generator, dtype=torch.uint8)
    images += (50 * labels).to(torch.uint8)[:, None, None, None]
    if not alike:
        images[:, : side // 2] += (90 * numbers).to(torch.uint8)[:, None, None, None]
    return Split(images, labels, numbers)


def shifted_images(n: int = 60, *, alike: bool = False, domains: int = 2, side: int = 8) -> ImageSet:
    """Return such images to train on, others as 'valid'; the environments are called by their numbers."""
    train, valid = (
        shifted_split(many, seed, alike=alike, domains=domains, side=side) for many, seed in ((n, 0), (36, 1))
    )
    whole = ImageSet("shifted", CLASSES, train, {"valid": valid}, (100.0,), (60.0,), shift=0, flip=False)
    return replace(whole, environments=tuple(map(str, range(domains))))
