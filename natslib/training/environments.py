"""Environments: image sets that differ from one another by a shift, some to train on and some to be surprised by.

Trained on are images of several source environments; `valid` are held-out images of the same ones, in distribution;
`test` are images of the target, out of it (OoD-Bench, section 2).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from natslib.datasets import get_dataset
from natslib.errors import ConfigError
from natslib.training.embedded import DIGITS_VIEWS, SPLIT_SEED, Arrays, digit_parts, shifted, split_of
from natslib.training.images import ImageSet, Sealed, Split

#: Changes the images and labels of one environment.
Change = Callable[[Arrays, np.random.Generator], Arrays]
#: From the digits' 0 to 16 to 0 to 240, so that what is interpolated is not rounded coarsely.
BRIGHTER = 15


@dataclass(frozen=True)
class Environments:
    """Source and target environments, each a split by its name.

    `sources` are trained on, `valid` holds other images of the same environments. `targets` may be a `Sealed`, whose
    images are made when they are asked for. `shift` and `flip` as of `ImageSet`.
    """

    name: str
    classes: int
    sources: Mapping[str, Split]
    valid: Mapping[str, Split]
    targets: Mapping[str, Split]
    shift: int
    flip: bool

    def pooled(self) -> ImageSet:
        """Return one image set: all sources to train on, 'valid' of the same ones, and the targets as final 'test'.

        `domains` number the sources in their order, targets after them. Training images are in a random order, always
        the same, so that halves of them hold every environment. Raises `BadSource` where images do not fit together.
        """
        numbers = {name: number for number, name in enumerate(self.sources)}
        train = _joined(self.sources, numbers)
        train = train.take(torch.randperm(len(train), generator=torch.Generator().manual_seed(SPLIT_SEED)))
        pixels = train.images.double()
        mean, std = pixels.mean(dim=(0, 1, 2)), pixels.std(dim=(0, 1, 2), correction=0).clamp(min=1e-6)
        beyond = {name: len(numbers) + number for number, name in enumerate(self.targets)}
        return ImageSet(
            self.name,
            self.classes,
            train,
            {"valid": _joined(self.valid, numbers)},
            tuple(mean.tolist()),
            tuple(std.tolist()),
            shift=self.shift,
            flip=self.flip,
            environments=tuple(self.sources),
            final=Sealed({"test": lambda: _joined(self.targets, beyond)}),
        )


def _joined(splits: Mapping[str, Split], numbers: Mapping[str, int]) -> Split:
    """Return splits behind one another, each with its number as domain."""
    parts = [(split, torch.full((len(split),), numbers[name])) for name, split in splits.items()]
    return Split(
        torch.cat([split.images for split, _ in parts]),
        torch.cat([split.labels for split, _ in parts]),
        torch.cat([domains for _, domains in parts]),
    )


def need_sources(images: ImageSet, least: int, who: str) -> None:
    """Raise `ConfigError` unless there are at least that many source environments to train on; `who` needs them."""
    found = images.environments
    if len(found) < least:
        has = f"{len(found)} ({', '.join(found)})" if found else "none"
        raise ConfigError(f"{who} needs {least} or more source environments; {images.name} has {has}")


def rotated_digits(
    sources: Sequence[float] = (0, 20, 40),
    target: float = 50,
    *,
    name: str = "digits-rotated",
    views: int = DIGITS_VIEWS,
) -> Environments:
    """Return digits turned by an angle an environment, in degrees: a shift of diversity.

    No image is in two environments. `views`: evaluated images are shown at that many fixed shifts; 0: as they are.
    """
    angles = {f"{angle:g}°": partial(rotated, angle=angle) for angle in sources}
    return _of_digits(name, angles, f"{target:g}°", partial(rotated, angle=target), views)


def far_rotated_digits(*, views: int = DIGITS_VIEWS) -> Environments:
    """Return digits turned to 70° to be tested: so far that cells differ by their seeds alone, a warning example."""
    return rotated_digits(target=70, name="digits-rotated-70", views=views)


def coloured_digits(
    flips: Sequence[float] = (0.1, 0.2),
    target: float = 0.9,
    label_noise: float = 0.25,
    *,
    name: str = "digits-coloured",
    views: int = DIGITS_VIEWS,
) -> Environments:
    """Return digits below five against the others, the label tied to a colour that deceives in the target.

    A share `label_noise` of labels is flipped, then the colour is the label but for a share of the images, one of
    `flips` an environment: a shift of correlation. `views` as of `rotated_digits`.
    """
    colours = {share: partial(coloured, flip=share, label_noise=label_noise) for share in (*flips, target)}
    sources = {f"{share:.0%}": colours[share] for share in flips}
    return _of_digits(name, sources, f"{target:.0%}", colours[target], views)


def tinted_digits(*, views: int = DIGITS_VIEWS) -> Environments:
    """Return coloured digits whose labels are all right: shape says more than colour, and cells differ in seeing it."""
    return coloured_digits(label_noise=0, name="digits-tinted", views=views)


def _of_digits(
    name: str, sources: Mapping[str, Change], target: str, at_target: Change, views: int
) -> Environments:
    """Return environments of disjoint digits, each changed in its way."""
    facts, rng = get_dataset(name), np.random.default_rng(SPLIT_SEED)
    parts = digit_parts(rng)
    of_train, of_valid, of_target = rng.spawn(3)

    def evaluated(arrays: Arrays, change: Change, rng: np.random.Generator) -> Split:
        changed = change(arrays, rng)
        return split_of(shifted(changed, facts.shift, views, rng) if views else changed)

    train, valid = (
        zip(sources.items(), _shares(parts[split], len(sources)), strict=True) for split in ("train", "valid")
    )
    return Environments(
        name,
        facts.classes,
        {key: split_of(change(share, of_train)) for (key, change), share in train},
        {key: evaluated(share, change, of_valid) for (key, change), share in valid},
        Sealed({target: lambda: evaluated(parts["test"], at_target, of_target)}),
        shift=facts.shift,
        flip=facts.flip,
    )


def _shares(arrays: Arrays, count: int) -> list[Arrays]:
    """Return images in so many disjoint shares of almost equal size."""
    images, labels = arrays
    return list(zip(np.array_split(images, count), np.array_split(labels, count), strict=True))


def rotated(arrays: Arrays, rng: np.random.Generator, *, angle: float) -> Arrays:
    """Return images turned by an angle in degrees, within their frame, interpolated linearly."""
    images, labels = arrays
    from scipy.ndimage import rotate  # here: no other set needs it

    turned = rotate(images * float(BRIGHTER), angle, axes=(2, 1), reshape=False, order=1)
    return turned.round(), labels


def coloured(arrays: Arrays, rng: np.random.Generator, *, flip: float, label_noise: float) -> Arrays:
    """Return images of two channels, one of them black, by a colour that is the label but for a share `flip`."""
    images, digits = arrays
    labels = (digits < 5) ^ _some(len(digits), label_noise, rng)
    colour = labels ^ _some(len(digits), flip, rng)
    both = np.repeat(images * BRIGHTER, 2, axis=-1)
    both[np.arange(len(both)), ..., 1 - colour.astype(int)] = 0
    return both, labels.astype(int)


def _some(count: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return a mask (count,) that holds for a share, exactly but for rounding, in random places."""
    return rng.permutation(count) < round(share * count)
