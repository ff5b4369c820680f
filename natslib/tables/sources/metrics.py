"""The metrics that a mapping may name: natslib's, with their units, and those that it declares itself."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from natslib.errors import ConfigError, UnknownName, shown, unknown_name
from natslib.tables.format.schema import FINALS, HIGHER_IS_BETTER, METRICS, UNITS, Metric, is_label

_TAKEN = (*FINALS.names, "arch", "mean", "std", "count", "answered_by")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_TIMES = ("time_s", "total_time_s", "latency_s")
_MISLEADING = (  # words of a column's name that tell of something else than these metrics, and what to do
    (r"errs?|.*err|.*errors?.*", HIGHER_IS_BETTER, "an error rate: store 100 - error"),
    (r".*loss|losses|nll|xent|crossentropy", HIGHER_IS_BETTER, "a loss: say metric: loss"),
    (r"accs?|accuracy|accuracies", ("loss",), "an accuracy: say metric: accuracy"),
    (r"ms|msecs?|millis|milliseconds", _TIMES, "milliseconds: divide by 1000"),
    (r"mins|minutes", _TIMES, "minutes: multiply by 60"),
    (r"hrs|hours", _TIMES, "hours: multiply by 3600"),
)


def read_metrics(told: Any, path: Path) -> dict[str, Metric]:
    """Return the metrics that a mapping declares under 'metrics'; raises `ConfigError`."""
    example = "metrics: {energy_j: {unit: J, better: lower}}"
    if not isinstance(told, dict):
        raise ConfigError(f"{path}: 'metrics' declares metrics of your own, as in {example}")
    for name, facts in told.items():
        if not (is_label(name) and name.isidentifier() and name.isascii()) or name in _TAKEN:
            raise ConfigError(
                f"{path}: a metric of your own cannot be called {shown(name)}; allowed are letters, digits and _, "
                f"and not {', '.join(METRICS)}, which natslib has, nor a name of another column of tables"
            )
        fine = isinstance(facts, dict) and set(facts) == set(Metric._fields)
        if not fine or not is_label(facts["unit"]) or facts["better"] not in ("higher", "lower"):
            raise ConfigError(
                f"{path}: metric {name!r} needs exactly its unit and what is better, higher or lower, as in {example}"
            )
    return {name: Metric(**facts) for name, facts in told.items()}


def check_metric(column: str, metric: Any, own: Mapping[str, Metric], path: Path) -> None:
    """Raise `UnknownName` for a metric that there is not, `ConfigError` for a column whose name tells of another."""
    if metric not in (*METRICS, *own):
        units = "; ".join(f"{name}: {unit}" for name, unit in UNITS.items())
        error = unknown_name(f"metric of column {shown(column)}", metric, (*METRICS, *own))
        raise UnknownName(f"{error} ({units}; your own stand under 'metrics')")
    words = [word.lower() for word in _WORDS.findall(str(column))]
    for pattern, metrics, meaning in _MISLEADING:
        if metric in metrics and any(re.fullmatch(pattern, word) for word in words):
            raise ConfigError(
                f"{path}: column {shown(column)} is mapped to {with_unit(metric)}, and its name tells of {meaning} "
                "(where the name misleads, rename the column)"
            )


def with_unit(metric: str, own: Mapping[str, Metric] | None = None) -> str:
    """Return a metric as messages name it: 'accuracy (%)'."""
    return f"{metric} ({own[metric].unit if own and metric in own else UNITS[metric]})"
