"""Signals wait while workers start, and are heard afterwards."""

import signal
import threading

import pytest

from natslib.commands import Terminated, _terminable
from natslib.workers import uninterrupted


@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)
def test_a_signal_waits_until_the_workers_have_started(
    number: signal.Signals, raised: type[BaseException]
) -> None:
    heard: list[str] = []

    def start() -> None:
        with _terminable(), uninterrupted():
            signal.raise_signal(number)
            heard.append("nothing yet")

    with pytest.raises(raised):
        start()
    assert heard == ["nothing yet"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_beside_the_main_thread_nothing_is_changed() -> None:
    def start() -> None:
        with _terminable(), uninterrupted():
            handlers.append(signal.getsignal(signal.SIGTERM))

    handlers: list[object] = []
    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert handlers == [signal.SIG_DFL]
