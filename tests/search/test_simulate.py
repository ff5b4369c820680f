"""One run under the simulated clock: what is charged, when it ends, and what ends it badly."""

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from natslib.errors import ConfigError, UnknownName
from natslib.search import WAIT, Oracle, Protocol, SearchFailed, Trial, run
from natslib.search.simulate import run_named
from natslib.spaces import get_space

TSS = get_space("tss")
N = len(TSS)


def oracle(seeds: int = 1) -> Oracle:
    """Scores are index + 0.1 * seed; architecture i costs 10 + i % 3 seconds, a third of that for 4 epochs."""
    index = np.arange(N, dtype=float)
    scores = np.stack([np.stack([index / 2, index], axis=1) + 0.1 * seed for seed in range(seeds)])
    full = 10.0 + index % 3
    return Oracle(TSS, scores, np.stack([full / 3, full], axis=1), (4, 12), "valid")


def listed(*indices: int) -> Any:
    """A search that proposes these architectures and then ends."""

    def search(space: Any, rng: Any) -> Any:
        for index in indices:
            yield space.code(index)

    return search


def test_the_clock_adds_up_the_costs_and_the_crossing_evaluation_counts() -> None:
    record = run(listed(0, 1, 2, 3, 4), oracle(), Protocol(32.0), seed=0)
    assert record.spent == [10.0, 21.0, 33.0]
    assert record.evaluations[2] == (2, 12, 2.0, 12.0)


def test_a_budget_met_exactly_ends_the_run() -> None:
    assert run(listed(0, 1, 2, 3), oracle(), Protocol(21.0), seed=0).spent == [10.0, 21.0]


def test_the_crossing_evaluation_is_discarded_by_name() -> None:
    """NAS-Bench-201's rule."""
    assert run(listed(0, 1, 2, 3), oracle(), Protocol(32.0, overshoot="discard"), seed=0).spent == [
        10.0,
        21.0,
    ]
    assert run(listed(0, 1, 2, 3), oracle(), Protocol(33.0, overshoot="discard"), seed=0).spent[-1] == 33.0


def test_repeats_are_charged_and_drawn_again_or_remembered_by_name() -> None:
    charged = run(listed(*[3] * 30), oracle(seeds=2), Protocol(290.0), seed=0)
    assert charged.spent[-1] == 290.0
    assert {answer[2] for answer in charged.evaluations} == {3.0, 3.1}
    cached = run(listed(*[3] * 30, 4), oracle(seeds=2), Protocol(290.0, repeats="cache"), seed=0)
    assert [answer[3] for answer in cached.evaluations] == [10.0] + [0.0] * 29 + [11.0]
    assert len({answer[2] for answer in cached.evaluations[:30]}) == 1
    assert cached.spent[-1] == 21.0


def test_epochs_are_charged_from_scratch_and_cached_apart() -> None:
    def search(space: Any, rng: Any) -> Any:
        for epochs in (4, 12, 4, None):
            yield Trial(space.code(0), epochs)

    assert run(search, oracle(), Protocol(1e3), seed=0).spent == pytest.approx(
        [10 / 3, 40 / 3, 50 / 3, 80 / 3]
    )
    cached = run(search, oracle(), Protocol(1e3, repeats="cache"), seed=0)
    assert [answer[3] for answer in cached.evaluations] == pytest.approx([10 / 3, 10, 0, 0])


def test_workers_are_asynchronous() -> None:
    """Two workers, costs 10, 11, 12, 10, 11: each proposal starts when a worker is free."""
    heard = []

    def search(space: Any, rng: Any) -> Any:
        for index in range(5):
            heard.append((yield space.code(index)))

    record = run(search, oracle(), Protocol(1e3, workers=2), seed=0)
    assert record.spent == [10.0, 11.0, 21.0, 22.0, 32.0]
    assert [answer[0] for answer in record.evaluations] == [0, 1, 3, 2, 4]
    assert [seen and TSS.index(seen.arch) for seen in heard] == [None, 0, 1, 3, 2]


def test_many_workers_finish_as_many_evaluations_sooner() -> None:
    from natslib.search import SEARCHES

    one, eight = (run(SEARCHES["rea"], oracle(), Protocol(2000.0, workers=n), seed=0) for n in (1, 8))
    assert len(eight.spent) == pytest.approx(8 * len(one.spent), rel=0.02)
    assert eight.spent == sorted(eight.spent)


def test_what_is_still_evaluated_when_a_search_ends_counts_as_far_as_the_budget_allows() -> None:
    """Three workers start at once and take 10, 11 and 12 s."""
    search, three = listed(0, 1, 2), Protocol(11.5, workers=4)
    assert run(search, oracle(), three, seed=0).spent == [10.0, 11.0]
    assert run(search, oracle(), Protocol(12.0, workers=4), seed=0).spent == [10.0, 11.0, 12.0]
    counted = replace(oracle(), costs=np.ones((N, 2)), unit="evaluations")
    assert run(search, counted, Protocol(2.0, workers=4), seed=0).spent == [1.0, 2.0]


def test_a_budget_of_evaluations_counts_them_whatever_the_number_of_workers() -> None:
    counted = replace(oracle(), costs=np.array([[1 / 3, 1.0]] * N), unit="evaluations")
    for workers in (1, 3, 8):
        record = run(broken_record, counted, Protocol(20.0, workers=workers), seed=0)
        assert record.spent == [float(number) for number in range(1, 21)]


def test_waiting_is_for_results() -> None:
    def patient(space: Any, rng: Any) -> Any:
        while True:
            first = yield space.code(1)
            second = yield space.code(0)
            while not (first and second):
                seen = yield WAIT
                first, second = (first or seen), (second or seen if first else second)

    record = run(patient, oracle(), Protocol(25.0, workers=2), seed=0)
    assert record.spent[:2] == [10.0, 11.0]

    def stuck(space: Any, rng: Any) -> Any:
        yield WAIT

    with pytest.raises(SearchFailed, match=r"waits .* though nothing is being evaluated"):
        run_named("stuck", 0, stuck, oracle(), Protocol(25.0), 0)


def broken(kind: str) -> Any:
    def search(space: Any, rng: Any) -> Any:
        yield space.code(0)
        yield space.code(1)
        if kind == "raises":
            raise KeyError("my bug")
        if kind == "exits":
            raise SystemExit("I am off")
        while kind == "loops":
            try:
                space.sample(rng)
            except Exception:
                continue
        while True:
            yield {
                "illegal": (0, 0, 0, 0, 0, 5),
                "string": "|none|",
                "epochs": Trial(space.code(0), 7),
                "junk": object(),
            }[kind]

    return search


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("illegal", "UnknownArchitecture: unknown topology architecture"),
        ("string", "UnknownArchitecture: unknown topology architecture"),
        ("junk", "UnknownArchitecture"),
        ("epochs", "NotMeasured: a score after 7 epochs .* answers after 4, 12"),
        ("raises", "KeyError: 'my bug'"),
        ("exits", "SystemExit: I am off"),
        ("loops", "still computing after 1 s of real time"),
    ],
)
def test_a_broken_search_is_named_with_run_and_step(
    kind: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("natslib.search.simulate.LIMIT_S", 1.0 if kind == "loops" else 60.0)
    with pytest.raises(SearchFailed, match=rf"^my_search, run 17, step 2: .*{message}"):
        run_named("my_search", 17, broken(kind), oracle(), Protocol(1e4), 0)


def test_a_search_that_will_not_be_closed_is_an_error() -> None:
    def stubborn(space: Any, rng: Any) -> Any:
        while True:
            try:
                yield space.code(0)
            except GeneratorExit:
                yield space.code(1)

    with pytest.raises(SearchFailed, match="generator ignored GeneratorExit"):
        run_named("stubborn", 0, stubborn, oracle(), Protocol(15.0), 0)


def test_a_search_that_never_uses_up_its_budget_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("natslib.search.simulate.MAX_EVALUATIONS", 500)
    with pytest.raises(SearchFailed, match="does not use up its budget: 501 evaluations"):
        run_named("idle", 0, broken_record, oracle(), Protocol(1e4, repeats="cache"), 0)


def broken_record(space: Any, rng: Any) -> Any:
    while True:
        yield space.code(0)


def test_a_run_in_a_thread_works_without_the_alarm() -> None:
    records: list = []
    thread = threading.Thread(target=lambda: records.append(run(listed(0), oracle(), Protocol(20.0), seed=0)))
    thread.start()
    thread.join()
    assert records[0].spent == [10.0]


def test_rules_and_numbers_are_checked() -> None:
    with pytest.raises(UnknownName, match="unknown overshoot rule 'drop': allowed are 'keep', 'discard'"):
        Protocol(1.0, overshoot="drop")
    with pytest.raises(UnknownName, match="unknown rule for repeats"):
        Protocol(1.0, repeats="free")
    for wrong in (
        {"budget": 0.0},
        {"budget": -5.0},
        {"budget": float("nan")},
        {"budget": float("inf")},
        {"budget": 1.0, "workers": 0},
    ):
        with pytest.raises(ConfigError, match="must be above 0 and finite"):
            Protocol(**wrong)
    with pytest.raises(ConfigError, match=r"a budget of 3 s was given; the cheapest training costs 3.33333"):
        Protocol(3.0).check(oracle())


def test_nothing_within_the_budget_is_said() -> None:
    with pytest.raises(SearchFailed, match="not one evaluation was finished within the budget"):
        run_named("late", 0, listed(2), oracle(), Protocol(11.0, overshoot="discard"), 0)
