"""One run: a search algorithm against an oracle under a simulated clock."""

import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush
from types import FrameType
from typing import Any

import numpy as np

from natslib.errors import ConfigError, NatslibError, unknown_name
from natslib.search.oracle import Answer, Oracle
from natslib.search.proposals import Search, SearchFunction, Seen, Trial

_BLOCK = 256


class Dice(np.random.Generator):
    """A `Generator` for searches, which draw one number at a time, millions of times.

    `random()` and `integers(n)` without size come from blocks of uniform numbers; all other draws are numpy's own. The
    stream is as reproducible as numpy's, and another one than that of a plain generator with the same seed.
    """

    def __init__(self, seed: int | np.random.SeedSequence) -> None:
        super().__init__(np.random.PCG64(seed))
        self._next = self._uniforms().__next__

    def _uniforms(self) -> Iterator[float]:
        draw = super().random
        while True:
            yield from draw(_BLOCK).tolist()

    def random(self, size: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As numpy's; without arguments one number from the block."""
        if size is None and not args and not kwargs:
            return self._next()
        return super().random(size, *args, **kwargs)

    def integers(self, low: Any, high: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As numpy's; for bounds that are plain ints, and nothing else said, one number from the block."""
        first, last = (0, low) if high is None else (low, high)
        quick = not args and not kwargs and type(first) is int and type(last) is int
        if quick and first < last <= first + 2**32:
            return first + int(self._next() * (last - first))
        return super().integers(low, high, *args, **kwargs)


def run_seed(root: int, run: int) -> int:
    """Return the seed of run number `run`; it depends on nothing but the root seed and that number."""
    if root < 0 or run < 0:
        raise ConfigError(f"seed {root} and run {run} were given; both must be at least 0")
    return int(np.random.SeedSequence([root, run]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def streams(seed: int) -> tuple[Dice, Dice]:
    """Return the generators of one run: the search's, and the oracle's that draws among stored runs."""
    search, oracle = np.random.SeedSequence(seed).spawn(2)
    return Dice(search), Dice(oracle)


class TookTooLong(NatslibError):
    """A run that was still computing when its limit on real time had passed."""


class _Alarm(BaseException):
    """No `Exception`, so that a search that catches all of those is interrupted too."""


@contextmanager
def time_limit(limit_s: float) -> Iterator[None]:
    """Raise `TookTooLong` in the body after `limit_s` seconds of real time.

    Only the main thread of a process can be interrupted; elsewhere, and where the system has no alarm, the body
    runs on.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise _Alarm

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    except _Alarm:
        message = f"still computing after {limit_s:g} s of real time; the search does not come back"
        raise TookTooLong(message) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


MAX_EVALUATIONS = 1_000_000
"""A run that has not used up its budget after so many evaluations is ended with an error."""


class SearchFailed(NatslibError):
    """A run that was ended by an error; the message names algorithm, run and step."""


class BrokenRule(NatslibError):
    """A search that did what the protocol forbids."""


@dataclass(frozen=True)
class Protocol:
    """The rules of a run.

    `budget_s`: simulated seconds. `overshoot`: the evaluation that crosses the budget is the last one ("keep",
    NATS-Bench) or does not count ("discard", NAS-Bench-201). `repeats`: an architecture asked for again is charged
    and drawn again ("charge", both papers) or answered for nothing with its first score ("cache"). `workers`: how
    many evaluations run side by side, asynchronously. `limit_s`: real seconds after which a run is given up.
    """

    budget_s: float
    overshoot: str = "keep"
    repeats: str = "charge"
    workers: int = 1
    limit_s: float = 600.0

    def __post_init__(self) -> None:
        if self.overshoot not in ("keep", "discard"):
            raise unknown_name("overshoot rule", self.overshoot, ("keep", "discard"))
        if self.repeats not in ("charge", "cache"):
            raise unknown_name("rule for repeats", self.repeats, ("charge", "cache"))
        for name in ("budget_s", "workers", "limit_s"):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(f"{name}={getattr(self, name)} was given; it must be above 0 and finite")

    def check(self, oracle: Oracle) -> None:
        """Raise `ConfigError` where the budget does not pay for even the cheapest evaluation."""
        cheapest_s = float(np.nanmin(oracle.costs_s[oracle.measured]))
        if self.budget_s < cheapest_s:
            raise ConfigError(
                f"a budget of {self.budget_s:g} s was given; the cheapest evaluation takes {cheapest_s:g} s"
            )


@dataclass
class Record:
    """What happened in a run, one entry an evaluation, in the order in which they finished.

    `answers`: what the oracle said; `time_s`: the simulated time at which each was finished.
    """

    answers: list[Answer] = field(default_factory=list)
    time_s: list[float] = field(default_factory=list)


def run(search: SearchFunction, oracle: Oracle, protocol: Protocol, seed: int) -> Record:
    """Run `search` once until the budget is used up or it ends by itself, and return what happened.

    The search gets the oracle's search space and its own random generator, and sees nothing but scores. Raises whatever
    the search raises, `BrokenRule`, and what the oracle raises for an illegal proposal.
    """
    record = Record()
    run_into(record, search, oracle, protocol, seed)
    return record


def run_named(name: str, number: int, *job: Any) -> Record:
    """As `run(*job)`, but any error becomes a `SearchFailed` that names algorithm, run and step."""
    record = Record()
    try:
        run_into(record, *job)
    except (
        Exception,
        SystemExit,
    ) as error:  # a stranger's code: whatever it raises ends this run, and only it
        what = f"{type(error).__name__}: {error}"
        raise SearchFailed(f"{name}, run {number}, step {len(record.time_s)}: {what}") from error
    return record


def run_into(record: Record, search: SearchFunction, oracle: Oracle, protocol: Protocol, seed: int) -> None:
    """Do the work of `run`, adding to `record`."""
    search_rng, oracle_rng = streams(seed)
    ask, space = questioner(oracle, protocol, oracle_rng), oracle.search_space
    with time_limit(protocol.limit_s):
        searching = search(space, search_rng)
        try:
            simulate(searching, ask, protocol, record)
        finally:
            searching.close()
    if not record.time_s:
        raise BrokenRule("not one evaluation was finished within the budget")


def simulate(
    searching: Search, ask: Callable[[Any], tuple[Any, Answer]], protocol: Protocol, record: Record
) -> None:
    """Pass proposals and results to and fro between a search and `protocol.workers` simulated workers.

    The events are in the order of simulated time: a worker that is idle takes the next proposal at once, and the search
    hears of each result when it is finished.
    """
    running: list[tuple[float, int, Any, Answer]] = []  # a heap: the next to finish first
    clock_s, asked, answer = 0.0, 0, None
    while clock_s < protocol.budget_s:
        try:
            proposal = searching.send(answer)
        except StopIteration:
            drain(running, protocol, record)
            return
        answer = None
        if proposal is not None:
            arch, evaluation = ask(proposal)
            asked += 1
            heappush(running, (clock_s + evaluation[3], asked, arch, evaluation))
            if len(running) < protocol.workers:
                continue
        elif not running:
            raise BrokenRule("the search waits (yielded None) though nothing is being evaluated")
        if asked > MAX_EVALUATIONS:
            raise BrokenRule(
                f"the search does not use up its budget: {asked} evaluations, clock at {clock_s:g} s"
            )
        clock_s, _, arch, evaluation = heappop(running)
        if clock_s > protocol.budget_s and protocol.overshoot == "discard":
            return
        answer = Seen(arch, evaluation[2], evaluation[1])
        record.answers.append(evaluation)
        record.time_s.append(clock_s)


def drain(running: list, protocol: Protocol, record: Record) -> None:
    """Note what is still being evaluated when a search ends by itself, as far as the budget allows."""
    for time_s, _, _, evaluation in sorted(running):
        if time_s <= protocol.budget_s:
            record.answers.append(evaluation)
            record.time_s.append(time_s)


def questioner(
    oracle: Oracle, protocol: Protocol, rng: np.random.Generator
) -> Callable[[Any], tuple[Any, Answer]]:
    """Return the function proposal -> (architecture as proposed, answer) that keeps the rules of the protocol."""
    evaluate, shown = oracle.evaluator(rng), oracle.split
    known: dict[tuple[int, int], Answer] = {}

    def ask(proposal: Any) -> tuple[Any, Answer]:
        if type(proposal) is not Trial:
            return proposal, evaluate(proposal, None)
        arch, epochs, split = proposal
        if split is not None and split != shown:
            raise BrokenRule(
                f"the search asks for a score on split {split!r}; this protocol shows {shown!r} only"
            )
        return arch, evaluate(arch, epochs)

    def ask_or_remember(proposal: Any) -> tuple[Any, Answer]:
        arch, answer = ask(proposal)
        first = known.setdefault(answer[:2], answer)
        return arch, (first if first is answer else (*first[:3], 0.0))

    return ask if protocol.repeats == "charge" else ask_or_remember
