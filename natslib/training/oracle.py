"""An oracle that trains what a search proposes: each run is kept in the logs of a farm, and answered from there."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from natslib.errors import ConfigError, NotMeasured
from natslib.search.oracle import EVALUATIONS, Evaluation
from natslib.spaces import Space, get_space
from natslib.training.device import environment_stamp, ready_device
from natslib.training.farm import Trainer, check_alike, run_farm
from natslib.training.images import ImageSet
from natslib.training.jobs import Job
from natslib.training.keys import apart_of
from natslib.training.logs import finished_records
from natslib.training.names import is_small, log_name
from natslib.training.recipes import Recipe, get_recipe
from natslib.training.sources import load_images
from natslib.training.trainers import Trainers, Work, always

TRAINING_SEED = 777
"""The seed of every training, as that of `natslib train` where none is said."""
Record = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class TrainedOracle:
    """Validation accuracies of networks that are trained when they are asked for, once each.

    `images` lie on the device to train on and have a split 'valid', or `ConfigError` is raised; no other split is
    looked at before `finals` is asked for. `name` is what the logs call them. `folder` holds the logs, as of `natslib
    train`: killed, the same search goes on after its last finished training. `seed` is that of every training. `stamp`
    is kept with each run. `unit`: "evaluations", or "s", the seconds of training and one validation pass. Fewer
    epochs than the recipe has are those of the same training.

    `processes`: so many networks are trained at once, of those that a search asks for before it hears of one: as many
    as the protocol has workers. The answers do not depend on it. Under a budget in seconds, where what is finished
    first is known only afterwards, it is 1, or `ConfigError` is raised. `bar` shows how much is spent.
    """

    space: Space
    images: ImageSet
    name: str
    recipe: Recipe
    folder: Path
    seed: int
    stamp: Mapping[str, object]
    unit: str = EVALUATIONS
    processes: int = 1
    bar: "tqdm[Any]" = field(default_factory=lambda: tqdm(disable=True))
    split: str = "valid"
    instant: bool = False
    _known: dict[int, Record] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.split not in self.images.evaluations:
            held = ", ".join(self.images.evaluations)
            raise ConfigError(
                f"{self.name} has no validation images, which score a search; it has {held}: allowed are sets with a "
                "folder valid/ (or val/), or with valid_images and valid_labels"
            )
        if self.processes > 1 and self.unit != EVALUATIONS:
            raise ConfigError(
                f"{self.processes} processes were asked to train at once under a budget in {self.unit}, where what is "
                f"proposed depends on what was finished first; allowed are 1, or a budget in {EVALUATIONS}"
            )
        self._recall()

    @property
    def epochs(self) -> tuple[int, ...]:
        """The numbers of epochs that can be asked for; the last is the whole training."""
        return tuple(range(1, self.recipe.epochs + 1))

    @property
    def search_space(self) -> Space:
        """The space that a search may move in: all of it."""
        return self.space

    @property
    def cheapest(self) -> float:
        """What the cheapest whole training costs: one evaluation, or unknown seconds."""
        return 1.0 if self.unit == EVALUATIONS else 0.0

    @property
    def source(self) -> dict[str, Any]:
        """What is trained, for the description of a search."""
        return {"trained on": self.name, "recipe": self.recipe.name, "training seed": self.seed}

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the images, the recipe and the seed: of all that an answer depends on."""
        digest = hashlib.sha256(
            repr((self.space.name, self.name, self.recipe, self.seed, self.unit)).encode()
        )
        for split in (self.images.train, self.images.evaluations[self.split]):
            digest.update(split.images.cpu().numpy().tobytes())
            digest.update(split.labels.cpu().numpy().tobytes())
        return digest.hexdigest()

    def prepare(self) -> None:
        """There is nothing to build before the first evaluation."""

    def evaluator(self, rng: np.random.Generator) -> Callable[[Any, int | None], Evaluation]:
        """Return the function (architecture, epochs) -> (index, epochs, NaN, cost); `finish` knows the score.

        A cost in seconds is known only after training, so that what is not known yet is trained at once.
        Raises `UnknownArchitecture`, and `NotMeasured` for epochs that the recipe does not have.
        """
        full = self.recipe.epochs

        def evaluate(arch: Any, epochs: int | None) -> Evaluation:
            epochs = full if epochs is None else epochs
            if epochs not in self.epochs:
                raise NotMeasured(f"a score after {epochs!r} epochs was asked for; allowed are 1 to {full}")
            index = self.space.index(arch)
            return index, epochs, float("nan"), self._cost(index, epochs)

        return evaluate

    def finish(self, evaluations: Sequence[Evaluation]) -> Evaluation:
        """Return the first evaluation with its score; where it is not known yet, all of them are trained at once."""
        index, epochs, _, cost = evaluations[0]
        if index not in self._known:
            self.train(evaluation[0] for evaluation in evaluations)
        self.bar.update(cost)
        return index, epochs, float(self._columns(index, self.split)["accuracy"][epochs - 1]), cost

    def train(self, indices: Iterable[int]) -> None:
        """Train those of the architectures that are not known yet, and keep the records in the logs."""
        missing = [self._job(index) for index in dict.fromkeys(indices) if index not in self._known]
        if missing:
            trainer = self._trainers if self.processes > 1 else None
            self._farm(missing, self.folder, self._searched, trainer)
            self._recall()

    def finals(self, indices: Iterable[int]) -> dict[int, Record]:
        """Return index -> raw-log record of architectures that were chosen, with every split that the images have.

        Here test images are looked at for the first time. What a search has trained is trained once more, by the same
        seed and so to the same network, which is then evaluated on all splits; the records are kept in `folder`/final.
        """
        chosen, place = list(dict.fromkeys(indices)), self.folder / "final"
        every = {*self.images.evaluations, *self.images.final}
        self.train(chosen)
        lacking = [self._job(index) for index in chosen if not every <= set(self._known[index]["splits"])]
        if lacking:
            self._farm(lacking, place, self.images)
        again = {job.arch_index: record for job, record in finished_records(place) if job in lacking}
        return {index: again.get(index, self._known[index]) for index in chosen}

    def close(self) -> None:
        """End the processes that train, where there are any."""
        self._trainers.close()

    @cached_property
    def _searched(self) -> ImageSet:
        """The images without those that a search must not see."""
        return replace(self.images, evaluations={self.split: self.images.evaluations[self.split]}, final={})

    @cached_property
    def _trainers(self) -> Trainers:
        images, device = self._searched.to(torch.device("cpu")), str(self.images.train.images.device)
        work = Work(partial(always, images), partial(always, self.recipe), partial(always, self.stamp))
        return Trainers([device] * self.processes, work)

    def _farm(self, jobs: list[Job], folder: Path, images: ImageSet, trainer: Trainer | None = None) -> None:
        run_farm(
            jobs,
            folder,
            shard=0,
            shards=1,
            group=1,
            images=lambda name: images,
            recipe=lambda job: self.recipe,
            stamp=self.stamp,
            report=lambda done, total, elapsed_s, record: self._show(done, total, record),
            trainer=trainer,
        )

    def _show(self, done: int, total: int, record: Record) -> None:
        accuracy = record["splits"][self.split]["accuracy"][-1]
        batch = f"{done}/{total} trained, " if total > 1 else ""
        self.bar.set_postfix_str(f"{batch}{record['space']} {record['arch_index']}: {accuracy:.2f} %")

    def _recall(self) -> None:
        """Read the logs; raises `ConfigError` where they hold trainings of another scale or precision."""
        found = {
            job: record for job, record in finished_records(self.folder) if job == self._job(job.arch_index)
        }
        apart = {job: apart_of(record.get("stamp", {})) for job, record in found.items()}
        check_alike(self.folder, apart, self.stamp)
        self._known.update((job.arch_index, record) for job, record in found.items())

    def _job(self, index: int) -> Job:
        return Job(self.space.name, index, self.name, self.recipe.name, self.seed)

    def _columns(self, index: int, split: str) -> Mapping[str, Any]:
        columns: Mapping[str, Any] = self._known[index]["splits"][split]
        return columns

    def _cost(self, index: int, epochs: int) -> float:
        if self.unit == EVALUATIONS:
            return epochs / self.recipe.epochs
        self.train([index])
        passes = self._columns(index, self.split)["time_s"]
        return float(sum(self._columns(index, "train")["time_s"][:epochs]) + sum(passes) / len(passes))


def trained_oracle(
    space: str,
    dataset: str,
    folder: Path,
    *,
    recipe: str,
    scale: str | None = None,
    data: Path = Path("data"),
    verify: bool = True,
    device: str | None = None,
    **options: Any,
) -> TrainedOracle:
    """Return the oracle of a space on an image set, with its logs in `folder`; `options` as of `TrainedOracle`.

    `dataset`, `data` and `verify` as of `load_images`: a name, or the path of your own `.npz` or folder, for which
    `scale`, "paper" or "small", must be said. `device` as of `ready_device`. Raises `UnknownName`, `ConfigError` and
    `BadSource` for what cannot be.
    """
    small = is_small(dataset, scale)
    trained_by, name, where = get_recipe(recipe, small=small), log_name(dataset), ready_device(device)
    more = {"scale": "small" if small else "paper"} | ({} if verify else {"dataset files": "not verified"})
    stamp = environment_stamp(where, more)
    images = load_images(dataset, data, verify=verify).to(where)
    return TrainedOracle(get_space(space), images, name, trained_by, folder, TRAINING_SEED, stamp, **options)
