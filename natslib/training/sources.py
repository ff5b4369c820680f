"""Every image set by its name: embedded, of the benchmark, or your own."""

from collections.abc import Callable
from pathlib import Path

from natslib.errors import unknown_name
from natslib.training.embedded import EMBEDDED
from natslib.training.images import ImageSet
from natslib.training.own import own_images
from natslib.training.published import cifar10, cifar10_valid, cifar100, imagenet16_120

PUBLISHED: dict[str, Callable[..., ImageSet]] = {
    "cifar10-valid": cifar10_valid,
    "cifar10": cifar10,
    "cifar100": cifar100,
    "ImageNet16-120": imagenet16_120,
}


def load_images(name: str, root: Path, *, verify: bool) -> ImageSet:
    """Return the image set of a name, or of a path to your own (`.npz` or folder).

    `root` is the folder of the downloaded sets; with `verify` their checksums must be the official ones.
    Raises `UnknownName`, and `BadSource` for files that are missing or damaged.
    """
    if name in EMBEDDED:
        return EMBEDDED[name]()
    if name in PUBLISHED:
        return PUBLISHED[name](root, verify=verify)
    if Path(name).suffix == ".npz" or Path(name).is_dir():
        return own_images(Path(name))
    raise unknown_name("dataset", name, [*EMBEDDED, *PUBLISHED, "PATH.npz", "FOLDER"])
