"""One table asked by several threads, after a fork, and in other processes: the numbers of one thread, every time."""

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from natslib.tables import load

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "logs" / "embedded-tss"
WHERE = {"dataset": "digits", "recipe": "12"}
HAMMER = """
import os, sys, threading
import numpy as np
from natslib.tables import load

sys.setswitchinterval(1e-5)
what, folder = sys.argv[1:]
finals = ("accuracy", "loss", "top5", "time_s", "total_time_s", "params_m", "flops_m", "latency_s")
metrics, epochs = (("accuracy", "loss"), range(4)) if what == "curves" else (finals, [None])
questions = [(m, s, e) for m in metrics for s in ("train", "valid", "test") for e in epochs]
made = load(folder).through_classes if what == "classes" else lambda: load(folder)

def ask(table, question):
    metric, split, epoch = question
    return table.values(metric, split=split, epoch=epoch, dataset="digits", recipe="12")

def check(table, seed):
    for at in np.random.default_rng(seed).permutation(len(questions)):
        if not np.array_equal(ask(table, questions[at]), expected[at], equal_nan=True):
            failed.append(questions[at])

def work(table, seed):
    start.wait()
    try:
        check(table, seed)
    except BaseException as error:
        failed.append(repr(error))

table, failed = made(), []
expected = [ask(table, question) for question in questions]
trials = {"finals": 15, "curves": 5, "classes": 2}[what]
for trial in range(trials):
    table, start = made(), threading.Barrier(4)
    threads = [threading.Thread(target=work, args=(table, seed)) for seed in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
if os.fork() == 0:
    check(made(), 0)
    check(table, 1)
    os._exit(bool(failed))
_, status = os.wait()
print(failed[:3])
sys.exit(bool(failed) or status)
"""


@pytest.mark.parametrize("what", ["finals", "curves", "classes"])
def test_threads_and_a_fork_get_the_numbers_of_one_thread(what: str) -> None:
    """In a process of its own: what failed were segmentation faults, false damage, and waiting for ever."""
    command = [sys.executable, "-c", HAMMER, what, str(FOLDER)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert (run.returncode, run.stdout, run.stderr) == (0, "[]\n", "")


def test_few_columns_are_kept_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("natslib.tables.reader.RECENT", 3)
    table = load(FOLDER)
    for epoch in (0, 1, 2, 0, 3):
        table.values("accuracy", split="test", epoch=epoch, **WHERE)
    assert [asked.epoch for asked in table._reader._recent] == [2, 0, 3]


@pytest.mark.parametrize("through", [False, True])
def test_a_table_goes_to_another_process_and_into_copies(through: bool) -> None:
    table = load(FOLDER).through_classes() if through else load(FOLDER)
    where = {"split": "valid", **WHERE}
    values = table.values("accuracy", **where)
    sent = pickle.dumps(table)
    assert len(sent) < 100_000  # its path and manifest, not its columns
    for other in (pickle.loads(sent), copy.deepcopy(table), copy.copy(table)):
        np.testing.assert_array_equal(other.values("accuracy", **where), values)
        assert not other.values("accuracy", **where).flags.writeable
        assert other.value("loss", 137, epoch=3, **where) == table.value("loss", 137, epoch=3, **where)


def test_a_table_in_memory_goes_to_another_process() -> None:
    table = load("published")
    where = {"dataset": "cifar100", "recipe": "200", "split": "valid"}
    other = pickle.loads(pickle.dumps(table))
    np.testing.assert_array_equal(other.values("accuracy", **where), table.values("accuracy", **where))
