"""Multi-trial search: algorithms, the oracle they ask, the simulated clock, repeats, and the study that joins them."""

from natslib.search.algorithms import MULTI_FIDELITY, SEARCHES, get_search
from natslib.search.algorithms.successive_halving import rung_epochs
from natslib.search.oracle import Oracle
from natslib.search.proposals import WAIT, Search, SearchFunction, Seen, Trial, evaluate
from natslib.search.repeat import Runs, repeat
from natslib.search.simulate import Protocol, SearchFailed, run
from natslib.search.study import paper_budget_s, reported_columns, searched_columns
from natslib.search.subspace import Subspace

__all__ = [
    "MULTI_FIDELITY", "SEARCHES", "WAIT", "Oracle", "Protocol", "Runs", "Search", "SearchFailed", "SearchFunction",
    "Seen", "Subspace", "Trial", "evaluate", "get_search", "paper_budget_s", "repeat", "reported_columns", "run",
    "rung_epochs", "searched_columns",
]  # fmt: skip
