"""Recipes with an objective train candidates as plain ones do: the same again, in groups of one, refused in time."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from natslib.errors import ConfigError
from natslib.nets import build_network
from natslib.spaces import SMALL_SCALE, TOPOLOGY
from natslib.training.candidates import groups
from natslib.training.environments import rotated_digits
from natslib.training.farm import run_farm
from natslib.training.images import ImageSet
from natslib.training.jobs import Job, jobs_for
from natslib.training.logs import finished_records
from natslib.training.loop import train
from natslib.training.objectives import OBJECTIVES
from natslib.training.recipes import Recipe, get_recipe
from natslib.training.sources import load_images
from tests.killing import killed_at_random


@pytest.fixture(scope="module")
def images() -> ImageSet:
    """A few rotated digits of two environments."""
    whole = rotated_digits((0, 40), views=0).pooled()
    fewer = whole.evaluations["valid"].take(slice(40))
    return replace(whole, train=whole.train.take(slice(60)), evaluations={"valid": fewer})


def curves(images: ImageSet, recipe: Recipe, seed: int = 3) -> dict[str, tuple[list[float], list[float]]]:
    torch.manual_seed(seed)
    network = build_network("tss", 11472, in_channels=1, classes=10, scale=SMALL_SCALE)
    return {name: (one.loss, one.accuracy) for name, one in train(network, images, recipe, seed).items()}


@pytest.fixture
def short() -> Recipe:
    return Recipe("2", 2, 20, learning_rate=0.02, momentum=0.9, weight_decay=5e-4, scale=SMALL_SCALE)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_trains_a_cell_to_the_same_bits(
    images: ImageSet, short: Recipe, objective: str
) -> None:
    recipe = replace(short, objective=objective)
    found = curves(images, recipe)
    assert sorted(found) == ["test", "train", "valid"]
    assert found["train"] == curves(images, recipe)["train"]
    if objective not in (
        "erm",
        "irm",
        "vrex",
    ):  # whose weight of 1 is without effect in so few steps, or nearly
        assert found["train"] != curves(images, short)["train"]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_cell_without_a_path_comes_to_the_largest_class_and_no_further(
    images: ImageSet, short: Recipe, objective: str
) -> None:
    """Nothing of an image reaches its output, so that all images get one class; none of the objectives fails."""
    no_path = build_network("tss", TOPOLOGY.index((0,) * 6), in_channels=1, classes=10, scale=SMALL_SCALE)
    (accuracy,) = train(no_path, images, replace(short, objective=objective, epochs=1), 3)["valid"].accuracy
    shares = torch.bincount(images.evaluations["valid"].labels) / len(images.evaluations["valid"])
    assert (100 * shares).sub(accuracy).abs().min() < 1e-3


def test_the_training_loss_is_the_cross_entropy_whatever_is_added(images: ImageSet, short: Recipe) -> None:
    heavy = replace(short, objective="coral", numbers={"weight": 1e-9})
    assert curves(images, heavy)["train"][0] == pytest.approx(curves(images, short)["train"][0], rel=1e-3)
    first = replace(short, objective="coral", numbers={"weight": 1e4}, batch=60, epochs=1)
    plain = replace(short, batch=60, epochs=1)
    assert curves(images, first)["train"][0] == pytest.approx(curves(images, plain)["train"][0], rel=1e-4)


def test_images_without_environments_are_refused_before_training() -> None:
    digits = load_images("digits", Path(), verify=True)
    with pytest.raises(
        ConfigError, match="objective irm needs 2 or more source environments; digits has none"
    ):
        curves(digits, get_recipe("12-irm", small=True))


def test_candidates_with_an_objective_are_trained_one_by_one() -> None:
    jobs = [
        job
        for recipe in ("12", "12-irm")
        for job in jobs_for("tss", range(4), "digits-rotated", recipe, (777,))
    ]
    assert [len(group) for group in groups(jobs, 4)] == [4, 1, 1, 1, 1]


def farm(out: Path) -> subprocess.Popen[bytes]:
    asked = "train --space tss --arch 0,4,8 --dataset digits-rotated --recipe 12-vrex --device cpu --out"
    return subprocess.Popen(
        [sys.executable, "-m", "natslib", *asked.split(), str(out)], stderr=subprocess.DEVNULL
    )


def records(out: Path) -> dict[Job, object]:
    return {
        job: {name: {**split, "time_s": None} for name, split in entry["splits"].items()}
        for job, entry in finished_records(out)
    }


def test_a_killed_farm_of_an_objective_ends_with_the_same_records(tmp_path: Path) -> None:
    assert farm(tmp_path / "whole").wait() == 0
    killed = farm(tmp_path / "killed")
    log = tmp_path / "killed" / "tss" / "shard-0-of-1.jsonl"
    while not (log.exists() and log.read_bytes()) and killed.poll() is None:
        time.sleep(0.02)
    killed.kill()
    killed.wait()
    assert 1 <= len(records(tmp_path / "killed")) < 3
    assert farm(tmp_path / "killed").wait() == 0
    assert records(tmp_path / "killed") == records(tmp_path / "whole")
    assert {job.recipe for job in records(tmp_path / "whole")} == {"12-vrex"}


@pytest.mark.usefixtures("one_thread")  # forked children cannot use their parent's
def test_a_farm_of_an_objective_that_is_killed_at_random_moments_ends_with_the_same_records(
    tmp_path: Path, images: ImageSet, short: Recipe
) -> None:
    recipe = replace(short, objective="irm")
    jobs = jobs_for("tss", range(5), "digits-rotated", "2-irm", (777,))

    def train_all(out: Path) -> None:
        run_farm(
            jobs,
            out,
            shard=0,
            shards=1,
            group=1,
            images=lambda name: images,
            recipe=lambda job: recipe,
            stamp={},
            report=lambda *told: None,
        )

    start = time.monotonic()
    train_all(tmp_path / "whole")
    whole_s = time.monotonic() - start
    assert killed_at_random(lambda: train_all(tmp_path / "killed"), 4, whole_s / 3) >= 2
    train_all(tmp_path / "killed")
    assert records(tmp_path / "killed") == records(tmp_path / "whole")
    assert len(records(tmp_path / "whole")) == len(jobs)
