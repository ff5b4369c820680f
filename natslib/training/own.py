"""Your own images: an `.npz` file or a folder of pictures, by any convention that can be read in one way only."""

from pathlib import Path

import torch

from natslib.errors import BadSource
from natslib.training.images import ImageSet, Split
from natslib.training.labels import check_side, from_0
from natslib.training.npz import SPLIT_NAMES, Arrays, read_npz
from natslib.training.own_environments import environment_folders, from_arrays, from_folders
from natslib.training.pictures import read_folder


def own_images(path: Path) -> ImageSet:
    """Return the image set in an `.npz` file or a folder; its name is the file's or folder's, without suffix.

    An `.npz` holds `train_images` (n, side, side, channels), (n, channels, side, side) or (n, side, side), and
    `train_labels`; likewise `valid_` and `test_`, of which one may be missing. A folder holds `train/CLASS/*.png` and
    so on, square pictures of one size. Training images are mirrored and shifted by up to an eighth of the side.
    With `train_domains`, or folders such as ENVIRONMENT/train/CLASS/*.png, it consists of environments, pooled
    (`natslib.training.environments`). Raises `BadSource` for whatever can be read in two ways.
    """
    if path.is_dir():
        try:
            if folders := environment_folders(path):
                return from_folders(path, folders).pooled()
            images, labels = read_folder(path, SPLIT_NAMES)
        except OSError as error:
            raise BadSource(f"{path} cannot be read ({error.strerror or error})") from error
    elif path.is_file():
        stored = read_npz(path)
        if "train" in stored.domains:
            return from_arrays(path, stored).pooled()
        images, labels = stored.images, stored.labels
    else:
        raise BadSource(
            f"{path} is no file and no folder; allowed are an .npz file and a folder with train/CLASS/*.png"
        )
    return _image_set(path, images, labels)


def _image_set(path: Path, images: Arrays, labels: Arrays) -> ImageSet:
    if "train" not in images or len(images) < 2:
        raise BadSource(f"{path} has the splits {sorted(images)}; needed are train and one of valid and test")
    classes, labels = from_0(path, labels)
    parts = {
        split: Split(torch.from_numpy(images[split]), torch.from_numpy(labels[split])) for split in images
    }
    train = parts.pop("train")
    check_side(path, train.images.shape[1])
    pixels = train.images.double()
    mean, std = pixels.mean(dim=(0, 1, 2)).tolist(), pixels.std(dim=(0, 1, 2)).clamp(min=1e-6).tolist()
    shift = train.images.shape[1] // 8
    return ImageSet(path.stem, classes, train, parts, tuple(mean), tuple(std), shift=shift, flip=True)
