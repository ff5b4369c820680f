"""One run: a search algorithm against an oracle under a simulated clock, with two random streams of its own."""

import math
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from heapq import heappop, heappush
from types import FrameType
from typing import Any, TypeAlias

import numpy as np

from natslib.errors import ConfigError, NatslibError, unknown_name
from natslib.search.oracle import SECONDS, Answering, Evaluation
from natslib.search.proposals import Result, Search, SearchFunction, Trial

MAX_EVALUATIONS = 1_000_000
"""A run that has not used up its budget after so many evaluations is ended with an error."""
LIMIT_S = 600.0
"""Seconds of real time after which a run is given up."""
Finish: TypeAlias = Callable[[Sequence[Evaluation]], Evaluation]
"""Given the evaluation that is finished next, and after it all that are to be finished too: that one with its score."""
_BLOCK = 256


class SearchFailed(NatslibError):
    """A run that was ended by an error; the message names algorithm, run and step."""


class BrokenRule(NatslibError):
    """A search that did what the protocol forbids."""


class TookTooLong(NatslibError):
    """A run that was still computing when its limit on real time had passed."""


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


@dataclass(frozen=True)
class Protocol:
    """The rules of a run.

    `budget`: what a run may use up, in the unit of the oracle's costs: simulated seconds, or evaluations. `overshoot`:
    the evaluation that crosses the budget is the last one ("keep", NATS-Bench) or does not count ("discard",
    NAS-Bench-201). `repeats`: an architecture asked for again is charged and drawn again ("charge", both papers) or
    answered for nothing with its first score ("cache"). `workers`: how many evaluations run side by side,
    asynchronously.
    """

    budget: float
    overshoot: str = "keep"
    repeats: str = "charge"
    workers: int = 1

    def __post_init__(self) -> None:
        if self.overshoot not in ("keep", "discard"):
            raise unknown_name("overshoot rule", self.overshoot, ("keep", "discard"))
        if self.repeats not in ("charge", "cache"):
            raise unknown_name("rule for repeats", self.repeats, ("charge", "cache"))
        for name in ("budget", "workers"):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(f"{name}={getattr(self, name)} was given; it must be above 0 and finite")

    def check(self, oracle: Answering) -> None:
        """Raise `ConfigError` where the budget does not pay for even the cheapest evaluation."""
        if self.budget < oracle.cheapest:
            raise ConfigError(
                f"a budget of {self.budget:g} {oracle.unit} was given; the cheapest training costs {oracle.cheapest:g}"
            )


@dataclass
class Record:
    """What happened in a run, one entry an evaluation, in the order in which they finished.

    `evaluations`: what the oracle said; `spent`: what of the budget was used up when each was finished.
    """

    evaluations: list[Evaluation] = field(default_factory=list)
    spent: list[float] = field(default_factory=list)

    def note(self, evaluation: Evaluation, spent: float) -> None:
        """Add a finished evaluation."""
        self.evaluations.append(evaluation)
        self.spent.append(spent)


def run(search: SearchFunction, oracle: Answering, protocol: Protocol, seed: int) -> Record:
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
        raise SearchFailed(f"{name}, run {number}, step {len(record.spent)}: {what}") from error
    return record


def run_into(
    record: Record, search: SearchFunction, oracle: Answering, protocol: Protocol, seed: int
) -> None:
    """Do the work of `run`, adding to `record`."""
    search_rng, oracle_rng = streams(seed)
    ask, space = questioner(oracle, protocol, oracle_rng), oracle.search_space
    with time_limit(LIMIT_S) if oracle.instant else nullcontext():
        searching = search(space, search_rng)
        try:
            finish = getattr(oracle, "finish", None)
            simulate(searching, ask, protocol, record, clocked=oracle.unit == SECONDS, finish=finish)
        finally:
            searching.close()
    if not record.spent:
        raise BrokenRule("not one evaluation was finished within the budget")


def simulate(
    searching: Search,
    ask: Callable[[Any], tuple[Any, Evaluation]],
    protocol: Protocol,
    record: Record,
    *,
    clocked: bool,
    finish: Finish | None = None,
) -> None:
    """Pass proposals and results to and fro between a search and `protocol.workers` simulated workers.

    The events are in the order of simulated time: a worker that is idle takes the next proposal at once, and the search
    hears of each result when it is finished. What is spent is the time on the clock where the budget is `clocked`, else
    the sum of the costs of all finished evaluations. `finish` is for an oracle whose scores come only when they are
    needed: it is told what will be needed beside the next one, so that all of it can be trained at once.
    """
    running: list[tuple[float, int, Any, Evaluation]] = []  # a heap: the next to finish first
    clock, spent, asked, result = 0.0, 0.0, 0, None
    while spent < protocol.budget:
        try:
            proposal = searching.send(result)
        except StopIteration:
            drain(running, spent, protocol, record, clocked=clocked, finish=finish)
            return
        result = None
        if proposal is not None:
            arch, evaluation = ask(proposal)
            asked += 1
            heappush(running, (clock + evaluation[3], asked, arch, evaluation))
            if len(running) < protocol.workers:
                continue
        elif not running:
            raise BrokenRule("the search waits (yielded None) though nothing is being evaluated")
        if asked > MAX_EVALUATIONS:
            raise BrokenRule(
                f"the search does not use up its budget: {asked} evaluations, {spent:g} of {protocol.budget:g} spent"
            )
        clock, _, arch, evaluation = heappop(running)
        spent = clock if clocked else spent + evaluation[3]
        if spent > protocol.budget and protocol.overshoot == "discard":
            return
        if finish:
            evaluation = finish([evaluation, *affordable(running, spent, protocol)])
        result = Result(arch, evaluation[2], evaluation[1])
        record.note(evaluation, spent)


def drain(
    running: list,
    spent: float,
    protocol: Protocol,
    record: Record,
    *,
    clocked: bool,
    finish: Finish | None = None,
) -> None:
    """Note what is still being evaluated when a search ends by itself, as far as the budget allows."""
    while running:
        clock, _, _, evaluation = heappop(running)
        spent = clock if clocked else spent + evaluation[3]
        if spent > protocol.budget:
            return
        if finish:
            evaluation = finish([evaluation, *affordable(running, spent, protocol)])
        record.note(evaluation, spent)


def affordable(running: list, spent: float, protocol: Protocol) -> list[Evaluation]:
    """Return those of the `running` evaluations that will be finished within what is left of the budget, in order."""
    found: list[Evaluation] = []
    for *_, evaluation in sorted(running):
        after = spent + evaluation[3]
        if spent >= protocol.budget or (protocol.overshoot == "discard" and after > protocol.budget):
            break
        found.append(evaluation)
        spent = after
    return found


def questioner(
    oracle: Answering, protocol: Protocol, rng: np.random.Generator
) -> Callable[[Any], tuple[Any, Evaluation]]:
    """Return the function proposal -> (architecture as proposed, evaluation) that keeps the rules of the protocol."""
    evaluate = oracle.evaluator(rng)
    known: dict[tuple[int, int], Evaluation] = {}

    def ask(proposal: Any) -> tuple[Any, Evaluation]:
        if type(proposal) is not Trial:
            return proposal, evaluate(proposal, None)
        return proposal.arch, evaluate(proposal.arch, proposal.epochs)

    def ask_or_remember(proposal: Any) -> tuple[Any, Evaluation]:
        arch, evaluation = ask(proposal)
        first = known.setdefault(evaluation[:2], evaluation)
        return arch, (first if first is evaluation else (*first[:3], 0.0))

    return ask if protocol.repeats == "charge" else ask_or_remember


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
