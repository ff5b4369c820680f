"""A training and a search through `profiles/slurm` on a real one-node cluster: disturbed, they end as undisturbed."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from natslib.training.logs import read_records
from tests.workflow import one_node_slurm

pytest.importorskip("snakemake_executor_plugin_slurm")

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("Snakefile", "config", "natslib", "notebooks", "profiles")
CELLS = (5, 9, 0, 1, 700, 900, 1462, 1500, 1835, 2000, 2500, 6111, 9930, 11472, 14000, 15000)
CONFIGURATION = {
    "figures": "figures",
    "searches": {
        "dataset": "digits",
        "settings": "smoke",
        "run": [{"space": "tss", "methods": ["gdas"], "seeds": [777]}],
    },
    "sources": {
        "mine": {
            "train": {
                "space": "tss",
                "arch": ",".join(map(str, CELLS)),
                "seed": "777",
                "dataset": "photos",
                "recipe": "12",
                "shards": 2,
            },
            "split": "test",
            "recipe": "longest",
            "items": ["fig3_accuracy_vs_cost"],
        }
    },
}
TARGETS = ("results/tables/mine/manifest.json", "results/weight-sharing/smoke/tss-digits.parquet")
TIMES = ("time_s", "latency_s", "step_s")
PATIENCE_S = 600
OFTEN = ("--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "10")
THROUGH_SLURM = ("--workflow-profile", "profiles/slurm", *OFTEN)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """The name of the node of a running cluster; skips with the reason where none can be started."""
    if reason := one_node_slurm.lacking():
        pytest.skip(reason)
    try:
        one_node_slurm.start(tmp_path / "cluster")
    except RuntimeError as error:
        pytest.skip(f"no Slurm cluster starts here: {error}")
    yield asked("sinfo", "--noheader", "--format=%n").strip()
    one_node_slurm.stop(tmp_path / "cluster")


@contextmanager
def making(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Make the targets in a folder like the project's, meanwhile."""
    folder.mkdir(exist_ok=True)
    for name in NEEDED:
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    (folder / "mine.json").write_text(json.dumps(CONFIGURATION))
    command = [sys.executable, "-m", "snakemake", "--configfile", "mine.json", *options, "--", *TARGETS]
    with (
        (folder / "said").open("a") as said,
        subprocess.Popen(command, cwd=folder, stdout=said, stderr=said, text=True) as made,
    ):
        try:
            yield made
        finally:
            made.kill()


def made(folder: Path, *options: str) -> None:
    with making(folder, *options) as snakemake:
        assert snakemake.wait(PATIENCE_S) == 0, (folder / "said").read_text()[-3000:]


def asked(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def until(holds: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"waited {PATIENCE_S} s until {what}"
        time.sleep(0.2)


def queue() -> pd.DataFrame:
    """Return the jobs in the queue: id, state and what the plugin calls them."""
    lines = asked("squeue", "--noheader", "--format=%i|%T|%k").splitlines()
    return pd.DataFrame([line.split("|") for line in lines], columns=["id", "state", "comment"])


def shard(folder: Path, number: int) -> Path:
    return folder / f"results/training/mine/tss/shard-{number}-of-2.jsonl"


def trained(folder: Path, number: int) -> int:
    path = shard(folder, number)
    return len(path.read_text().splitlines()) if path.exists() else 0


def results(folder: Path, number: int) -> list[dict]:
    """Return the records of a shard without what a clock or a machine says."""
    records = []
    for record in read_records(shard(folder, number)):
        splits = {
            name: {key: of[key] for key in of if key not in TIMES} for name, of in record["splits"].items()
        }
        kept = {key: value for key, value in record.items() if key not in (*TIMES, "stamp")}
        records.append(kept | {"splits": splits})
    return records


def test_killed_drained_stopped_and_resumed_the_records_are_those_of_an_undisturbed_run(
    cluster: str, tmp_path: Path
) -> None:
    alone, sent = tmp_path / "alone", tmp_path / "sent"
    made(alone, "--cores", "2")

    with making(sent, *THROUGH_SLURM) as snakemake:
        until(lambda: trained(sent, 0) and trained(sent, 1), "both shards train")
        asked("scontrol", "update", f"NodeName={cluster}", "State=DRAIN", "Reason=tried")
        jobs = queue()
        victim = jobs[jobs["comment"].str.contains("train") & (jobs["state"] == "RUNNING")].iloc[0]
        asked("scancel", "--signal=KILL", victim["id"])
        until(
            lambda: "Trying to restart job" in (sent / "said").read_text(), "the killed shard is sent again"
        )
        until(lambda: (queue()["state"] == "PENDING").any(), "it waits")
        snakemake.send_signal(signal.SIGINT)
        assert snakemake.wait(PATIENCE_S) != 0
    until(lambda: queue().empty, "what was sent is cancelled")
    assert sum(trained(sent, number) for number in (0, 1)) < len(CELLS)
    asked("scontrol", "update", f"NodeName={cluster}", "State=RESUME")
    made(sent, *THROUGH_SLURM)

    for number in (0, 1):
        assert results(sent, number) == results(alone, number)
    there, here = (pd.read_parquet(folder / TARGETS[1]) for folder in (sent, alone))
    pd.testing.assert_frame_equal(there.drop(columns="time_s"), here.drop(columns="time_s"))
