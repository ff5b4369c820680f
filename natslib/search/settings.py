"""Settings of a search given as text: NAME=VALUE, checked against the keyword arguments that its function has."""

import inspect
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from natslib.errors import ConfigError, NatslibError, shown, unknown_name
from natslib.search.algorithms import MULTI_FIDELITY
from natslib.search.oracle import Answering
from natslib.search.proposals import SearchFunction
from natslib.search.repeat import search_function, search_name

TRUTH = {"true": True, "false": False}
KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def with_settings(
    search: str | SearchFunction, oracle: Answering, given: Sequence[str]
) -> str | SearchFunction:
    """Return a search with the settings `given`, each such as "weight=0.05"; the search itself without any.

    It is asked for its first proposal, so that what no search can have is refused before anything is evaluated. Raises
    `UnknownName` for a setting that the search has not, `ConfigError` for a value that cannot be, and what the search
    raises.
    """
    if not given:
        return search
    name, function = search_name(search), search_function(search, oracle)
    known = settings_of(function)
    if search in MULTI_FIDELITY:
        del known["max_epochs"]  # a full training of the oracle
    settings = dict(read_setting(name, text, known) for text in given)
    told = partial(function, **settings)
    told.__name__ = name  # type: ignore[attr-defined]
    try_start(told, oracle, settings)
    return told


def settings_of(function: SearchFunction) -> dict[str, Any]:
    """Return the keyword arguments of a search with their defaults; space and random generator come first."""
    of = list(inspect.signature(function).parameters.values())[2:]
    return {each.name: each.default for each in of if each.default is not each.empty}


def read_setting(search: str, text: str, known: Mapping[str, Any]) -> tuple[str, Any]:
    """Return name and value; the value is of the default's kind."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"the setting {shown(text)} was given; a setting is NAME=VALUE")
    if name not in known:
        if not known:
            raise ConfigError(f"the setting {shown(name)} was given; {search} has none")
        raise unknown_name(f"setting of {search}", name, known)
    kind = type(known[name]) if type(known[name]) in KINDS else str
    try:
        return name, TRUTH[value.lower()] if kind is bool else kind(value)
    except (ValueError, KeyError):
        raise ConfigError(f"{name}={value:.40} was given; {name} is {KINDS[kind]}") from None


def try_start(search: SearchFunction, oracle: Answering, settings: Mapping[str, Any]) -> None:
    """Ask for the first proposal; whatever stops a search there is laid to its settings."""
    try:
        searching = search(oracle.search_space, np.random.default_rng(0))
        next(searching, None)
        searching.close()
    except NatslibError:
        raise
    except Exception as error:
        told = ", ".join(f"{name}={value}" for name, value in settings.items())
        raise ConfigError(
            f"the search does not start with {told} ({type(error).__name__}: {error})"
        ) from error
