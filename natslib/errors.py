"""The errors natslib raises: one base class; each message says what was asked and what is allowed."""

import difflib
from collections.abc import Iterable


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


def unknown_name(kind: str, asked: object, allowed: Iterable[str]) -> UnknownName:
    """Return the error for a name outside `allowed`, with the closest match as a hint."""
    names = [str(name) for name in allowed]
    close = difflib.get_close_matches(str(asked), names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return UnknownName(f"unknown {kind} {asked!r}: allowed are {', '.join(map(repr, names))}{hint}")
