"""Image sets in memory: every split is one uint8 tensor; random shifts and flips are made a batch at a time."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import pad

from natslib.errors import BadSource


@dataclass(frozen=True)
class Split:
    """Images, uint8 (n, height, width, channels), and labels, int64 (n,).

    `domains`, int64 (n,), says which environment each image comes from; None where there is only one.
    """

    images: Tensor
    labels: Tensor
    domains: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Tensor | slice) -> "Split":
        """Return the images of these rows (numbers, a mask or a slice), with their labels and domains."""
        domains = None if self.domains is None else self.domains[rows]
        return Split(self.images[rows], self.labels[rows], domains)

    def to(self, device: torch.device) -> "Split":
        """Return the split on `device`."""
        domains = None if self.domains is None else self.domains.to(device)
        return Split(self.images.to(device), self.labels.to(device), domains)


class Sealed(Mapping[str, Split]):
    """Splits by name, each made when it is first asked for: until then nobody can have seen its images."""

    def __init__(self, makers: Mapping[str, Callable[[], Split]]) -> None:
        self._makers, self._made = dict(makers), dict[str, Split]()

    def __getitem__(self, name: str) -> Split:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def _check(where: str, split: Split, classes: int, side: int, channels: int) -> None:
    """Raise `BadSource` unless the images are square uint8 ones with labels from 0 to `classes` - 1."""
    shape, labels = tuple(split.images.shape), split.labels
    if split.images.dtype != torch.uint8 or shape[1:] != (side, side, channels):
        form = f"{split.images.dtype} {shape}"
        allowed = f"torch.uint8 (n, side, side, {channels}), the side as in training"
        raise BadSource(f"{where}: images are {form}; allowed is {allowed}")
    if labels.shape != shape[:1] or len(labels) == 0:
        many = f"{tuple(labels.shape) if labels.dim() > 1 else len(labels)} labels for {shape[0]} images"
        raise BadSource(f"{where}: {many}; allowed is one each, at least one")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise BadSource(f"{where}: class labels go from {low} to {high}; allowed are 0 to {classes - 1}")
    if split.domains is not None and (
        split.domains.shape != labels.shape or split.domains.dtype != torch.int64
    ):
        form = f"{split.domains.dtype} {tuple(split.domains.shape)}"
        raise BadSource(f"{where}: domains are {form}; allowed is torch.int64, one an image")


@dataclass(frozen=True)
class ImageSet:
    """A training set, the sets its networks are evaluated on, and how its images are prepared.

    `name` is the run key of the training set ('cifar10-valid', 'digits', ...). `mean` and `std` are per channel, in
    the units of the stored pixels. `shift`: training images move by up to that many pixels, filled with zeros
    before normalisation. `flip`: half of the training images are mirrored (NATS-Bench, section 3.2).
    `environments` names the domains of the training images, number 0 first. `final` are evaluation sets that are
    looked at after the last epoch alone, through `open_final`: the target of shifted data.
    """

    name: str
    classes: int
    train: Split
    evaluations: Mapping[str, Split]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    shift: int
    flip: bool
    environments: tuple[str, ...] = ()
    final: Mapping[str, Split] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, split in {"train": self.train, **self.evaluations}.items():
            self._check(name, split)

    def _check(self, name: str, split: Split) -> None:
        _check(f"{self.name}, {name}", split, self.classes, self.resolution, len(self.mean))

    def open_final(self) -> dict[str, Split]:
        """Return the sets of the final evaluation on the device; raises `BadSource` where their images do not fit."""
        opened = {name: split.to(self.train.images.device) for name, split in self.final.items()}
        for name, split in opened.items():
            self._check(name, split)
        return opened

    @property
    def in_channels(self) -> int:
        """Number of colour channels."""
        return self.train.images.shape[-1]

    @property
    def resolution(self) -> int:
        """Side of the square images in pixels."""
        return self.train.images.shape[1]

    @cached_property
    def scaling(self) -> tuple[Tensor, Tensor]:
        """The mean and deviation of the channels, (channels,) each, on the device: sent there once."""
        device = self.train.images.device
        with torch.inference_mode(False):
            return torch.tensor(self.mean, device=device), torch.tensor(self.std, device=device)

    def to(self, device: torch.device) -> "ImageSet":
        """Return the image set with every split on `device`; those of the final evaluation follow when opened."""
        evaluations = {name: split.to(device) for name, split in self.evaluations.items()}
        return replace(self, train=self.train.to(device), evaluations=evaluations)


@dataclass(frozen=True)
class EpochPlan:
    """What is random in one training epoch: the order (n,), the crops' corners (n, 2), who is mirrored (n,).

    Rows belong to images, not to positions in the order. Drawn on the CPU, so that all devices see the same.
    """

    order: Tensor
    corners: Tensor
    mirrored: Tensor


def draw_plan(data: ImageSet, generator: torch.Generator) -> EpochPlan:
    """Draw the order, shifts and flips of one epoch from `generator` (a CPU generator)."""
    n = len(data.train)
    order = torch.randperm(n, generator=generator)
    corners = torch.randint(0, 2 * data.shift + 1, (n, 2), generator=generator)
    mirrored = torch.rand(n, generator=generator) < 0.5 if data.flip else torch.zeros(n, dtype=torch.bool)
    return EpochPlan(order, corners, mirrored)


def augmented_epoch(data: ImageSet, plan: EpochPlan) -> Split:
    """Return the training images of one epoch, shifted, mirrored and in the plan's order (still uint8)."""
    device = data.train.images.device
    order, corners = plan.order.to(device), plan.corners.to(device)
    images = data.train.images
    n, height, width, _ = images.shape
    padded = pad(images, (0, 0, data.shift, data.shift, data.shift, data.shift))
    rows = torch.arange(height, device=device) + corners[:, :1]
    columns = torch.arange(width, device=device) + corners[:, 1:]
    # An image is mirrored before it is shifted, as in the official pipeline: a mirrored crop from the mirrored side.
    mirrored = plan.mirrored.to(device)[:, None]
    columns = torch.where(mirrored, width - 1 + 2 * data.shift - columns, columns)
    picked = padded[
        torch.arange(n, device=device)[order, None, None], rows[order, :, None], columns[order, None, :]
    ]
    domains = None if data.train.domains is None else data.train.domains[order]
    return Split(picked, data.train.labels[order], domains)


def normalise(images: Tensor, data: ImageSet) -> Tensor:
    """Return float32 (n, channels, height, width), channels last in memory, with the set's mean and deviation.

    The images lie on the device of `data`.
    """
    mean, std = data.scaling
    return ((images.float() - mean) / std).permute(0, 3, 1, 2)
