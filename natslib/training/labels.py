"""Labels of your own images, however numbered or written, as numbers from 0; and sides that networks can take."""

from pathlib import Path

import numpy as np

from natslib.errors import BadSource

Arrays = dict[str, np.ndarray]


def check_side(path: Path, side: int) -> None:
    """Raise `BadSource` unless networks can halve images of that many pixels a side twice."""
    if side % 4:
        raise BadSource(
            f"{path} has images of {side} pixels; networks halve them twice: allowed are 4, 8, ..."
        )


def from_0(path: Path, labels: Arrays) -> tuple[int, Arrays]:
    """Return the number of classes and labels int64 (n,) from 0; classes are those of the training images.

    Labels may be whole numbers from 0 or from 1 without a gap, one-hot rows, or text. Raises `BadSource`.
    """
    widths = {
        split: array.shape[1] for split, array in labels.items() if array.ndim == 2 and array.shape[1] > 1
    }
    flat = {split: _one_a_row(f"{path}, {split}", array) for split, array in labels.items()}
    names = np.unique(flat["train"])
    classes = len(names)
    if names.dtype.kind in "iu" and "train" not in widths:
        first = int(names[0])
        if first not in (0, 1) or int(names[-1]) != first + classes - 1:
            raise BadSource(
                f"{path}, train: class labels go from {first} to {names[-1]}, {classes} of them; allowed are 0 to "
                f"{classes - 1} or 1 to {classes}, with images of every class"
            )
    if any(width != classes for width in widths.values()) or classes < 2:
        held = f"{classes} of {max(widths.values())} classes" if widths else "one class only"
        raise BadSource(f"{path}, train: images of {held}; needed are images of every class, at least two")
    for split, array in flat.items():
        if array.dtype.kind != names.dtype.kind and {array.dtype.kind, names.dtype.kind} != {"i", "u"}:
            raise BadSource(
                f"{path}: {names.dtype} labels in train, {array.dtype} in {split}; number all alike"
            )
        if (strange := np.setdiff1d(array, names)).size:
            known = (
                f"{names[0]} to {names[-1]}" if names.dtype.kind in "iu" else ", ".join(map(str, names[:10]))
            )
            raise BadSource(
                f"{path}, {split}: class labels have {strange[0]}; allowed are {known}, as in train"
            )
    return classes, {split: np.searchsorted(names, array).astype(np.int64) for split, array in flat.items()}


def _one_a_row(where: str, labels: np.ndarray) -> np.ndarray:
    """Return labels (n,) of whole numbers or text; a column loses its axis, one-hot rows become their number."""
    if labels.ndim == 2 and labels.shape[1] > 1:
        if (
            labels.dtype.kind not in "biuf"
            or not (np.sort(labels, axis=1) == [0] * (labels.shape[1] - 1) + [1]).all()
        ):
            raise BadSource(
                f"{where}: labels {labels.shape} are no one-hot rows; allowed is one label an image"
            )
        return labels.argmax(axis=1)
    if labels.dtype.kind not in "iuU":
        raise BadSource(f"{where}: {labels.dtype} labels; allowed are whole numbers, text and one-hot rows")
    return labels.reshape(len(labels))
