"""Train one candidate from its identity to its record."""

from collections.abc import Mapping

import torch

from natslib.nets.build import build_network
from natslib.nets.counting import count_flops, count_params
from natslib.nets.skeletons import Network
from natslib.training.images import ImageSet
from natslib.training.jobs import Job
from natslib.training.loop import Curve, train
from natslib.training.rawlog import record
from natslib.training.recipes import Recipe


def initial_network(job: Job, data: ImageSet, recipe: Recipe) -> Network:
    """Return the untrained network of a job; its weights depend on the job's seed alone (built on the CPU)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(job.seed)
        return build_network(
            job.space, job.arch_index, in_channels=data.in_channels, classes=data.classes, scale=recipe.scale
        )


def latency(curves: Mapping[str, Curve], data: ImageSet, batch: int) -> float:
    """Return the seconds of evaluating one batch of the recipe's size, averaged over all epochs and evaluation sets."""
    batches = sum(-(-len(split) // batch) for split in data.evaluations.values())
    seconds = [sum(curves[name].time_s) / len(curves[name].time_s) for name in data.evaluations]
    return sum(seconds) / batches


def train_candidate(
    job: Job, data: ImageSet, recipe: Recipe, stamp: Mapping[str, object]
) -> dict[str, object]:
    """Train the candidate of `job` on the device that holds `data`; return its raw-log record."""
    network = initial_network(job, data, recipe)
    flops = count_flops(network, data.in_channels, data.resolution)
    curves = train(network, data, recipe, job.seed)
    return record(
        job,
        curves,
        params=count_params(network),
        flops=flops,
        latency_s=latency(curves, data, recipe.batch),
        stamp=stamp,
    )
