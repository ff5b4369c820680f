"""The training loop of one candidate: the protocol of NATS-Bench, data on the device, one record at the end."""

import math
import time
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from natslib.errors import ConfigError
from natslib.nets.candidate import Network
from natslib.nets.merged import MergedNetwork
from natslib.training.images import ImageSet, Split, augmented_epoch, draw_plan, normalise
from natslib.training.objectives import make_objective
from natslib.training.objectives.objective import Batch, Objective, Setting
from natslib.training.recipes import Recipe

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


def train_epoch(
    network: MergedNetwork, optimizer: torch.optim.Optimizer, epoch: Batch, batch: int, objective: Objective
) -> Tensor:
    """Train on the prepared images of one epoch; return the tally in training mode."""
    network.train()
    total = torch.zeros(3, dtype=torch.float64, device=epoch.images.device)
    for parts in zip(*(part.split(batch) for part in epoch), strict=True):
        _, risk, logits, labels = objective.step(network, optimizer, Batch(*parts))
        total += tally_batch(logits.detach(), labels, risk.detach())
    return total


def prepared(split: Split, data: ImageSet) -> Batch:
    """Return images as the network takes them, with their labels and environments: number 0 where none is known."""
    domains = torch.zeros_like(split.labels) if split.domains is None else split.domains
    return Batch(normalise(split.images, data), split.labels, domains)


@torch.inference_mode()
def evaluate(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Return the tally of prepared images in evaluation mode."""
    network.eval()
    total = torch.zeros(3, dtype=torch.float64, device=images.device)
    batches = zip(images.split(EVALUATION_BATCH), labels.split(EVALUATION_BATCH), strict=True)
    for some, truth in batches:
        logits = network(some)
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
        images = normalise(split.images, data)
        start = clock(device)
        tally = evaluate(network, images, split.labels)
        curves[name] = LearningCurve.unmeasured(epochs - 1)
        curves[name].append(tally, len(split), clock(device) - start)
    return curves


def train(network: Network, data: ImageSet, recipe: Recipe, seed: int) -> dict[str, LearningCurve]:
    """Train `network` in place on the device that holds `data`; return a curve a split, 'train' and the evaluations.

    Every epoch is followed by one pass over each evaluation set (NATS-Bench, section 3.3), the last also by one over
    each set of the final evaluation, which nothing looks at before. `seed` fixes the order of the images and their
    augmentation; the initial weights are the network's own. The network is left in evaluation mode. The training loss
    of the curves is the cross-entropy, whatever the objective adds to it. Raises `ConfigError` when a batch is larger
    than the training set, or it lacks environments that the objective needs.
    """
    check_batch(data, recipe)
    device = data.train.images.device
    network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    merged = MergedNetwork(network)
    optimizer = sgd(merged, recipe)
    steps = recipe.epochs * -(-len(data.train) // recipe.batch)
    objective = make_objective(recipe.objective, Setting(merged, data, steps, seed), recipe.numbers)
    generator = torch.Generator().manual_seed(seed)
    sets = {name: (normalise(split.images, data), split.labels) for name, split in data.evaluations.items()}
    curves = {name: LearningCurve() for name in ("train", *sets)}
    for rate in recipe.learning_rates():
        set_rate(optimizer, rate)
        start = clock(device)
        split = augmented_epoch(data, draw_plan(data, generator))
        tally = train_epoch(merged, optimizer, prepared(split, data), recipe.batch, objective)
        curves["train"].append(tally, len(split), clock(device) - start)
        for name, (images, labels) in sets.items():
            start = clock(device)
            tally = evaluate(merged, images, labels)
            curves[name].append(tally, len(labels), clock(device) - start)
    curves |= final_curves(merged, data, recipe.epochs)
    network.eval()
    return curves
