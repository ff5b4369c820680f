"""Which candidates to train: single jobs, and the lists of our own benchmarks."""

from collections.abc import Callable
from itertools import chain
from typing import NamedTuple

import numpy as np

from natslib.spaces import get_space
from natslib.spaces.topology import equivalence_class
from natslib.tables import load

#: Fixes the order of the embedded benchmark's parts, so that an unfinished part is an unbiased sample of it.
ORDER_SEED = 88
SUB_GRID = (0, 2, 4, 7)
"""The choices 8, 24, 40 and 64 of the size space."""
#: So many cells are trained before the size space, other recipes and other image sets have their turn.
FIRST = 2400
#: So many jobs of each other part come next.
SAMPLE = 100
#: So many cells are trained on shifted data, and so many of them on that where seeds are all that tells cells apart.
SHIFTED_CELLS, WARNING_CELLS = 200, 60


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


def stratified(accuracy: np.ndarray, count: int) -> np.ndarray:
    """Return `count` representatives (`representatives`), one of each equal stratum by `accuracy`, in random order.

    `accuracy` holds a number an architecture of the topology space.
    """
    cells = representatives()
    strata = np.array_split(cells[np.argsort(accuracy[cells], kind="stable")], count)
    rng = np.random.default_rng(ORDER_SEED)
    return rng.permutation([rng.choice(stratum) for stratum in strata])


def ood_plan() -> list[Job]:
    """Return the benchmark of shifted data in the order in which it is trained; every beginning is useful by itself.

    Its cells are stratified by the accuracy that `published` has of them on CIFAR-10.
    """
    published = load("published").values("accuracy", dataset="cifar10-valid", recipe="200", split="valid")
    cells = stratified(published, SHIFTED_CELLS)
    parts = [
        ("digits-tinted", cells, 777),
        ("digits-tinted", cells, 888),
        ("digits-rotated", cells, 777),
        ("digits-rotated", cells, 888),
        ("digits-rotated-70", cells[:WARNING_CELLS], 777),
        ("digits-rotated-70", cells[:WARNING_CELLS], 888),
        ("digits-rotated", cells, 999),
        ("digits-rotated", cells, 1110),
    ]
    return [job for name, some, seed in parts for job in jobs_for("tss", some, name, "12", (seed,))]


PLANS: dict[str, Callable[[], list[Job]]] = {"embedded": embedded_plan, "ood": ood_plan}
