"""A method on the smallest supernet, and images that are noise: enough to see what a step does."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from natslib.nets.size_supernet import SizeSupernet
from natslib.nets.topology_supernet import TopologySupernet
from natslib.spaces import Scale
from natslib.weight_sharing import get_method
from natslib.weight_sharing.method import Batch
from natslib.weight_sharing.presets import settings_of
from natslib.weight_sharing.settings import Settings

SCALE = Scale(channels=4, cells=1, width_divisor=8)
CLASSES = 3


def tiny(name: str, preset: str = "nats-bench", seed: int = 0, **changes: Any) -> Any:
    """Return a method on a tiny supernet, with the settings of a preset but for the scale and `changes`."""
    kind = get_method(name)
    settings = replace(settings_of(preset, name, kind.space), scale=SCALE, **changes)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = supernet(kind.space, settings)
    method = kind(network, settings, torch.Generator().manual_seed(seed))
    method.begin_epoch(0)
    return method


def supernet(space: str, settings: Settings) -> TopologySupernet | SizeSupernet:
    """Return the tiny supernet of a space, with the batch norms of the settings."""
    if space == "sss":
        return SizeSupernet(1, CLASSES, SCALE)
    return TopologySupernet(
        1,
        CLASSES,
        SCALE,
        running_statistics=settings.running_statistics,
        ordinary_last_norm=settings.ordinary_last_norm,
    )


def noise(seed: int = 0, n: int = 12) -> Batch:
    """Return random images (n, 1, 8, 8) and labels."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(n, 1, 8, 8, generator=generator)
    return Batch(images, torch.randint(CLASSES, (n,), generator=generator))


class Endless:
    """Selection batches that are counted."""

    def __init__(self) -> None:
        self.taken = 0

    def __next__(self) -> Batch:
        self.taken += 1
        return noise(self.taken)

    def whole(self) -> Iterator[Batch]:
        raise NotImplementedError


def calls_of(network: torch.nn.Module) -> list[tuple[Any, ...]]:
    """Record the arguments of every forward pass of a network from now on."""
    calls: list[tuple[Any, ...]] = []
    network.register_forward_pre_hook(lambda _, arguments: calls.append(arguments))
    return calls
