"""Image sets that need no download: derived from what scikit-learn ships, for real training on a fresh machine.

They are small and they are not CIFAR. One run trains on `train`; `valid` and `test` are disjoint images, as in the
benchmark's CIFAR-100 (NATS-Bench, section 3.2).
"""

from collections.abc import Callable

import numpy as np
import torch
from sklearn.datasets import load_digits

from natslib.errors import unknown_name
from natslib.training.images import ImageSet, Split

#: Fixes which images belong to which split and how the images of `valid` and `test` are shifted.
SPLIT_SEED = 20201
#: Every image of `valid` and `test` is shown at that many fixed shifts, which lowers the noise of the accuracies.
VIEWS = 3
SHIFT = 2
#: Seven whole batches of 128 to train on; the rest in two halves.
DIGITS_SIZES = {"train": 896, "valid": 450, "test": 451}


def shifted_views(images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> Split:
    """Return every image (n, h, w, c) at `VIEWS` random shifts of up to `SHIFT` pixels, filled with zeros."""
    _, height, width, _ = images.shape
    padded = np.pad(images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)))
    views = []
    for image in np.repeat(padded, VIEWS, axis=0):
        row, column = rng.integers(0, 2 * SHIFT + 1, 2)
        views.append(image[row : row + height, column : column + width])
    return Split(torch.from_numpy(np.stack(views)), torch.from_numpy(np.repeat(labels, VIEWS)))


def digits() -> ImageSet:
    """Return the 1,797 handwritten digits of 8x8 pixels, shifted in training and in evaluation; 10 classes, grey."""
    source = load_digits()
    images, labels = source.images.astype(np.uint8)[..., None], source.target.astype(np.int64)
    rng = np.random.default_rng(SPLIT_SEED)
    order = rng.permutation(len(labels))
    train, valid, test = np.split(order, np.cumsum(list(DIGITS_SIZES.values()))[:2])
    evaluations = {
        name: shifted_views(images[rows], labels[rows], rng)
        for name, rows in (("valid", valid), ("test", test))
    }
    pixels = images[train]
    return ImageSet(
        name="digits",
        classes=10,
        train=Split(torch.from_numpy(images[train]), torch.from_numpy(labels[train])),
        evaluations=evaluations,
        mean=(float(pixels.mean()),),
        std=(float(pixels.std()),),
        shift=SHIFT,
        flip=False,
    )


#: The embedded image sets by name.
EMBEDDED: dict[str, Callable[[], ImageSet]] = {"digits": digits}


def embedded_images(name: str) -> ImageSet:
    """Return the embedded image set of that name; raises `UnknownName`."""
    if name not in EMBEDDED:
        raise unknown_name("embedded image set", name, EMBEDDED)
    return EMBEDDED[name]()
