"""Converting, opening and asking: natslib beside PyPI's `nats-bench` and bare decompression, over the same files."""

import bz2
import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nats_bench
import numpy as np
import psutil

from bench import dropin
from bench.records import write_archive, write_meta
from bench.report import Line
from natslib.dropin.source import archive_folder
from natslib.spaces import get_space
from natslib.tables import Table, convert, load

GENUINE = Path("../shared/data/official-fragments")
ARCHIVES = {"tss": "NATS-tss-v1_0-3ffb9-simple", "sss": "NATS-sss-v1_0-50262-simple"}
FLOORS = {"tss": 1.25, "sss": 1.4}  # processor time of converting that is aimed at, over bare decompression
FEW = 2_000  # records of the archive of the size space
QUESTION = (
    "query",
    "published",
    "--arch",
    "6111",
    "--dataset",
    "cifar10-valid",
    "--recipe",
    "200",
    "--split",
    "valid",
)
WHERE = {"dataset": "cifar10-valid", "recipe": "12", "split": "valid"}
SAMPLE = 300  # architectures that the official reader is timed on; its time grows in proportion


def measure(work: Path, n_archs: int) -> list[Line]:
    """Make an archive of `n_archs` official-format files in `work` (kept for the next time) and measure on it."""
    archive = _made(work, "tss", range(n_archs))
    size_space = get_space("sss")
    others = _made(work, "sss", np.linspace(0, len(size_space) - 1, FEW, dtype=int).tolist())
    os.environ["XDG_CACHE_HOME"] = str(work / "cache")  # where the drop-in looks for the table of an archive
    table = archive_folder(archive)
    lines = _conversion("tss", archive, table) + _conversion("sss", others, work / "sss-table")
    return [*lines, _cold_question(), *_questions(archive, table)]


def _made(work: Path, name: str, indices: Iterable[int]) -> Path:
    archive, space = work / ARCHIVES[name], get_space(name)
    genuine = tuple(sorted((GENUINE / ARCHIVES[name]).glob("0*.pickle.pbz2")))
    write_archive(archive, space, indices, genuine)
    write_meta(archive, space)
    return archive


def _conversion(space: str, archive: Path, table: Path) -> list[Line]:
    files = sorted(archive.glob("0*.pickle.pbz2"))
    processes = os.cpu_count() or 1
    for file in files:
        file.read_bytes()  # both start from a warm file cache
    floor_processor_s = _processor_s(lambda: [decompress(file) for file in files])
    floor_s = _seconds(lambda: _decompress_all(files, processes))
    shutil.rmtree(table, ignore_errors=True)
    took: list[float] = []
    with PeakMemory() as memory:
        processor_s = _processor_s(
            lambda: took.append(_seconds(lambda: convert(archive, table, processes=processes)))
        )
    size = sum(path.stat().st_size for path in table.rglob("*.parquet"))
    what = f"{space}: {len(files):,} records that differ"
    return [
        Line(
            f"convert, processor time, {what} / bare bz2",
            processor_s / floor_processor_s,
            f"<= {FLOORS[space]}",
            f"{processor_s:.1f} s, starts of {processes} processes included / {floor_processor_s:.1f} s",
        ),
        Line(
            f"convert, {space} by {processes} processes / bare bz2",
            took[0] / floor_s,
            "<= 1.5",
            f"{took[0]:.1f} s / {floor_s:.1f} s",
        ),
        Line(
            f"memory of converting, {space} / 1 GB",
            memory.peak / 1e9,
            "<= 1",
            f"{memory.peak / 1e6:.0f} MB, all processes",
        ),
        Line(
            f"table / archive, bytes, {space}",
            size / sum(file.stat().st_size for file in files),
            "",
            f"{size / 1e6:.0f} MB",
        ),
    ]


def _cold_question() -> Line:
    """Measure `natslib query published` in processes of their own, after the one that fills the cache."""
    command = [sys.executable, "-m", "natslib", *QUESTION]
    first_s, *times = (
        _processor_s(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True)) for _ in range(6)
    )
    return Line(
        "natslib query published, cold, processor time / 0.6 s",
        min(times) / 0.6,
        "<= 1",
        f"{min(times):.2f} s; filling the cache {first_s:.2f} s",
    )


def _processor_s(work: Callable[[], object]) -> float:
    """Return the processor time of this thread, and of child processes that ended meanwhile."""
    before, children = time.thread_time(), sum(os.times()[2:4])
    work()
    return time.thread_time() - before + sum(os.times()[2:4]) - children


def _decompress_all(files: list[Path], processes: int) -> None:
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for _ in pool.map(decompress, files, chunksize=64):
            pass


def decompress(file: Path) -> int:
    """The floor: unpack one file and throw it away."""
    return len(bz2.decompress(file.read_bytes()))


def _questions(archive: Path, folder: Path) -> list[Line]:
    open_s = min(_seconds(lambda: Table.open(folder)) for _ in range(20))
    peer_open_s = min(_seconds(lambda: _official(archive)) for _ in range(3))
    column_s = min(
        _seconds(lambda table=table: table.values("accuracy", **WHERE)) for table in _fresh(folder, 20)
    )
    api, table = _official(archive), load(folder)
    indices = range(SAMPLE)
    first_s = _seconds(lambda: [_ask(api, index) for index in indices]) / SAMPLE
    again_s = _seconds(lambda: [_ask(api, index) for index in indices]) / SAMPLE
    scalar_s = _seconds(lambda: [table.value("accuracy", 7, **WHERE) for _ in range(10_000)]) / 10_000
    before = psutil.Process().memory_info().rss
    sweep_s = _seconds(lambda: load(folder).values("accuracy", **WHERE))
    everything = load(folder)
    everything_s = _seconds(lambda: _read_everything(everything))
    grown = psutil.Process().memory_info().rss - before
    n_archs = int(everything.runs()["n_archs"].max())
    peer_sweep_s = first_s * n_archs
    return [
        Line(
            "open a table / 50 ms",
            open_s / 0.050,
            "<= 1",
            f"{1e3 * open_s:.1f} ms; peer {1e3 * peer_open_s:.0f} ms",
        ),
        Line(
            "one metric of all / 5 ms", column_s / 0.005, "<= 1", f"{1e3 * column_s:.2f} ms, first time asked"
        ),
        Line(
            "one number / 10 us",
            scalar_s / 10e-6,
            "<= 1",
            f"{1e6 * scalar_s:.2f} us; peer {1e6 * again_s:.0f} us",
        ),
        Line(
            "official sweep / ours",
            peer_sweep_s / sweep_s,
            ">= 1000",
            f"{peer_sweep_s:.0f} s (from {SAMPLE}) / {1e3 * sweep_s:.1f} ms with opening",
        ),
        Line(
            "memory of every column / 200 MB",
            grown / 200e6,
            "<= 1",
            f"{grown / 1e6:.0f} MB, {everything_s:.1f} s",
        ),
        *dropin.lines(archive, n_archs, SAMPLE, peer_sweep_s, again_s, _ask),
    ]


def _official(archive: Path) -> "nats_bench.NATStopology":
    return nats_bench.create(str(archive), "tss", fast_mode=True, verbose=False)


def _ask(api: "nats_bench.NATStopology", index: int) -> float:
    return float(api.get_more_info(index, "cifar10-valid", hp="12", is_random=False)["valid-accuracy"])


def _fresh(folder: Path, count: int) -> list[Table]:
    return [load(folder) for _ in range(count)]


def _read_everything(table: Table) -> None:
    for run in table.runs().itertuples():
        for metric in table.measured_metrics(run.dataset, run.recipe, run.split):
            table.values(metric, dataset=run.dataset, recipe=run.recipe, split=run.split, seed=run.seed)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


class PeakMemory:
    """Samples the resident memory of this process and its children, five times a second; `peak` is in bytes."""

    def __enter__(self) -> "PeakMemory":
        self.peak, self._done = 0, threading.Event()
        self._base = psutil.Process().memory_info().rss
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        this = psutil.Process()
        while not self._done.wait(0.2):
            total = 0
            for process in [this, *this.children(recursive=True)]:
                try:
                    total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.peak = max(self.peak, total)
