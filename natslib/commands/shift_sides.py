"""What `natslib shift` compares: folders, `.npz` files, and the environments of one data set."""

from pathlib import Path

import numpy as np

from natslib.analysis.sides import Side, joined, number_sources
from natslib.arrays import array_names, read_arrays
from natslib.datasets import SHIFTED
from natslib.errors import BadSource, ConfigError, shown

_ALLOWED = "a folder CLASS/*.png, an .npz with labels and either images or features, or several with commas"


def read_sides(a: str, b: str | None) -> tuple[str, Side, Side]:
    """Return a name for what is compared and its two sides; without `b`, those of a data set with environments."""
    if b is None:
        return _environments(a)
    named = [[Path(part) for part in side.split(",") if part] for side in (a, b)]
    if not all(named):
        raise ConfigError(f"a side names nothing; allowed is {_ALLOWED}")
    sides = number_sources([_read(path) for side in named for path in side])
    p, q = joined(sides[: len(named[0])]), joined(sides[len(named[0]) :])
    return "-against-".join("+".join(path.stem for path in side) for side in named), p, q


def _read(path: Path) -> Side:
    """Return one folder or file; raises `BadSource`."""
    if path.is_dir():
        from natslib.training.pictures import read_classes  # only here: features need no torch

        values, labels = read_classes(path)
    elif path.is_file():
        values, labels = _npz(path)
    else:
        raise BadSource(f"{path} is no file and no folder; allowed is {_ALLOWED}")
    return Side(values, labels, np.arange(len(labels)))


def _npz(path: Path) -> tuple[np.ndarray, np.ndarray]:
    wanted = ("images", "features", "labels")
    found = read_arrays(path, {name: name for name in array_names(path) if name in wanted})
    if sorted(found) not in (["images", "labels"], ["features", "labels"]):
        raise BadSource(
            f"{path} has {', '.join(found) or 'none'} of {', '.join(wanted)}; allowed is {_ALLOWED}"
        )
    labels, values = found.pop("labels"), next(iter(found.values()))
    if labels.ndim != 1 or labels.dtype.kind not in "iuU" or len(labels) != len(values) or not len(labels):
        form = (
            f"{labels.dtype} labels {labels.shape} for {len(values):,} rows"
            if values.ndim
            else "a single value"
        )
        raise BadSource(f"{path}: {form}; allowed are whole numbers or text, one a row, at least one")
    if "features" in found:
        if values.ndim != 2 or values.dtype.kind != "f" or not values.shape[1]:
            raise BadSource(f"{path}: features are {values.dtype} {values.shape}; allowed is float (n, d)")
        return values.astype(np.float64), labels
    if values.ndim == 3:
        values = values[..., None]
    if (
        values.ndim != 4
        or values.dtype != np.uint8
        or values.shape[1] != values.shape[2]
        or 0 in values.shape
    ):
        raise BadSource(
            f"{path}: images are {values.dtype} {values.shape}; allowed is uint8 (n, side, side) or "
            "(n, side, side, channels)"
        )
    return values, labels


def _environments(name: str) -> tuple[str, Side, Side]:
    """Return held-out images of the sources, pooled, and the target's; raises `ConfigError` where there is none."""
    own = Path(name).is_dir() or Path(name).suffix.lower() == ".npz"
    if name not in SHIFTED and not own:
        raise ConfigError(
            f"{shown(name)} alone has no two sides: say what to compare it with, or one of {', '.join(SHIFTED)}"
        )

    from natslib.training.embedded import DIGITS_VIEWS
    from natslib.training.sources import load_images

    data = load_images(name, Path(), verify=True)
    if len(data.environments) == 0 or "test" not in data.final:
        raise ConfigError(
            f"{name} has no environments with a target; say what to compare it with: {_ALLOWED}"
        )
    splits = [data.evaluations.get("valid", data.train), data.open_final()["test"]]
    p, q = (Side(split.images.numpy(), split.labels.numpy(), np.arange(len(split))) for split in splits)
    if own:
        p, q = number_sources([p, q])
    else:  # views of one image stand behind one another, and no image is in two environments
        p, q = (
            Side(side.values, side.labels, side.sources // DIGITS_VIEWS + k)
            for k, side in ((0, p), (len(p), q))
        )
    return Path(name).stem, p, q
