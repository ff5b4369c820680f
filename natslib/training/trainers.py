"""Worker processes that train side by side, each on its device and with one thread, as the main process alone would."""

import multiprocessing
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import TypeVar

import torch

from natslib.errors import NatslibError
from natslib.training.candidates import Manner, train_group
from natslib.training.captured import Capture
from natslib.training.device import ready_device
from natslib.training.images import ImageSet
from natslib.training.jobs import Job
from natslib.training.recipes import Recipe
from natslib.workers import hidden_main, quiet_worker, uninterrupted

Value = TypeVar("Value")


def always(value: Value, _: object) -> Value:
    """Return the same whatever is asked: the images, recipe or stamp of all jobs."""
    return value


@dataclass(frozen=True)
class Work:
    """What a process that trains must know, to be sent to it: functions of a module, or `partial` ones.

    `images` returns the image set of a name, on the CPU; `recipe` the recipe of a job; `stamp` what goes into each
    record of a device; `capture` as of `natslib.training.train`; `weights` is the folder of a farm that keeps them.
    """

    images: Callable[[str], ImageSet]
    recipe: Callable[[Job], Recipe]
    stamp: Callable[[torch.device], Mapping[str, object]]
    capture: Capture | None = None
    weights: Path | None = None


@dataclass
class Trainers:
    """Processes that train jobs, one a device of the list, which may name one several times.

    They start when there is something to train, and stay until `close`.
    """

    devices: Sequence[str]
    work: Work
    _pool: ProcessPoolExecutor | None = None
    _others: set = field(default_factory=set)

    def __call__(self, groups: Iterable[Sequence[Job]]) -> Iterator[Sequence[Mapping[str, object]]]:
        """Train groups of jobs at once and yield the records of each as soon as it is finished.

        Raises what training raises, and `NatslibError` where a process was killed.
        """
        try:
            with hidden_main(), uninterrupted():
                futures = [self._started().submit(_train, jobs) for jobs in groups]
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool:
            self.close()
            message = "a process that trains was killed (out of memory?); run the same again"
            raise NatslibError(message) from None

    def close(self) -> None:
        """End the processes; what they are at is lost."""
        if self._pool is not None:
            for process in set(multiprocessing.active_children()) - self._others:
                process.terminate()
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._others = set(multiprocessing.active_children())
            spawn = multiprocessing.get_context("spawn")  # a GPU cannot be used in a fork
            free = spawn.SimpleQueue()
            for device in self.devices:
                free.put(device)
            self._pool = ProcessPoolExecutor(
                len(self.devices),
                mp_context=spawn,
                initializer=_receive,
                # Pickled here: handed over as they are, tensors would stay in memory that this process shares.
                initargs=(free, pickle.dumps(self.work)),
            )
        return self._pool


class _Worker:
    """What one process trains with: its device, the image sets that it has met, and how many fit at once."""

    def __init__(self, device: torch.device, work: Work) -> None:
        self.device, self.work, self.stamp = device, work, work.stamp(device)
        self.images: dict[str, ImageSet] = {}
        self.manner = Manner(work.capture, work.weights)

    def train(self, jobs: Sequence[Job]) -> Sequence[Mapping[str, object]]:
        name = jobs[0].dataset
        if name not in self.images:
            self.images[name] = self.work.images(name).to(self.device)
        return train_group(jobs, self.images[name], self.work.recipe(jobs[0]), self.stamp, self.manner)


_worker: _Worker


def _receive(free: "SimpleQueue[str]", work: bytes) -> None:
    global _worker
    quiet_worker()
    _worker = _Worker(ready_device(free.get()), pickle.loads(work))


def _train(jobs: Sequence[Job]) -> Sequence[Mapping[str, object]]:
    return _worker.train(jobs)
