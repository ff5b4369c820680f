"""Which accuracy columns a source holds, under the paper's names.

The paper's six columns are C10-V, C10-T, C100-V, C100-T, I120-V and I120-T (NATS-Bench, figure 5). CIFAR-10
validation comes from networks trained on half of the training images (`cifar10-valid`), CIFAR-10 test from networks
trained on all of them (`cifar10`); the other datasets have one run for both. A dataset that the paper does not
have gets the analogous `<dataset>-V` and `<dataset>-T`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from natslib.datasets import DATASETS, SPLIT_TITLES, title_of
from natslib.errors import NotMeasured, unknown_name

LONGEST = "longest"
SPLITS = {"train": "Train", "valid": "V", "test": "T"}
"""The splits that columns have, and how their labels end."""
EPOCH_TITLES = {"loss": "loss", "accuracy": "accuracy", "top5": "top-5", "time_s": "time"}
"""What tables hold of every epoch, as tables in print name it."""

_PAPER_TITLES = {"C10": "CIFAR-10", "C100": "CIFAR-100", "I120": "ImageNet16-120"}
_PAPER_SOURCES = {
    ("C10", "train"): "cifar10",
    ("C10", "valid"): "cifar10-valid",
    ("C10", "test"): "cifar10",
    **{("C100", split): "cifar100" for split in SPLITS},
    **{("I120", split): "ImageNet16-120" for split in SPLITS},
}


@dataclass(frozen=True)
class Column:
    """One accuracy column: `label` as in the paper's heatmaps, `title` the dataset's, and where it is in the table."""

    label: str
    title: str
    dataset: str
    split: str
    recipe: str
    epochs: int
    seeds: tuple[int, ...]

    @property
    def key(self) -> dict[str, str]:
        """The keyword arguments that ask a table for this column."""
        return {"dataset": self.dataset, "recipe": self.recipe, "split": self.split}

    @property
    def split_title(self) -> str:
        """The split in words: training, validation or test."""
        return SPLIT_TITLES[self.split]


def find_columns(
    runs: pd.DataFrame,
    values: Callable[..., np.ndarray],
    *,
    splits: Sequence[str] = ("valid", "test"),
    recipe: str = LONGEST,
    repeated: bool = False,
) -> list[Column]:
    """Return the accuracy columns of `splits` that a table holds, the paper's first.

    `runs` has one row per (dataset, recipe, split, seed) with its number of epochs, and `values(metric, dataset=,
    recipe=, split=)` returns a column or raises `NotMeasured`: a table's methods. `recipe` is a name, or "longest":
    the one with most epochs, each dataset for itself. With `repeated`, columns of fewer than two seeds do not count.
    An absent column is left out (see `absent_columns`); raises `NotMeasured` where there is none at all, and
    `UnknownName` for a split or recipe that does not exist.
    """
    for split in splits:
        if split not in SPLITS:
            raise unknown_name("split", split, SPLITS)
    if recipe != LONGEST and recipe not in set(runs["recipe"]):
        raise unknown_name("recipe", recipe, [LONGEST, *sorted(set(runs["recipe"]))])
    blocks = _blocks(runs[(runs["recipe"] == recipe) | (recipe == LONGEST)])
    held = blocks[blocks["seeds"].map(len) >= (2 if repeated else 0)]
    found = [_column(held, values, *key) for key in _candidates(runs) if key[1] in splits]
    columns = [column for column in found if column is not None]
    if not columns:
        seeds = " of two or more seeds" if repeated else ""
        others = (key for key in _candidates(runs) if key[1] not in splits and _column(held, values, *key))
        elsewhere = " and ".join(dict.fromkeys(split for _, split, _ in others))
        raise NotMeasured(
            f"no accuracy{seeds} on {' or '.join(splits)} at recipe {recipe!r} in this table"
            + (f"; there is some on {elsewhere}" if elsewhere else "")
        )
    return columns


def absent_columns(columns: Iterable[Column], splits: Sequence[str] = ("valid", "test")) -> list[str]:
    """Return the labels that a figure over `splits` would have and `columns` lacks, in the paper's order.

    Where there is one column of the paper, all of the paper's are expected; for another dataset, each split.
    """
    labels = [column.label for column in columns]
    shorts = list(dict.fromkeys(label.rsplit("-", 1)[0] for label in labels))
    others = [short for short in shorts if short not in _PAPER_TITLES]
    paper = [] if len(others) == len(shorts) and shorts else list(_PAPER_TITLES)
    expected = [_label(short, split) for short in [*paper, *others] for split in SPLITS if split in splits]
    return [label for label in expected if label not in labels]


def explain_absent(columns: Iterable[Column], splits: Sequence[str] = ("valid", "test")) -> str:
    """Return one sentence that names what the source lacks, or an empty string where nothing is missing."""
    absent = absent_columns(list(columns), splits)
    return f"Not in this source: {', '.join(absent)}." if absent else ""


def accuracy_frame(values: Callable[..., np.ndarray], columns: Iterable[Column]) -> pd.DataFrame:
    """Return seed-mean last-epoch accuracies in percent: one row an architecture, one column a label.

    `values` is the table's method of that name. Architectures without any of the columns are left out; NaN elsewhere.
    """
    frame = pd.DataFrame({column.label: values("accuracy", **column.key) for column in columns})
    return frame.rename_axis("arch_index").dropna(how="all")


def seed_frames(per_seed: Callable[..., pd.DataFrame], columns: Iterable[Column]) -> dict[str, pd.DataFrame]:
    """Return for each label the accuracies in percent of every run: index arch_index, one column a seed, NaN = no run.

    `per_seed` is the table's method of that name.
    """
    return {column.label: per_seed("accuracy", **column.key).dropna(how="all") for column in columns}


def with_columns(printed: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `analysis.printed.read_printed` with the label of the column that each is of: 'C10-V'."""
    shorts = {dataset: short for (short, _), dataset in _PAPER_SOURCES.items()}
    named = [
        _label(shorts[dataset], split)
        for dataset, split in zip(printed["dataset"], printed["split"], strict=True)
    ]
    return printed.assign(column=named)


def each_column(
    statistic: Callable[..., pd.DataFrame],
    runs: dict[str, pd.DataFrame],
    *arguments: object,
    **options: object,
) -> pd.DataFrame:
    """Return `statistic(frame, *arguments, **options)` of every frame of `runs`, stacked; `column` is its label.

    Without a frame there is nothing to compute: an empty frame.
    """
    if not runs:
        return pd.DataFrame()
    parts = {label: statistic(frame, *arguments, **options) for label, frame in runs.items()}
    return pd.concat(parts, names=["column"]).reset_index(level=0).reset_index(drop=True)


def describe(columns: Sequence[Column]) -> str:
    """Return what the columns are, for a figure's caption: '200 epochs: validation accuracy'."""
    epochs = sorted({column.epochs for column in columns})
    splits = [SPLIT_TITLES[split] for split in SPLITS if split in {column.split for column in columns}]
    of = f"{', '.join(splits[:-1])} and {splits[-1]}" if len(splits) > 1 else "".join(splits)
    return f"{'/'.join(map(str, epochs))} epochs: {of} accuracy" if columns else "no accuracy"


def _candidates(runs: pd.DataFrame) -> list[tuple[str, str, str]]:
    paper = [(short, split, dataset) for (short, split), dataset in _PAPER_SOURCES.items()]
    held = set(runs["dataset"]) - set(_PAPER_SOURCES.values())
    others = [*(name for name in DATASETS if name in held), *sorted(held - set(DATASETS))]
    return paper + [(name, split, name) for name in others for split in SPLITS]


def _blocks(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row per dataset, recipe and split, most epochs first; `seeds` leaves out what is only a mean.

    Of equal epochs, plain training ('12') comes before that with another objective ('12-irm').
    """
    grouped = runs.groupby(["dataset", "recipe", "split"], as_index=False)
    blocks = grouped.agg(epochs=("epochs", "max"), n_archs=("n_archs", "max"), seeds=("seed", _seeds))
    blocks["plain"] = ~blocks["recipe"].str.contains("-", regex=False)
    return blocks.sort_values(["epochs", "plain", "n_archs", "recipe"], ascending=False)


def _seeds(seeds: pd.Series) -> tuple[int, ...]:
    return tuple(sorted(int(seed) for seed in seeds if seed != "mean"))


def _column(
    blocks: pd.DataFrame, values: Callable[..., np.ndarray], short: str, split: str, dataset: str
) -> Column | None:
    held = blocks[(blocks["dataset"] == dataset) & (blocks["split"] == split)]
    for recipe, epochs, seeds in zip(held["recipe"], held["epochs"], held["seeds"], strict=True):
        if _is_measured(values, dataset=dataset, recipe=recipe, split=split):
            title = _PAPER_TITLES.get(short) or title_of(short)
            return Column(_label(short, split), title, dataset, split, str(recipe), int(epochs), seeds)
    return None


def _is_measured(values: Callable[..., np.ndarray], **where: str) -> bool:
    try:
        return not np.isnan(values("accuracy", **where)).all()
    except NotMeasured:
        return False


def _label(short: str, split: str) -> str:
    return f"{short}-{SPLITS[split]}"
