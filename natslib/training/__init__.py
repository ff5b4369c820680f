"""Train any candidate: image sets, recipes, the loop, groups of candidates, the resumable farm. Needs torch.

>>> from natslib.training import train_one  # doctest: +SKIP
>>> train_one("tss", 11472, "digits")["splits"]["test"]["accuracy"][-1]  # doctest: +SKIP
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from natslib.training.candidates import initial_network, train_candidate, train_many
    from natslib.training.device import environment_stamp
    from natslib.training.export import export_official
    from natslib.training.farm import run_farm
    from natslib.training.images import ImageSet, Split
    from natslib.training.jobs import Job, embedded_plan, jobs_for
    from natslib.training.logs import read_records
    from natslib.training.loop import LearningCurve, train
    from natslib.training.one import train_one
    from natslib.training.recipes import RECIPES, SMALL_RECIPES, Recipe, get_recipe
    from natslib.training.sources import load_images, own_images

__all__ = [
    "RECIPES",
    "SMALL_RECIPES",
    "ImageSet",
    "Job",
    "LearningCurve",
    "Recipe",
    "Split",
    "embedded_plan",
    "environment_stamp",
    "export_official",
    "get_recipe",
    "initial_network",
    "jobs_for",
    "load_images",
    "own_images",
    "read_records",
    "run_farm",
    "train",
    "train_candidate",
    "train_many",
    "train_one",
]
_PLACES = {
    "candidates": ("initial_network", "train_candidate", "train_many"),
    "device": ("environment_stamp",),
    "export": ("export_official",),
    "farm": ("run_farm",),
    "images": ("ImageSet", "Split"),
    "jobs": ("Job", "embedded_plan", "jobs_for"),
    "logs": ("read_records",),
    "loop": ("LearningCurve", "train"),
    "one": ("train_one",),
    "recipes": ("RECIPES", "SMALL_RECIPES", "Recipe", "get_recipe"),
    "sources": ("load_images", "own_images"),
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is: what a command refuses by names alone needs no torch."""
    for place, names in _PLACES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{place}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
