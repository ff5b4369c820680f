"""Your own environments: a folder of folders, or an `.npz` that says which environment each image is of.

ENVIRONMENT/train/CLASS/*.png and ENVIRONMENT/valid/CLASS/*.png for each that is trained on, TARGET/test/CLASS/*.png
for what is tested on at the end; or `train_domains` and `valid_domains` beside the arrays of a plain set. Of a target,
names and sizes are looked at beforehand, pixels are not.
"""

import math
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch

from natslib.errors import BadSource, shown
from natslib.training.environments import Environments
from natslib.training.images import Sealed, Split
from natslib.training.labels import check_side, from_0
from natslib.training.npz import SPLIT_NAMES, Arrays, Stored, read_npz, target_shape
from natslib.training.pictures import (
    check_sizes,
    class_files,
    class_labels,
    read_folder,
    read_pictures,
    split_folders,
    subfolders,
)

Folders = dict[str, dict[str, Path]]
ByEnvironment = dict[str, Arrays]


def environment_folders(path: Path) -> Folders:
    """Return the folders of the splits of each environment of a folder; nothing where it is a plain image set."""
    root = path.resolve()
    inside = subfolders(path, root)
    if any(folder.name.casefold() in SPLIT_NAMES for folder in inside):
        return {}
    if not any(
        split.name.casefold() in SPLIT_NAMES for folder in inside for split in subfolders(folder, root)
    ):
        return {}
    return {folder.name: split_folders(folder, root, SPLIT_NAMES) for folder in inside}


def from_folders(path: Path, folders: Folders) -> Environments:
    """Return the environments of a folder; raises `BadSource` where they do not go together."""
    tested = {name: splits["test"] for name, splits in folders.items() if "test" in splits}
    trained = [name for name, splits in folders.items() if set(splits) - {"test"}]
    _check_roles(path, trained, list(tested))
    images: ByEnvironment = {}
    labels: ByEnvironment = {}
    for name in trained:
        images[name], labels[name] = read_folder(path / name, SPLIT_NAMES)
    sides = {name: images[name]["train"].shape[1:3] for name in trained}
    for name, side in sides.items():
        if side != sides[trained[0]]:
            both = f"{sides[trained[0]]} in {trained[0]!r} and {side} in {name!r}"
            raise BadSource(f"{path} has images of several sizes, {both}; resize all to one size first")
    classes = sorted({str(label) for name in trained for label in labels[name]["train"]})
    files = {name: class_files(folder, path.resolve(), classes) for name, folder in tested.items()}
    for name, some in files.items():
        if not some:
            raise BadSource(f"{path / name} holds no picture to test on")
        check_sizes(some, sides[trained[0]])
    return _environments(
        path,
        images,
        labels,
        {name: class_labels(some) for name, some in files.items()},
        {name: partial(read_pictures, some) for name, some in files.items()},
    )


def from_arrays(path: Path, stored: Stored) -> Environments:
    """Return the environments of an `.npz` with `train_domains`; raises `BadSource` where they do not go together.

    `test_domains` name the targets where there are several, or else the one target is called 'test'.
    """
    domains = dict(stored.domains)
    if "test" in stored.labels:
        domains.setdefault("test", np.full(len(stored.labels["test"]), "test"))
    for split, labels in stored.labels.items():
        if split not in domains:
            raise BadSource(
                f"{path} has train_domains and no {split}_domains; needed is one a training image and "
                "one a validation image"
            )
        if domains[split].shape != labels.shape[:1] or domains[split].dtype.kind not in "iuU":
            form = f"{domains[split].dtype} {domains[split].shape}"
            raise BadSource(
                f"{path}, {split}: domains are {form}; allowed is a whole number or text an image"
            )
    names = {split: domains[split].astype(str) for split in stored.labels}
    trained, tested = (list(map(str, np.unique(names.get(split, [])))) for split in ("train", "test"))
    _check_roles(path, trained, tested)
    if strange := sorted(set(names.get("valid", [])) - set(trained)):
        raise BadSource(
            f"{path}, valid: images of {shown(str(strange[0]))}, which is not trained on; allowed are "
            f"{', '.join(trained)}"
        )
    found, wanted = target_shape(path), stored.images["train"].shape
    if found[0] != len(names["test"]) or math.prod(found[1:]) != math.prod(wanted[1:]):
        raise BadSource(
            f"{path} has images {found} for {len(names['test'])} labels to test on, {wanted} to train on; allowed is "
            "one size and number of channels"
        )

    def parted(arrays: Arrays, name: str) -> Arrays:
        kept = {split: array[names[split] == name] for split, array in arrays.items() if split != "test"}
        return {split: array for split, array in kept.items() if len(array)}

    @cache
    def whole_target() -> np.ndarray:
        return read_npz(path, with_target=True).images["test"]

    def target(name: str) -> np.ndarray:
        return whole_target()[rows[name]]

    rows = {name: names["test"] == name for name in tested}
    return _environments(
        path,
        {name: parted(stored.images, name) for name in trained},
        {name: parted(stored.labels, name) for name in trained},
        {name: stored.labels["test"][some] for name, some in rows.items()},
        {name: partial(target, name) for name in tested},
    )


def _check_roles(path: Path, trained: list[str], tested: list[str]) -> None:
    """Raise `BadSource` unless there is something to train on and something else to test on."""
    if both := sorted(set(trained) & set(tested)):
        raise BadSource(
            f"{path}: {both[0]!r} is trained on and tested on; a target holds images of an environment of its own"
        )
    for names, use in ((trained, "train"), (tested, "test")):
        if not names:
            raise BadSource(f"{path} has no environment to {use} on; needed are both, a source and a target")


def _environments(
    path: Path,
    images: ByEnvironment,
    labels: ByEnvironment,
    tested: Arrays,
    readers: Mapping[str, Callable[[], np.ndarray]],
) -> Environments:
    """Return environments from the arrays of each source by split, and the labels and image readers of each target."""
    for name, splits in images.items():
        if "valid" not in splits:
            raise BadSource(
                f"{path}: no held-out images of {name!r}; needed are valid ones of all that is trained on"
            )
    whole = np.concatenate([splits["train"] for splits in labels.values()])
    of_sources = {(name, split): array for name, splits in labels.items() for split, array in splits.items()}
    of_targets = {(name, "test"): array for name, array in tested.items()}
    keyed = {f"{name}, {split}": array for (name, split), array in (of_sources | of_targets).items()}
    classes, numbers = from_0(path, {"train": whole, **keyed})
    for name in images:
        if missing := sorted(set(range(classes)) - set(numbers[f"{name}, train"].tolist())):
            label = missing[0] if whole.ndim > 1 else whole[numbers["train"] == missing[0]][0]
            raise BadSource(
                f"{path}: {name!r} lacks the class {str(label)!r}; needed are training images of every class in every "
                "environment"
            )

    def split(name: str, kind: str, pixels: np.ndarray) -> Split:
        return Split(torch.from_numpy(pixels), torch.from_numpy(numbers[f"{name}, {kind}"]))

    def target(name: str) -> Split:
        return split(name, "test", readers[name]())

    side = next(iter(images.values()))["train"].shape[1]
    check_side(path, side)
    return Environments(
        path.stem,
        classes,
        {name: split(name, "train", splits["train"]) for name, splits in images.items()},
        {name: split(name, "valid", splits["valid"]) for name, splits in images.items()},
        Sealed({name: partial(target, name) for name in readers}),
        shift=side // 8,
        flip=True,
    )
