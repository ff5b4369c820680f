"""Train one candidate, or several topology candidates at once; a result is what it would be alone, up to rounding."""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from natslib.errors import ConfigError
from natslib.nets.candidate import Network, build_network, count_flops, count_params
from natslib.nets.grouped import FusedNetwork
from natslib.training.captured import Capture
from natslib.training.images import ImageSet, Split, augmented_epoch, draw_plan, normalise
from natslib.training.jobs import Job
from natslib.training.logs import record
from natslib.training.loop import (
    EVALUATION_BATCH,
    LearningCurve,
    batches,
    check_batch,
    clock,
    set_rate,
    sgd,
    tally_batch,
    train,
)
from natslib.training.recipes import Recipe, is_erm
from natslib.training.weights import keep_weights

#: How torch, the CUDA runtime, cuBLAS and cuDNN say that they could not allocate; cuDNN finds no algorithm then, too.
OUT_OF_MEMORY = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "status_alloc_failed",
    "unable to find an engine",
    "unable to find a valid cudnn algorithm",
)


@dataclass
class Manner:
    """How a process trains: one candidate by eager or by captured steps, several in groups that fit its device.

    `weights`: the folder of a farm that keeps the weights of each candidate that is trained alone.
    `largest`: the size of groups that fitted, by dataset and recipe, where larger ones did not.
    """

    capture: Capture | None = None
    weights: Path | None = None
    largest: dict[tuple[str, str], int] = field(default_factory=dict)


def initial_network(job: Job, data: ImageSet, recipe: Recipe) -> Network:
    """Return the untrained network of a job; its weights depend on the job's seed alone (built on the CPU)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(job.seed)
        return build_network(
            job.space, job.arch_index, in_channels=data.in_channels, classes=data.classes, scale=recipe.scale
        )


def latency(curves: Mapping[str, LearningCurve], data: ImageSet, batch: int) -> float:
    """Return the seconds of evaluating one batch of the recipe's size, averaged over all epochs and evaluation sets.

    A third definition, which compares with itself only. The official topology results have a batch's forward pass and
    loss without loading, the first batch dropped; those of the size space one evaluation's time over its batches.
    """
    batches = sum(-(-len(split) // batch) for split in data.evaluations.values())
    seconds = [sum(curves[name].time_s) / len(curves[name].time_s) for name in data.evaluations]
    return sum(seconds) / batches


def train_candidate(
    job: Job,
    data: ImageSet,
    recipe: Recipe,
    stamp: Mapping[str, object],
    capture: Capture | None = None,
    weights: Path | None = None,
) -> dict[str, object]:
    """Train the candidate of `job` on the device of `data` (`capture` as of `train`); return its raw-log record.

    `weights`: the folder of a farm that keeps the network's.
    """
    network = initial_network(job, data, recipe)
    flops = count_flops(network, data.in_channels, data.resolution)
    curves = train(network, data, recipe, job.seed, capture)
    if weights is not None:
        keep_weights(weights, job, network)
    return record(
        job,
        curves,
        params=count_params(network),
        flops=flops,
        latency_s=latency(curves, data, recipe.batch),
        stamp={**stamp, "captured": True} if capture else stamp,
    )


def groups(jobs: Iterable[Job], size: int) -> Iterator[list[Job]]:
    """Yield the jobs in their order in groups of at most `size` that can be trained at once.

    They share dataset, recipe and seed (so the order of the images), and belong to the topology space: networks of the
    size space differ in their widths, each is a group of its own, and so is each with an objective other than ERM.
    Raises `ConfigError` for a size below 1.
    """
    if size < 1:
        raise ConfigError(f"groups of {size} candidates: allowed are 1 and more")
    alike_in = ("space", "recipe", "dataset", "seed")
    for (space, recipe, *_), some in groupby(jobs, key=attrgetter(*alike_in)):
        alike, step = list(some), size if space == "tss" and is_erm(recipe) else 1
        for start in range(0, len(alike), step):
            yield alike[start : start + step]


def losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy (K,) of each candidate; logits (n, K, classes)."""
    n, k, _ = logits.shape
    flat = cross_entropy(logits.flatten(0, 1), labels.repeat_interleave(k), reduction="none")
    return flat.view(n, k).mean(0)


def tally_many(logits: Tensor, labels: Tensor, mean_losses: Tensor) -> Tensor:
    """Return the tally (K, 3) of a batch, a row a candidate."""
    per_candidate = zip(logits.unbind(1), mean_losses, strict=True)
    return torch.stack([tally_batch(some, labels, loss) for some, loss in per_candidate])


def one_pass(
    network: nn.Module, split: Split, data: ImageSet, batch: int, optimizer: torch.optim.Optimizer | None
) -> Tensor:
    """Return the tally (K, 3) of one pass over images of a set, in training mode if there is an optimizer."""
    network.train(optimizer is not None)
    total: Tensor | None = None
    for some in batches(split, batch):
        truth = some.labels
        with torch.set_grad_enabled(optimizer is not None):
            logits = network(normalise(some.images, data))
            each = losses(logits, truth)
        if optimizer is not None:
            optimizer.zero_grad()
            each.sum().backward()  # one candidate's loss has no gradient in another's weights
            optimizer.step()
        tally = tally_many(logits.detach(), truth, each.detach())
        total = tally if total is None else total + tally
    assert total is not None
    return total


def train_many(
    networks: Sequence[Network], data: ImageSet, recipe: Recipe, seed: int
) -> list[dict[str, LearningCurve]]:
    """Train copies of the networks at once on the device of `data`; return the curves of each.

    The recorded times are the group's, divided by its size.
    """
    check_batch(data, recipe)
    device, k = data.train.images.device, len(networks)
    fused = FusedNetwork(networks).to(device)
    optimizer = sgd(fused, recipe)
    generator = torch.Generator().manual_seed(seed)
    curves = [{name: LearningCurve() for name in ("train", *data.evaluations)} for _ in networks]
    for rate in recipe.learning_rates():
        set_rate(optimizer, rate)
        start = clock(device)
        moved = augmented_epoch(data, draw_plan(data, generator))
        for name, split in {"train": moved, **data.evaluations}.items():
            step, batch = (optimizer, recipe.batch) if name == "train" else (None, EVALUATION_BATCH)
            tally = one_pass(fused, split, data, batch, step)
            end = clock(device)
            for mine, row in zip(curves, tally, strict=True):
                mine[name].append(row, len(split), (end - start) / k)
            start = end
    for name, split in data.open_final().items():
        start = clock(device)
        tally = one_pass(fused, split, data, EVALUATION_BATCH, None)
        time_s = (clock(device) - start) / k
        for mine, row in zip(curves, tally, strict=True):
            mine[name] = LearningCurve.unmeasured(recipe.epochs - 1)
            mine[name].append(row, len(split), time_s)
    return curves


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error says that memory was wanting: torch's own, or what the libraries below it say then."""
    said = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or any(sign in said for sign in OUT_OF_MEMORY)


def train_group(
    jobs: Sequence[Job],
    data: ImageSet,
    recipe: Recipe,
    stamp: Mapping[str, object],
    manner: Manner | None = None,
) -> list[dict[str, object]]:
    """Return the records of jobs trained at once; a group too large for the device is halved, with a warning.

    `manner` remembers to what size, so that later groups begin with it. Raises `ConfigError` when one candidate alone
    is too large.
    """
    manner = manner or Manner()
    kind = (data.name, recipe.name)
    size = manner.largest.get(kind, len(jobs))
    if size < len(jobs):
        parts = [jobs[start : start + size] for start in range(0, len(jobs), size)]
        return [entry for part in parts for entry in train_group(part, data, recipe, stamp, manner)]
    try:
        return _train_together(jobs, data, recipe, stamp, manner)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        if len(jobs) == 1:
            asked = f"a batch of {recipe.batch} {data.name} images"
            raise ConfigError(f"training {jobs[0]} with {asked} needs more memory than there is") from error
    # Only here, after the exception is gone: its traceback keeps the failed group's tensors on the device.
    if data.train.images.is_cuda:
        torch.cuda.empty_cache()  # what is kept in pieces for reuse is too small for the pieces wanted next
    manner.largest[kind] = half = len(jobs) // 2
    warnings.warn(
        f"{len(jobs)} candidates at once need more memory than there is: going on with {half}", stacklevel=2
    )
    return train_group(jobs, data, recipe, stamp, manner)


def _train_together(
    jobs: Sequence[Job], data: ImageSet, recipe: Recipe, stamp: Mapping[str, object], manner: Manner
) -> list[dict[str, object]]:
    if len(jobs) == 1:
        captured = manner.capture if is_erm(recipe.name) else None
        return [train_candidate(jobs[0], data, recipe, stamp, captured, manner.weights)]
    networks = [initial_network(job, data, recipe) for job in jobs]
    curves = train_many(networks, data, recipe, jobs[0].seed)
    return [
        record(
            job,
            curve,
            params=count_params(network),
            flops=count_flops(network, data.in_channels, data.resolution),
            latency_s=latency(curve, data, recipe.batch),
            stamp={**stamp, "group": len(jobs)},
        )
        for job, network, curve in zip(jobs, networks, curves, strict=True)
    ]
