"""Seeds: one root, one seed a run, two independent streams a run."""

import numpy as np

from natslib.errors import ConfigError
from natslib.experiment.dice import Dice


def run_seed(root: int, run: int) -> int:
    """Return the seed of run number `run`; it depends on nothing but the root seed and that number."""
    if root < 0 or run < 0:
        raise ConfigError(f"seed {root} and run {run} were given; both must be at least 0")
    return int(np.random.SeedSequence([root, run]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def streams(seed: int) -> tuple[Dice, Dice]:
    """Return the generators of one run: the search's, and the oracle's that draws among stored runs."""
    search, oracle = np.random.SeedSequence(seed).spawn(2)
    return Dice(search), Dice(oracle)
