"""Adapters for optimisers from elsewhere: an Optuna objective and a ConfigSpace space. Both packages are optional."""

import importlib
from collections.abc import Callable
from typing import Any

from natslib.errors import ConfigError
from natslib.experiment.oracle import Oracle
from natslib.experiment.seeds import streams
from natslib.spaces import Space


def optuna_objective(oracle: Oracle, seed: int) -> Callable[[Any], float]:
    """Return an objective for `study.optimize` (direction "maximize"): one categorical choice a position.

    The trial's user attributes hold arch_index, cost_s and time_s (all costs so far); stop the study by the latter. A
    trial that the oracle has not measured raises `NotMeasured`.
    """
    evaluate = oracle.evaluator(streams(seed)[1])
    clock_s = 0.0

    def objective(trial: Any) -> float:
        nonlocal clock_s
        choices = range(len(oracle.space.choices))
        code = tuple(trial.suggest_categorical(name, choices) for name in oracle.space.positions)
        index, _, score, cost_s = evaluate(code, None)
        clock_s += cost_s
        for name, value in (("arch_index", index), ("cost_s", cost_s), ("time_s", clock_s)):
            trial.set_user_attr(name, value)
        return score

    return objective


def config_space(space: Space, seed: int) -> Any:
    """Return the ConfigSpace space with one categorical parameter a position, its values the choice numbers.

    Raises `ConfigError` where ConfigSpace is not installed.
    """
    try:
        package = importlib.import_module("ConfigSpace")
    except ModuleNotFoundError:
        raise ConfigError("a ConfigSpace space needs ConfigSpace: pip install ConfigSpace") from None
    made = package.ConfigurationSpace(seed=seed)
    for name in space.positions:
        made.add(package.Categorical(name, list(range(len(space.choices)))))
    return made


def code_of(space: Space, configuration: Any) -> tuple[int, ...]:
    """Return the code of a configuration of `config_space`, or of any mapping from positions to choice numbers."""
    return space.code(tuple(int(configuration[name]) for name in space.positions))
