"""Every image set by its name: embedded, of the benchmark, or your own."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from natslib.datasets import PAPER
from natslib.errors import unknown_name
from natslib.training.embedded import PARTS, SPLIT_SEED, digit_pairs, digits, photos, split_of
from natslib.training.environments import (
    Environments,
    coloured_digits,
    far_rotated_digits,
    rotated_digits,
    tinted_digits,
)
from natslib.training.images import ImageSet, Split
from natslib.training.own import own_images
from natslib.training.paper_sets import cifar10, cifar10_valid, cifar100, imagenet16_120

ENVIRONMENTS: dict[str, Callable[..., Environments]] = {
    "digits-rotated": rotated_digits,
    "digits-rotated-70": far_rotated_digits,
    "digits-coloured": coloured_digits,
    "digits-tinted": tinted_digits,
}
"""The image sets that consist of environments; a builder takes the number of `views` of an evaluated image."""


def _pooled(name: str) -> ImageSet:
    return ENVIRONMENTS[name]().pooled()


IMAGE_SETS: dict[str, Callable[..., ImageSet]] = {
    "cifar10-valid": cifar10_valid,
    "cifar10": cifar10,
    "cifar100": cifar100,
    "ImageNet16-120": imagenet16_120,
    "digits": digits,
    "digit-pairs": digit_pairs,
    "photos": photos,
    **{name: partial(_pooled, name) for name in ENVIRONMENTS},
}
"""How the images of each dataset of `natslib.datasets` are had: the paper's from files, the others by computing."""


def load_images(name: str, root: Path, *, verify: bool) -> ImageSet:
    """Return the image set of a name, or of a path to your own (`.npz` or folder).

    `root` is the folder of the downloaded sets; with `verify` their checksums must be the official ones.
    Raises `UnknownName`, and `BadSource` for files that are missing or damaged.
    """
    if name in PAPER:
        return IMAGE_SETS[name](root, verify=verify)
    if name in IMAGE_SETS:
        return IMAGE_SETS[name]()
    if Path(name).suffix.lower() == ".npz" or Path(name).is_dir():
        return own_images(Path(name))
    raise unknown_name("dataset", name, [*IMAGE_SETS, "PATH.npz", "FOLDER"])


UNSHIFTED = (*PARTS, *ENVIRONMENTS)


def unshifted_valid(name: str) -> Split:
    """Return the images of the split `valid` of an embedded set as they are, for searches that shift them anew."""
    if name in ENVIRONMENTS:
        return ENVIRONMENTS[name](views=0).pooled().evaluations["valid"]
    if name not in PARTS:
        raise unknown_name("embedded image set", name, UNSHIFTED)
    return split_of(PARTS[name](np.random.default_rng(SPLIT_SEED))["valid"])
