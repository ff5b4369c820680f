"""Processes that train: as many as devices, each with one of them; they keep what they learn of their memory."""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from natslib.training.farm import run_farm
from natslib.training.images import ImageSet
from natslib.training.jobs import Job, jobs_for
from natslib.training.logs import read_records
from natslib.training.recipes import Recipe
from natslib.training.trainers import Trainers, Work, always

DEVICES = ["cpu:0", "cpu:1"]


def stamp(device: torch.device) -> dict[str, object]:
    """Tell which process trains where."""
    return {"device": str(device), "process": os.getpid()}


@pytest.fixture
def trainers(tiny_images: ImageSet, tiny_recipe: Recipe) -> Iterator[Trainers]:
    made = Trainers(DEVICES, Work(partial(always, tiny_images), partial(always, tiny_recipe), stamp))
    yield made
    made.close()


def together(trainer: Trainers, jobs: Sequence[Job], folder: Path) -> list[Mapping[str, object]]:
    """Run the farm on these processes and return its records."""

    def here(_: object) -> ImageSet:
        raise AssertionError("this process trains nothing")

    run_farm(
        jobs,
        folder,
        shard=0,
        shards=1,
        group=1,
        images=here,
        recipe=trainer.work.recipe,
        stamp={},
        report=lambda *_: None,
        trainer=trainer,
    )
    return list(read_records(folder / "tss/shard-0-of-1.jsonl"))


def test_each_device_has_one_process_and_each_job_one_device(tmp_path: Path, trainers: Trainers) -> None:
    jobs = jobs_for("tss", np.arange(4), "tiny", "3", (777, 888))
    entries = together(trainers, jobs, tmp_path)
    assert sorted(Job(*(entry[name] for name in Job._fields)) for entry in entries) == sorted(jobs)
    processes = {(entry["stamp"]["device"], entry["stamp"]["process"]) for entry in entries}
    assert {device for device, _ in processes} == set(DEVICES)
    assert len(processes) == 2
    assert os.getpid() not in {process for _, process in processes}


def test_what_is_trained_is_not_trained_again_on_another_device(tmp_path: Path, trainers: Trainers) -> None:
    jobs = jobs_for("tss", np.arange(2), "tiny", "3", (777,))
    assert len(together(trainers, jobs, tmp_path)) == 2
    assert len(together(trainers, jobs, tmp_path)) == 2
