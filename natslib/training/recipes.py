"""How candidates are trained: the published hyper-parameters, and small ones for the embedded image sets."""

import math
from dataclasses import dataclass

from natslib.errors import unknown_name
from natslib.nets.skeletons import PUBLISHED, SMALL, Scale


@dataclass(frozen=True)
class Recipe:
    """Hyper-parameters of one budget: SGD with Nesterov momentum, cosine schedule, cross-entropy.

    `budget` is the key of the records ('12', '200', ...). `batch` in images. Weight decay acts on all parameters.
    """

    budget: str
    epochs: int
    batch: int
    learning_rate: float
    momentum: float
    weight_decay: float
    scale: Scale

    def learning_rates(self) -> tuple[float, ...]:
        """Return the learning rate of each epoch: half a cosine, stepped once an epoch, that never reaches zero."""
        steps = range(self.epochs)
        return tuple(0.5 * self.learning_rate * (1 + math.cos(math.pi * e / self.epochs)) for e in steps)


def _published(epochs: int) -> Recipe:
    budget = f"{epochs:02d}"
    return Recipe(budget, epochs, 256, learning_rate=0.1, momentum=0.9, weight_decay=5e-4, scale=PUBLISHED)


def _small(epochs: int) -> Recipe:
    return Recipe(str(epochs), epochs, 128, learning_rate=0.1, momentum=0.9, weight_decay=5e-4, scale=SMALL)


#: H0 is '12' (both spaces), H1 is '200' (topology), H2 is '90' (size): NATS-Bench, section 3.3, table 2.
RECIPES: dict[str, Recipe] = {recipe.budget: recipe for recipe in map(_published, (1, 12, 90, 200))}

#: The budgets of the embedded image sets: small networks, small batches.
SMALL_RECIPES: dict[str, Recipe] = {recipe.budget: recipe for recipe in map(_small, (12, 36))}


def get_recipe(budget: str, *, small: bool) -> Recipe:
    """Return the published recipe of a budget, or the one for small embedded sets; raises `UnknownName`."""
    recipes = SMALL_RECIPES if small else RECIPES
    if budget not in recipes:
        raise unknown_name("recipe", budget, recipes)
    return recipes[budget]
