"""The published form of AutoShrink: one way down, written down evaluation by evaluation."""

import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from natslib.errors import BadSource, ConfigError
from natslib.search.descent import Descent, read_record, record
from natslib.spaces import Code
from natslib.spaces.wiring import pruned, removals

EDGES = 10


class Killed(Exception):
    """The process is gone."""


class Measured:
    """Scores cells by a hash, NaN where `diverges` is missing; dies at evaluation `dies_at`, counted from 0."""

    def __init__(self, dies_at: int = -1, diverges: int | None = None) -> None:
        self.dies_at, self.diverges, self.asked = dies_at, diverges, list[Code]()

    def __call__(self, code: Code, seed: int) -> Mapping[str, Any]:
        if len(self.asked) == self.dies_at:
            raise Killed
        self.asked.append(code)
        if self.diverges is not None and not code[self.diverges]:
            return {"score": math.nan}
        return {"score": np.random.default_rng([*code, seed]).random()}


def go(path: Path, measured: Measured, *, edges: int = EDGES, seed: int = 0, **given: Any) -> pd.DataFrame:
    asked = {"candidates": 3, "keep": 0, "seed": 777, "again": (8, 9)} | given
    descent = Descent((1,) * edges, removals, measured, **asked)
    return record(
        descent, np.random.default_rng(seed), path, settings={"seed": seed}, stamp={"torch": "none"}
    )


def test_edges_fall_and_candidates_are_live_distinct_and_few(tmp_path: Path) -> None:
    rows = go(tmp_path / "a.parquet", Measured())
    found = rows[~rows["again"]]
    parents = found.groupby("step")["parent"].unique()
    assert parents[1].tolist() == ["1" * EDGES]
    assert all(before.count("1") > after.count("1") for (before,), (after,) in pairwise(parents))
    for _, step in found.groupby("step"):
        (parent,) = step["parent"].unique()
        assert step["cell"].is_unique
        assert len(step) <= min(3, parent.count("1"))
    codes = np.array([list(map(int, cell)) for cell in rows["cell"]])
    np.testing.assert_array_equal(pruned(codes), codes)
    assert codes.sum(axis=1).tolist() == rows["edges"].tolist()
    assert rows["edges"].min() == 0


def test_the_best_of_a_step_is_kept_and_trained_again(tmp_path: Path) -> None:
    rows = go(tmp_path / "a.parquet", Measured())
    found, again = rows[~rows["again"]], rows[rows["again"]]
    best = found.loc[found.groupby("step")["score"].idxmax(), "cell"].tolist()
    for seed in (8, 9):
        assert again.loc[again["seed"] == seed, "cell"].tolist() == ["1" * EDGES, *best]
        assert again.loc[again["seed"] == seed, "step"].tolist() == list(range(len(best) + 1))
    assert found.groupby("step")["parent"].first().tolist() == ["1" * EDGES, *best[:-1]]


def test_a_kill_at_any_evaluation_changes_nothing(tmp_path: Path) -> None:
    whole = go(tmp_path / "whole.parquet", Measured())
    for dies_at in range(len(whole)):
        path = tmp_path / f"{dies_at}.parquet"
        with pytest.raises(Killed):
            go(path, Measured(dies_at))
        resumed = Measured()
        pd.testing.assert_frame_equal(go(path, resumed), whole)
        assert len(resumed.asked) == len(whole) - dies_at
        pd.testing.assert_frame_equal(read_record(path)[0], whole)


def test_what_is_not_a_number_is_never_kept(tmp_path: Path) -> None:
    """The released code sorts such scores last, and takes the last."""
    rows = go(tmp_path / "a.parquet", Measured(diverges=0), again=())
    assert rows["score"].isna().sum() > 3
    assert rows["parent"].str[0].eq("1").all()


@pytest.mark.parametrize(("edges", "keep", "most"), [(28, 0, 235), (15, 4, 95)])
def test_the_number_of_evaluations(edges: int, keep: int, most: int, tmp_path: Path) -> None:
    rows = go(tmp_path / "a.parquet", Measured(), edges=edges, keep=keep, candidates=10, again=())
    assert most * 0.7 < len(rows) <= most
    last = rows[rows["step"] == rows["step"].max()]
    assert last["edges"].min() <= keep < last["parent"].iloc[0].count("1")


def test_another_search_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    go(path, Measured())
    with pytest.raises(ConfigError, match="is of a search with seed 0, and 1 was asked"):
        go(path, Measured(), seed=1)
    with pytest.raises(ConfigError, match=r"row 1 is 1+, and this search asks for 1+|row \d+ is .*asks for"):
        go(path, Measured(), candidates=2)


def test_a_damaged_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    go(path, Measured())
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(BadSource, match="no readable result of a search"):
        read_record(path)
    pd.DataFrame({"cell": ["1"]}).to_parquet(path)
    with pytest.raises(BadSource, match="no result of a search"):
        read_record(path)
