"""Neither the lock of a killed Snakemake nor its jobs outlive it."""

import importlib
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import psutil
import pytest

from natslib.errors import NatslibError
from natslib.workflow import running

WAIT_S = 20
BEGIN = """
    import sys, time
    from pathlib import Path
    from natslib.workflow.running import begin
    at_work, another = begin(Path(sys.argv[1]))
    print(another, flush=True)
    time.sleep(100)
"""
JOB = """
    import subprocess, sys, time
    from natslib.workflow.running import end_with_snakemake
    end_with_snakemake()
    below = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
    print(below.pid, flush=True)
    time.sleep(100)
"""
START = """
    import os, subprocess, sys, time
    from natslib.workflow.running import WATCHED
    os.environ[WATCHED] = str(os.getpid())
    job = subprocess.Popen(["sh", "-c", '"$0" -c "$1"; true', sys.executable, sys.argv[1]])
    time.sleep(100)
"""


@pytest.fixture
def start():
    """Start Python on a text and return the process and the first line that it writes; end it afterwards."""
    started = []

    def run(code, *arguments):
        command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process, process.stdout.readline().strip()

    yield run
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def folder(tmp_path):
    """A folder `.snakemake` with the lock of a Snakemake."""
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks/0.output.lock").write_text("drawn/a.svg\n")
    return tmp_path


@pytest.fixture
def begun(monkeypatch):
    monkeypatch.setenv(running.WATCHED, "0")  # put back afterwards
    files = []

    def begin(folder):
        file, another = running.begin(folder)
        files.append(file)
        return another

    yield begin
    for file in files:
        file.close()


def test_what_a_killed_one_left_is_removed(folder, begun):
    assert begun(folder) is False
    assert not (folder / "locks").exists()
    assert os.environ[running.WATCHED] == str(os.getpid())


def test_while_another_is_at_work_its_lock_stays_and_it_is_said(folder, start, begun):
    (folder / "locks").rename(folder / "later")
    other, said = start(BEGIN, folder)
    (folder / "later").rename(folder / "locks")
    assert said == "False"
    assert begun(folder) is True
    assert (folder / "locks/0.output.lock").exists()
    other.kill()
    other.wait()


def test_a_plan_that_ends_frees_nothing_of_the_run_beside_it(folder, start, begun):
    _plan, _ = start(BEGIN, folder)
    run, said = start(BEGIN, folder)  # began while a plan was made
    assert said == "True"
    _plan.kill()
    _plan.wait()
    (folder / "locks").mkdir()
    assert begun(folder) is True
    assert (folder / "locks").exists()
    run.kill()


def test_a_job_and_all_below_it_end_when_snakemake_is_killed(start):
    snakemake, below = start(START, textwrap.dedent(JOB))
    jobs = psutil.Process(snakemake.pid).children(recursive=True)
    assert int(below) in {job.pid for job in jobs}
    snakemake.kill()
    snakemake.wait()
    _, alive = psutil.wait_procs(jobs, timeout=WAIT_S)
    assert not alive


def test_without_a_snakemake_above_it_a_job_goes_on(monkeypatch):
    monkeypatch.delenv(running.WATCHED, raising=False)
    running.end_with_snakemake()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    monkeypatch.setenv(running.WATCHED, str(gone.pid))  # as on a cluster's node
    running.end_with_snakemake()
    assert not [each for each in threading.enumerate() if each.name == running.WATCHED]


def test_a_system_without_such_locks_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    importlib.reload(running)  # as on Windows: what is imported there must not need it
    with pytest.raises(NatslibError, match="the workflow needs a system with flock"):
        running.begin(tmp_path / "x")
    assert not (tmp_path / "x").exists()
