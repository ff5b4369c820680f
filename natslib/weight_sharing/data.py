"""The images of a weight-sharing search: one half trains the weights, the other the choice (NATS-Bench, section 4)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from natslib.errors import ConfigError
from natslib.training.images import ImageSet, Split, augmented_epoch, draw_plan, normalise
from natslib.training.loop import batches as in_batches
from natslib.training.sources import UNSHIFTED, load_images, unshifted_valid
from natslib.weight_sharing.method import Batch


@dataclass(frozen=True)
class SearchData:
    """Images to search with, on the device: `train` for the weights, `valid` for the choice, disjoint.

    The training split of each is meant; both are prepared in the same way. `name` is the dataset's, without "-valid".
    """

    name: str
    train: ImageSet
    valid: ImageSet


def search_data(images: ImageSet, valid: Split) -> SearchData:
    """Return the training images of a set beside validation images; what is evaluated at the end is left behind."""
    name = images.name.removesuffix("-valid")
    train = replace(images, evaluations={}, final={})
    return SearchData(name, train, replace(train, train=valid))


def load_search_data(
    name: str, root: Path, device: torch.device, *, verify: bool, halves: bool = False
) -> SearchData:
    """Return the search data of a dataset's name or of your own images, as `natslib.training.load_images`.

    CIFAR-10 is searched on its two training halves; CIFAR-100 and ImageNet16-120 on all training images and the
    validation half of the test images. The embedded sets have validation images of their own; here they are not yet
    shifted. Or, as in DARTS-PT, every set on the first and second half of its training images (`halves`). Test images
    are never seen. Raises `ConfigError` where a set has no validation images and is not to be halved.
    """
    if halves:
        return halved(load_images(name, root, verify=verify).to(device))
    images = load_images("cifar10-valid" if name == "cifar10" else name, root, verify=verify)
    if "valid" not in images.evaluations:
        raise ConfigError(f"{name} has no split 'valid' to search with: it has {sorted(images.evaluations)}")
    valid = unshifted_valid(name) if name in UNSHIFTED else images.evaluations["valid"]
    return search_data(images.to(device), valid.to(device))


def halved(images: ImageSet) -> SearchData:
    """Return the first half of the training images to train on, the second to choose by."""
    whole, middle = images.train, len(images.train) // 2
    first, second = whole.take(slice(middle)), whole.take(slice(middle, None))
    return search_data(replace(images, train=first), second)


def batches(images: ImageSet, split: Split, size: int) -> Iterator[Batch]:
    """Yield a split in batches, normalised as `images`; the last may be smaller."""
    for some in in_batches(split, size):
        yield Batch(normalise(some.images, images), some.labels, some.domains)


def paired_epoch(data: SearchData, size: int, generator: torch.Generator) -> Iterator[tuple[Batch, Batch]]:
    """Yield the batches of one epoch: every training image once, each paired with a random validation image.

    Validation images are drawn with replacement, and augmented as the training images.
    """
    n, valid = len(data.train.train), data.valid.train
    rows = torch.randint(len(valid), (n,), generator=generator).to(valid.labels.device)
    drawn = replace(data.valid, train=valid.take(rows))
    train_epoch, valid_epoch = (
        augmented_epoch(images, draw_plan(images, generator)) for images in (data.train, drawn)
    )
    return zip(batches(data.train, train_epoch, size), batches(drawn, valid_epoch, size), strict=True)


class SelectionBatches:
    """The validation images of a search in batches: `next` goes through them in ever new random orders.

    As they are or, where `augmented`, moved anew as training images in every round and every pass.
    """

    def __init__(
        self, data: SearchData, size: int, generator: torch.Generator, *, augmented: bool = False
    ) -> None:
        self._images, self._size, self._generator = data.valid, size, generator
        self._augmented = augmented
        self._left: Iterator[Batch] = iter(())

    def __next__(self) -> Batch:
        for batch in self._left:
            return batch
        self._left = self._shuffled(self._generator)
        return next(self._left)

    def whole(self) -> Iterator[Batch]:
        """Yield all images once, in random order: some sets are sorted by class. As they are, always in the same."""
        return self._shuffled(self._generator if self._augmented else torch.Generator().manual_seed(0))

    def _shuffled(self, generator: torch.Generator) -> Iterator[Batch]:
        if self._augmented:
            moved = augmented_epoch(self._images, draw_plan(self._images, generator))
            return batches(self._images, moved, self._size)
        split = self._images.train
        order = torch.randperm(len(split), generator=generator).to(split.labels.device)
        return batches(self._images, split.take(order), self._size)
