"""Train a few candidates now, outside a farm: for a notebook, and for a comparison with stored runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from natslib.training.candidates import train_candidate
from natslib.training.device import ready_device
from natslib.training.jobs import Job
from natslib.training.recipes import recipe_on
from natslib.training.sources import load_images


def train_fresh(
    jobs: Sequence[Job], *, data: Path, verify: bool, device: str | None, progress: bool
) -> list[dict[str, Any]]:
    """Train jobs one after another, with a progress bar where asked, and return the raw-log record of each.

    `data` and `verify` as of `load_images`. Raises `UnknownName` before anything is trained, `ConfigError` for a
    device that is not there, `BadSource` for images that are missing or damaged.
    """
    where = ready_device(device)
    recipes = [recipe_on(job.dataset, job.recipe) for job in jobs]
    names = dict.fromkeys(job.dataset for job in jobs)
    images = {name: load_images(name, data, verify=verify).to(where) for name in names}
    waiting = tqdm(jobs, desc="training", unit="network", disable=not progress)
    return [
        train_candidate(job, images[job.dataset], recipe, stamp={})
        for job, recipe in zip(waiting, recipes, strict=True)
    ]


def curves_of(records: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return every epoch of raw-log records: columns arch_index, split, epoch (from 0), loss, accuracy (percent)."""
    columns = ["epoch", "loss", "accuracy"]
    parts = [
        pd.DataFrame({name: split[name] for name in columns}).assign(arch_index=entry["arch_index"], split=of)
        for entry in records
        for of, split in entry["splits"].items()
    ]
    return pd.concat(parts, ignore_index=True)[["arch_index", "split", *columns]]


def last_epoch(curves: pd.DataFrame, split: str) -> pd.Series:
    """Return the accuracy in percent of each architecture of `curves_of` after its last epoch; index arch_index."""
    return curves[curves["split"] == split].groupby("arch_index", sort=False)["accuracy"].last()
