"""A limit on real time, for searches that never come back."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from natslib.errors import NatslibError


class TookTooLong(NatslibError):
    """A run that was still computing when its limit on real time had passed."""


class _Alarm(BaseException):
    """No `Exception`, so that a search that catches all of those is interrupted too."""


@contextmanager
def time_limit(limit_s: float) -> Iterator[None]:
    """Raise `TookTooLong` in the body after `limit_s` seconds of real time.

    Only the main thread of a process can be interrupted; elsewhere, and where the system has no alarm, the body
    runs on.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise _Alarm

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    except _Alarm:
        message = f"still computing after {limit_s:g} s of real time; the search does not come back"
        raise TookTooLong(message) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
