"""DARTS-PT against selection by magnitude: what the same supernets choose by either, and what the order of edges does.

`records` are joined records (`natslib.weight_sharing.records`), one row an epoch; `values` the accuracy of every
architecture in percent. For single masked evaluations see `analysis.weight_sharing.projections`.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import spearmanr

from natslib.analysis.printed import EVIDENCE
from natslib.errors import NotMeasured
from natslib.spaces import TOPOLOGY

PROJECTING = ("darts-pt", "darts-pt-fixed", "darts-pt-magnitude")
MAGNITUDE, PROJECTION = "magnitude", "projection"
TITLES = {
    ("darts-pt", MAGNITUDE): "DARTS: largest α",
    ("darts-pt-magnitude", PROJECTION): "largest α, an edge at a time",
    ("darts-pt", PROJECTION): "DARTS-PT",
    ("darts-pt-fixed", PROJECTION): "DARTS-PT, fixed α",
    ("darts-pt-fixed", MAGNITUDE): "largest α, never trained",
}
"""What is chosen from which supernet (method and selection)."""
PRINTED_AS = {
    TITLES["darts-pt", MAGNITUDE]: "darts-v1",
    "DARTS-PT": "darts-pt",
    "DARTS-PT, fixed α": "darts-pt-fixed",
}
EDGES, OPS = len(TOPOLOGY.positions), len(TOPOLOGY.choices)


def projecting(records: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the searches that project; raises `NotMeasured` without any."""
    found = records[records["method"].isin(PROJECTING)].reset_index(drop=True)
    if found.empty:
        raise NotMeasured(f"these records hold none of {', '.join(PROJECTING)}: `natslib search` runs them")
    return found


def choices(records: pd.DataFrame, values: npt.NDArray[np.float64]) -> pd.DataFrame:
    """Return what each supernet chooses as it trains and as its edges are decided.

    Columns: method, seed, epoch, selection, decided (edges), arch_index, accuracy. Selection "magnitude", until the
    supernet is trained: the largest parameter of each edge. "projection", from then on: what is decided, and the
    largest parameter of each edge that is still open, at the end of the tuning before the next decision; its first row,
    with nothing decided, is the last by magnitude.
    """
    parts = []
    for _, run in records.groupby(["method", "seed"], sort=False):
        made = run["projected_edges"].map(len)
        trained = run[made.cumsum() - made == 0]  # to the epoch that ends with the first decision
        codes = np.stack(trained["alphas"].to_list()).reshape(-1, EDGES, OPS).argmax(axis=2)
        by_size = trained.assign(selection=MAGNITUDE, decided=0, arch_index=TOPOLOGY.indices(codes))
        tuned = run.assign(selection=PROJECTION, decided=made.cumsum())[made.cumsum() > 0]
        parts += [by_size, by_size.tail(1).assign(selection=PROJECTION), tuned.groupby("decided").tail(1)]
    found = pd.concat(parts, ignore_index=True)
    columns = ["method", "seed", "epoch", "selection", "decided", "arch_index"]
    return found[columns].assign(accuracy=values[found["arch_index"]])


def last_choices(chosen: pd.DataFrame) -> pd.DataFrame:
    """Return the outcome of each method and selection of `choices`: seeds, mean, std (population), worst; percent."""
    last = chosen.groupby(["method", "selection", "seed"], sort=False).tail(1)
    found = last.groupby(["method", "selection"], sort=False)["accuracy"]
    return found.agg(seeds="size", mean="mean", std=lambda some: some.std(ddof=0), worst="min").reset_index()


def by_place(found: pd.DataFrame) -> pd.DataFrame:
    """Return the mean accuracy over all orders in which an edge is decided first, second, ...: edges by places.

    `found` is the frame of `PerfectSupernet.select_in_every_order`.
    """
    edges = np.stack(found["order"].to_list()).ravel()
    places = np.tile(np.arange(1, EDGES + 1), len(found))
    long = pd.DataFrame(
        {"edge": edges, "place": places, "accuracy": found["accuracy"].repeat(EDGES).to_numpy()}
    )
    means = long.pivot_table(index="edge", columns="place", values="accuracy")
    return means.set_axis(list(TOPOLOGY.positions), axis="index")


def beside_printed(
    found: pd.DataFrame, by_size: float, orders: pd.Series, printed: pd.DataFrame
) -> pd.DataFrame:
    """Put outcomes beside the paper's numbers, in columns of their own: texts, empty without a number.

    The column evidence says how a number of the paper came down to us; one that is only remembered is marked as such.

    `found` is that of `last_choices`; `by_size` what the perfect supernet gives by marginal means, `orders` by
    projection in every order, percent; `printed` is `read_printed("darts-pt-table-4")`.
    """
    ours = found.set_index([found["method"], found["selection"]]).reindex(list(TITLES))
    ours.index = pd.Index(TITLES.values())
    paper = printed[printed["split"] == "test"].set_index("method")
    columns = {
        "paper": pd.Series({title: paper.loc[name, "mean"] for title, name in PRINTED_AS.items()}),
        "supernets, mean": ours["mean"],
        "std": ours["std"],
        "worst seed": ours["worst"],
        "perfect supernet": pd.Series({TITLES["darts-pt", MAGNITUDE]: by_size, "DARTS-PT": orders.mean()}),
        "worst order": pd.Series({"DARTS-PT": orders.min()}),
    }
    numbers = pd.DataFrame(columns).reindex(list(TITLES.values()))
    texts = numbers.map(lambda value: "" if np.isnan(value) else f"{value:.2f}")
    evidence = pd.Series({title: paper.loc[name, "evidence"] for title, name in PRINTED_AS.items()})
    texts.insert(1, "evidence", evidence.reindex(texts.index).fillna(""))
    texts["paper"] += texts["evidence"].map(EVIDENCE).fillna("")
    return texts.rename_axis("choice").reset_index()


def skips_and_quality(records: pd.DataFrame) -> pd.DataFrame:
    """Return how far skip-connections lead as a supernet becomes better, an epoch of its training a row.

    Wang et al. (section 4.3): where an edge's input is close to the best estimate there is, and in a good supernet it
    is, the best mixture weighs the skip-connection more than the convolution. Columns: settings, method, seed, epoch,
    quality (validation accuracy of the supernet in percent, epoch 0 left out) and lead (mean over the edges of the
    parameter of `skip_connect` less that of `nor_conv_3x3`).
    """
    made = records["projected_edges"].map(len)
    before = made.groupby([records[name] for name in ("settings", "method", "seed")]).cumsum() - made == 0
    trained = records[before & (records["epoch"] > 0)]
    alphas = np.stack(trained["alphas"].to_list()).reshape(-1, EDGES, OPS)
    skip, conv = (TOPOLOGY.choices.index(name) for name in ("skip_connect", "nor_conv_3x3"))
    lead = (alphas[:, :, skip] - alphas[:, :, conv]).mean(axis=1)
    kept = trained[["settings", "method", "seed", "epoch"]]
    return kept.assign(quality=trained["valid_accuracy"], lead=lead).reset_index(drop=True)


def lead_correlation(frame: pd.DataFrame) -> pd.DataFrame:
    """Return Spearman's correlation of quality and lead (`skips_and_quality`) over the epochs of each supernet.

    Columns: settings, method, seed, epochs, lead (after the last), rho.
    """
    runs = frame.groupby(["settings", "method", "seed"], sort=False)
    rows = [
        (*key, len(run), run["lead"].iloc[-1], spearmanr(run["quality"], run["lead"]).statistic)
        for key, run in runs
    ]
    return pd.DataFrame(rows, columns=["settings", "method", "seed", "epochs", "lead", "rho"])
