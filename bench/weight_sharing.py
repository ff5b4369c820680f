"""Weight sharing: each search beside the same search on a plain supernet, which computes everything at every step.

`python -m bench.weight_sharing` measures an epoch on `digits` (with ENAS's controller) and steps at the paper's scale
on images as CIFAR-10's (random pixels: the arithmetic is the same), in about three minutes of one idle core. Both sides
run the same method with the same draws, optimizers, memory format and thread; only the supernet differs. The plain ones
(`bench.plain_supernets`) compute all five operations of every edge one by one, or all channels, and multiply by one-hot
weights and masks. That both see the same losses is asserted of what is timed. In GDAS the logits' gradients differ all
the same: that of an operation that was not drawn is its output's in the plain supernet, a constant's in ours.

TAS and TuNAS gain little on `digits`: 16 channels are one vector register, so that fewer take as long to convolve.

`--device cuda` measures a GPU by wall time. It has not been run on one: what a GPU gives is not known yet.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from bench.plain_supernets import PlainSize, PlainTopology
from bench.report import Line, print_report
from natslib.nets.size_supernet import SizeSupernet
from natslib.nets.topology_supernet import TopologySupernet
from natslib.training.device import ready_device
from natslib.training.loop import clock
from natslib.weight_sharing import get_method
from natslib.weight_sharing.data import SelectionBatches, load_search_data, paired_epoch
from natslib.weight_sharing.method import Batch, Method, ValidBatches
from natslib.weight_sharing.presets import settings_of
from natslib.weight_sharing.settings import Settings

SAMPLED = ("rsps", "gdas", "setn", "enas", "tas", "tunas")
METHODS = (*SAMPLED, "darts-v1", "darts-v2", "darts-pt", "fbnetv2")
SEED, BATCH = 777, 64
Pairs = Sequence[tuple[Batch, Batch]]


@dataclass(frozen=True)
class Workload:
    """What is timed: `pairs` of batches, of which a side that costs the same at every step gets `equal_pairs`."""

    preset: str
    pairs: Pairs
    equal_pairs: int
    selection: ValidBatches | None
    rounds: int


def digits_epoch(device: torch.device) -> Workload:
    """Return a search epoch on `digits`, with what a method does at its end (ENAS: its controller)."""
    data = load_search_data("digits", Path(), device, verify=True)
    generator = torch.Generator().manual_seed(SEED)
    pairs = list(paired_epoch(data, BATCH, generator))
    valid_batch = settings_of("digits", "gdas", "tss").valid_batch
    return Workload("digits", pairs, len(pairs), SelectionBatches(data, valid_batch, generator), rounds=3)


def cifar_steps(device: torch.device) -> Workload:
    """Return steps on random images; more of them where the cost depends on what is sampled."""
    images = torch.randn(BATCH, 3, 32, 32, generator=torch.Generator().manual_seed(SEED))
    labels = torch.arange(BATCH) % 10
    batch = Batch(images.to(device, memory_format=torch.channels_last), labels.to(device))
    n, equal, rounds = (50, 50, 3) if device.type == "cuda" else (6, 1, 2)
    return Workload("nats-bench", [(batch, batch)] * n, equal, None, rounds)


def measure(device: torch.device) -> Iterator[Line]:
    """Yield how many times the time of ours the plain search takes, for each method on each workload."""
    ready_device(str(device))
    workloads = (digits_epoch(device), cifar_steps(device))
    yield from (compare(name, workload, device) for workload in workloads for name in METHODS)


def compare(name: str, workload: Workload, device: torch.device) -> Line:
    """Time both sides in turns, each from the same start, and return the ratio of the least times of a step."""
    own_pairs = len(workload.pairs) if name in SAMPLED else workload.equal_pairs
    times = []
    for _ in range(workload.rounds):
        plain = timed(build(name, workload, device, plain=True), workload, workload.equal_pairs)
        own = timed(build(name, workload, device, plain=False), workload, own_pairs)
        check(own.losses, plain.losses, f"{workload.preset}, {name}", device)
        times.append((own.step_s, plain.step_s))
    own_ms, plain_ms = (1e3 * min(of_side) for of_side in zip(*times, strict=True))
    detail = f"{own_ms:.3g} ms, {plain_ms:.3g} ms a step"
    return Line(f"{workload.preset}: {name}, plain / ours", plain_ms / own_ms, target(name, device), detail)


def check(own: Tensor, plain: Tensor, what: str, device: torch.device) -> None:
    """Raise `AssertionError` where the losses of the first two steps that both sides did are not the same.

    Before anything has learned they are within rounding: a wrong mixture shows there from 5e-5. A step of the weights
    makes more of rounding (in float64 both sides stay within 1e-13), and a GPU convolves in TF32.
    """
    first = 1e-3 if device.type == "cuda" else 1e-5
    own, plain = own[: len(plain)][:2], plain[:2]
    for mine, theirs, rtol in ((own[0, 0], plain[0, 0], first), (own, plain, 1e-3)):
        torch.testing.assert_close(
            mine, theirs, rtol=rtol, atol=0, equal_nan=True, msg=lambda text: f"{what}: {text}"
        )


def target(name: str, device: torch.device) -> str:
    """Return what a ratio should be: on a GPU, where small kernels cost much, of the mixtures and GDAS."""
    if device.type == "cuda":
        return ">= 3" if name in ("darts-v1", "darts-v2", "gdas") else ""
    return ">= 1.3" if name in SAMPLED else ""


def build(name: str, workload: Workload, device: torch.device, *, plain: bool) -> Method:
    """Return a method halfway through its search (after any warm-up), from the same weights on both sides."""
    kind = get_method(name)
    settings = settings_of(workload.preset, name, kind.space)
    network = supernet(kind.space, workload, settings, plain=plain)
    network.to(device).to(memory_format=torch.channels_last)
    method = kind(network, settings, torch.Generator().manual_seed(SEED))
    method.begin_epoch(settings.epochs // 2)
    return method


def supernet(space: str, workload: Workload, settings: Settings, *, plain: bool) -> nn.Module:
    """Return an untrained supernet, the same weights in either form."""
    torch.manual_seed(SEED)
    in_channels = workload.pairs[0][0].images.shape[1]
    if space == "sss":
        return (PlainSize if plain else SizeSupernet)(in_channels, 10, settings.scale)
    running = settings.running_statistics
    network = TopologySupernet(in_channels, 10, settings.scale, running_statistics=running)
    return PlainTopology(network, running_statistics=running) if plain else network


class Timed(NamedTuple):
    """Seconds a step, and the losses (steps, 2) on training and validation batches."""

    step_s: float
    losses: Tensor


def timed(method: Method, workload: Workload, n_pairs: int) -> Timed:
    """Do the steps on the first pairs, and what the method does after an epoch where there is one."""
    start = clock(method.device)
    steps = [method.step(train, valid) for train, valid in workload.pairs[:n_pairs]]
    if workload.selection is not None:
        method.end_epoch(workload.selection)
    seconds = clock(method.device) - start
    losses = [torch.stack([losses.train_loss, losses.valid_loss]) for losses in steps]
    return Timed(seconds / n_pairs, torch.stack(losses))


def main() -> None:
    parser = argparse.ArgumentParser("bench.weight_sharing", description=__doc__)
    parser.add_argument("--device", default="cpu", help="cpu or cuda (cpu)")
    for line in measure(torch.device(parser.parse_args().device)):
        print_report([line])


if __name__ == "__main__":
    main()
