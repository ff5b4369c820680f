"""Image sets that need no download: derived from what scikit-learn ships, for real training on a fresh machine.

They are small and they are not CIFAR. One run trains on `train`; `valid` and `test` are disjoint images, as in the
benchmark's CIFAR-100 (NATS-Bench, section 3.2).
"""

import numpy as np
import torch

from natslib.datasets import get_dataset
from natslib.training.images import ImageSet, Split

#: Fixes which images belong to which split and how the images of `valid` and `test` are shifted.
SPLIT_SEED = 20201
#: Seven whole batches of 128 digits to train on; the rest in two halves.
DIGITS_SIZES = {"train": 896, "valid": 450, "test": 451}
#: Every digit of `valid` and `test` is shown at that many fixed shifts, which lowers the noise of the accuracies.
DIGITS_VIEWS = 3
PAIRS_SIZES = {"train": 3000, "valid": 1500, "test": 1500}
#: Of the 52 blocks of a strip: a half to train on, a quarter each for `valid` and `test`; pixels between tiles.
PHOTO_ENDS, PHOTO_STRIDES = (26, 39), {"train": 4, "valid": 8, "test": 8}

Arrays = tuple[np.ndarray, np.ndarray]


def split_of(arrays: Arrays) -> Split:
    """Return images of whole numbers from 0 to 255 and their labels as a split."""
    images, labels = arrays
    return Split(torch.from_numpy(images.astype(np.uint8)), torch.from_numpy(labels.astype(np.int64)))


def shifted(arrays: Arrays, shift: int, views: int, rng: np.random.Generator) -> Arrays:
    """Return every image (n, h, w, c) at `views` random shifts of up to `shift` pixels, filled with zeros."""
    images, labels = arrays
    _, height, width, _ = images.shape
    padded = np.pad(images, ((0, 0), (shift, shift), (shift, shift), (0, 0)))
    moved = []
    for image in np.repeat(padded, views, axis=0):
        row, column = rng.integers(0, 2 * shift + 1, 2)
        moved.append(image[row : row + height, column : column + width])
    return np.stack(moved), np.repeat(labels, views)


def _image_set(name: str, parts: dict[str, Arrays]) -> ImageSet:
    """Return the image set of the parts 'train', 'valid' and 'test', normalised by the training images."""
    facts = get_dataset(name)
    splits = {split: split_of(arrays) for split, arrays in parts.items()}
    train = splits.pop("train")
    pixels = train.images.numpy()
    mean, std = (tuple(map(float, f(pixels, axis=(0, 1, 2)))) for f in (np.mean, np.std))
    return ImageSet(name, facts.classes, train, splits, mean, std, shift=facts.shift, flip=facts.flip)


def digit_parts(rng: np.random.Generator) -> dict[str, Arrays]:
    """Return the 1,797 digits, uint8 (n, 8, 8, 1) from 0 to 16, in three disjoint parts."""
    from sklearn.datasets import load_digits  # here: it takes as long to import as all of natslib

    source = load_digits()
    images, labels = source.images.astype(np.uint8)[..., None], source.target
    rows = np.split(rng.permutation(len(labels)), np.cumsum(list(DIGITS_SIZES.values()))[:2])
    return {name: (images[some], labels[some]) for name, some in zip(DIGITS_SIZES, rows, strict=True)}


def digits() -> ImageSet:
    """Return the handwritten digits of 8x8 pixels, 10 classes, grey; shifted by up to 2 pixels in every split."""
    rng = np.random.default_rng(SPLIT_SEED)
    parts = digit_parts(rng)
    for name in ("valid", "test"):
        parts[name] = shifted(parts[name], get_dataset("digits").shift, DIGITS_VIEWS, rng)
    return _image_set("digits", parts)


def _pairs(arrays: Arrays, n: int, rng: np.random.Generator) -> Arrays:
    """Return `n` pairs: two digits beside each other, each squeezed to half its width; class = 10 x left + right.

    The hundred classes are equally frequent; which images show them is random.
    """
    images, labels = arrays
    squeezed = images.reshape(len(images), 8, 4, 2, 1).mean(axis=3)
    pairs = np.arange(n) % 100
    halves = []
    for digit in (pairs // 10, pairs % 10):
        rows = [rng.choice(np.flatnonzero(labels == wanted)) for wanted in digit]
        halves.append(squeezed[rows])
    return np.concatenate(halves, axis=2) * 8, pairs


def _pair_parts(rng: np.random.Generator) -> dict[str, Arrays]:
    """Return the pairs in three parts; those of one part are made of the digits of that part alone."""
    return {name: _pairs(arrays, PAIRS_SIZES[name], rng) for name, arrays in digit_parts(rng).items()}


def digit_pairs() -> ImageSet:
    """Return pairs of digits, 8x8 pixels, 100 classes, grey; shifted by up to 1 pixel in every split."""
    rng = np.random.default_rng(SPLIT_SEED)
    parts = _pair_parts(rng)
    for name in ("valid", "test"):
        parts[name] = shifted(parts[name], get_dataset("digit-pairs").shift, 1, rng)
    return _image_set("digit-pairs", parts)


def _blocks(photo: np.ndarray, strip: int) -> np.ndarray:
    """Return the blocks (52, 16, 16, 3) of one of five vertical strips of a photo, at half its resolution."""
    half = photo[:426].reshape(213, 2, 320, 2, 3).mean(axis=(1, 3))
    area = half[: 16 * 13, 64 * strip : 64 * strip + 64]
    return area.reshape(13, 16, 4, 16, 3).swapaxes(1, 2).reshape(-1, 16, 16, 3)


def _tiles(blocks: np.ndarray, stride: int) -> np.ndarray:
    """Return the 8x8 tiles of every block (16x16 pixels) at that stride."""
    corners = range(0, 9, stride)
    return np.concatenate([blocks[:, y : y + 8, x : x + 8] for y in corners for x in corners])


def _photo_parts(rng: np.random.Generator) -> dict[str, Arrays]:
    """Return the tiles of the photographs, the class being the strip, in three parts."""
    from sklearn.datasets import load_sample_images

    strips = [_blocks(photo, strip) for photo in load_sample_images().images for strip in range(5)]
    halves = [np.split(rng.permutation(blocks), PHOTO_ENDS) for blocks in strips]
    parts: dict[str, Arrays] = {}
    for number, (name, stride) in enumerate(PHOTO_STRIDES.items()):
        tiles = [_tiles(parted[number], stride) for parted in halves]
        labels = np.repeat(np.arange(len(strips)), [len(some) for some in tiles])
        parts[name] = np.concatenate(tiles), labels
    return parts


def photos() -> ImageSet:
    """Return tiles of two photographs, 8x8 pixels, colour; the class is the strip (5 a photo) a tile comes from.

    A strip is cut into 52 blocks: a half to train on, a quarter each for `valid` and `test`. Tiles of a training block
    overlap by half, other tiles do not. Training tiles are mirrored and shifted by up to 1 pixel.
    """
    parts = _photo_parts(np.random.default_rng(SPLIT_SEED))
    return _image_set("photos", parts)


#: The images of each embedded set before `valid` and `test` are shifted: a generator -> the parts.
PARTS = {"digits": digit_parts, "digit-pairs": _pair_parts, "photos": _photo_parts}
