"""The protocol of a search experiment: oracle, budgets, simulated workers, repeats, trajectories."""

from natslib.experiment.budgets import paper_budget_s, reported_columns, searched_columns
from natslib.experiment.oracle import Oracle
from natslib.experiment.protocol import Protocol, SearchFailed, run
from natslib.experiment.repeats import Runs, repeat

__all__ = [
    "Oracle", "Protocol", "Runs", "SearchFailed", "paper_budget_s", "repeat", "reported_columns", "run",
    "searched_columns",
]  # fmt: skip
