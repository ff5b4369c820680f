"""Facts about the image datasets that candidates are trained on; no images and no torch here.

A dataset is named by its *training set*, as in the official files: `cifar10-valid` is CIFAR-10 trained on half of the
training images, `cifar10` on all of them (NATS-Bench, section 3.2).
"""

from dataclasses import dataclass

from natslib.errors import unknown_name

#: What is trained or measured on, in words, by split.
SPLIT_TITLES = {"train": "training", "valid": "validation", "test": "test", "valtest": "validation + test"}


@dataclass(frozen=True)
class Dataset:
    """One training set and the sets its networks are evaluated on.

    `resolution` is the side of the square image in pixels; `images` maps each split to its number of images. While
    training, images move by up to `shift` pixels, and with `flip` half of them are mirrored.
    """

    name: str
    title: str
    classes: int
    resolution: int
    in_channels: int
    shift: int
    flip: bool
    images: dict[str, int]


_OF_THE_PAPER = (
    Dataset(
        "cifar10-valid",
        "CIFAR-10 (half)",
        10,
        32,
        3,
        4,
        True,
        {"train": 25_000, "valid": 25_000, "test": 10_000},
    ),
    Dataset("cifar10", "CIFAR-10", 10, 32, 3, 4, True, {"train": 50_000, "test": 10_000}),
    Dataset(
        "cifar100",
        "CIFAR-100",
        100,
        32,
        3,
        4,
        True,
        {"train": 50_000, "valid": 5_000, "test": 5_000, "valtest": 10_000},
    ),
    Dataset(
        "ImageNet16-120",
        "ImageNet16-120",
        120,
        16,
        3,
        2,
        True,
        {"train": 151_700, "valid": 3_000, "test": 3_000, "valtest": 6_000},
    ),
)

#: Small sets that need no download; their numbers of images count every fixed shift of an evaluated image.
_EMBEDDED = (
    Dataset("digits", "digits", 10, 8, 1, 2, False, {"train": 896, "valid": 1_350, "test": 1_353}),
    Dataset(
        "digit-pairs", "digit pairs", 100, 8, 1, 1, False, {"train": 3_000, "valid": 1_500, "test": 1_500}
    ),
    Dataset("photos", "photos", 10, 8, 3, 1, True, {"train": 2_340, "valid": 520, "test": 520}),
)

#: Shifted data: `valid` is of the environments that are trained on, `test` of another one.
_SHIFTED = (
    Dataset(
        "digits-rotated", "rotated digits", 10, 8, 1, 1, False, {"train": 896, "valid": 1_350, "test": 1_353}
    ),
    Dataset(
        "digits-rotated-70",
        "digits, rotated by 70°",
        10,
        8,
        1,
        1,
        False,
        {"train": 896, "valid": 1_350, "test": 1_353},
    ),
    Dataset(
        "digits-coloured", "coloured digits", 2, 8, 2, 1, False, {"train": 896, "valid": 1_350, "test": 1_353}
    ),
    Dataset(
        "digits-tinted", "tinted digits", 2, 8, 2, 1, False, {"train": 896, "valid": 1_350, "test": 1_353}
    ),
)

PAPER: tuple[str, ...] = tuple(dataset.name for dataset in _OF_THE_PAPER)
SHIFTED: tuple[str, ...] = tuple(dataset.name for dataset in _SHIFTED)
EMBEDDED: tuple[str, ...] = (*(dataset.name for dataset in _EMBEDDED), *SHIFTED)
DATASETS: dict[str, Dataset] = {dataset.name: dataset for dataset in (*_OF_THE_PAPER, *_EMBEDDED, *_SHIFTED)}


def get_dataset(name: str) -> Dataset:
    """Return the dataset of that name; raises `UnknownName`."""
    if name not in DATASETS:
        raise unknown_name("dataset", name, DATASETS)
    return DATASETS[name]


def lacks_split(dataset: str, split: str) -> str:
    """Return what to say of a split that a known dataset does not have; empty for one that it may have."""
    if dataset not in DATASETS or split in DATASETS[dataset].images:
        return ""
    told = (
        f"dataset {dataset!r} has no split {split!r}, only {', '.join(map(repr, DATASETS[dataset].images))}"
    )
    if (dataset, split) == ("cifar10", "valid"):
        told += "; validation accuracy of CIFAR-10 belongs to dataset 'cifar10-valid', half of its training images"
    return told


def title_of(name: str) -> str:
    """Return a dataset's name as figures write it; that of one natslib does not know stays as it is."""
    return DATASETS[name].title if name in DATASETS else name
