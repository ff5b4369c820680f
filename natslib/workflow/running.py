"""A Snakemake at work in a project folder: neither its lock nor its jobs outlive it, however it ends."""

import contextlib
import os
import shutil
import threading
import time
from pathlib import Path
from typing import IO, Any

from natslib.errors import NatslibError

WATCHED = "NATSLIB_SNAKEMAKE"
"""The environment variable with the process id of the Snakemake that a job belongs to."""
POLL_S = 1.0


def begin(folder: Path) -> tuple[IO[str], bool]:
    """Register this process as a Snakemake at work in a project whose folder `.snakemake` is `folder`.

    Where it is the only one, the locks that a killed one left are removed. Returns the file whose lock says so, which
    the system frees when the process dies: keep it open; and whether another one is at work. Raises `NatslibError` on
    a system without such locks.
    """
    try:
        import fcntl
    except ImportError as error:
        raise NatslibError(
            "the workflow needs a system with flock: Linux, macOS or WSL, not Windows"
        ) from error
    folder.mkdir(exist_ok=True)
    file = (folder / "at-work.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder / "locks", ignore_errors=True)
        another = False
    except BlockingIOError:
        another = True
    fcntl.flock(file, fcntl.LOCK_SH)
    os.environ[WATCHED] = str(os.getpid())
    return file, another


def end_with_snakemake() -> None:
    """From here on, end this process and all below it as soon as the Snakemake above it is gone.

    Without one above it, as on a cluster's node, it goes on. A killed process tells its children nothing, so this asks.
    """
    if WATCHED not in os.environ:
        return
    import psutil  # comes with Snakemake

    watched = int(os.environ[WATCHED])
    if above := next((each for each in psutil.Process().parents() if each.pid == watched), None):
        threading.Thread(target=_watch, args=(above,), name=WATCHED, daemon=True).start()


def _watch(above: Any) -> None:
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        while above.is_running() and above.status() != psutil.STATUS_ZOMBIE:
            time.sleep(POLL_S)
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os._exit(1)
