"""The two sides of a shift: rows with labels, made comparable, mixed for the control, and split by source image."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from natslib.analysis.shift import IID, Features, standardise
from natslib.errors import ConfigError

HELD_OUT = 0.2
"""The share of each side that is measured; the classifier trains on the others (images only)."""
DIMENSIONS = 8
"""Of the features that the environment classifier of images learns."""


@dataclass(frozen=True)
class Side:
    """Images, uint8 (n, side, side, channels), or features, float (n, d); labels (n,); and the source of each row (n,).

    Rows of one source, such as views of one image, are never told apart by training on some and measuring others.
    """

    values: np.ndarray
    labels: np.ndarray
    sources: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: np.ndarray) -> "Side":
        """Return these rows, named by number or by a mask."""
        return Side(self.values[rows], self.labels[rows], self.sources[rows])

    @property
    def images(self) -> bool:
        """Whether the rows are images; they are features where not."""
        return self.values.ndim == 4

    @property
    def dimensions(self) -> int:
        """Number of features that will be measured."""
        return DIMENSIONS if self.images else self.values.shape[1]


def joined(sides: Sequence[Side]) -> Side:
    """Return several sides as one; raises `ConfigError` where they do not fit."""
    for other in sides[1:]:
        _check_alike(sides[0], other)
    parts = ([getattr(side, name) for side in sides] for name in ("values", "labels", "sources"))
    return Side(*map(np.concatenate, parts))


def number_sources(sides: Sequence[Side]) -> list[Side]:
    """Return the sides with sources told by content: rows of the same bytes, on whichever side, have one."""
    known: dict[bytes, int] = {}
    return [
        Side(
            side.values,
            side.labels,
            np.array([known.setdefault(each, len(known)) for each in _digests(side)]),
        )
        for side in sides
    ]


def _kind(side: Side) -> str:
    if not side.images:
        return f"{side.values.shape[1]} features"
    height, width, channels = side.values.shape[1:]
    return f"images of {height}×{width} pixels with {channels} channels"


def _check_alike(p: Side, q: Side) -> None:
    if _kind(p) != _kind(q):
        raise ConfigError(
            f"one side has {_kind(p)}, the other {_kind(q)}; allowed are images of one size and as many channels on "
            "both, or as many features"
        )


def comparable(p: Side, q: Side) -> tuple[Side, Side, dict[str, int]]:
    """Return both sides without the classes that are too small to be measured, and the smaller count of each of these.

    The features of a class need 2 d + 2 measured rows on both sides; of images a fifth is measured. Raises
    `ConfigError` where sizes, channels, features or labels differ between the sides, where fewer than two classes stay,
    and where both sides hold the same.
    """
    _check_alike(p, q)
    if p.labels.dtype.kind != q.labels.dtype.kind or set(p.labels.tolist()) ^ set(q.labels.tolist()):
        sets = [set(side.labels.tolist()) for side in (p, q)]
        alone = sorted(map(str, sets[0] ^ sets[1]))
        raise ConfigError(
            f"the sides have different classes: one alone has {', '.join(alone[:10])}; allowed are the same on both"
        )
    if _content(p) == _content(q):
        raise ConfigError(
            "both sides hold the same rows with the same labels; allowed are two different sets"
        )
    if not p.images:
        standardise(np.concatenate([p.values, q.values]))
    least = 2 * p.dimensions + 2
    needed = round(least / HELD_OUT) if p.images else least
    counts = {
        label: min(int((side.labels == label).sum()) for side in (p, q))
        for label in np.unique(p.labels).tolist()
    }
    small = {label: count for label, count in counts.items() if count < needed}
    if len(counts) - len(small) < 2:
        told = ", ".join(f"{label}: {count}" for label, count in list(small.items())[:10])
        raise ConfigError(
            f"fewer than two classes are large enough: {needed} rows a class on both sides are needed to measure "
            f"{p.dimensions} features, and the smaller side has ({told or 'one class'})"
        )
    kept = [side[~np.isin(side.labels, list(small))] if small else side for side in (p, q)]
    return kept[0], kept[1], {str(label): count for label, count in small.items()}


def _content(side: Side) -> list[tuple[bytes, str]]:
    """Return the rows in an order that does not depend on theirs."""
    return sorted(zip(_digests(side), map(str, side.labels.tolist()), strict=True))


def _digests(side: Side) -> list[bytes]:
    """Return a digest of each row's bytes."""
    return [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in side.values]


def balanced(p: Side, q: Side, rng: np.random.Generator) -> tuple[Side, Side]:
    """Return both sides with as many rows of each class: the smaller count, drawn at random from the larger side."""
    rows: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for label in np.unique(p.labels):
        found = [np.flatnonzero(side.labels == label) for side in (p, q)]
        count = min(map(len, found))
        for chosen, some in zip(rows, found, strict=True):
            chosen.append(rng.permutation(some)[:count])
    return p[np.concatenate(rows[0])], q[np.concatenate(rows[1])]


def mixed(p: Side, q: Side, rng: np.random.Generator) -> tuple[Side, Side]:
    """Return two sides drawn at random from both together, class by class: the control, which is not shifted.

    `p` and `q` are `balanced`, and so are these.
    """
    both = joined([p, q])
    order = np.concatenate(
        [rng.permutation(np.flatnonzero(both.labels == label)) for label in np.unique(p.labels)]
    )
    return both[order[::2]], both[order[1::2]]


def held_out(p: Side, q: Side, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return masks of the rows to be measured: of each class and side a fifth, all rows of a source or none."""
    sources, first, which = np.unique(
        np.concatenate([p.sources, q.sources]), return_index=True, return_inverse=True
    )
    other = np.repeat([False, True], [len(p), len(q)])
    labels = np.concatenate([p.labels, q.labels])
    size = np.bincount(which)
    chosen = np.zeros(len(sources), bool)
    for side in (False, True):
        for label in np.unique(labels):
            some = rng.permutation(np.flatnonzero((other[first] == side) & (labels[first] == label)))
            rows = np.cumsum(size[some])
            chosen[some[rows - size[some] < HELD_OUT * rows[-1:]]] = True
    measured = chosen[which]
    return measured[: len(p)], measured[len(p) :]


def of_trial(p: Side, q: Side, kind: str, number: int, seed: int) -> tuple[Side, Side]:
    """Return the balanced sides of one trial, of the control ("iid") with p and q mixed."""
    rng = np.random.default_rng((seed, number))
    pair = balanced(p, q, rng)
    return mixed(*pair, rng) if kind == IID else pair


def measured_features(p: Side, q: Side) -> Features:
    """Return features of both sides as they are; raises `ConfigError` where they are images."""
    if p.images:
        raise ConfigError("images have no features yet: a classifier learns them")
    other = np.repeat([False, True], [len(p), len(q)])
    return Features(np.concatenate([p.values, q.values]), np.concatenate([p.labels, q.labels]), other)
