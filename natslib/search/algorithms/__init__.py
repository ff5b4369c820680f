"""The search algorithms, one a file: generator functions of a space and a random generator. `SEARCHES` names them.

DEHB is not among them: its own package (PyPI `dehb`, whose last release is 0.1.2 of July 2024) requires numpy below 2,
and Dask besides; natslib requires numpy 2.
"""

from functools import partial

from natslib.errors import unknown_name
from natslib.search.algorithms.asha import asha
from natslib.search.algorithms.autoshrink import autoshrink
from natslib.search.algorithms.bananas import bananas
from natslib.search.algorithms.bananas_ridge import bananas_ridge
from natslib.search.algorithms.bohb import bohb
from natslib.search.algorithms.local_search import local_search
from natslib.search.algorithms.npenas import npenas
from natslib.search.algorithms.nsga2 import nsga2
from natslib.search.algorithms.random_search import random_search
from natslib.search.algorithms.regularized_evolution import regularized_evolution
from natslib.search.algorithms.reinforce import reinforce
from natslib.search.algorithms.successive_halving import hyperband, successive_halving
from natslib.search.algorithms.tpe import tpe
from natslib.search.proposals import SearchFunction

SEARCHES: dict[str, SearchFunction] = {
    "random": random_search,
    "rea": regularized_evolution,
    "reinforce": reinforce,
    "reinforce-nb201": partial(reinforce, learning_rate=0.5),  # the settings shipped with NAS-Bench-201
    "bohb": bohb,
    "local-search": local_search,
    "bananas": bananas,
    "bananas-ridge": bananas_ridge,
    "npenas": npenas,
    "successive-halving": successive_halving,
    "hyperband": hyperband,
    "asha": asha,
    "nsga2": nsga2,
    "tpe": tpe,
    "autoshrink": autoshrink,
}

MULTI_FIDELITY = frozenset({"bohb", "successive-halving", "hyperband", "asha"})
"""The searches that ask for short trainings, and therefore need scores of several epochs."""


def get_search(name: str) -> SearchFunction:
    """Return the search algorithm of that name; raises `UnknownName`."""
    if name not in SEARCHES:
        raise unknown_name("algorithm", name, SEARCHES)
    return SEARCHES[name]


__all__ = ["MULTI_FIDELITY", "SEARCHES", "get_search"]
