"""NAS-Bench-201 beside NAS-Bench-101, and which searches profit from it (its Tables 3 and 4)."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from natslib.analysis.columns import EPOCH_TITLES
from natslib.analysis.printed import EVIDENCE, read_numbers, read_properties
from natslib.datasets import PAPER
from natslib.spaces import TOPOLOGY
from natslib.spaces.topology import equivalence_class

FAMILIES = {
    "random": "random choice",
    "rea": "evolution",
    "reinforce": "reinforcement",
    "bohb": "Bayesian model",
    "rsps": "random choice",
    "darts-v1": "gradients",
    "darts-v2": "gradients",
    "gdas": "gradients",
    "setn": "gradients",
    "enas": "reinforcement",
}
"""The ten searches of the paper, by their names here, and what each goes by."""


RECIPES = ("12", "200")
"""How its cells are trained: the names of the recipes are their epochs."""
_TITLES = {"params_m": "parameters", "flops_m": "FLOPs", "latency_s": "latency"}


def compared_table(
    of_epochs: Collection[str],
    of_networks: Collection[str],
    searches: Collection[str],
) -> pd.DataFrame:
    """Return NAS-Bench-201 beside NAS-Bench-101, a row a property (NAS-Bench-201, Table 3).

    Columns: property, NAS-Bench-201 (computed here), NAS-Bench-101 (printed, with the mark of `EVIDENCE`) and evidence.
    `of_epochs` and `of_networks` are the metrics that tables hold of every epoch and of a network, `searches` those
    that score their candidates by looking them up.
    """
    served = [sum((name in searches) == kind for name in FAMILIES) for kind in (True, False)]
    datasets = {name.removesuffix("-valid") for name in PAPER}
    computed = {
        "cells": f"{len(TOPOLOGY):,}",
        "unique cells": f"{len(np.unique(equivalence_class('zero'))):,}",
        "datasets": str(len(datasets)),
        "operations": str(len(TOPOLOGY.choices)),
        "edges of a cell": f"{len(TOPOLOGY.positions)}, each with an operation",
        "trainings (epochs)": ", ".join(RECIPES),
        "recorded of every epoch": ", ".join(EPOCH_TITLES[name] for name in of_epochs),
        "recorded of a network": ", ".join(_TITLES.get(name, name) for name in of_networks),
        "searches that it serves": f"multi-trial ({served[0]} in its paper), weight-sharing ({served[1]})",
    }
    printed = read_properties("nas-bench-101").set_index("property")
    marked = printed["printed"] + printed["evidence"].map(EVIDENCE)
    rows = pd.Series(computed, name="NAS-Bench-201").rename_axis("property").to_frame()
    rows = rows.join(marked.rename("NAS-Bench-101")).join(printed["evidence"])
    return rows.reset_index()


def profit_table(searches: Collection[str], several: Collection[str]) -> pd.DataFrame:
    """Return which searches profit from a table of all results, a row a search of the paper (NAS-Bench-201, Table 4).

    Columns: kind, search (its name here), goes by, its search, its result (where each comes from), printed (seconds of
    a search as printed, with the mark of `EVIDENCE`; BN0: with batch statistics) and evidence. `searches` score
    candidates by looking them up, `several` of them after several numbers of epochs.
    """
    times = read_numbers("nas-bench-201-search-times").set_index("network")
    texts = times["printed"].map("{:,.0f}".format) + times["evidence"].map(EVIDENCE)
    rows = []
    for name, family in FAMILIES.items():
        looked_up = "looked up, at any epoch" if name in several else "looked up"
        names = [name] + [f"{name}-bn0"] * (f"{name}-bn0" in times.index)
        rows.append(
            {
                "kind": "multi-trial" if name in searches else "weight-sharing",
                "search": name,
                "goes by": family,
                "its search": looked_up if name in searches else "a supernet is trained",
                "its result": "looked up",
                "printed": "; BN0 ".join(texts[names]),
                "evidence": "; ".join(times["evidence"][names]),
            }
        )
    return pd.DataFrame(rows)
