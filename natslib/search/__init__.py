"""Search algorithms: generator functions of a space and a random generator, one a file, and their names."""

from functools import partial

from natslib.errors import unknown_name
from natslib.search.asha import asha
from natslib.search.bananas import bananas
from natslib.search.bohb import bohb
from natslib.search.local_search import local_search
from natslib.search.npenas import npenas
from natslib.search.nsga2 import nsga2
from natslib.search.proposals import WAIT, Search, SearchFunction, Seen, Trial, evaluate
from natslib.search.random_search import random_search
from natslib.search.regularized_evolution import regularized_evolution
from natslib.search.reinforce import reinforce
from natslib.search.subspace import Subspace
from natslib.search.successive_halving import hyperband, rung_epochs, successive_halving
from natslib.search.tpe import tpe

SEARCHES: dict[str, SearchFunction] = {
    "random": random_search,
    "rea": regularized_evolution,
    "reinforce": reinforce,
    "reinforce-nb201": partial(reinforce, learning_rate=0.5),  # the settings shipped with NAS-Bench-201
    "bohb": bohb,
    "local-search": local_search,
    "bananas": bananas,
    "npenas": npenas,
    "successive-halving": successive_halving,
    "hyperband": hyperband,
    "asha": asha,
    "nsga2": nsga2,
    "tpe": tpe,
}

MULTI_FIDELITY = frozenset({"bohb", "successive-halving", "hyperband", "asha"})
"""The searches that ask for short trainings, and therefore need scores of several epochs."""


def get_search(name: str) -> SearchFunction:
    """Return the search algorithm of that name; raises `UnknownName`."""
    if name not in SEARCHES:
        raise unknown_name("algorithm", name, SEARCHES)
    return SEARCHES[name]


__all__ = [
    "MULTI_FIDELITY", "SEARCHES", "WAIT", "Search", "SearchFunction", "Seen", "Subspace", "Trial", "evaluate",
    "get_search", "rung_epochs",
]  # fmt: skip
