"""Worker processes that train side by side, each with one thread, as the main process alone would."""

import multiprocessing
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field

import torch

from natslib.errors import NatslibError
from natslib.training.candidates import train_group
from natslib.training.device import ready_device
from natslib.training.images import ImageSet
from natslib.training.jobs import Job
from natslib.training.recipes import Recipe
from natslib.workers import hidden_main, quiet_worker, uninterrupted

Work = tuple[ImageSet, Recipe, Mapping[str, object]]
_work: Work


@dataclass
class Trainers:
    """Up to `processes` processes that train jobs on `images`, on the device where these lie, by `recipe`.

    They start when there is something to train, and stay until `close`. `stamp` goes into each record.
    """

    processes: int
    images: ImageSet
    recipe: Recipe
    stamp: Mapping[str, object]
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
            device = str(self.images.train.images.device)
            # Pickled here: handed over as they are, tensors would stay in memory that this process shares.
            work = pickle.dumps((self.images.to(torch.device("cpu")), self.recipe, dict(self.stamp)))
            self._pool = ProcessPoolExecutor(
                self.processes,
                mp_context=multiprocessing.get_context("spawn"),  # a GPU cannot be used in a fork
                initializer=_receive,
                initargs=(device, work),
            )
        return self._pool


def _receive(device: str, work: bytes) -> None:
    global _work
    quiet_worker()
    images, recipe, stamp = pickle.loads(work)
    _work = images.to(ready_device(device)), recipe, stamp


def _train(jobs: Sequence[Job]) -> Sequence[Mapping[str, object]]:
    return train_group(jobs, *_work)
