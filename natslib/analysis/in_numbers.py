"""A benchmark in numbers: what is recorded, how accuracies are distributed, special ones, costs."""

import contextlib
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from natslib.analysis.architectures import landmarks
from natslib.analysis.columns import EPOCH_TITLES
from natslib.datasets import DATASETS, SPLIT_TITLES, title_of
from natslib.errors import NotMeasured
from natslib.spaces import Space

DAY_S = 86_400.0
_EXTENTS = {"none": "the last", "last epoch only": "the last", "every epoch": "every"}
"""Of which epochs something is recorded, by what `Table.curves` says."""


def recorded_table(
    runs: pd.DataFrame, held: Callable[..., Sequence[str]], curves: Callable[..., str]
) -> pd.DataFrame:
    """Return what a table records, a row a training set, recipe and set of images (NAS-Bench-201, Table 2).

    Columns: trained on, recipe, images (the set), number (of images), architectures, seeds, of an epoch (what is
    recorded of one), of which (every one or the last). `runs`, `held` and `curves` are `Table.runs()` and the table's
    methods `measured_metrics` and `curves`.
    """
    rows = []
    keys = ["dataset", "recipe", "split"]
    runs = runs.assign(order=runs["dataset"].map(_order), part=runs["split"].map(list(SPLIT_TITLES).index))
    for place, block in runs.sort_values(["order", "epochs", "part"]).groupby(keys, sort=False):
        dataset, _, split = where = [str(key) for key in place]
        extent = curves(*where)
        rows.append(
            {
                "trained on": title_of(dataset),
                "recipe": where[1],
                "images": SPLIT_TITLES[split],
                "number": DATASETS[dataset].images.get(split) if dataset in DATASETS else None,
                "architectures": int(block["n_archs"].max()),
                "seeds": _seeds(block),
                "of an epoch": ", ".join(EPOCH_TITLES[name] for name in held(*where) if name in EPOCH_TITLES),
                "of which": _EXTENTS.get(extent, extent),
            }
        )
    return pd.DataFrame(rows).astype({"number": "Int64"})


def _seeds(block: pd.DataFrame) -> str:
    """Return the seeds, each that fewer architectures have than another with how many: '777, 888 (600)'."""
    most = block["n_archs"].max()
    return ", ".join(
        f"{seed} ({count:,})" if count < most else str(seed)
        for seed, count in zip(block["seed"], block["n_archs"], strict=True)
    )


def _order(dataset: str) -> int:
    return list(DATASETS).index(dataset) if dataset in DATASETS else len(DATASETS)


def distribution_table(accuracy: pd.DataFrame) -> pd.DataFrame:
    """Return how each column is distributed over architectures: a row a column, percent.

    Columns: column, measured (architectures), worst, mean, std (ddof 0), median, 90 % and 99 % (quantiles), best, and
    best index, of equals the lowest.
    """
    rows = []
    for label in accuracy:
        held = accuracy[label].dropna()
        rows.append(
            {
                "column": label,
                "measured": len(held),
                "worst": held.min(),
                "mean": held.mean(),
                "std": held.std(ddof=0),
                "median": held.median(),
                "90 %": held.quantile(0.9),
                "99 %": held.quantile(0.99),
                "best": held.max(),
                "best index": str(held.idxmax()),
            }
        )
    return pd.DataFrame(rows)


def distribution_rows(distribution: pd.DataFrame) -> pd.DataFrame:
    """Return `distribution_table` as texts: percents with two decimals."""
    floats = distribution.select_dtypes("float")
    return distribution.assign(**{str(name): floats[name].map("{:.2f}".format) for name in floats})


THRESHOLDS = 5


def counts_above(accuracy: pd.DataFrame) -> pd.DataFrame:
    """Return how many architectures exceed each of the five highest whole percents that any does:
    column, above, architectures.

    Of NAS-Bench-201's CIFAR-10 test accuracies those are 90 to 94 %.
    """
    rows = []
    for label in accuracy:
        held = accuracy[label].dropna()
        highest = int(np.ceil(held.max())) - 1  # exceeded, also where the best is a whole percent
        rows += [
            {"column": label, "above": above, "architectures": int((held > above).sum())}
            for above in range(highest, max(highest - THRESHOLDS, -1), -1)
        ]
    return pd.DataFrame(rows, columns=["column", "above", "architectures"])


def counts_rows(counts: pd.DataFrame) -> pd.DataFrame:
    """Return `counts_above` a row a column, highest threshold first: '> 94: 42'."""
    texts = counts.assign(
        text="> " + counts["above"].map(str) + ": " + counts["architectures"].map("{:,}".format),
        place=counts.groupby("column").cumcount(),
    )
    wide = texts.pivot(index="column", columns="place", values="text").reindex(counts["column"].unique())
    names = ["highest", *(f"{place} lower" for place in wide.columns[1:])]
    return wide.set_axis(names, axis="columns").reset_index()


def special_architectures(space: Space) -> pd.DataFrame:
    """Return the architectures with the same choice everywhere, and those designed by hand: arch_index, name."""
    count = len(space.positions)
    rows = [(space.index((choice,) * count), f"only {name}") for choice, name in enumerate(space.choices)]
    by_hand = landmarks(space.name).query("kind == 'by hand'")
    rows += list(by_hand[["arch_index", "name"]].itertuples(index=False, name=None))
    return pd.DataFrame(rows, columns=["arch_index", "name"])


def special_frame(special: pd.DataFrame, accuracy: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy (percent) and rank of special architectures, a row an architecture and column: name, arch_index,
    column, accuracy, rank.

    `accuracy` may know more than `measured` does, through equal networks; the rank is one more than the number of
    measured architectures that are better. NaN where nothing is known.
    """
    rows = []
    for arch, name in special.itertuples(index=False):
        for label in measured:
            value = accuracy[label].get(arch, np.nan)
            rank = (measured[label] > value).sum() + 1 if value == value else np.nan
            rows.append((name, arch, label, value, rank))
    return pd.DataFrame(rows, columns=["name", "arch_index", "column", "accuracy", "rank"])


def special_rows(special: pd.DataFrame) -> pd.DataFrame:
    """Return `special_frame` a row an architecture: '39.77 (12,345)' in each column, empty where nothing is known."""
    texts = special["accuracy"].map("{:.2f}".format) + special["rank"].map(" ({:,.0f})".format)
    wide = special.assign(text=texts.where(special["accuracy"].notna(), "")).pivot(
        index=["name", "arch_index"], columns="column", values="text"
    )
    wide = wide.reindex(pd.MultiIndex.from_frame(special[["name", "arch_index"]].drop_duplicates()))
    wide = wide[special["column"].unique()].reset_index().rename(columns={"arch_index": "index"})
    return wide.rename_axis(columns=None).astype({"index": str})


def cost_table(runs: pd.DataFrame, per_seed: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Return what all training of a table cost, a row a training set and recipe.

    Columns: trained on, recipe, architectures, s an epoch (mean over architectures), one run of each (seconds) and
    one, in days (of one machine), runs (there are) and all, in days. Times are those that the table holds, of training
    alone; of a row a seed the mean. Raises `NotMeasured` where there are none. `per_seed` is the table's method.
    """
    rows = []
    trained = runs[runs["split"] == "train"].assign(order=lambda frame: frame["dataset"].map(_order))
    for (dataset, recipe), block in trained.sort_values(["order", "epochs"]).groupby(
        ["dataset", "recipe"], sort=False
    ):
        with contextlib.suppress(NotMeasured):
            times = per_seed("total_time_s", dataset=dataset, recipe=recipe, split="train").dropna(how="all")
            one = times.mean(axis=1)
            rows.append(
                {
                    "trained on": title_of(str(dataset)),
                    "recipe": recipe,
                    "architectures": len(one),
                    "s an epoch": one.mean() / block["epochs"].max(),
                    "one run of each (s)": round(one.sum()),
                    "in days": round(one.sum() / DAY_S),
                    "runs": int(times.notna().to_numpy().sum()),
                    "all, in days": round(times.sum().sum() / DAY_S),
                }
            )
    if not rows:
        raise NotMeasured("no training times in this table")
    return pd.DataFrame(rows)
