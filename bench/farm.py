"""Starting a shard of a farm whose runs are all known, from the interpreter to the end: nothing is left to do."""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from bench.report import Line
from natslib.datasets import PAPER
from natslib.training import Job, get_recipe, jobs_for, run_farm
from natslib.training.images import ImageSet
from natslib.training.keys import note
from natslib.training.logs import append_lines, record
from natslib.training.loop import LearningCurve

SHARDS, SEEDS = 8, (777, 888, 999)
N_ARCHS = 15_625


def known_jobs() -> list[Job]:
    """Return 187,500 jobs: every cell on four datasets by three seeds."""
    return [job for name in PAPER for job in jobs_for("tss", np.arange(N_ARCHS), name, "200", SEEDS)]


def write_logs(folder: Path, jobs: list[Job]) -> None:
    """Write a log a shard with records of one invented epoch: what keys hold does not depend on the epochs."""
    curve = LearningCurve(loss=[1.0], accuracy=[50.0], top5=[90.0], time_s=[1.0])
    stamp = {"scale": "paper", "precision": "tf32"}
    entry = partial(record, curves={"train": curve}, params=1, flops=1, latency_s=1.0, stamp=stamp)
    for shard in range(SHARDS):
        log = folder / f"tss/shard-{shard}-of-{SHARDS}.jsonl"
        log.parent.mkdir(exist_ok=True)
        append_lines(log, [entry(job) for job in jobs[shard::SHARDS]])
        note(log)


def start(folder: Path) -> None:
    """Start the first shard, in a process of its own."""

    def images(name: str) -> ImageSet:
        raise RuntimeError("nothing is left to train")

    def report(done: int, total: int, elapsed_s: float, entry: Mapping[str, object]) -> None:
        raise RuntimeError("nothing is left to train")

    left = run_farm(
        known_jobs(),
        folder,
        shard=0,
        shards=SHARDS,
        group=1,
        images=images,
        recipe=lambda job: get_recipe(job.recipe, small=False),
        stamp={"scale": "paper", "precision": "tf32"},
        report=report,
    )
    assert left == 0


def measure() -> list[Line]:
    """Return processor time and memory of a start, the least of three, beside one without keys and the imports."""
    jobs = known_jobs()
    with tempfile.TemporaryDirectory(prefix="natslib-bench-") as temporary:
        folder = Path(temporary)
        write_logs(folder, jobs)
        command = f"from bench.farm import start, Path; start(Path({str(folder)!r}))"
        starts = [_elsewhere(command) for _ in range(3)]
        for keys in folder.glob("tss/.*.keys"):
            keys.unlink()
        without_s, _ = _elsewhere(command)
    imports_s, imports = _elsewhere("import natslib.training")
    start_s, peak = (min(column) for column in zip(*starts, strict=True))
    what = f"a shard's start, {len(jobs):,} runs known"
    detail = f"{start_s:.1f} s, imports {imports_s:.1f} s of it; without keys {without_s:.1f} s, records of one epoch"
    return [
        Line(f"{what} / 5 s", start_s / 5, "<= 1", detail),
        Line(
            "its memory / 300 MB",
            peak / 300e6,
            "<= 1",
            f"{peak / 1e6:.0f} MB, torch and all that is imported {imports / 1e6:.0f} MB of it",
        ),
    ]


def _elsewhere(command: str) -> tuple[float, float]:
    """Return the processor time and the peak of resident memory in bytes of a Python that does this."""
    told = "; from bench.farm import own_cost; print(*own_cost())"
    done = subprocess.run([sys.executable, "-c", command + told], check=True, capture_output=True, text=True)
    processor_s, peak = map(float, done.stdout.split())
    return processor_s, peak


def own_cost() -> tuple[float, float]:
    """Return the processor time of this process in seconds, and its peak of resident memory in bytes."""
    (peak_kb,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return time.process_time(), 1024 * float(peak_kb)
