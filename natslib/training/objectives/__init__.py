"""Objectives of training, one a file: what OoD-Bench (CVPR 2022) calls algorithms. They need torch.

The names are here without torch; an objective's file is imported when it is asked for.
"""

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from natslib.errors import unknown_name

if TYPE_CHECKING:
    from natslib.training.images import ImageSet
    from natslib.training.objectives.objective import Objective, Setting

__all__ = ["OBJECTIVES", "check_objective", "get_objective", "make_objective"]

OBJECTIVES: dict[str, str] = {
    "erm": "erm:Erm",
    "irm": "irm:Irm",
    "vrex": "vrex:Vrex",
    "groupdro": "groupdro:GroupDro",
    "coral": "coral:Coral",
    "mmd": "mmd:Mmd",
    "dann": "dann:Dann",
    "mixup": "mixup:Mixup",
    "rsc": "rsc:Rsc",
    "generated": "generated:Generated",
    "duplicates": "generated:Enlarged",
    "noise": "generated:Noisy",
}
"""Where each objective is: a file of this package and the class in it."""


def check_objective(name: str) -> None:
    """Raise `UnknownName` unless there is an objective of that name."""
    if name not in OBJECTIVES:
        raise unknown_name("objective", name, OBJECTIVES)


def get_objective(name: str) -> "type[Objective]":
    """Return the objective of that name; raises `UnknownName`."""
    check_objective(name)
    file, objective = OBJECTIVES[name].split(":")
    return getattr(importlib.import_module(f"{__name__}.{file}"), objective)


def make_objective(name: str, setting: "Setting", values: Mapping[str, float]) -> "Objective":
    """Return an objective for one training; `values` replace its default numbers.

    Raises `ConfigError` where it needs more source environments than there are, `UnknownName` for what it has not.
    """
    kind = get_objective(name)
    check_sources(name, setting.data)
    for given in values:
        if given not in kind.numbers:
            raise unknown_name(f"number of {name}", given, kind.numbers)
    return kind(setting, values)


def check_sources(name: str, data: "ImageSet") -> None:
    """Raise `ConfigError` where an objective needs more source environments than the images are of."""
    from natslib.training.environments import need_sources  # only here: it needs torch

    fewest = get_objective(name).fewest
    if fewest > 1:
        need_sources(data, fewest, f"the objective {name}")
