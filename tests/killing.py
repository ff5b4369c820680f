"""Real ends of processes: work that is killed at random moments and has to go on."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable

import numpy as np


def killed_at_random(
    work: Callable[[], object], times: int, longest_s: float, begun: Callable[[], bool] = lambda: True
) -> int:
    """Run `work` so many times in a process that SIGKILL ends after a random time, and return how many it ended.

    The others were over before. The time is up to `longest_s` from when `begun` holds.
    """
    rng, fork, killed = np.random.default_rng(0), multiprocessing.get_context("fork"), 0
    for _ in range(times):
        child = fork.Process(target=work)
        child.start()
        while not begun() and child.is_alive():
            time.sleep(0.002)
        time.sleep(rng.uniform(0, longest_s))
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join()
        killed += child.exitcode == -signal.SIGKILL
    return killed
