"""Which candidates to train: single jobs, and the embedded benchmark's list of them."""

from itertools import chain
from typing import NamedTuple

import numpy as np

from natslib.spaces import get_space
from natslib.spaces.topology import equivalence_class

#: Fixes the order of the embedded benchmark's parts, so that an unfinished part is an unbiased sample of it.
ORDER_SEED = 88
SUB_GRID = (0, 2, 4, 7)
"""The choices 8, 24, 40 and 64 of the size space."""
#: So many cells are trained before the size space, other recipes and other image sets have their turn.
FIRST = 2400
#: So many jobs of each other part come next.
SAMPLE = 100


class Job(NamedTuple):
    """One training run; the fields together are its identity in the raw logs."""

    space: str
    arch_index: int
    dataset: str
    recipe: str
    seed: int


def representatives() -> np.ndarray:
    """Return one index (4,930) of each functional class of the topology space, in the plan's random order."""
    return np.random.default_rng(ORDER_SEED).permutation(np.unique(equivalence_class("expression")))


def missing_networks() -> np.ndarray:
    """Return one index of each class of exactly equal networks in which no representative lies (497), in random order.

    The 4,930 classes compare formulas; these cells tell apart what that comparison unites wrongly.
    """
    exact = equivalence_class("exact")
    covered = np.isin(exact, exact[representatives()])
    return np.random.default_rng(ORDER_SEED).permutation(np.unique(exact[~covered]))


def sub_grid() -> np.ndarray:
    """Return the indices (1,024) of the size networks made of the choices 8, 24, 40, 64, in the plan's random order."""
    choices = np.stack(np.meshgrid(*[SUB_GRID] * 5, indexing="ij"), axis=-1).reshape(-1, 5)
    return np.random.default_rng(ORDER_SEED).permutation(get_space("sss").indices(choices))


def wirings() -> np.ndarray:
    """Return the indices (422) of the wirings without idle edges, one a network, in the plan's random order."""
    return np.random.default_rng(ORDER_SEED).permutation(np.unique(get_space("dag5").classes()))


def jobs_for(space: str, archs: np.ndarray, dataset: str, recipe: str, seeds: tuple[int, ...]) -> list[Job]:
    """Return the jobs of every architecture and seed; all architectures of one seed before the next seed."""
    return [Job(space, int(arch), dataset, recipe, seed) for seed in seeds for arch in archs]


def embedded_plan() -> list[Job]:
    """Return the embedded benchmark in the order in which it is trained; every beginning of it is useful by itself.

    After the first cells comes a sample of every part, then the rest of the parts.
    """
    cells, sizes = representatives(), sub_grid()
    parts = [
        jobs_for("tss", cells[:600], "digits", "12", (888,)),
        jobs_for("tss", cells[:600], "digits", "12", (999,)),
        jobs_for("tss", cells[:500], "photos", "12", (777,)),
        jobs_for("tss", cells[:500], "digit-pairs", "12", (777,)),
        jobs_for("tss", cells[:300], "digits", "36", (777,)),
        jobs_for("sss", sizes, "digits", "12", (777,)),
        jobs_for("sss", sizes[:300], "photos", "12", (777,)),
        jobs_for("sss", sizes[:300], "digit-pairs", "12", (777,)),
        jobs_for("sss", sizes, "digits", "12", (888,)),
        jobs_for("tss", np.concatenate([cells[FIRST:], missing_networks()]), "digits", "12", (777,)),
        jobs_for("dag5", wirings(), "digits", "12", (777, 888)),
    ]
    first = jobs_for("tss", cells[:FIRST], "digits", "12", (777,))
    return [*first, *chain(*(part[:SAMPLE] for part in parts)), *chain(*(part[SAMPLE:] for part in parts))]
