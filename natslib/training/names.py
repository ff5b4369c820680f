"""What can be named to be trained on: checked before torch is imported, which takes longer than all of it."""

from pathlib import Path

from natslib.datasets import DATASETS, EMBEDDED
from natslib.errors import BadSource, ConfigError, UnknownName, shown, unknown_name
from natslib.tables.format.schema import LABEL_LENGTH, is_label

MLP = "mlp"
"""The network of OoD-Bench's trials: two layers of 390 units."""
GREY, UNSHIFTED = "digits-coloured-grey", "digits-rotated-20"
OF_TRIALS = (GREY, UNSHIFTED)
"""Controls that only trials know: no colour to go by, and a target turned by an angle that is trained on."""


def check_images(dataset: str) -> None:
    """Raise `UnknownName` for what is neither a dataset nor a folder or `.npz` that is there; `BadSource`."""
    path = Path(dataset)
    try:
        found = dataset in DATASETS or path.is_dir() or path.is_file()
    except OSError as error:  # a name too long
        raise BadSource(f"{shown(dataset)} cannot be opened ({error.strerror})") from None
    if not found:
        unknown = unknown_name("dataset", dataset, [*DATASETS, "PATH.npz", "FOLDER"])
        raise UnknownName(f"{unknown}; nor is there a file or folder of that name")
    if path.is_file() and dataset not in DATASETS and path.suffix.lower() != ".npz":
        raise unknown_name("kind of images", dataset, [*DATASETS, "PATH.npz", "FOLDER"])


def log_name(dataset: str) -> str:
    """Return the name of a dataset in the logs: for your own images that of the file or folder, without its path.

    Raises `ConfigError` for a name that no table could hold, or that is another dataset's.
    """
    if dataset in DATASETS:
        return dataset
    name = Path(dataset).stem
    if name in DATASETS:
        raise ConfigError(
            f"your own images {dataset} would stand in the logs as {name!r}, another dataset: rename them"
        )
    if not is_label(name):
        raise ConfigError(
            f"the dataset's name {shown(name)} is not one of 1 to {LABEL_LENGTH} printable characters: rename it"
        )
    return name


def is_small(dataset: str, scale: str | None) -> bool:
    """Return whether a dataset is trained at the small scale; raises `ConfigError` when nothing says so."""
    if scale is None and dataset not in DATASETS:
        raise ConfigError(f"say --scale paper or --scale small for your own images {dataset}")
    return dataset in EMBEDDED if scale is None else scale == "small"
