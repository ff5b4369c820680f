"""The farm: trains a list of jobs one after another, can be killed at any moment, and goes on where it stopped."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from natslib.errors import BadSource, ConfigError
from natslib.files import lock
from natslib.spaces import SPACES
from natslib.training.candidates import groups, train_group
from natslib.training.images import ImageSet
from natslib.training.jobs import Job
from natslib.training.logs import append_lines, drop_torn_line, finished_jobs
from natslib.training.recipes import Recipe

#: Told after each run: jobs done of this shard, jobs of this shard, seconds since the start, the record.
Report = Callable[[int, int, float, Mapping[str, object]], None]
#: Trains groups of jobs and yields the records of each, in whatever order.
Trainer = Callable[[Iterable[Sequence[Job]]], Iterator[Sequence[Mapping[str, object]]]]


def shard_of(jobs: Sequence[Job], shard: int, shards: int) -> list[Job]:
    """Return every `shards`-th job from number `shard` (counted from 0) on."""
    if not 0 <= shard < shards:
        raise ConfigError(f"shard {shard}/{shards}: allowed are 0/{shards} to {shards - 1}/{shards}")
    return list(jobs[shard::shards])


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
) -> int:
    """Train the jobs of a shard that no log in `folder` holds yet; return how many were trained now.

    Up to `group` topology candidates are trained at once.

    `images` returns the image set of a name, on the device to train on; `recipe` the recipe of a job. `trainer`, which
    has both itself, trains in place of this process.
    Raises `ConfigError` when another farm works on the same jobs, or a log holds one of them trained at another scale
    than `stamp` names; `BadSource` when a log cannot be written.
    """
    with exclusive(folder, shard, shards) as logs:
        mine = shard_of(jobs, shard, shards)
        done = finished_jobs(folder)
        check_scale(folder, {job: done[job] for job in mine if job in done}, stamp)
        missing = [job for job in mine if job not in done]
        start = time.monotonic()
        number = len(mine) - len(missing)
        todo = groups(missing, group)
        here = (train_group(some, images(some[0].dataset), recipe(some[0]), stamp) for some in todo)
        for entries in here if trainer is None else trainer(todo):
            append_lines(
                logs[str(entries[0]["space"])], entries
            )  # at once: the rest of a group would be grouped anew
            for entry in entries:
                number += 1
                report(number, len(mine), time.monotonic() - start, entry)
        return len(missing)


def check_scale(folder: Path, done: Mapping[Job, str | None], stamp: Mapping[str, object]) -> None:
    """Refuse to take runs of another scale for these: the fields of a job do not tell them apart."""
    for job, scale in done.items():
        if scale not in (None, stamp.get("scale")):
            asked = f"the scale {stamp.get('scale')!r}, and {folder} holds {job} of the scale {scale!r}"
            raise ConfigError(f"asked is {asked}: keep each in a folder of its own")
