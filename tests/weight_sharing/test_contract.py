"""What every weight-sharing search keeps to."""

import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from natslib.errors import UnknownName
from natslib.spaces import get_space
from natslib.weight_sharing import METHODS, get_method
from natslib.weight_sharing.data import SearchData
from natslib.weight_sharing.loop import CHECKPOINT, Run, run_search
from natslib.weight_sharing.presets import settings_of
from natslib.weight_sharing.settings import Settings

from .tiny import SCALE

EVERY = pytest.mark.parametrize("name", METHODS)
pytestmark = pytest.mark.filterwarnings("ignore:the environments look alike")


def settings(name: str) -> Settings:
    smoke = settings_of("smoke", name, get_method(name).space)
    return replace(smoke, scale=SCALE, batch=8, valid_batch=6, scored=3)


def untimed(records: pd.DataFrame) -> pd.DataFrame:
    return records.drop(columns="time_s")


class Killed(BaseException):
    """Stands for the end of the process."""


def killed_after(epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run die in the middle of the epoch that follows `epochs` rows."""
    train_epoch = Run._train_epoch

    def dying(run: Run) -> Any:
        if len(run.rows) == epochs:
            run.method.weight_optimizer.step()
            raise Killed
        return train_epoch(run)

    monkeypatch.setattr(Run, "_train_epoch", dying)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, tiny_data: SearchData) -> Callable[[str], Path]:
    """A finished search of each method, run once."""

    @cache
    def folder(name: str) -> Path:
        torch.manual_seed(1)
        place = tmp_path_factory.mktemp(name)
        run_search(name, tiny_data, settings(name), 0, place)
        return place

    return folder


@EVERY
def test_a_search_ends_with_a_legal_architecture_and_complete_records(
    name: str, folders: Callable[[str], Path]
) -> None:
    kind, asked = get_method(name), settings(name)
    records = pd.read_parquet(folders(name) / "run.parquet")
    space = get_space(kind.space)
    assert kind.name == name
    assert records["epoch"].tolist() == list(range(len(records)))
    assert len(records) >= asked.epochs + 1
    for row in records.itertuples():
        assert space.code(row.arch_index) == tuple(row.code)
        assert space.string(row.arch_index) == row.arch
    constant = ["method", "space", "dataset", "settings", "seed"]
    assert records[constant].drop_duplicates().values.tolist() == [[name, kind.space, "tiny", "smoke", 0]]
    trained = records.iloc[1:]
    assert np.isfinite(trained[["train_loss", "train_accuracy", "time_s"]].to_numpy(float)).all()
    assert not records["diverged"].any()
    if kind.has_alphas:
        sizes = {len(alphas) for alphas in records["alphas"]}
        assert sizes == {len(space.positions) * len(space.choices)}
    assert not (folders(name) / CHECKPOINT).exists()


@EVERY
def test_the_seed_alone_decides(
    name: str, tiny_data: SearchData, folders: Callable[[str], Path], tmp_path: Path
) -> None:
    first = pd.read_parquet(folders(name) / "run.parquet")
    torch.manual_seed(2)
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    again = run_search(name, tiny_data, settings(name), 0, tmp_path)
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before
    pd.testing.assert_frame_equal(untimed(first), untimed(again))
    other = Run(name, tiny_data, settings(name), 1)
    other.advance()
    other.advance()
    assert other.rows[1]["train_loss"] != first["train_loss"][1]


@EVERY
def test_a_killed_search_goes_on_as_if_nothing_had_happened(
    name: str,
    tiny_data: SearchData,
    folders: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = pd.read_parquet(folders(name) / "run.parquet")
    with monkeypatch.context() as patch:
        killed_after(len(whole) - 1, patch)
        with pytest.raises(Killed):
            run_search(name, tiny_data, settings(name), 0, tmp_path)
    assert (tmp_path / CHECKPOINT).exists()
    resumed = run_search(name, tiny_data, settings(name), 0, tmp_path)
    pd.testing.assert_frame_equal(untimed(whole), untimed(resumed))


def test_an_unknown_name_is_answered_with_the_closest() -> None:
    with pytest.raises(UnknownName, match=r"unknown weight-sharing method 'darts-v3'.*did you mean 'darts-v"):
        get_method("darts-v3")
