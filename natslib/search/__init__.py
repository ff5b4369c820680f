"""Multi-trial search: algorithms, the oracle they ask, the simulated clock, repeats, and the study that joins them."""

from natslib.search.algorithms import MULTI_FIDELITY, SEARCHES, get_search
from natslib.search.oracle import Oracle
from natslib.search.proposals import WAIT, Result, Search, SearchFunction, Trial, evaluate
from natslib.search.repeat import Runs, repeat
from natslib.search.simulate import Protocol, SearchFailed, run
from natslib.search.study import Study, find_studies, study_of
from natslib.search.subspace import Subspace

__all__ = [
    "MULTI_FIDELITY",
    "SEARCHES",
    "WAIT",
    "Oracle",
    "Protocol",
    "Result",
    "Runs",
    "Search",
    "SearchFailed",
    "SearchFunction",
    "Study",
    "Subspace",
    "Trial",
    "evaluate",
    "find_studies",
    "get_search",
    "repeat",
    "run",
    "study_of",
]
