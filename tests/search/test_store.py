"""Trajectories on disk: interrupted, gone on with, and never mixed."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from natslib.errors import BadSource, ConfigError
from natslib.files import lock
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


def test_a_second_search_does_not_enter_the_folder(oracle: Oracle, tmp_path: Path) -> None:
    """Two with different numbers of runs would each do those that the other is at."""
    with lock(tmp_path / ".search.lock"), pytest.raises(ConfigError, match="another search is writing to"):
        repeat_into(tmp_path, "random", oracle, PROTOCOL, runs=5, seed=0)
    assert not list(tmp_path.glob("runs-*"))


def test_more_runs_are_added_to_those_there(oracle: Oracle, tmp_path: Path) -> None:
    repeat_into(tmp_path, "random", oracle, PROTOCOL, runs=3, seed=0)
    kept = repeat_into(tmp_path, "random", oracle, PROTOCOL, runs=5, seed=0)
    assert [path.name for path in sorted(tmp_path.glob("runs-*"))] == [
        "runs-000000-000002.parquet",
        "runs-000003-000004.parquet",
    ]
    pd.testing.assert_frame_equal(kept.frame, repeat("random", oracle, PROTOCOL, runs=5, seed=0).frame)


def test_runs_that_stand_twice_are_refused(oracle: Oracle, tmp_path: Path) -> None:
    repeat_into(tmp_path, "random", oracle, PROTOCOL, runs=3, seed=0)
    (tmp_path / "runs-9.parquet").write_bytes((tmp_path / "runs-000000-000002.parquet").read_bytes())
    with pytest.raises(BadSource, match=r"two of its runs-\*\.parquet hold run 0; remove one of them"):
        read_runs(tmp_path)


def test_runs_tried_again_take_no_other_ones_place(oracle: Oracle, tmp_path: Path) -> None:
    """First the middle one of three alone is finished, then the other two."""
    good = {1}

    def choosy(space: Any, rng: np.random.Generator) -> Any:
        order.append(len(order))
        if order[-1] % 3 not in good:
            raise ValueError("not today")
        while True:
            yield space.sample(rng)

    order: list[int] = []
    with pytest.warns(UserWarning, match="not today"):
        repeat_into(tmp_path, choosy, oracle, PROTOCOL, runs=3, seed=0)
    good |= {0, 2}
    assert repeat_into(tmp_path, choosy, oracle, PROTOCOL, runs=3, seed=0).frame["run"].nunique() == 3


@pytest.mark.parametrize(
    "content", [b"", b"PAR1 and no more", b"{}", pd.DataFrame({"run": ["a"]}), pd.DataFrame({"x": [1]})]
)
def test_a_damaged_part_is_named_with_the_way_out(oracle: Oracle, tmp_path: Path, content: Any) -> None:
    repeat_into(tmp_path, "random", oracle, PROTOCOL, runs=2, seed=0)
    part = tmp_path / "runs-000000-000001.parquet"
    part.write_bytes(content.to_parquet() if isinstance(content, pd.DataFrame) else content)
    for again in (lambda: repeat_into(tmp_path, "random", oracle, PROTOCOL, runs=2, seed=0), None):
        with pytest.raises(
            BadSource, match=r"runs-000000-000001\.parquet: no .*result of a search .*remove it"
        ):
            again() if again else read_runs(tmp_path)
    part.unlink()
    repeat_into(tmp_path, "random", oracle, PROTOCOL, runs=2, seed=0)


def test_a_folder_of_another_kind_of_search_is_refused(oracle: Oracle, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").touch()
    (tmp_path / "search.json").write_text('{"method": "gdas"}')
    with pytest.raises(ConfigError, match="the runs of another search"):
        repeat_into(tmp_path, "random", oracle, PROTOCOL, runs=2, seed=0)
    with pytest.raises(BadSource, match="no description of a search on a table, its 'algorithm' is None"):
        read_description(tmp_path)


def test_what_a_killed_search_left_is_cleared_away(oracle: Oracle, tmp_path: Path) -> None:
    for name in (".runs-000000-000001.parquet.77.tmp", ".my.tmp"):
        (tmp_path / name).touch()
    repeat_into(tmp_path, "random", oracle, PROTOCOL, runs=2, seed=0)
    assert sorted(path.name for path in tmp_path.glob("*.tmp")) == [".my.tmp"]


def test_a_folder_whose_name_looks_like_a_url_is_a_folder(
    oracle: Oracle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert (
        repeat_into("s3://bucket/x", "random", oracle, PROTOCOL, runs=2, seed=0).frame["run"].nunique() == 2
    )
