"""The farm goes on after any kill, keeps others off its folder, and survives candidates that diverge."""

import json
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import torch

from natslib.datasets import get_dataset
from natslib.errors import BadSource, ConfigError
from natslib.nets import build_network, count_flops
from natslib.training import farm as farm_module
from natslib.training.farm import exclusive, job_costs, run_farm, shard_of
from natslib.training.images import ImageSet
from natslib.training.jobs import Job, jobs_for
from natslib.training.logs import read_records
from natslib.training.recipes import Recipe, get_recipe

JOBS = [*jobs_for("tss", np.arange(3), "tiny", "3", (777, 888)), Job("sss", 0, "tiny", "3", 777)]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Forked children cannot use a thread pool that their parent started."""
    torch.set_num_threads(1)


def farm(
    folder: Path,
    data: ImageSet,
    recipe: Recipe,
    jobs: Sequence[Job] = JOBS,
    *,
    shard: int = 0,
    shards: int = 1,
    group: int = 1,
    stamp: Mapping[str, object] = MappingProxyType({"device": "x"}),
) -> tuple[int, list[str]]:
    """Run the farm on the tiny set; return how many it trained and what it reported."""
    lines: list[str] = []

    def report(done: int, total: int, _elapsed_s: float, entry: Mapping[str, Any]) -> None:
        lines.append(f"{done}/{total} {entry['arch_index']}")

    trained = run_farm(
        jobs,
        folder,
        shard=shard,
        shards=shards,
        group=group,
        images=lambda name: data,
        recipe=lambda job: recipe,
        stamp=stamp,
        report=report,
    )
    return trained, lines


def results(folder: Path) -> dict[Job, str]:
    """What the logs of a folder say of each job, without the times."""
    found: dict[Job, str] = {}
    for log in sorted(folder.glob("*/*.jsonl")):
        for entry in read_records(log):
            job = Job(*(entry[name] for name in Job._fields))
            assert job not in found, f"{job} was trained twice"
            del entry["latency_s"]
            for split in entry["splits"].values():
                del split["time_s"]
            found[job] = json.dumps(entry, sort_keys=True)
    return found


def test_twenty_kills_at_random_moments_change_nothing_but_times(
    tmp_path: Path, tiny_images: ImageSet, tiny_recipe: Recipe
) -> None:
    farm(tmp_path / "warm", tiny_images, tiny_recipe, JOBS[-1:])
    start = time.monotonic()
    farm(tmp_path / "whole", tiny_images, tiny_recipe)
    whole_s = time.monotonic() - start
    rng = np.random.default_rng(0)
    fork = multiprocessing.get_context("fork")
    killed = 0
    for number in range(20):
        child = fork.Process(target=farm, args=(tmp_path / "killed", tiny_images, tiny_recipe))
        child.start()
        time.sleep(rng.uniform(0, whole_s / 4))
        os.kill(child.pid, signal.SIGKILL if number % 2 else signal.SIGTERM)
        child.join()
        killed += child.exitcode != 0
    assert killed > 3
    farm(tmp_path / "killed", tiny_images, tiny_recipe)
    assert results(tmp_path / "killed") == results(tmp_path / "whole")


def test_a_finished_farm_has_nothing_to_do_and_a_torn_line_is_trained_again(
    tmp_path: Path, tiny_images: ImageSet, tiny_recipe: Recipe
) -> None:
    assert farm(tmp_path, tiny_images, tiny_recipe, JOBS[:2])[0] == 2
    assert farm(tmp_path, tiny_images, tiny_recipe, JOBS[:2]) == (0, [])
    before, log = results(tmp_path), tmp_path / "tss/shard-0-of-1.jsonl"
    log.write_bytes(log.read_bytes()[:-25])
    assert farm(tmp_path, tiny_images, tiny_recipe, JOBS[:2]) == (1, ["2/2 1"])
    assert results(tmp_path) == before


def test_shards_share_the_jobs_whatever_the_number_of_shards(
    tmp_path: Path, tiny_images: ImageSet, tiny_recipe: Recipe
) -> None:
    farm(tmp_path, tiny_images, tiny_recipe, JOBS[:3], shard=0, shards=2)
    assert len(results(tmp_path)) == 2
    farm(tmp_path, tiny_images, tiny_recipe, JOBS[:3], shard=1, shards=2)
    assert farm(tmp_path, tiny_images, tiny_recipe, JOBS[:4]) == (1, [f"4/4 {JOBS[3].arch_index}"])
    assert set(results(tmp_path)) == set(JOBS[:4])


def published(job: Job) -> Recipe:
    return get_recipe(job.recipe, small=False)


def test_every_job_belongs_to_one_shard(tiny_recipe: Recipe) -> None:
    parts = [shard_of(JOBS, shard, 3, lambda job: tiny_recipe) for shard in range(3)]
    assert sorted(job for part in parts for job in part) == sorted(JOBS)
    with pytest.raises(ConfigError, match="shard 3/3: allowed are 0/3 to 2/3"):
        shard_of(JOBS, 3, 3, lambda job: tiny_recipe)


def test_what_a_job_costs_is_counted_on_its_network() -> None:
    for job in (Job("tss", 1462, "cifar10", "200", 1), Job("sss", 7, "cifar100", "90", 1)):
        facts, recipe = get_dataset(job.dataset), published(job)
        network = build_network(
            job.space, job.arch_index, in_channels=3, classes=facts.classes, scale=recipe.scale
        )
        passes = facts.images["train"] * recipe.epochs
        assert job_costs([job], published) == [passes * count_flops(network, 3, facts.resolution)]


@pytest.mark.parametrize("part", [20, 400])
def test_shards_cost_the_same_and_so_does_every_beginning_of_them(part: int) -> None:
    cells = jobs_for("tss", np.arange(part), "cifar10", "200", (777,))
    jobs = [*cells, *jobs_for("sss", np.arange(part), "cifar100", "90", (777,))]
    for many in (jobs, jobs[: part // 2]):
        parts = [shard_of(many, shard, 8, published) for shard in range(8)]
        costs = [sum(job_costs(some, published)) for some in parts]
        assert max(costs) - min(costs) <= max(job_costs(many, published))
        assert [some for some in parts if some != sorted(some, key=jobs.index)] == []


def test_images_of_ones_own_are_dealt_out_too() -> None:
    jobs = jobs_for("sss", np.arange(100), "mine", "12", (777,))
    costs = [sum(job_costs(shard_of(jobs, shard, 2, published), published)) for shard in (0, 1)]
    assert abs(costs[0] - costs[1]) <= max(job_costs(jobs, published))


def test_logs_of_shards_by_number_count_as_trained(
    tmp_path: Path, tiny_images: ImageSet, tiny_recipe: Recipe
) -> None:
    """Earlier versions dealt every n-th job to a shard."""
    for shard in (0, 1):
        farm(tmp_path / "single", tiny_images, tiny_recipe, JOBS[shard::2])
        (tmp_path / "all/tss").mkdir(parents=True, exist_ok=True)
        log = tmp_path / f"all/tss/shard-{shard}-of-2.jsonl"
        shutil.copy(tmp_path / "single/tss/shard-0-of-1.jsonl", log)
        shutil.rmtree(tmp_path / "single/tss")
    before = results(tmp_path / "all")
    left = [farm(tmp_path / "all", tiny_images, tiny_recipe, shard=shard, shards=2)[0] for shard in (0, 1)]
    assert sum(left) == len(JOBS) - len(before) == 1
    assert set(results(tmp_path / "all")) == set(JOBS)


def test_another_precision_in_the_folder_is_refused_whatever_is_asked(
    tmp_path: Path, tiny_images: ImageSet, tiny_recipe: Recipe
) -> None:
    farm(tmp_path, tiny_images, tiny_recipe, JOBS[:1], stamp={"precision": "float32"})
    with pytest.raises(ConfigError, match=r"asked is the precision 'tf32'.* precision 'float32': keep"):
        farm(tmp_path, tiny_images, tiny_recipe, JOBS[1:2], stamp={"precision": "tf32"})
    assert farm(tmp_path, tiny_images, tiny_recipe, JOBS[1:2], stamp={"precision": "float32"})[0] == 1


@pytest.mark.parametrize("other", [(0, 1), (0, 2)])
def test_two_farms_on_one_folder_are_refused(tmp_path: Path, other: tuple[int, int]) -> None:
    refused = pytest.raises(ConfigError, match="another farm is writing to")
    with exclusive(tmp_path, 0, 1), refused, exclusive(tmp_path, *other):
        pass


def test_shards_of_one_farm_may_share_a_folder(tmp_path: Path) -> None:
    refused = pytest.raises(ConfigError, match="another farm is writing to")
    with exclusive(tmp_path, 0, 2), exclusive(tmp_path, 1, 2), refused, exclusive(tmp_path, 0, 2):
        pass


def test_shards_of_another_number_are_refused_while_they_run(tmp_path: Path) -> None:
    refused = pytest.raises(ConfigError, match=r"it holds \.shard-1-of-2\.lock")
    with exclusive(tmp_path, 1, 2), refused, exclusive(tmp_path, 0, 3):
        pass
    with exclusive(tmp_path, 0, 3):
        pass


def test_one_farm_at_a_time_looks_for_others(tmp_path: Path) -> None:
    """Else shards that start together would find each other's hand on a lock file left behind, and both give up."""
    with exclusive(tmp_path, 0, 3):
        pass  # leaves its lock file
    tried = []

    def start(shard: int) -> None:
        with exclusive(tmp_path, shard, 8):
            tried.append(shard)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(start, range(8)))
    assert sorted(tried) == list(range(8))


def test_a_place_that_can_hold_no_logs_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = pytest.raises(BadSource, match=r"cannot keep logs in .*file")
    with refused, exclusive(tmp_path / "file", 0, 1):
        pass


def test_a_diverging_candidate_is_recorded_as_such_and_the_farm_goes_on(
    tmp_path: Path, tiny_images: ImageSet, tiny_recipe: Recipe
) -> None:
    wild = replace(tiny_recipe, learning_rate=1e30)
    assert farm(tmp_path, tiny_images, wild, JOBS[:2])[0] == 2
    for entry in read_records(tmp_path / "tss/shard-0-of-1.jsonl"):
        assert entry["diverged"] is True
        assert entry["splits"]["test"]["loss"][-1] is None
        assert entry["splits"]["test"]["accuracy"][-1] == 0


def test_a_batch_larger_than_the_set_is_refused(
    tmp_path: Path, tiny_images: ImageSet, tiny_recipe: Recipe
) -> None:
    with pytest.raises(ConfigError, match="a batch of 64 is larger than the 48 training images of 'tiny'"):
        farm(tmp_path, tiny_images, replace(tiny_recipe, batch=64))


def test_a_farm_stopped_between_groups_goes_on_with_the_same_groups(
    tmp_path: Path, tiny_images: ImageSet, tiny_recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, jobs = farm_module.append_lines, jobs_for("tss", np.arange(4), "tiny", "3", (777,))

    def append_and_die(path: Path, entries: Sequence[Mapping[str, object]]) -> None:
        append(path, entries)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(farm_module, "append_lines", append_and_die)
        with pytest.raises(KeyboardInterrupt):
            farm(tmp_path / "stopped", tiny_images, tiny_recipe, jobs, group=3)
    assert farm(tmp_path / "stopped", tiny_images, tiny_recipe, jobs, group=3)[0] == 1
    farm(tmp_path / "whole", tiny_images, tiny_recipe, jobs, group=3)
    assert results(tmp_path / "stopped") == results(tmp_path / "whole")


def test_groups_give_the_same_jobs_in_the_same_order(
    tmp_path: Path, tiny_images: ImageSet, tiny_recipe: Recipe
) -> None:
    trained, lines = farm(tmp_path / "grouped", tiny_images, tiny_recipe, group=2)
    farm(tmp_path / "alone", tiny_images, tiny_recipe)
    assert (trained, lines[-1]) == (len(JOBS), f"{len(JOBS)}/{len(JOBS)} 0")
    assert set(results(tmp_path / "grouped")) == set(results(tmp_path / "alone"))
