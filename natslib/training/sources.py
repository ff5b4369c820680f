"""Every image set by its name: embedded, of the benchmark, or your own."""

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from natslib.datasets import PAPER
from natslib.errors import BadSource, unknown_name
from natslib.tables.format.schema import SPLITS
from natslib.training.embedded import digit_pairs, digits, photos
from natslib.training.images import ImageSet, Split
from natslib.training.paper_sets import cifar10, cifar10_valid, cifar100, imagenet16_120

_SPLITS = tuple(split for split in SPLITS if split != "valtest")  # that is valid and test together
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".webp")


def own_images(path: Path) -> ImageSet:
    """Return the image set in an `.npz` file or a folder; its name is the file's or folder's, without suffix.

    An `.npz` holds `train_images` (n, side, side, channels), uint8, and `train_labels` (n,), integers from 0; likewise
    `valid_` and `test_`, of which one may be missing. A folder holds `train/CLASS/*.png` and so on, square pictures of
    one size. Training images are mirrored and shifted by up to an eighth of the side. Raises `BadSource`.
    """
    if path.is_dir():
        parts = _folder(path)
    elif path.is_file():
        parts = _npz(path)
    else:
        raise BadSource(
            f"{path} does not exist; allowed are an .npz file and a folder with train/CLASS/*.png"
        )
    if "train" not in parts or len(parts) < 2:
        raise BadSource(f"{path} has the splits {sorted(parts)}; needed are train and one of valid and test")
    train = parts.pop("train")
    if (found := train.images.shape[1]) % 4:
        raise BadSource(
            f"{path} has images of {found} pixels; networks halve them twice: allowed are 4, 8, ..."
        )
    pixels = train.images.double()
    mean, std = pixels.mean(dim=(0, 1, 2)).tolist(), pixels.std(dim=(0, 1, 2)).clamp(min=1e-6).tolist()
    classes = int(max(split.labels.max() for split in (train, *parts.values()))) + 1
    shift = train.images.shape[1] // 8
    return ImageSet(path.stem, classes, train, parts, tuple(mean), tuple(std), shift=shift, flip=True)


def _npz(path: Path) -> dict[str, Split]:
    """Return the splits of an `.npz` file; grey images (n, side, side) get a channel axis."""
    try:
        with zipfile.ZipFile(path):  # `np.load` alone would also take a lone array
            arrays = np.load(path, allow_pickle=False)
        with arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (ValueError, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise BadSource(f"{path} is not an .npz of plain arrays: {error}") from error
    splits = {}
    for name in _SPLITS:
        images, labels = found.get(f"{name}_images"), found.get(f"{name}_labels")
        if images is None or labels is None:
            continue
        if images.dtype != np.uint8 or not np.issubdtype(labels.dtype, np.integer):
            kinds = f"{images.dtype} images and {labels.dtype} labels"
            raise BadSource(f"{path}, {name}: {kinds}; allowed are uint8 images and integer labels")
        images = images[..., None] if images.ndim == 3 else images
        if images.ndim != 4 or 0 in images.shape or labels.shape != images.shape[:1]:
            shapes = f"images {images.shape} and labels {labels.shape}"
            allowed = "(n, side, side, channels) or (n, side, side), and (n,), at least one"
            raise BadSource(f"{path}, {name}: {shapes}; allowed are {allowed}")
        splits[name] = Split(torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64)))
    return splits


def _folder(path: Path) -> dict[str, Split]:
    """Return the splits of a folder; the classes are the folders in `train`, in alphabetical order."""
    names = sorted(folder.name for folder in (path / "train").glob("*/"))
    splits = {}
    for split in _SPLITS:
        files = [file for file in sorted((path / split).glob("*/*")) if file.suffix.lower() in _PICTURES]
        if strange := sorted({file.parent.name for file in files} - set(names)):
            raise BadSource(f"{path / split} has the class {strange[0]!r}; allowed are {', '.join(names)}")
        if files:
            labels = torch.tensor([names.index(file.parent.name) for file in files])
            splits[split] = Split(torch.from_numpy(_pictures(files)), labels)
    return splits


def _pictures(files: list[Path]) -> np.ndarray:
    """Return pictures as uint8 (n, height, width, 3); raises `BadSource` unless all have one size."""
    from PIL import Image, UnidentifiedImageError

    pictures = []
    for file in files:
        try:
            picture = Image.open(file).convert("RGB")
        except (UnidentifiedImageError, OSError) as error:
            raise BadSource(f"{file} is not a readable picture: {error}") from error
        pictures.append(np.asarray(picture))
        if pictures[-1].shape != pictures[0].shape:
            sizes = f"{pictures[-1].shape[:2]} pixels, others {pictures[0].shape[:2]}"
            raise BadSource(f"{file} has {sizes}; resize all to one size first")
    return np.stack(pictures)


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
    if Path(name).suffix == ".npz" or Path(name).is_dir():
        return own_images(Path(name))
    raise unknown_name("dataset", name, [*IMAGE_SETS, "PATH.npz", "FOLDER"])
