"""The benchmark's own image sets: CIFAR-10, CIFAR-100 and ImageNet16-120 with its splits (NATS-Bench, section 3.2)."""

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path

import torch

from natslib.datasets import get_dataset
from natslib.errors import BadSource
from natslib.files import lock, read_json
from natslib.training.batches import read_batches
from natslib.training.images import ImageSet, Split


@dataclass(frozen=True)
class DataFile:
    """A file of a dataset: its path below the data folder, its md5, and the address of the file or of its archive.

    `archive_md5` is that of the archive, which is unpacked in the data folder; None when `url` is the file itself.
    `url` is None for a file that cannot be fetched without an account: `where` says where to get it.
    """

    path: str
    md5: str
    url: str | None
    archive_md5: str | None = None
    where: str = ""


def md5_of(path: Path) -> str:
    """Return the md5 of a file as 32 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def fetch(file: DataFile, url: str, root: Path) -> None:
    """Download a file, or the archive that holds it, into `root` with a progress bar; raises `BadSource`."""
    import pooch  # only here: nothing else needs the network

    archive = file.archive_md5 is not None
    target = root if archive else (root / file.path).parent
    name = url.rsplit("/", 1)[1] if archive else Path(file.path).name
    unpack = pooch.Untar(extract_dir=".") if archive else None
    try:
        pooch.retrieve(
            url,
            f"md5:{file.archive_md5 or file.md5}",
            fname=name,
            path=target,
            processor=unpack,
            progressbar=True,
        )
    except (OSError, ValueError) as error:
        raise BadSource(
            f"cannot fetch {url} to {target}: {error}; by hand: get that file elsewhere and put it there as {name}"
        ) from error


def checked(file: DataFile, root: Path, *, verify: bool) -> Path:
    """Return the path of a dataset's file, fetched when it is missing; raises `BadSource` for a wrong checksum.

    Processes that start together fetch it once: the others wait. `verify=False` accepts a file of other content (say,
    recompressed images); the log's stamp then says so.
    """
    path = root / file.path
    fault = _fault(file, path, verify=verify)
    if fault and file.url is not None:
        # Another process may be unpacking just what is missing or incomplete here.
        with lock(root / ".fetch.lock"):
            if not path.is_file():
                fetch(file, file.url, root)
        fault = _fault(file, path, verify=verify)
    if fault:
        raise BadSource(fault)
    return path


def _fault(file: DataFile, path: Path, *, verify: bool) -> str:
    """Return what is wrong with a file on the disk, '' when nothing is."""
    if not path.is_file():
        return f"{path} is missing " + (
            f"after {file.url} was fetched" if file.url else f"and cannot be fetched: {file.where}"
        )
    if verify and (found := md5_of(path)) != file.md5:
        remedy = f"; remove it, and {file.url} is fetched" if file.url else ""
        return f"{path} has the md5 {found}; allowed is {file.md5}{remedy}"
    return ""


_CIFAR = "https://www.cs.toronto.edu/~kriz/"
_CIFAR10_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
_CIFAR100_MD5 = {"train": "16019d7e3df5f24257cddd939b257f8d", "test": "f0ef6b0ae62326f3e7ffdfab6717acfc"}
_IMAGENET_MD5 = {
    "train_data_batch_1": "27846dcaa50de8e21a7d1a35f30f0e91",
    "train_data_batch_2": "c7254a054e0e795c69120a5727050e3f",
    "train_data_batch_3": "4333d3df2e5ffb114b05d2ffc19b1e87",
    "train_data_batch_4": "1620cdf193304f4a92677b695d70d10f",
    "train_data_batch_5": "348b3c2fdbb3940c4e9e834affd3b18d",
    "train_data_batch_6": "6e765307c242a1b3d7d5ef9139b48945",
    "train_data_batch_7": "564926d8cbf8fc4818ba23d2faac7564",
    "train_data_batch_8": "f4755871f718ccb653440b9dd0ebac66",
    "train_data_batch_9": "bb6dd660c38c58552125b1a92f86b5d4",
    "train_data_batch_10": "8f03f34ac4b42271a294f91bf480f29b",
    "val_data": "3410e3017fdaefba8d5073aaa65e4bd6",
}
_SPLITS = "https://raw.githubusercontent.com/D-X-Y/AutoDL-Projects/main/configs/nas-benchmark/"
CIFAR100_SPLIT = DataFile(
    "cifar100-test-split.txt", "16f51963f0ccd95cb6c08c33ca4c1665", _SPLITS + "cifar100-test-split.txt"
)
IMAGENET_SPLIT = DataFile(
    "imagenet-16-120-test-split.txt",
    "670c7749b090d2e937e20d10e811be22",
    _SPLITS + "imagenet-16-120-test-split.txt",
)
_WHERE = "get the 16x16 down-sampled ImageNet from image-net.org (an account is needed) and unpack it there"

CIFAR10_FILES = {
    name: DataFile(
        f"cifar-10-batches-py/{name}",
        md5,
        _CIFAR + "cifar-10-python.tar.gz",
        archive_md5="c58f30108f718f92721af3b95e74349a",
    )
    for name, md5 in _CIFAR10_MD5.items()
}
CIFAR100_FILES = {
    name: DataFile(
        f"cifar-100-python/{name}",
        md5,
        _CIFAR + "cifar-100-python.tar.gz",
        archive_md5="eb9058c3a382ffc7106e4002c42a8d85",
    )
    for name, md5 in _CIFAR100_MD5.items()
}
IMAGENET_FILES = {
    name: DataFile(f"ImageNet16/{name}", md5, None, where=_WHERE) for name, md5 in _IMAGENET_MD5.items()
}
#: Mean and standard deviation per channel, in units of 0 to 255.
CIFAR10_NORM = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)
CIFAR100_NORM = (129.3, 124.1, 112.4), (68.2, 65.4, 70.4)
IMAGENET_NORM = (122.68, 116.66, 104.01), (63.22, 61.26, 65.09)


def cifar10_halves() -> tuple[list[int], list[int]]:
    """Return the official halves of the CIFAR-10 training images: 25,000 indices to train on, 25,000 for validation."""
    numbers = list(range(50_000))
    random.Random(1021).shuffle(numbers)
    return sorted(numbers[:25_000]), sorted(numbers[25_000:])


def take(split: Split, rows: list[int]) -> Split:
    """Return some images of a split."""
    return split.take(torch.tensor(rows))


def halves_of_test(test: Split, file: DataFile, root: Path, *, verify: bool) -> dict[str, Split]:
    """Return the official halves of a test set and the whole: 'valid', 'test' and 'valtest'."""
    path = checked(file, root, verify=verify)
    rows = {
        name: [int(i) for i in numbers]
        for name, (_, numbers) in read_json(path, "split of a test set").items()
    }
    if sorted(rows["xvalid"] + rows["xtest"]) != list(range(len(test))):
        raise BadSource(f"{path} does not split {len(test)} test images in two")
    return {"valid": take(test, rows["xvalid"]), "test": take(test, rows["xtest"]), "valtest": test}


def _image_set(
    name: str,
    train: Split,
    evaluations: dict[str, Split],
    norm: tuple[tuple[float, ...], tuple[float, ...]],
) -> ImageSet:
    """Return the image set, after comparing the numbers of images with the published ones; raises `BadSource`."""
    facts = get_dataset(name)
    found = {"train": len(train)} | {split: len(some) for split, some in evaluations.items()}
    if found != facts.images:
        raise BadSource(f"{name} has {found} images; allowed is {facts.images}")
    return ImageSet(name, facts.classes, train, evaluations, *norm, shift=facts.shift, flip=facts.flip)


def cifar10(root: Path, *, verify: bool) -> ImageSet:
    """Return CIFAR-10 with all 50,000 training images; evaluated on the test images."""
    train, test = _cifar10_parts(root, verify=verify)
    return _image_set("cifar10", train, {"test": test}, CIFAR10_NORM)


def cifar10_valid(root: Path, *, verify: bool) -> ImageSet:
    """Return CIFAR-10 with half of its training images; evaluated on the other half and on the test images."""
    train, test = _cifar10_parts(root, verify=verify)
    mine, others = cifar10_halves()
    parts = {"valid": take(train, others), "test": test}
    return _image_set("cifar10-valid", take(train, mine), parts, CIFAR10_NORM)


def _cifar10_parts(root: Path, *, verify: bool) -> tuple[Split, Split]:
    paths = [checked(file, root, verify=verify) for file in CIFAR10_FILES.values()]
    return read_batches(paths[:5], 32, b"labels"), read_batches(paths[5:], 32, b"labels")


def cifar100(root: Path, *, verify: bool) -> ImageSet:
    """Return CIFAR-100 with all 50,000 training images; evaluated on the halves of the test images."""
    paths = [checked(file, root, verify=verify) for file in CIFAR100_FILES.values()]
    train, test = (read_batches([path], 32, b"fine_labels") for path in paths)
    halves = halves_of_test(test, CIFAR100_SPLIT, root, verify=verify)
    return _image_set("cifar100", train, halves, CIFAR100_NORM)


def first_classes(split: Split, classes: int) -> Split:
    """Return the images of the first classes of the down-sampled ImageNet, labels counted from 0 instead of 1."""
    keep = split.labels <= classes
    return Split(split.images[keep], split.labels[keep] - 1)


def imagenet16_120(root: Path, *, verify: bool) -> ImageSet:
    """Return the first 120 classes of ImageNet at 16x16 pixels; evaluated on the halves of its validation images."""
    paths = [checked(file, root, verify=verify) for file in IMAGENET_FILES.values()]
    *parts, test = (
        first_classes(read_batches([path], 16, b"labels"), 120) for path in paths
    )  # one in memory
    train = Split(torch.cat([part.images for part in parts]), torch.cat([part.labels for part in parts]))
    halves = halves_of_test(test, IMAGENET_SPLIT, root, verify=verify)
    return _image_set("ImageNet16-120", train, halves, IMAGENET_NORM)
