"""Objectives of training, one a file: what OoD-Bench (CVPR 2022) calls algorithms. Needs torch."""

from collections.abc import Mapping

from natslib.errors import unknown_name
from natslib.training.environments import need_sources
from natslib.training.images import ImageSet
from natslib.training.objectives.coral import Coral
from natslib.training.objectives.dann import Dann
from natslib.training.objectives.erm import Erm
from natslib.training.objectives.generated import Enlarged, Generated, Noisy
from natslib.training.objectives.groupdro import GroupDro
from natslib.training.objectives.irm import Irm
from natslib.training.objectives.mixup import Mixup
from natslib.training.objectives.mmd import Mmd
from natslib.training.objectives.objective import Batch, Number, Objective, Outcome, Setting
from natslib.training.objectives.rsc import Rsc
from natslib.training.objectives.vrex import Vrex

__all__ = [
    "OBJECTIVES",
    "Batch",
    "Number",
    "Objective",
    "Outcome",
    "Setting",
    "get_objective",
    "make_objective",
]

OBJECTIVES: dict[str, type[Objective]] = {
    "erm": Erm,
    "irm": Irm,
    "vrex": Vrex,
    "groupdro": GroupDro,
    "coral": Coral,
    "mmd": Mmd,
    "dann": Dann,
    "mixup": Mixup,
    "rsc": Rsc,
    "generated": Generated,
    "duplicates": Enlarged,
    "noise": Noisy,
}


def get_objective(name: str) -> type[Objective]:
    """Return the objective of that name; raises `UnknownName`."""
    if name not in OBJECTIVES:
        raise unknown_name("objective", name, OBJECTIVES)
    return OBJECTIVES[name]


def make_objective(name: str, setting: Setting, values: Mapping[str, float]) -> Objective:
    """Return an objective for one training; `values` replace its default numbers.

    Raises `ConfigError` where it needs more source environments than there are, `UnknownName` for what it has not.
    """
    kind = get_objective(name)
    check_sources(name, setting.data)
    for given in values:
        if given not in kind.numbers:
            raise unknown_name(f"number of {name}", given, kind.numbers)
    return kind(setting, values)


def check_sources(name: str, data: ImageSet) -> None:
    """Raise `ConfigError` where an objective needs more source environments than the images are of."""
    fewest = get_objective(name).fewest
    if fewest > 1:
        need_sources(data, fewest, f"the objective {name}")
