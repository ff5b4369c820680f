"""Searching: 500 runs on natslib's oracle beside a plain loop over `simulate_train_eval` of PyPI's `nats-bench` 1.8.

`python -m bench.search` measures this part alone. Both sides see the same two records, over and over: genuine ones of
the official archive where they are at hand, else invented ones of the same form.
"""

import bz2
import pickle
import random
import resource
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.records import official_record
from bench.report import Line, print_report
from natslib.search import Oracle, Protocol, repeat
from natslib.search.study import paper_budget_s
from natslib.spaces import get_space

SPACE = get_space("tss")
BUDGET_S = paper_budget_s("tss", "cifar10")
GENUINE = Path("../shared/data/official-fragments/NATS-tss-v1_0-3ffb9-simple")
RUNS, PEER_RUNS, PROCESSES = 500, 5, 2


def measure() -> list[Line]:
    """Return the lines on searching; two processes, as many as the stated targets assume."""
    api, oracle = peer_archive(), oracle_of_records()
    oracle.prepare()
    lines = [against_peer([timed(lambda: peer_rea(api)) for _ in range(PEER_RUNS)], oracle)]
    three_s = sum(seconds(name, oracle) for name in ("random", "rea", "reinforce"))
    lines.append(Line("500 runs of RANDOM, REA, REINFORCE, seconds", three_s, "<= 5", "together"))
    lines.append(Line("500 runs of BOHB, seconds", seconds("bohb", oracle), "<= 60", "1, 4 and 12 epochs"))
    few, many = seconds("rea", oracle, RUNS), seconds("rea", oracle, 4 * RUNS)
    lines.append(Line("4 times the runs, times the time", many / few, "<= 4.8", f"{few:.2f} s, {many:.2f} s"))
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines.append(Line("peak memory, MiB", peak_mib, "<= 600", "with the peer's archive in it"))
    return lines


def against_peer(peer: list[tuple[float, float]], oracle: Oracle) -> Line:
    """Return the ratio for 500 runs of REA; medians of the peer's few runs and of three times ours."""
    peer_s, peer_evaluations = np.median(peer, axis=0)
    own_s, evaluations = np.median(
        [timed(lambda: len(repeat_(oracle, "rea", RUNS).frame)) for _ in range(3)], axis=0
    )
    peer_s *= RUNS
    detail = f"{peer_s:.1f} s, {own_s:.2f} s; {peer_evaluations:.0f} and {evaluations / RUNS:.0f} evaluations a run"
    return Line("500 runs of REA, natslib over nats-bench", peer_s / own_s, ">= 100", detail)


def timed(work: Callable[[], float]) -> tuple[float, float]:
    """Return the seconds that `work` took, and what it returned."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def repeat_(oracle: Oracle, name: str, runs: int) -> Any:
    return repeat(name, oracle, Protocol(BUDGET_S), runs=runs, seed=0, processes=PROCESSES)


def seconds(name: str, oracle: Oracle, runs: int = RUNS) -> float:
    return timed(lambda: len(repeat_(oracle, name, runs).frame))[0]


def records() -> list[dict[str, Any]]:
    """Return the two 12-epoch records."""
    if not GENUINE.is_dir():
        return [official_record(SPACE, index)["12"] for index in (0, 11)]
    paths = [GENUINE / f"{index:06d}.pickle.pbz2" for index in (0, 11)]
    return [pickle.loads(bz2.decompress(path.read_bytes()))["12"] for path in paths]


def peer_archive() -> Any:
    """Return the official reader with the two records in turn, all in memory: its fastest form."""
    import nats_bench

    pair = [OrderedDict({"12": record}) for record in records()]
    archive = {
        "meta_archs": list(SPACE.strings()),
        "total_archs": len(SPACE),
        "arch2infos": {index: pair[index % 2] for index in range(len(SPACE))},
        "evaluated_indexes": set(range(len(SPACE))),
    }
    return nats_bench.create(archive, "tss", fast_mode=False, verbose=False)


def oracle_of_records() -> Oracle:
    """Return an oracle that answers as the archive does; costs grow with the epochs, one validation pass each."""
    trials = [record["all_results"]["cifar10-valid", 777] for record in records()]
    epochs = (1, 4, 12)
    scores = np.array(
        [[trial["eval_acc1es"][f"x-valid@{epoch - 1}"] for epoch in epochs] for trial in trials]
    )
    costs = np.array(
        [
            [
                epoch * trial["train_times"][0] + trial["eval_times"][f"x-valid@{epoch - 1}"]
                for epoch in epochs
            ]
            for trial in trials
        ]
    )
    which = np.arange(len(SPACE)) % 2
    return Oracle(SPACE, scores[which][None], costs[which], epochs, "valid")


def peer_rea(api: Any) -> int:
    """Run REA once in the plain way, and return the number of evaluations."""
    api.reset_time()
    evaluations, clock_s = 0, 0.0
    population: deque[tuple[float, list[int]]] = deque(maxlen=10)
    while clock_s < BUDGET_S:
        if len(population) < 10:
            code = [random.randrange(5) for _ in range(6)]
        else:
            code = list(max(random.choice(population) for _ in range(3))[1])
            edge = random.choice(random.choice(((0,), (1, 2), (3, 4, 5))))
            code[edge] = random.choice([choice for choice in range(5) if choice != code[edge]])
        arch = SPACE.template.format(*(SPACE.choices[choice] for choice in code))
        accuracy, _, _, clock_s = api.simulate_train_eval(arch, dataset="cifar10", hp="12")
        population.append((accuracy, code))
        evaluations += 1
    return evaluations


if __name__ == "__main__":
    print_report(measure())
