"""Many runs of one search: seeded one by one, so that nothing depends on how they are shared out."""

import importlib.util
import multiprocessing
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from natslib.errors import BadSource, ConfigError
from natslib.search import lockstep
from natslib.search.algorithms import MULTI_FIDELITY, get_search
from natslib.search.oracle import Answering, Oracle
from natslib.search.proposals import SearchFunction
from natslib.search.simulate import Protocol, SearchFailed, run_named, run_seed
from natslib.search.trajectory import trajectory_frame
from natslib.workers import quiet_worker, uninterrupted


def find_search(name: str) -> tuple[str, str | SearchFunction]:
    """Return a short name and the search: `name` is one of `natslib.search.SEARCHES` or "FILE.py:FUNCTION".

    The file is run to get at the function, so it should be one that you trust. Raises `UnknownName`, `BadSource` for a
    file that cannot be run and `ConfigError` where it has no such function.
    """
    file, colon, function = name.rpartition(":")
    if not colon or not file.endswith(".py"):
        get_search(name)
        return name, name
    return function, function_in(Path(file), function)


def function_in(path: Path, name: str) -> SearchFunction:
    """Run a Python file and return its function of that name."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise BadSource(f"{path}: no Python file to take an algorithm from")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a stranger's code: whatever it raises, the file is what is wrong
        raise BadSource(f"{path}: does not run ({type(error).__name__}: {error})") from error
    function = getattr(module, name, None)
    if not callable(function):
        functions = [
            key for key, value in vars(module).items() if callable(value) and not key.startswith("_")
        ]
        raise ConfigError(f"{path} has no function {name!r}; it has {', '.join(functions) or 'none'}")
    return function


@dataclass(frozen=True)
class Runs:
    """Finished runs as a frame (see `trajectory_frame`), and the messages of those that an error ended."""

    frame: pd.DataFrame
    failures: tuple[str, ...]


def repeat(
    search: str | SearchFunction,
    oracle: Answering,
    protocol: Protocol,
    *,
    runs: int | Iterable[int],
    seed: int,
    processes: int = 1,
) -> Runs:
    """Run a search many times and return the trajectories.

    `search`: a name of `natslib.search.SEARCHES` or any function (space, rng) -> generator. `runs`: how many, or
    which numbers. The result depends on `seed` and the run numbers, never on `processes`. A run that fails is left
    out and warned about; `SearchFailed` is raised where all fail, `ConfigError` where the budget or the number of
    runs cannot be.
    """
    numbers = list(range(runs)) if isinstance(runs, int) else list(runs)
    if not numbers:
        raise ConfigError(f"runs={runs} was given; a search needs at least one run")
    protocol.check(oracle)
    job = Repeat(search_name(search), search_function(search, oracle), oracle, protocol, seed)
    finished = share_out(job, numbers, processes)
    failures = tuple(message for part in finished for message in part.failures)
    frames = [part.frame for part in finished if len(part.frame)]
    if not frames:
        raise SearchFailed(f"all {len(numbers)} runs failed; the first: {failures[0]}")
    if failures:
        warnings.warn(
            f"{len(failures)} of {len(numbers)} runs failed; the first: {failures[0]}", stacklevel=2
        )
    return Runs(pd.concat(frames, ignore_index=True), failures)


def search_name(search: str | SearchFunction) -> str:
    """Return the name that messages and files use for a search."""
    return search if isinstance(search, str) else getattr(search, "__name__", type(search).__name__)


def search_function(search: str | SearchFunction, oracle: Answering) -> SearchFunction:
    """Return the generator function; a named multi-fidelity search trains up to the oracle's full epochs."""
    if not isinstance(search, str):
        return search
    function = get_search(search)
    return partial(function, max_epochs=oracle.epochs[-1]) if search in MULTI_FIDELITY else function


@dataclass(frozen=True)
class Repeat:
    """A search and everything else that is the same in all of its runs."""

    name: str
    search: SearchFunction
    oracle: Answering
    protocol: Protocol
    seed: int

    def __call__(self, numbers: list[int]) -> Runs:
        """Do the runs of these numbers one after the other."""
        done, seeds, records, failures = [], [], [], []
        for number in numbers:
            seed = run_seed(self.seed, number)
            try:
                records.append(run_named(self.name, number, self.search, self.oracle, self.protocol, seed))
            except SearchFailed as failure:
                failures.append(str(failure))
                continue
            done.append(number)
            seeds.append(seed)
        frame = trajectory_frame(done, seeds, records) if records else pd.DataFrame()
        return Runs(frame, tuple(failures))


_job: Callable[[list[int]], Runs]


def share_out(job: Repeat, numbers: list[int], processes: int) -> list[Runs]:
    """Do the runs in `processes` processes and return the parts in order; those that can go side by side need none.

    The processes are forked, so that a search written in a notebook need not be importable; where the system
    cannot fork, everything runs in this process.
    """
    if processes < 1:
        raise ConfigError(f"processes={processes} was given; at least 1 is needed")
    if isinstance(job.oracle, Oracle) and lockstep.fits(job.search, job.oracle, job.protocol):
        seeds = [run_seed(job.seed, number) for number in numbers]
        return [Runs(lockstep.trajectories(job.oracle, job.protocol, numbers, seeds), ())]
    if processes == 1 or "fork" not in multiprocessing.get_all_start_methods():
        return [job(numbers)]
    size = -(-len(numbers) // (4 * processes))
    parts = [numbers[start : start + size] for start in range(0, len(numbers), size)]
    job.oracle.prepare()
    with uninterrupted():
        pool = multiprocessing.get_context("fork").Pool(min(processes, len(parts)), _receive, (job,))
    with pool:  # left in any way, even by Ctrl-C, it ends its workers at once
        return pool.map(_work, parts, chunksize=1)


def _receive(job: Repeat) -> None:
    global _job
    quiet_worker()
    _job = job


def _work(numbers: list[int]) -> Runs:
    return _job(numbers)
