"""Worker processes: they start undisturbed, say nothing when a command is interrupted, and end with it."""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait while workers start: one that starts while its parent ends would complain."""
    if threading.current_thread() is not threading.main_thread():  # only there do signals arrive
        yield
        return
    asked: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda got, frame: asked.append(got)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for got in asked:
        signal.raise_signal(got)


@contextlib.contextmanager
def hidden_main() -> Iterator[None]:
    """Start workers without importing the caller's script: they need only natslib, and it would start itself again."""
    main = sys.modules["__main__"]
    hidden: dict[str, Any] = {
        name: vars(main).pop(name) for name in ("__file__", "__spec__") if name in vars(main)
    }
    main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(hidden)


def quiet_worker() -> None:
    """In a worker: leave Ctrl-C to the main process, let SIGTERM end it at once, and end with the main process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
