"""Every image set by its name: embedded, of the benchmark, or your own."""

from collections.abc import Callable
from pathlib import Path

from natslib.datasets import PAPER
from natslib.errors import unknown_name
from natslib.training.embedded import digit_pairs, digits, photos
from natslib.training.images import ImageSet
from natslib.training.own import own_images
from natslib.training.paper_sets import cifar10, cifar10_valid, cifar100, imagenet16_120

IMAGE_SETS: dict[str, Callable[..., ImageSet]] = {
    "cifar10-valid": cifar10_valid,
    "cifar10": cifar10,
    "cifar100": cifar100,
    "ImageNet16-120": imagenet16_120,
    "digits": digits,
    "digit-pairs": digit_pairs,
    "photos": photos,
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
