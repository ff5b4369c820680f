"""Objectives trained with random numbers, and by what one of the trainings can be chosen (OoD-Bench, section 5).

The images of the target are opened when a training is over. Neither the held-out images of the source environments
nor those of a further environment have anything to do with them; the one choice that does is called the oracle.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from natslib.errors import ConfigError
from natslib.nets.candidate import build_network
from natslib.nets.merged import MergedNetwork
from natslib.nets.mlp import Mlp
from natslib.spaces import SMALL_SCALE
from natslib.training.environments import coloured_digits, rotated_digits
from natslib.training.images import ImageSet, Sealed, Split, augmented_epoch, draw_plan
from natslib.training.loop import evaluate, prepared
from natslib.training.names import GREY, MLP, UNSHIFTED
from natslib.training.objectives import check_sources, get_objective, make_objective
from natslib.training.objectives.objective import Batch, Number, Setting
from natslib.training.sources import ENVIRONMENTS, load_images

#: What every objective draws, in OoD-Bench's ranges for small images; the batch is that of each environment.
COMMON = {"learning_rate": Number(1e-3, -4.5, -2.5), "batch": Number(64, 3, 9, base=2.0, whole=True)}
#: Of the target's images the share by which the oracle chooses; the others measure.
ORACLE_SHARE = 0.2
#: So often the held-out images are looked at in a training.
LOOKS = 10


@dataclass(frozen=True)
class Trial:
    """One training; the fields together are its identity. `network` is "mlp" or a candidate such as "tss:6111"."""

    dataset: str
    network: str
    objective: str
    draw: int
    seed: int
    steps: int


@dataclass(frozen=True)
class TrialData:
    """The images of a trial; `elsewhere` are of an environment that is neither a source nor the target."""

    images: ImageSet
    elsewhere: Split | None = None

    def to(self, device: torch.device) -> "TrialData":
        """Return the images on `device`."""
        return TrialData(self.images.to(device), self.elsewhere and self.elsewhere.to(device))


def load_trial_data(name: str, root: Path, *, verify: bool) -> TrialData:
    """Return the images of a name or path, as `load_images`; of ours each evaluated image is shown once.

    Of `natslib.training.names.OF_TRIALS`, "digits-coloured-grey" are the coloured digits without their colours, and
    "digits-rotated-20" the rotated ones with a target at 20°, as one of their sources. Raises `ConfigError` for images
    without environments, without held-out images of the sources or without a target.
    """
    if name == UNSHIFTED:
        return TrialData(rotated_digits(target=20, views=0).pooled())
    if name in (*ENVIRONMENTS, GREY):
        images = ENVIRONMENTS["digits-coloured" if name == GREY else name](views=0).pooled()
        return TrialData(_without_colour(images) if name == GREY else images, _elsewhere(name))
    images = load_images(name, root, verify=verify)
    if "valid" not in images.evaluations or "test" not in images.final:
        raise ConfigError(
            f"{name} has no environments to compare objectives on: allowed are {', '.join(ENVIRONMENTS)} and your own "
            "environments, with held-out images of the sources and images of a target"
        )
    return TrialData(images)


def _elsewhere(name: str) -> Split | None:
    """Return the digits of 'valid' in a further environment: turned beyond the target, or with colours by chance."""
    if name == "digits-rotated":
        return rotated_digits((60,), views=0).valid["60°"]
    if name == "digits-coloured":
        return coloured_digits((0.5,), views=0).valid["50%"]
    return None


def _without_colour(images: ImageSet) -> ImageSet:
    """Return images whose channels, of which one is black, are added up."""

    def grey(split: Split) -> Split:
        return replace(split, images=split.images.sum(-1, keepdim=True).to(torch.uint8))

    def final(name: str) -> Split:
        return grey(images.final[name])

    train = grey(images.train)
    pixels = train.images.double()
    return replace(
        images,
        train=train,
        evaluations={name: grey(split) for name, split in images.evaluations.items()},
        final=Sealed({name: partial(final, name) for name in images.final}),
        mean=(float(pixels.mean()),),
        std=(float(pixels.std()),),
    )


def drawn_numbers(trial: Trial) -> dict[str, float]:
    """Return the numbers of a trial: of draw 0 the defaults; `COMMON` is the same for all objectives."""
    wanted = {**COMMON, **get_objective(trial.objective).numbers}
    if trial.draw == 0:
        return {name: number.default for name, number in wanted.items()}
    rng = np.random.default_rng([trial.seed, trial.draw])
    return {name: number.draw(rng) for name, number in wanted.items()}


def build_trial_network(trial: Trial, images: ImageSet) -> Mlp | MergedNetwork:
    """Return the untrained network of a trial on the device of the images; its weights depend on the seed alone.

    Raises `ConfigError` for a network that is neither "mlp" nor a candidate, and as `build_network`.
    """
    device = images.train.images.device
    space, _, arch = trial.network.partition(":")
    channels, classes = images.in_channels, images.classes
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(trial.seed)
        if trial.network == MLP:
            return Mlp(channels, images.resolution, classes).to(device)
        if not arch:
            raise ConfigError(
                f"unknown network {trial.network!r}: allowed are {MLP!r} and such as 'tss:6111'"
            )
        named = int(arch) if arch.isdecimal() else arch
        built = build_network(space, named, in_channels=channels, classes=classes, scale=SMALL_SCALE)
    return MergedNetwork(built.to(device).to(memory_format=torch.channels_last))  # type: ignore[call-overload]


def batches(images: ImageSet, size: int, steps: int, seed: int) -> Iterator[Batch]:
    """Yield augmented batches with `size` random images of each source environment, or all that it has."""
    generator = torch.Generator().manual_seed(seed)
    domains = prepared(images.train, images).domains
    each = [torch.nonzero(domains == number)[:, 0] for number in range(len(images.environments))]
    for _ in range(steps):
        rows = torch.cat([some[torch.randperm(len(some), generator=generator)[:size]] for some in each])
        drawn = replace(images, train=images.train.take(rows))
        yield prepared(augmented_epoch(drawn, draw_plan(drawn, generator)), images)


def accuracy(network: nn.Module, images: ImageSet, split: Split) -> float:
    """Return the accuracy in percent, the mean of the environments that the split has."""
    batch = prepared(split, images)
    each = [batch.domains == number for number in batch.domains.unique()]
    found = [evaluate(network, batch.images[some], batch.labels[some])[1] / some.sum() for some in each]
    return 100 * float(torch.stack(found).mean())


class Best:
    """The weights at the best look of one way to choose."""

    def __init__(self) -> None:
        self.score, self.step, self.weights = -1.0, 0, dict[str, Tensor]()

    def look(self, score: float, step: int, network: nn.Module) -> None:
        """Keep the weights if there were none as good."""
        if score > self.score:
            self.score, self.step, self.weights = score, step, deepcopy(network.state_dict())


def run_trial(trial: Trial, data: TrialData) -> dict[str, Any]:
    """Train once, with Adam, and return the trial with its numbers and accuracies (percent).

    Of each way to choose there is the score that it sees and the accuracy on the target that goes with it: `valid`
    (held-out images of the sources, best look), `elsewhere` (of a further environment, best look; None without one)
    and `oracle` (a fifth of the target's images after the last step). `train` is measured after the last step.
    Raises `ConfigError` where the objective needs more environments than there are.
    """
    images, numbers = data.images, drawn_numbers(trial)
    check_sources(trial.objective, images)
    network = build_trial_network(trial, images)
    values = {name: value for name, value in numbers.items() if name not in COMMON}
    objective = make_objective(trial.objective, Setting(network, images, trial.steps, trial.seed), values)
    optimizer = torch.optim.Adam(network.parameters(), numbers["learning_rate"])
    seen = {"valid": images.evaluations["valid"]}
    if data.elsewhere is not None:
        seen["elsewhere"] = data.elsewhere
    best = {name: Best() for name in seen}
    looks = np.linspace(0, trial.steps, LOOKS + 1).astype(int)[1:].tolist()
    for step, batch in enumerate(batches(images, int(numbers["batch"]), trial.steps, trial.seed), start=1):
        network.train()
        objective.step(network, optimizer, batch)
        for name, split in seen.items() if step in looks else ():
            best[name].look(accuracy(network, images, split), step, network)
    return {**asdict(trial), "numbers": numbers, **_measured(network, images, best)}


def _measured(network: nn.Module, images: ImageSet, best: dict[str, Best]) -> dict[str, Any]:
    """Open the target and return what is recorded of a trained network."""
    target = images.open_final()["test"]
    order = torch.randperm(len(target), generator=torch.Generator().manual_seed(0))
    chosen_by, measuring = order.tensor_split([round(ORACLE_SHARE * len(target))])
    found: dict[str, Any] = {
        "train": accuracy(network, images, images.train),
        "oracle": accuracy(network, images, target.take(chosen_by)),
        "oracle_test": accuracy(network, images, target.take(measuring)),
        **dict.fromkeys(("elsewhere", "elsewhere_step", "elsewhere_test")),
    }
    for name, one in best.items():
        network.load_state_dict(one.weights)
        test = accuracy(network, images, target.take(measuring))
        found |= {name: one.score, f"{name}_step": one.step, f"{name}_test": test}
    return found
