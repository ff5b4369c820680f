"""The shipped records of AutoShrink's published forms."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from natslib.datasets import get_dataset
from natslib.nets.recurrent import ACTIVATIONS
from natslib.search.descent import read_record
from natslib.spaces import Scale
from natslib.spaces.wiring import Wiring, pruned
from natslib.training.shrink_runs import node_ops
from natslib.training.text import markov_source

LOGS = Path(__file__).resolve().parents[2] / "logs/autoshrink"
MOST = {"eight-nodes-digits": 235, "recurrent-markov": 95}

Record = tuple[pd.DataFrame, dict[str, Any]]


@pytest.fixture(scope="module", params=MOST)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def read(name: str) -> Record:
    rows, told = read_record(LOGS / f"{name}.parquet")
    return rows, told["settings"]


def codes_of(rows: pd.DataFrame) -> np.ndarray:
    return np.array([list(map(int, cell)) for cell in rows["cell"]], np.uint8)


def test_every_step_keeps_the_best_of_distinct_live_candidates(name: str) -> None:
    rows = read(name)[0]
    np.testing.assert_array_equal(pruned(codes_of(rows)), codes_of(rows))
    searched = rows[~rows["again"]]
    assert len(searched) <= MOST[name]
    left = "1" * len(rows["cell"][0])
    for _, step in searched.groupby("step"):
        assert step["parent"].unique().tolist() == [left]
        assert step["cell"].is_unique
        assert len(step) <= min(10, left.count("1"))
        assert (step["edges"] < left.count("1")).all()
        left = step.loc[step["score"].idxmax(), "cell"]


def test_the_small_files(name: str) -> None:
    assert (LOGS / f"{name}.parquet").stat().st_size < 150_000


def test_costs_and_scores_of_eight_nodes() -> None:
    rows, told = read("eight-nodes-digits")
    assert told["ops"] == list(node_ops(8, np.random.default_rng(told["seed"])))
    count = Wiring(tuple(told["ops"])).count(
        codes_of(rows), get_dataset("digits"), Scale(told["channels"], 1, 1)
    )
    np.testing.assert_allclose(rows["flops_m"] * 1e6, count.macs)
    np.testing.assert_allclose(rows["score"], rows["accuracy"] / 100 - 0.1 * (np.log10(count.macs) - 6))


def test_the_source_of_the_recurrent_search() -> None:
    told = read("recurrent-markov")[1]
    rng = np.random.default_rng(told["seed"])
    assert told["ops"] == rng.choice(list(ACTIVATIONS), 6).tolist()[1:]
    source = markov_source(rng)
    assert math.exp(source.entropy()) == pytest.approx(told["floor"])
    assert math.exp(source.entropy(1)) == pytest.approx(told["bigram"])


def test_the_shrunk_recurrent_cell_is_near_the_entropy_rate_and_a_bigram_model_is_not() -> None:
    rows, told = read("recurrent-markov")
    again = rows[rows["again"]]
    shrunk = again[again["step"] == again["step"].max()]
    assert shrunk["seed"].nunique() == len(told["again"])
    assert shrunk["edges"].max() <= 0.6 * 15
    assert shrunk["perplexity"].max() <= 1.05 * told["floor"]
    assert told["bigram"] > 1.05 * told["floor"]
