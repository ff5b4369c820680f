"""How candidates are trained: the paper's hyper-parameters, and small ones for the embedded image sets."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from natslib.datasets import DATASETS, EMBEDDED, PAPER, SPLIT_TITLES, Dataset, get_dataset
from natslib.errors import unknown_name
from natslib.spaces import PAPER_SCALE, SMALL_SCALE, Scale
from natslib.training.objectives import check_objective

ERM = "erm"


@dataclass(frozen=True)
class Recipe:
    """How candidates of one recipe are trained: SGD with Nesterov momentum, cosine schedule, an objective.

    `name` is the key of the records ('12', '200', '12-irm', ...). `batch` in images. Weight decay acts on all
    parameters. `objective` is one of `OBJECTIVES`, "erm" the cross-entropy alone; `numbers` replace its defaults.
    """

    name: str
    epochs: int
    batch: int
    learning_rate: float
    momentum: float
    weight_decay: float
    scale: Scale
    # Not in the text of a recipe, from which searches that were begun earlier are known: its name says the objective.
    objective: str = field(default=ERM, repr=False)
    numbers: Mapping[str, float] = field(default_factory=dict, repr=False, hash=False)

    def learning_rates(self) -> tuple[float, ...]:
        """Return the learning rate of each epoch: half a cosine, stepped once an epoch, that never reaches zero."""
        steps = range(self.epochs)
        return tuple(0.5 * self.learning_rate * (1 + math.cos(math.pi * e / self.epochs)) for e in steps)


def _paper(epochs: int) -> Recipe:
    return Recipe(
        f"{epochs:02d}", epochs, 256, learning_rate=0.1, momentum=0.9, weight_decay=5e-4, scale=PAPER_SCALE
    )


def _small(epochs: int) -> Recipe:
    return Recipe(
        str(epochs), epochs, 128, learning_rate=0.1, momentum=0.9, weight_decay=5e-4, scale=SMALL_SCALE
    )


#: H0 is '12' (both spaces), H1 is '200' (topology), H2 is '90' (size): NATS-Bench, section 3.3, table 2.
RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in map(_paper, (1, 12, 90, 200))}

#: The recipes of the embedded image sets: small networks, small batches.
SMALL_RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in map(_small, (12, 36))}

#: Numbers for the rate of the recipes, 0.1: with OoD-Bench's default of IRM, 100 beside Adam, SGD diverges there.
SGD_NUMBERS: dict[str, dict[str, float]] = {"irm": {"penalty": 10.0}}


def get_recipe(name: str, *, small: bool) -> Recipe:
    """Return the paper's recipe of that name, or the one for the small embedded sets; raises `UnknownName`.

    A name with an objective, such as '12-irm', is the recipe '12' with that objective.
    """
    recipes = SMALL_RECIPES if small else RECIPES
    base, _, objective = name.partition("-")
    if base not in recipes or objective == ERM or name == f"{base}-":
        raise unknown_name("recipe", name, recipes)
    if not objective:
        return recipes[base]
    check_objective(objective)
    return replace(recipes[base], name=name, objective=objective, numbers=SGD_NUMBERS.get(objective, {}))


def recipe_on(dataset: str, name: str) -> Recipe:
    """Return the recipe of that name on one of natslib's own datasets, small on embedded ones; raises `UnknownName`."""
    get_dataset(dataset)
    return get_recipe(name, small=dataset in EMBEDDED)


def is_erm(recipe: str) -> bool:
    """Return whether the recipe of that name minimises the cross-entropy alone."""
    return "-" not in recipe


_NAMES = {"12": "H0", "200": "H1", "90": "H2"}
_ONE_SPACE = {
    "01": "size",
    "90": "size",
    "200": "topology",
}  # that the paper trained by them, no other


def recipe_table() -> pd.DataFrame:
    """Return the hyper-parameters of every recipe, one a row: the paper's (its Table 2), then the small ones.

    `channels` of the first stage and `cells` a stage are those of the topology space; `size widths` says by what the
    channels of the size space are divided. Both are missing where the paper trained none of the space by the recipe.
    """
    rows = [("paper", recipe) for recipe in RECIPES.values()]
    rows += [("embedded sets", recipe) for recipe in SMALL_RECIPES.values()]
    return pd.DataFrame([_recipe(kind, recipe) for kind, recipe in rows]).astype(
        {"channels": "Int64", "cells": "Int64"}
    )


def _recipe(kind: str, recipe: Recipe) -> dict[str, object]:
    rates, scale = recipe.learning_rates(), recipe.scale
    only = _ONE_SPACE.get(recipe.name) if kind == "paper" else None
    widths = "as named" if scale.width_divisor == 1 else f"÷ {scale.width_divisor}"
    return {
        "origin": kind,
        "name": _NAMES.get(recipe.name, "") if kind == "paper" else "",
        "recipe": recipe.name,
        "epochs": recipe.epochs,
        "batch": recipe.batch,
        "first learning rate": rates[0],
        "last learning rate": rates[-1],
        "momentum": recipe.momentum,
        "weight decay": recipe.weight_decay,
        "channels": None if only == "size" else scale.channels,
        "cells": None if only == "size" else scale.cells,
        "size widths": "" if only == "topology" else widths,
    }


def hyperparameter_table(recipes: Mapping[str, Recipe], dataset: Dataset) -> pd.DataFrame:
    """Return the hyper-parameters of some recipes, one a column, for training on a dataset (NAS-Bench-201, Table 1).

    The first column says what each is; the others are named by `recipes`.
    """
    columns = {title: _hyperparameters(recipe, dataset) for title, recipe in recipes.items()}
    return pd.DataFrame(columns).rename_axis("hyper-parameter").reset_index()


def _hyperparameters(recipe: Recipe, dataset: Dataset) -> dict[str, str]:
    rates, side = recipe.learning_rates(), dataset.resolution
    return {
        "optimiser": "SGD, Nesterov momentum",
        "momentum": f"{recipe.momentum:g}",
        "weight decay": f"{recipe.weight_decay:g}, of all parameters",
        "learning rate": f"{rates[0]:g}, in the last epoch {rates[-1]:.2g}",
        "schedule": "half a cosine to 0, a step an epoch",
        "epochs": str(recipe.epochs),
        "batch": f"{recipe.batch} images",
        "loss": "cross-entropy" if recipe.objective == ERM else recipe.objective,
        "channels, first stage": str(recipe.scale.channels),
        "cells a stage": str(recipe.scale.cells),
        "mirrored": "half of the images" if dataset.flip else "none",
        "cropped": f"{side}×{side}, padded by {dataset.shift}",
    }


def dataset_table() -> pd.DataFrame:
    """Return every training set, one a row: the paper's, then the embedded ones; numbers of images a split.

    Of two sets the official test images are halved into validation and test. What a set does not have is missing.
    """
    return pd.DataFrame([_dataset(dataset) for dataset in DATASETS.values()]).astype(
        dict.fromkeys(SPLIT_TITLES.values(), "Int64")
    )


def _dataset(dataset: Dataset) -> dict[str, object]:
    side = dataset.resolution
    return {
        "origin": "paper" if dataset.name in PAPER else "embedded sets",
        "dataset": dataset.title,
        "name in tables": dataset.name,
        "classes": dataset.classes,
        "pixels": f"{side}×{side}×{dataset.in_channels}",
        **{title: dataset.images.get(split) for split, title in SPLIT_TITLES.items()},
        "shifted by (pixels)": dataset.shift,
        "mirrored": "half of them" if dataset.flip else "no",
    }
