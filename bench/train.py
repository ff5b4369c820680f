"""How fast candidates train on this machine's CPU: against a plain loop, and with one process a core.

    python bench/train.py            about 4 minutes on two idle cores

Prints, for ten topology cells and five size networks of the embedded `digits` benchmark, the processor time of a
training step in natslib's loop and in a plain loop (float32, NCHW, per-image augmentation left out, torch's default
optimizer), and the candidates a second of one process and of one process a core.
"""

import argparse
import multiprocessing
import os
import time

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from natslib.nets import Network
from natslib.training.candidate import initial_network
from natslib.training.embedded import digits
from natslib.training.images import ImageSet, normalise
from natslib.training.jobs import Job
from natslib.training.loop import sgd, train, train_epoch
from natslib.training.recipes import Recipe, get_recipe

STEPS = 60


def networks(recipe: Recipe, data: ImageSet) -> list[tuple[Job, Network]]:
    rng = np.random.default_rng(0)
    jobs = [Job("tss", int(arch), "digits", "12", 777) for arch in rng.choice(15_625, 10, replace=False)]
    jobs += [Job("sss", int(arch), "digits", "12", 777) for arch in rng.choice(32_768, 5, replace=False)]
    return [(job, initial_network(job, data, recipe)) for job in jobs]


def plain_steps(network: Network, images: torch.Tensor, labels: torch.Tensor, recipe: Recipe) -> None:
    """Train as a first attempt would: NCHW, torch's default optimizer, the loss read at every step."""
    optimizer = torch.optim.SGD(
        network.parameters(), recipe.learning_rate, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    network.train()
    for some, truth in zip(images.split(recipe.batch), labels.split(recipe.batch), strict=True):
        optimizer.zero_grad()
        logits = network(some)
        loss = cross_entropy(logits, truth)
        loss.backward()
        optimizer.step()
        loss.item(), logits.topk(5).indices.eq(truth[:, None]).sum().item()


def step_s(job: Job, data: ImageSet, recipe: Recipe, *, plain: bool) -> float:
    """Return the processor time of one training step, after a warm-up."""
    network = initial_network(job, data, recipe)
    rows = torch.arange(STEPS * recipe.batch) % len(data.train)
    images, labels = normalise(data.train.images[rows], data), data.train.labels[rows]
    if plain:
        images = torch.tensor(images.numpy().copy())  # really NCHW: with one channel, strides can mean either
    else:
        network = network.to(memory_format=torch.channels_last)
    optimizer = sgd(network, recipe)
    torch.set_flush_denormal(not plain)
    warm, start = 5 * recipe.batch, 0.0
    for some, truth in ((images[:warm], labels[:warm]), (images[warm:], labels[warm:])):
        start = time.process_time()
        if plain:
            plain_steps(network, some, truth, recipe)
        else:
            train_epoch(network, optimizer, some, truth, recipe.batch)
    return (time.process_time() - start) / (STEPS - 5)


def train_for(seconds: float, offset: int) -> int:
    """Train candidates for that long in this process; return how many were finished."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    data, recipe = digits(), get_recipe("12", small=True)
    end, done = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        job = Job("tss", (offset + 97 * done) % 15_625, "digits", "12", 777)
        train(initial_network(job, data, recipe), data, recipe, job.seed)
        done += 1
    return done


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60, help="how long each throughput is measured")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    data, recipe = digits(), get_recipe("12", small=True)
    for space in ("tss", "sss"):
        jobs = [job for job, _ in networks(recipe, data) if job.space == space]
        times = np.array(
            [[step_s(job, data, recipe, plain=plain) for plain in (False, True)] for job in jobs]
        )
        ours, theirs = times.mean(axis=0) * 1e3
        each = times[:, 0] / times[:, 1]
        spread = f"{each.min():.2f} to {each.max():.2f}"
        print(f"{space}: {ours:.2f} ms a step, plain {theirs:.2f} ms, ratio {ours / theirs:.2f} ({spread})")
    cores = len(os.sched_getaffinity(0))
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        alone = pool.apply(train_for, (args.seconds, 0))
        together = sum(pool.starmap(train_for, [(args.seconds, 0)] * cores))
    rates = f"{alone / args.seconds:.3f} candidates a second, {cores} processes {together / args.seconds:.3f}"
    print(f"one process {rates}: {together / alone:.2f} times")


if __name__ == "__main__":
    main()
