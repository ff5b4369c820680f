"""An oracle that trains what a search proposes: each run is kept in the logs of a farm, and answered from there."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from natslib.errors import ConfigError, NotMeasured
from natslib.search.oracle import EVALUATIONS, Evaluation
from natslib.spaces import Space
from natslib.training.farm import check_scale, run_farm
from natslib.training.images import ImageSet
from natslib.training.jobs import Job
from natslib.training.logs import finished_records
from natslib.training.recipes import Recipe


@dataclass(frozen=True, eq=False)
class TrainedOracle:
    """Validation accuracies of networks that are trained when they are asked for, once each.

    `images` lie on the device to train on and have a split 'valid', or `ConfigError` is raised. `name` is what the logs
    call them. `folder` holds the logs, as of `natslib train`: killed, the same search goes on after its last finished
    training. `seed` is that of every training. `stamp` is kept with each run. `unit`: "evaluations", or "s", the
    seconds of training and one validation pass. `report` is told of each training: how many were done, and its record.
    Fewer epochs than the recipe has are those of the same training.
    """

    space: Space
    images: ImageSet
    name: str
    recipe: Recipe
    folder: Path
    seed: int
    stamp: Mapping[str, object]
    unit: str = EVALUATIONS
    report: Callable[[int, Mapping[str, Any]], object] = lambda done, record: None
    split: str = "valid"
    instant: bool = False
    _known: dict[int, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.split not in self.images.evaluations:
            held = ", ".join(self.images.evaluations)
            raise ConfigError(f"{self.name} has no validation images, which score a search; it has {held}")
        found = {
            job: record for job, record in finished_records(self.folder) if job == self._job(job.arch_index)
        }
        scales = {job: record.get("stamp", {}).get("scale") for job, record in found.items()}
        check_scale(self.folder, scales, self.stamp)
        self._known.update((job.arch_index, record) for job, record in found.items())

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
        """Return the function (architecture, epochs) -> (index, epochs, score, cost); it trains what is not known yet.

        Raises `UnknownArchitecture`, and `NotMeasured` for epochs that the recipe does not have.
        """
        full = self.recipe.epochs

        def evaluate(arch: Any, epochs: int | None) -> Evaluation:
            epochs = full if epochs is None else epochs
            if epochs not in self.epochs:
                raise NotMeasured(f"a score after {epochs!r} epochs was asked for; allowed are 1 to {full}")
            index = self.space.index(arch)
            splits = self.record(index)["splits"]
            score = splits[self.split]["accuracy"][epochs - 1]
            return index, epochs, float(score), self._cost(splits, epochs)

        return evaluate

    def record(self, index: int) -> Mapping[str, Any]:
        """Return the raw-log record of an architecture, trained now where there is none yet."""
        if index not in self._known:
            run_farm(
                [self._job(index)],
                self.folder,
                shard=0,
                shards=1,
                group=1,
                images=lambda name: self.images,
                recipe=lambda job: self.recipe,
                stamp=self.stamp,
                report=lambda done, total, elapsed_s, record: self._note(record),
            )
        return self._known[index]

    def _job(self, index: int) -> Job:
        return Job(self.space.name, index, self.name, self.recipe.name, self.seed)

    def _note(self, record: Mapping[str, Any]) -> None:
        self._known[record["arch_index"]] = record
        self.report(len(self._known), record)

    def _cost(self, splits: Mapping[str, Any], epochs: int) -> float:
        if self.unit == EVALUATIONS:
            return epochs / self.recipe.epochs
        passes = splits[self.split]["time_s"]
        return float(sum(splits["train"]["time_s"][:epochs]) + sum(passes) / len(passes))
