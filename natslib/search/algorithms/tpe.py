"""TPE: the tree-structured Parzen estimator of Optuna (Bergstra et al., NeurIPS 2011), an optional adapter."""

import importlib
from types import ModuleType
from typing import Any

import numpy as np

from natslib.errors import ConfigError
from natslib.search.proposals import Search
from natslib.search.subspace import covers
from natslib.spaces import Space

_TRIES = 8


def tpe(space: Space, rng: np.random.Generator, *, multivariate: bool = True) -> Search:
    """Ask Optuna's TPE sampler for one choice a position and tell it the score.

    Raises `ConfigError` where Optuna is not installed. `multivariate`: model the positions together.
    """
    optuna = load_optuna()
    sampler = optuna.samplers.TPESampler(seed=int(rng.integers(2**32)), multivariate=multivariate)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    running: dict[tuple[int, ...], list[Any]] = {}
    while True:
        trial, arch = ask(study, space, rng)
        running.setdefault(arch, []).append(trial)
        seen = yield arch
        if seen:
            study.tell(running[seen.arch].pop(0), seen.score)


def ask(study: Any, space: Space, rng: np.random.Generator) -> tuple[Any, tuple[int, ...]]:
    """Return a trial of the study and its code; trials that the space does not cover are told as pruned.

    After a few of those in a row a random one that is covered is tried: where few are, asking could go on for ever.
    """
    optuna = load_optuna()
    for _ in range(_TRIES):
        trial, arch = suggest(study, space)
        if covers(space, arch):
            return trial, arch
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    study.enqueue_trial(dict(zip(space.positions, space.sample(rng), strict=True)))
    return suggest(study, space)


def suggest(study: Any, space: Space) -> tuple[Any, tuple[int, ...]]:
    """Return a new trial and its code: one choice a position."""
    trial = study.ask()
    return trial, tuple(
        trial.suggest_categorical(name, range(len(space.choices))) for name in space.positions
    )


def load_optuna() -> ModuleType:
    """Import Optuna and quieten its log; raises `ConfigError` that says how to install it."""
    try:
        optuna = importlib.import_module("optuna")
    except ModuleNotFoundError:
        raise ConfigError(
            "the algorithm 'tpe' needs Optuna, which is not installed: pip install optuna"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
