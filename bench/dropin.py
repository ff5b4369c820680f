"""The drop-in for `nats_bench` beside `nats_bench` itself, over the same files."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil

from bench.report import Line
from natslib.nats_bench import NATStopology, create

HPS = ("12", "200")
DATASETS = ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")


def lines(
    archive: Path,
    n_archs: int,
    sample: int,
    peer_sweep_s: float,
    peer_again_s: float,
    ask: Callable[[NATStopology, int], float],
) -> list[Line]:
    """Measure one sweep, one question asked before, and what is kept of all that can be asked.

    The archive of `n_archs` has its table in the cache. The official reader takes `peer_sweep_s` for the sweep and
    `peer_again_s` for the question `ask`, of each of the first `sample` architectures.
    """
    sweep_s = min(_sweep_s(archive, n_archs, ask) for _ in range(3))
    api = _open(archive)
    _seconds_each(api, sample, ask)  # asks for the first time
    again_s = min(_seconds_each(api, sample, ask) for _ in range(20))
    before = psutil.Process().memory_info().rss
    _ask_everything(_open(archive), n_archs)
    grown = psutil.Process().memory_info().rss - before
    return [
        Line(
            "drop-in: official sweep / ours",
            peer_sweep_s / sweep_s,
            ">= 1000",
            f"{peer_sweep_s:.0f} s (from {sample}) / {1e3 * sweep_s:.0f} ms with opening, {n_archs:,} calls",
        ),
        Line(
            "drop-in: official question asked again / ours",
            peer_again_s / again_s,
            ">= 30",
            f"{1e6 * peer_again_s:.0f} us / {1e6 * again_s:.2f} us",
        ),
        Line("drop-in: memory of every answer / 200 MB", grown / 200e6, "<= 1", f"{grown / 1e6:.0f} MB"),
    ]


def _open(archive: Path) -> NATStopology:
    api = create(str(archive), "tss", fast_mode=True, verbose=False)
    assert isinstance(api, NATStopology)
    return api


def _sweep_s(archive: Path, n_archs: int, ask: Callable[[NATStopology, int], float]) -> float:
    started = time.perf_counter()
    api = _open(archive)
    for index in range(n_archs):
        ask(api, index)
    return time.perf_counter() - started


def _seconds_each(api: NATStopology, sample: int, ask: Callable[[NATStopology, int], float]) -> float:
    started = time.perf_counter()
    for index in range(sample):
        ask(api, index)
    return (time.perf_counter() - started) / sample


def _ask_everything(api: NATStopology, n_archs: int) -> None:
    """Ask for every architecture's mean and every seed's numbers, on every dataset, by every hp."""
    for hp in HPS:
        for dataset in DATASETS:
            for index in range(n_archs):
                api.get_more_info(index, dataset, hp=hp, is_random=False)
                api.get_more_info(index, dataset, hp=hp, is_random=True)
