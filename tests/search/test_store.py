"""Trajectories on disk: interrupted, gone on with, and never mixed."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from natslib.errors import BadSource, ConfigError
from natslib.search import Oracle, Protocol, SearchFailed, repeat
from natslib.search.store import read_description, read_runs, repeat_into
from natslib.spaces import get_space

TSS = get_space("tss")
PROTOCOL = Protocol(60.0)


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    rng = np.random.default_rng(0)
    return Oracle(TSS, rng.random((1, len(TSS), 1)), 5.0 + rng.random((len(TSS), 1)), (12,), "valid")


def test_what_is_kept_is_what_was_run(oracle: Oracle, tmp_path: Path) -> None:
    kept = repeat_into(tmp_path, "rea", oracle, PROTOCOL, runs=70, seed=3)
    pd.testing.assert_frame_equal(kept.frame, repeat("rea", oracle, PROTOCOL, runs=70, seed=3).frame)
    pd.testing.assert_frame_equal(read_runs(tmp_path), kept.frame)
    told = read_description(tmp_path)
    assert (told["algorithm"], told["seed"], told["space"], told["split"]) == ("rea", 3, "tss", "valid")
    assert told["oracle_sha256"] == oracle.fingerprint


def test_an_interrupted_search_goes_on_where_it_was(
    oracle: Oracle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []

    def interrupted(*args: Any, runs: list[int], **kwargs: Any) -> Any:
        if runs[0] >= 100:
            raise KeyboardInterrupt
        done.extend(runs)
        return repeat(*args, runs=runs, **kwargs)

    monkeypatch.setattr("natslib.search.store.repeat", interrupted)
    with pytest.raises(KeyboardInterrupt):
        repeat_into(tmp_path, "random", oracle, PROTOCOL, runs=120, seed=0)
    assert done == list(range(100))
    monkeypatch.undo()
    (tmp_path / "runs-000100-000119.parquet.part").write_bytes(b"half a file")
    kept = repeat_into(tmp_path, "random", oracle, PROTOCOL, runs=120, seed=0)
    pd.testing.assert_frame_equal(kept.frame, repeat("random", oracle, PROTOCOL, runs=120, seed=0).frame)


def test_fewer_runs_than_there_are_need_no_work(oracle: Oracle, tmp_path: Path) -> None:
    repeat_into(tmp_path, "random", oracle, PROTOCOL, runs=8, seed=0)
    assert repeat_into(tmp_path, "random", oracle, PROTOCOL, runs=5, seed=0).frame["run"].max() == 4


def test_another_search_in_the_same_folder_is_refused(oracle: Oracle, tmp_path: Path) -> None:
    repeat_into(tmp_path, "random", oracle, PROTOCOL, runs=2, seed=0)
    for change, message in (
        ({"seed": 1}, "seed is 0 there, 1 asked"),
        ({"search": "rea"}, "algorithm is 'random' there, 'rea' asked"),
        ({"protocol": Protocol(61.0)}, "protocol is"),
        ({"oracle": Oracle(TSS, oracle.scores + 1.0, oracle.costs, (12,), "valid")}, "oracle_sha256 is"),
    ):
        asked = {"search": "random", "oracle": oracle, "protocol": PROTOCOL, "seed": 0} | change
        with pytest.raises(ConfigError, match=message):
            repeat_into(tmp_path, runs=2, **asked)


def test_failed_runs_are_tried_again(oracle: Oracle, tmp_path: Path) -> None:
    broken = {"now": True}

    def moody(space: Any, rng: np.random.Generator) -> Any:
        if broken["now"] and rng.random() < 0.5:
            raise ValueError("not today")
        while True:
            yield space.sample(rng)

    with pytest.warns(UserWarning, match="not today"):
        first = repeat_into(tmp_path, moody, oracle, PROTOCOL, runs=12, seed=0)
    assert first.failures
    broken["now"] = False
    second = repeat_into(tmp_path, moody, oracle, PROTOCOL, runs=12, seed=0)
    assert second.frame["run"].nunique() == 12
    assert not second.failures


def test_nothing_finished_is_an_error(oracle: Oracle, tmp_path: Path) -> None:
    def hopeless(space: Any, rng: Any) -> Any:
        yield "nonsense"

    with pytest.raises(SearchFailed, match=r"not one of 3 runs was finished; the first: .*hopeless, run 0"):
        repeat_into(tmp_path, hopeless, oracle, PROTOCOL, runs=3, seed=0)
    with pytest.raises(ConfigError, match="runs=0"):
        repeat_into(tmp_path, hopeless, oracle, PROTOCOL, runs=0, seed=0)


def test_what_finished_nothing_leaves_the_folder_to_another_search(oracle: Oracle, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cheapest training costs"):
        repeat_into(tmp_path / "new", "rea", oracle, Protocol(1.0), runs=2, seed=0)
    assert not (tmp_path / "new").exists()

    def hopeless(space: Any, rng: Any) -> Any:
        yield "nonsense"

    with pytest.raises(SearchFailed):
        repeat_into(tmp_path, hopeless, oracle, PROTOCOL, runs=2, seed=0)
    repeat_into(tmp_path, "rea", oracle, PROTOCOL, runs=2, seed=0)
    assert read_description(tmp_path)["algorithm"] == "rea"


def test_folders_that_hold_no_search_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="no trajectories here"):
        read_runs(tmp_path)
    with pytest.raises(BadSource, match="not a readable description"):
        read_description(tmp_path)
