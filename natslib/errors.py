"""The errors natslib raises: one base class; each message says what was asked and what is allowed."""

import difflib
from collections.abc import Iterable

_SHOWN = 80  # characters of text, and digits of a whole number, that a message shows


class NatslibError(Exception):
    """Base class of every error that natslib raises on purpose."""


class UnknownArchitecture(NatslibError, ValueError):
    """An index, string or code that names no architecture of the space."""


class UnknownName(NatslibError, ValueError):
    """A dataset, metric, split, rule or algorithm that does not exist."""


class NotMeasured(NatslibError, LookupError):
    """A well-formed question whose answer the table does not hold; it is never filled in."""


class BadSource(NatslibError):
    """A file that is missing, damaged, hostile or not of the expected form."""


class ConfigError(NatslibError, ValueError):
    """A parameter outside its allowed range, or settings that contradict each other."""


def shown(value: object) -> str:
    """Return a value as a message may show it: short text and plain numbers as they are, of the rest only the type.

    A value read from a file may be of any size, and a nested one far larger than the file it came from.
    """
    if isinstance(value, str):
        return repr(value) if len(value) <= _SHOWN else f"{value[:_SHOWN]!r}... ({len(value):,} characters)"
    if value is None or isinstance(value, float) or (isinstance(value, int) and abs(value) < 10**_SHOWN):
        return repr(value)
    return f"of type {type(value).__name__}"


def unknown_name(kind: str, asked: object, allowed: Iterable[str]) -> UnknownName:
    """Return the error for a name outside `allowed`, with the closest match as a hint."""
    names = [str(name) for name in allowed]
    text = asked[:_SHOWN] if isinstance(asked, str) else shown(asked)
    close = difflib.get_close_matches(text, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return UnknownName(f"unknown {kind} {shown(asked)}: allowed are {', '.join(map(repr, names))}{hint}")
