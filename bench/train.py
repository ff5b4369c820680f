"""Training on this machine's CPU: a step beside that of a plain loop, and two processes beside one.

`python -m bench.train` measures this part alone, in some minutes on two idle cores, a line a network. A step is timed
by processor time, which other programs disturb little. Ten topology cells and ten size networks of the embedded
`digits` benchmark.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from bench import farm
from bench.report import Line, print_report
from natslib.nets import Network
from natslib.nets.merged import MergedNetwork
from natslib.training import Job, get_recipe, initial_network, load_images, train_candidate
from natslib.training.device import ready_device
from natslib.training.images import ImageSet, Split, normalise
from natslib.training.loop import sgd, train_epoch
from natslib.training.objectives import Setting, make_objective
from natslib.training.recipes import Recipe

DATASET, BUDGET, SEED = "digits", "12", 777
COUNTS = {"tss": (15_625, 10), "sss": (32_768, 10)}
"""Architectures of a space, and how many of them are measured."""
STEPS, WARM_UP, ROUNDS = 15, 3, 5
THROUGHPUT_S = 40.0
Epoch = Callable[[Split], object]


def measure() -> Iterator[Line]:
    """Yield the lines on training as they are measured; leaves torch with one thread, as the farm sets it."""
    yield from farm.measure()
    for space in COUNTS:
        yield against_plain_loop(space)
    yield scaling()


def inputs() -> tuple[ImageSet, Recipe]:
    ready_device("cpu")
    return load_images(DATASET, Path(), verify=True), get_recipe(BUDGET, small=True)


def sample(space: str) -> list[Job]:
    n_archs, n = COUNTS[space]
    archs = np.random.default_rng(0).choice(n_archs, n, replace=False)
    return [Job(space, int(arch), DATASET, BUDGET, SEED) for arch in archs]


def against_plain_loop(space: str) -> Line:
    """Return the ratio of the seconds a step, summed over the networks; each is the least of interleaved rounds."""
    data, recipe = inputs()
    makers = (own_epoch, plain_epoch)
    times = []
    for job in sample(space):
        rounds = [[step_s(make, job, data, recipe) for make in makers] for _ in range(ROUNDS)]
        times.append(np.min(rounds, axis=0))
        own_ms, plain_ms = 1e3 * times[-1]
        print(
            f"  {space} {job.arch_index:5}: {own_ms:.2f} ms / {plain_ms:.2f} ms = {own_ms / plain_ms:.2f}",
            flush=True,
        )
    own_ms, plain_ms = 1e3 * np.mean(times, axis=0)
    each = [own / plain for own, plain in times]
    detail = f"{own_ms:.2f} ms, {plain_ms:.2f} ms; single networks {min(each):.2f} to {max(each):.2f}"
    return Line(f"{space}: a training step / plain loop's", own_ms / plain_ms, "<= 0.75", detail)


def step_s(make: Callable[..., Epoch], job: Job, data: ImageSet, recipe: Recipe) -> float:
    """Return the processor time of one training step of a fresh network, after a few to warm up."""
    rows = torch.arange((WARM_UP + STEPS) * recipe.batch) % len(data.train)
    split, n = data.train.take(rows), WARM_UP * recipe.batch
    epoch = make(initial_network(job, data, recipe), data, recipe)
    epoch(split.take(slice(n)))
    rest = split.take(slice(n, None))
    start = time.process_time()
    epoch(rest)
    return (time.process_time() - start) / STEPS


def own_epoch(network: Network, data: ImageSet, recipe: Recipe) -> Epoch:
    torch.set_flush_denormal(True)
    merged = MergedNetwork(network.to(memory_format=torch.channels_last))
    optimizer = sgd(merged, recipe)
    objective = make_objective("erm", Setting(merged, data, WARM_UP + STEPS, SEED), {})
    return lambda split: train_epoch(merged, optimizer, split, data, recipe.batch, objective)


def plain_epoch(network: Network, data: ImageSet, recipe: Recipe) -> Epoch:
    """Train as a first attempt would: NCHW, torch's default optimizer, the loss read at every step."""
    torch.set_flush_denormal(False)
    optimizer = torch.optim.SGD(
        network.parameters(), recipe.learning_rate, momentum=0.9, weight_decay=5e-4, nesterov=True
    )

    def epoch(split: Split) -> None:
        network.train()
        # really NCHW: with one channel, strides can mean either
        images, labels = torch.tensor(normalise(split.images, data).numpy().copy()), split.labels
        for some, truth in zip(images.split(recipe.batch), labels.split(recipe.batch), strict=True):
            optimizer.zero_grad()
            logits = network(some)
            loss = cross_entropy(logits, truth)
            loss.backward()
            optimizer.step()
            loss.item(), logits.topk(5).indices.eq(truth[:, None]).sum().item()

    return epoch


def scaling() -> Line:
    """Return how many times as many candidates two processes finish as one; wants two idle cores."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        alone = np.array(pool.apply(candidates_per_s, (THROUGHPUT_S,)))
        together = np.sum(pool.map(candidates_per_s, [THROUGHPUT_S] * 2, chunksize=1), axis=0)
    ratio, ratio_processor = together / alone
    detail = f"{alone[0]:.3f}, {together[0]:.3f} cells a second; by processor time {ratio_processor:.2f}"
    return Line("two training processes / one", ratio, ">= 1.8", detail)


def candidates_per_s(seconds: float) -> tuple[float, float]:
    """Train one cell over and over for about that long; return how many a second of wall and of processor time."""
    data, recipe = inputs()
    (job, *_), done = sample("tss"), 0
    start, start_processor = time.monotonic(), time.process_time()
    while done == 0 or time.monotonic() < start + seconds:
        train_candidate(job, data, recipe, stamp={})
        done += 1
    return done / (time.monotonic() - start), done / (time.process_time() - start_processor)


if __name__ == "__main__":
    print_report(measure())
