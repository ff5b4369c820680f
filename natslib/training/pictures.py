"""Pictures in folders: which files are read, of which formats, and what is refused before anything is opened.

Pictures are recognised by content among a few formats that Pillow itself decodes: others would start other programs.
"""

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from natslib.errors import BadSource, shown

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "BMP", "PPM", "WEBP")
_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm", ".webp")
_LEFT_BY_SYSTEMS = ("thumbs.db", "desktop.ini")
MAX_SIDE = 1024  # pixels; a candidate's images are far smaller
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")


def read_folder(
    path: Path, split_names: Mapping[str, str]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return uint8 images (n, height, width, 3) and labels of every split of a folder.

    `split_names` maps what the folder of a split may be called to the split. Labels are the names of the classes, the
    folders in that of the training images. Raises `BadSource` for whatever else lies there, unless it is hidden.
    """
    images, labels, root = {}, {}, path.resolve()
    folders = split_folders(path, root, split_names)
    if "train" not in folders:
        raise BadSource(
            f"{path} has the splits {sorted(folders)}; needed are train and one of valid and test"
        )
    classes = class_names(folders["train"], root)
    for split, folder in folders.items():
        files = class_files(folder, root, classes)
        if split == "train" and (empty := sorted(set(classes) - {file.parent.name for file in files})):
            raise BadSource(f"{folder / empty[0]} holds no picture; a class needs images to train on")
        if files:
            images[split] = read_pictures(files)
            labels[split] = class_labels(files)
    return images, labels


def split_folders(path: Path, root: Path, split_names: Mapping[str, str]) -> dict[str, Path]:
    """Return the folder of each split, the training images first; files beside them are left alone."""
    found: dict[str, Path] = {}
    for folder in subfolders(path, root):
        split = split_names.get(folder.name.casefold())
        if split is None:
            raise BadSource(
                f"{path} has the folder {shown(folder.name)}, which is no split; allowed are {', '.join(split_names)}, "
                "each with a folder a class"
            )
        if split in found:
            raise BadSource(f"{path} has two folders of {split}: {found[split].name} and {folder.name}")
        found[split] = folder
    return {split: found[split] for split in sorted(found, key=lambda split: split != "train")}


def subfolders(path: Path, root: Path) -> list[Path]:
    """Return the folders in a folder that are not hidden, by name; raises `BadSource` for a link that leads out."""
    folders = [entry for entry in sorted(path.iterdir()) if entry.is_dir() and not _hidden(entry)]
    for folder in folders:
        _refuse_leading_out(folder, root)
    return folders


def class_names(folder: Path, root: Path) -> list[str]:
    """Return the names of the classes of a split's folder, ascending."""
    return [name.name for name in _entries(folder, root, folders=True)]


def class_files(folder: Path, root: Path, classes: Sequence[str]) -> list[Path]:
    """Return the pictures of a split's folder, class by class, unopened; raises `BadSource` for another class."""
    files = [file for name in _entries(folder, root, folders=True) for file in _entries(name, root)]
    if strange := sorted({file.parent.name for file in files} - set(classes)):
        raise BadSource(f"{folder} has the class {strange[0]!r}; allowed are {', '.join(classes)}")
    return files


def class_labels(files: Sequence[Path]) -> np.ndarray:
    """Return the class of each picture, the name of its folder."""
    return np.array([file.parent.name for file in files])


def _hidden(path: Path) -> bool:
    return path.name.startswith(".") or path.name.casefold() in _LEFT_BY_SYSTEMS


def _refuse_leading_out(path: Path, root: Path) -> None:
    if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
        raise BadSource(f"{path} is a link that leads out of the folder; copy what it leads to")


def _entries(folder: Path, root: Path, *, folders: bool = False) -> Iterator[Path]:
    """Yield what lies in a folder by name, pictures or folders; raises `BadSource` for all else, and for links out."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        path = folder / entry.name
        if _hidden(path):
            continue
        _refuse_leading_out(path, root)
        if folders and not path.is_dir():
            raise BadSource(f"{path} is no folder; allowed there is a folder a class")
        if not folders and not path.is_file():
            kind = "a folder" if path.is_dir() else "no file, but a pipe, a device or a broken link"
            raise BadSource(f"{path} is {kind}; allowed there are pictures: {', '.join(_SUFFIXES)}")
        if not folders and path.suffix.lower() not in _SUFFIXES:
            raise BadSource(
                f"{path} is no picture that is read; allowed are {', '.join(_SUFFIXES)}: remove or convert it"
            )
        yield path


def read_pictures(files: Sequence[Path]) -> np.ndarray:
    """Return pictures as uint8 (n, height, width, 3); raises `BadSource` unless all have one size."""
    pictures: list[np.ndarray] = []
    for file in files:
        shape = pictures[0].shape[:2] if pictures else None
        pictures.append(_picture(file, shape))
        if (size := len(files) * pictures[0].nbytes) > memory():
            raise BadSource(f"{file.parent} and others hold {size:,} bytes, more than this machine's memory")
    return np.stack(pictures)


def check_sizes(files: Sequence[Path], shape: tuple[int, ...]) -> None:
    """Raise `BadSource` unless all pictures have that (height, width), as their heads say; no pixel is read."""
    for file in files:
        with _opened(file) as picture:
            _check_size(file, (picture.height, picture.width), shape)


def memory() -> int:
    """Return this machine's memory in bytes, without end where it is not known."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 2**62


def _picture(file: Path, shape: tuple[int, ...] | None) -> np.ndarray:
    """Return a picture as uint8 (height, width, 3), checked before it is decoded; raises `BadSource`."""
    with _opened(file) as picture:
        _check_size(file, (picture.height, picture.width), shape)
        return _colours(file, picture)


@contextmanager
def _opened(file: Path) -> "Iterator[Image.Image]":
    """Open a picture, of which only the head is read so far; whatever goes wrong with it is a `BadSource`."""
    from PIL import Image, UnidentifiedImageError  # only here: nothing else needs it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata; sizes are checked here
            with Image.open(file, formats=FORMATS) as picture:
                yield picture
    except BadSource:
        raise
    except UnidentifiedImageError:
        raise BadSource(
            f"{file} is not a readable picture: its content is none of {', '.join(FORMATS)}"
        ) from None
    except Exception as error:  # whatever a decoder makes of damaged bytes
        raise BadSource(f"{file} is not a readable picture: {error!s:.200}") from error


def _check_size(file: Path, found: tuple[int, int], shape: tuple[int, ...] | None) -> None:
    if shape is not None and found != shape:
        raise BadSource(f"{file} has {found} pixels, others {shape}; resize all to one size first")
    if max(found) > MAX_SIDE or found[0] != found[1]:
        raise BadSource(
            f"{file} has {found} pixels; allowed are squares of at most {MAX_SIDE} a side: resize all to one size first"
        )


def _colours(file: Path, picture: "Image.Image") -> np.ndarray:
    """Return a picture as uint8 (height, width, 3): grey as equal colours; transparent and other kinds are refused."""
    if picture.mode not in _MODES:
        raise BadSource(
            f"{file} has pixels of the kind {picture.mode}; allowed are 8 bits, grey or RGB: convert it"
        )
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        if np.asarray(picture)[..., 3].min() < 255:
            raise BadSource(
                f"{file} is transparent in places, and nothing says what lies behind; save it as RGB"
            )
    return np.asarray(picture.convert("RGB"))
