"""The farm: trains a list of jobs one after another, can be killed at any moment, and goes on where it stopped."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from heapq import heapreplace
from pathlib import Path

from natslib.datasets import DATASETS
from natslib.errors import BadSource, ConfigError
from natslib.files import lock
from natslib.spaces import SPACES, get_space
from natslib.training.candidates import Manner, groups, train_group
from natslib.training.captured import Capture
from natslib.training.images import ImageSet
from natslib.training.jobs import Job
from natslib.training.keys import Apart, finished_jobs, note
from natslib.training.logs import append_lines, drop_torn_line
from natslib.training.recipes import Recipe

#: Told after each run: jobs done of this shard, jobs of this shard, seconds since the start, the record.
Report = Callable[[int, int, float, Mapping[str, object]], None]
#: Trains groups of jobs and yields the records of each, in whatever order.
Trainer = Callable[[Iterable[Sequence[Job]]], Iterator[Sequence[Mapping[str, object]]]]


def shard_of(jobs: Sequence[Job], shard: int, shards: int, recipe: Callable[[Job], Recipe]) -> list[Job]:
    """Return the jobs of one of `shards` parts, counted from 0, that cost about the same: in order, each job is dealt
    to the part that has the least FLOPs so far.

    The same on every machine. Every beginning of the list is dealt evenly too.
    """
    if not 0 <= shard < shards:
        raise ConfigError(f"shard {shard}/{shards}: allowed are 0/{shards} to {shards - 1}/{shards}")
    if shards == 1:
        return list(jobs)
    mine, loads = [], [(0, part) for part in range(shards)]
    for job, cost in zip(jobs, job_costs(jobs, recipe), strict=True):
        load, part = loads[0]
        heapreplace(loads, (load + cost, part))
        if part == shard:
            mine.append(job)
    return mine


def job_costs(jobs: Sequence[Job], recipe: Callable[[Job], Recipe]) -> list[int]:
    """Return the FLOPs of the forward passes of each job's training, exact: of one image, times images and epochs.

    Images of one's own, of which nothing is known here, count as CIFAR-10's: all jobs alike, as far as they go.
    """
    alike: dict[tuple[str, str, str], list[int]] = {}
    for place, job in enumerate(jobs):
        alike.setdefault((job.space, job.dataset, job.recipe), []).append(place)
    costs = [0] * len(jobs)
    for (space, dataset, _), places in alike.items():
        known, facts = get_space(space), DATASETS.get(dataset, DATASETS["cifar10"])
        trained_by = recipe(jobs[places[0]])
        codes = known.codes([jobs[place].arch_index for place in places])
        passes = facts.images["train"] * trained_by.epochs
        for place, macs in zip(
            places, known.count(codes, facts, trained_by.scale).macs.tolist(), strict=True
        ):
            costs[place] = macs * passes
    return costs


@contextmanager
def exclusive(folder: Path, shard: int, shards: int) -> Iterator[dict[str, Path]]:
    """Yield the logs of a shard by space, held alone: shards of one farm, of equal `shards`, may share a folder."""
    name = f"shard-{shard}-of-{shards}"
    logs = {space: folder / space / f"{name}.jsonl" for space in SPACES}
    try:
        for log in logs.values():
            log.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSource(f"cannot keep logs in {folder}: {error}") from error
    with ExitStack() as held:
        with lock(folder / ".farm.lock"):  # one at a time: shards that start together try the same locks
            held.enter_context(_shard_lock(folder / f".{name}.lock"))
            for other in folder.glob(".shard-*.lock"):
                if not other.stem.endswith(f"-of-{shards}"):
                    with _shard_lock(other):
                        pass  # nobody cuts the jobs into other shards, so none is trained twice
        for log in logs.values():
            drop_torn_line(log)
        yield logs


def _shard_lock(path: Path) -> AbstractContextManager[None]:
    busy = f"another farm is writing to {path.parent} (it holds {path.name}): wait or stop it"
    return lock(path, busy=busy)


def run_farm(
    jobs: Sequence[Job],
    folder: Path,
    *,
    shard: int,
    shards: int,
    group: int,
    images: Callable[[str], ImageSet],
    recipe: Callable[[Job], Recipe],
    stamp: Mapping[str, object],
    report: Report,
    trainer: Trainer | None = None,
    capture: Capture | None = None,
    weights: bool = False,
) -> int:
    """Train the jobs of a shard that no log in `folder` holds yet; return how many were trained now.

    Up to `group` topology candidates are trained at once; with `weights`, which are then kept beside the logs
    (`natslib.training.weights`), one at a time.

    `images` returns the image set of a name, on the device to train on; `recipe` the recipe of a job. `capture` as of
    `train`. `trainer`, which has all three itself, trains in place of this process.
    Raises `ConfigError` when another farm works on the same jobs, when a log holds one of them trained at another scale
    than `stamp` names, or any job trained in another precision; `BadSource` when a log cannot be written.
    """
    if weights and group > 1:
        raise ConfigError(f"the weights of groups of {group} are not kept: allowed are groups of 1")
    with exclusive(folder, shard, shards) as logs:
        mine = shard_of(jobs, shard, shards, recipe)
        done = finished_jobs(folder)
        check_alike(folder, {job: done[job] for job in mine if job in done}, stamp)
        check_alike(folder, done, stamp, ("precision",))
        missing = [job for job in mine if job not in done]
        start = time.monotonic()
        number = len(mine) - len(missing)
        todo = groups(missing, group)
        manner = Manner(capture, folder if weights else None)
        here = (train_group(some, images(some[0].dataset), recipe(some[0]), stamp, manner) for some in todo)
        for entries in here if trainer is None else trainer(todo):
            log = logs[str(entries[0]["space"])]
            append_lines(log, entries)  # at once: the rest of a group would be grouped anew
            note(log)
            for entry in entries:
                number += 1
                report(number, len(mine), time.monotonic() - start, entry)
        return len(missing)


def check_alike(
    folder: Path,
    done: Mapping[Job, Apart],
    stamp: Mapping[str, object],
    names: Sequence[str] = Apart._fields,
) -> None:
    """Refuse to take these runs where `stamp` says otherwise: the fields of a job do not tell them apart."""
    for apart, job in {apart: job for job, apart in done.items()}.items():
        for name in names:
            if (told := getattr(apart, name)) not in (None, stamp.get(name)):
                asked = f"the {name} {stamp.get(name)!r}, and {folder} holds {job} of the {name} {told!r}"
                raise ConfigError(f"asked is {asked}: keep each in a folder of its own")
