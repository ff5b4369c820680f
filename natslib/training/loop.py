"""The training loop of one candidate: the protocol of NATS-Bench, data on the device, one record at the end."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from natslib.errors import ConfigError
from natslib.nets.candidate import Network
from natslib.nets.merged import MergedNetwork
from natslib.training.captured import Capture, CapturedSteps
from natslib.training.images import ImageSet, Split, augmented_epoch, draw_plan, normalise
from natslib.training.objectives import make_objective
from natslib.training.objectives.objective import Batch, Objective, Setting
from natslib.training.recipes import Recipe, is_erm

TOP = 5
#: Images evaluated at once, as when the benchmark measured its latencies. On a CPU 256 small images at once take about
#: 17 % less time each than 128; more gain little, and no longer fit what the allocator keeps for reuse.
EVALUATION_BATCH = 256


@dataclass
class LearningCurve:
    """What is recorded of one split, a value an epoch: mean loss, accuracies in percent, seconds.

    All are NaN of an epoch after which the split was not evaluated.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    top5: list[float] = field(default_factory=list)
    time_s: list[float] = field(default_factory=list)

    def append(self, tally: Tensor, images: int, time_s: float) -> None:
        """Add one epoch from its tally: summed loss, images right at first guess, images right within five."""
        loss, first, five = tally.tolist()
        self.loss.append(loss / images)
        self.accuracy.append(100 * first / images)
        self.top5.append(100 * five / images)
        self.time_s.append(time_s)

    @classmethod
    def unmeasured(cls, epochs: int) -> "LearningCurve":
        """Return the curve of a split that was not evaluated after the first `epochs` epochs."""
        return cls(*([math.nan] * epochs for _ in range(4)))


def clock(device: torch.device) -> float:
    """Return a time in seconds: the processor time of this process on a CPU, the wall time on a GPU.

    Processor time leaves out what other programs on a shared machine do; it suits single-threaded training only.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        return time.perf_counter()
    return time.process_time()


def tally_batch(logits: Tensor, labels: Tensor, mean_loss: Tensor) -> Tensor:
    """Return (summed loss, right at first guess, right within five) of a batch; a NaN logit is never right."""
    target = logits.gather(1, labels[:, None])
    rank = (~(logits <= target)).sum(1)
    counts = [mean_loss * len(labels), (rank < 1).sum(), (rank < TOP).sum()]
    return torch.stack([count.to(torch.float64) for count in counts])


def batches(split: Split, size: int) -> Iterator[Split]:
    """Yield a split in batches, as it is stored; the last may be smaller."""
    for start in range(0, len(split), size):
        yield split.take(slice(start, start + size))


def train_epoch(
    network: MergedNetwork,
    optimizer: torch.optim.Optimizer,
    epoch: Split,
    data: ImageSet,
    batch: int,
    objective: Objective,
) -> Tensor:
    """Train on the images of one epoch, normalised a batch at a time; return the tally in training mode."""
    network.train()
    total = torch.zeros(3, dtype=torch.float64, device=epoch.images.device)
    for some in batches(epoch, batch):
        _, risk, logits, labels = objective.step(network, optimizer, prepared(some, data))
        total += tally_batch(logits.detach(), labels, risk.detach())
    return total


def replay_epoch(network: MergedNetwork, steps: CapturedSteps, epoch: Split, batch: int) -> Tensor:
    """Do as `train_epoch` does, by steps that are captured."""
    network.train()
    steps.tally.zero_()
    for some in batches(epoch, batch):
        steps(some)
    return steps.tally.clone()


def prepared(split: Split, data: ImageSet) -> Batch:
    """Return images as the network takes them, with their labels and environments: number 0 where none is known."""
    domains = torch.zeros_like(split.labels) if split.domains is None else split.domains
    return Batch(normalise(split.images, data), split.labels, domains)


@torch.inference_mode()
def evaluate(network: nn.Module, images: Tensor, labels: Tensor, stored_in: ImageSet | None = None) -> Tensor:
    """Return the tally of prepared images in evaluation mode, or of images as they are stored in a set."""
    network.eval()
    total = torch.zeros(3, dtype=torch.float64, device=images.device)
    for some, truth in zip(images.split(EVALUATION_BATCH), labels.split(EVALUATION_BATCH), strict=True):
        logits = network(some if stored_in is None else normalise(some, stored_in))
        total += tally_batch(logits, truth, cross_entropy(logits, truth))
    return total


def sgd(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the optimizer of the protocol over all parameters, batch norms and biases included."""
    return torch.optim.SGD(
        network.parameters(),
        recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=True,
        fused=True,
    )


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every parameter group."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)  # in its place: captured steps look there
        else:
            group["lr"] = rate


def check_batch(data: ImageSet, recipe: Recipe) -> None:
    """Raise `ConfigError` when a batch is larger than the training set."""
    if recipe.batch > len(data.train):
        many = f"{len(data.train)} training images of {data.name!r}"
        raise ConfigError(f"a batch of {recipe.batch} is larger than the {many}: allowed are up to as many")


def final_curves(network: nn.Module, data: ImageSet, epochs: int) -> dict[str, LearningCurve]:
    """Open the sets that are evaluated after the last of `epochs` epochs alone, and return the curve of each."""
    device, curves = data.train.images.device, {}
    for name, split in data.open_final().items():
        start = clock(device)
        tally = evaluate(network, split.images, split.labels, data)
        curves[name] = LearningCurve.unmeasured(epochs - 1)
        curves[name].append(tally, len(split), clock(device) - start)
    return curves


def train(
    network: Network, data: ImageSet, recipe: Recipe, seed: int, capture: Capture | None = None
) -> dict[str, LearningCurve]:
    """Train `network` in place on the device that holds `data`; return a curve a split, 'train' and the evaluations.

    Every epoch is followed by one pass over each evaluation set (NATS-Bench, section 3.3), the last also by one over
    each set of the final evaluation, which nothing looks at before. `seed` fixes the order of the images and their
    augmentation; the initial weights are the network's own. The network is left in evaluation mode. The training loss
    of the curves is the cross-entropy, whatever the objective adds to it. `capture` records a training step once, which
    is then replayed, on a GPU as a CUDA graph. Raises `ConfigError` when a batch is larger than the training set, it
    lacks environments that the objective needs, or the steps of an objective other than ERM are to be captured.
    """
    if capture is not None and not is_erm(recipe.name):
        raise ConfigError(
            f"captured steps were asked for with the recipe {recipe.name!r}; allowed are those by ERM"
        )
    check_batch(data, recipe)
    device = data.train.images.device
    network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    merged = MergedNetwork(network)
    optimizer = sgd(merged, recipe)
    steps = recipe.epochs * -(-len(data.train) // recipe.batch)
    objective = make_objective(recipe.objective, Setting(merged, data, steps, seed), recipe.numbers)
    steps_of = capture and CapturedSteps(merged, optimizer, objective, data, tally_batch, capture)
    generator = torch.Generator().manual_seed(seed)
    curves = {name: LearningCurve() for name in ("train", *data.evaluations)}
    for rate in recipe.learning_rates():
        set_rate(optimizer, rate)
        start = clock(device)
        split = augmented_epoch(data, draw_plan(data, generator))
        if steps_of:
            tally = replay_epoch(merged, steps_of, split, recipe.batch)
        else:
            tally = train_epoch(merged, optimizer, split, data, recipe.batch, objective)
        curves["train"].append(tally, len(split), clock(device) - start)
        for name, evaluated in data.evaluations.items():
            start = clock(device)
            tally = evaluate(merged, evaluated.images, evaluated.labels, data)
            curves[name].append(tally, len(evaluated), clock(device) - start)
    curves |= final_curves(merged, data, recipe.epochs)
    network.eval()
    return curves
