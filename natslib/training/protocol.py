"""The protocol as tables: how candidates are trained and on what, read from the recipes and datasets themselves."""

import pandas as pd

from natslib.datasets import DATASETS, PAPER, Dataset
from natslib.training.recipes import RECIPES, SMALL_RECIPES, Recipe

_NAMES = {"12": "H0", "200": "H1", "90": "H2"}
_SETS = {"train": "train", "valid": "validation", "test": "test", "valtest": "both"}


def recipe_table() -> pd.DataFrame:
    """Return the hyper-parameters of every recipe, one a row: the paper's (its Table 2), then the small ones.

    `channels` of the first stage and `cells` a stage are those of the topology space; `size widths` says by what the
    channels of the size space are divided.
    """
    rows = [("paper", recipe) for recipe in RECIPES.values()]
    rows += [("embedded sets", recipe) for recipe in SMALL_RECIPES.values()]
    return pd.DataFrame([_recipe(kind, recipe) for kind, recipe in rows])


def _recipe(kind: str, recipe: Recipe) -> dict[str, object]:
    rates, scale = recipe.learning_rates(), recipe.scale
    return {
        "origin": kind,
        "name": _NAMES.get(recipe.budget, "") if kind == "paper" else "",
        "budget": recipe.budget,
        "epochs": recipe.epochs,
        "batch": recipe.batch,
        "first rate": rates[0],
        "last rate": rates[-1],
        "momentum": recipe.momentum,
        "weight decay": recipe.weight_decay,
        "channels": scale.channels,
        "cells": scale.cells,
        "size widths": "as named" if scale.width_divisor == 1 else f"÷ {scale.width_divisor}",
    }


def dataset_table() -> pd.DataFrame:
    """Return every training set, one a row: the paper's, then the embedded ones; numbers of images a split.

    `both` are validation and test images together; a split that a set does not have is missing.
    """
    return pd.DataFrame([_dataset(dataset) for dataset in DATASETS.values()]).astype(
        dict.fromkeys(_SETS.values(), "Int64")
    )


def _dataset(dataset: Dataset) -> dict[str, object]:
    side = dataset.resolution
    return {
        "origin": "paper" if dataset.name in PAPER else "embedded sets",
        "dataset": dataset.title,
        "name in tables": dataset.name,
        "classes": dataset.classes,
        "pixels": f"{side}×{side}×{dataset.in_channels}",
        **{title: dataset.images.get(split) for split, title in _SETS.items()},
        "shift (pixels)": dataset.shift,
        "mirrored": "half" if dataset.flip else "no",
    }
