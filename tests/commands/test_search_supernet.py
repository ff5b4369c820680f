"""`natslib search` for the algorithms that train a supernet."""

import argparse
import json
from pathlib import Path

import pandas as pd
import pytest

from natslib import load
from natslib.commands.search import add_arguments, run
from natslib.errors import ConfigError, UnknownName
from natslib.spaces import get_space
from natslib.weight_sharing import loop
from natslib.weight_sharing.data import SearchData
from tests.conftest import ROOT


def search(*words: object) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args([str(word) for word in words])
    return run(args)


def options(output: Path, algorithm: str = "rsps", space: str = "tss") -> list[object]:
    return [
        "--algorithm", algorithm, "--space", space, "--dataset", "digits", "--seed", 4,
        "--settings", "smoke", "--device", "cpu", "--out", output,
    ]  # fmt: skip


def test_a_search_leaves_records_and_says_what_came_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(*options(tmp_path)) == 0
    said = capsys.readouterr().out
    records = pd.read_parquet(tmp_path / "run.parquet")
    last = records.iloc[-1]
    assert f"architecture {last['arch_index']}  {get_space('tss').string(last['arch_index'])}" in said
    assert f"2 epochs in {records['time_s'].sum():.0f} s, records in {tmp_path}" in said
    assert set(records["seed"]) == {4}


def test_what_a_table_knows_of_what_was_found_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Through classes of equal networks our own table knows all cells on `digits`; without a table it says how."""
    own = str(ROOT / "logs/embedded-tss")
    assert search(*options(tmp_path), "--table", own, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    values = load(own).through_classes().values("accuracy", dataset="digits", recipe="12", split="test")
    assert told["test_accuracy"] == {"value": values[told["arch_index"]], "recipe": "12"}
    assert search(*options(tmp_path), "--table", own) == 0
    assert f"test accuracy (recipe 12): {told['test_accuracy']['value']:.2f} %" in capsys.readouterr().out
    assert search(*options(tmp_path)) == 0
    hint = f"told by `natslib train --space tss --arch {told['arch_index']} --dataset digits ...` or, from a table"
    assert hint in capsys.readouterr().out
    with pytest.raises(ConfigError, match=r"rsps searches tss; --table .*embedded-sss was given"):
        search(*options(tmp_path), "--table", str(ROOT / "logs/embedded-sss"))


def test_the_size_space_is_searched_with_and_without_warm_up(tmp_path: Path) -> None:
    for name, more in {"with": [], "without": ["--warm-up", "0"]}.items():
        assert search(*options(tmp_path / name, "tunas", "sss"), *more) == 0
    shares = [pd.read_parquet(tmp_path / name / "run.parquet")["warm_up"] for name in ("with", "without")]
    assert [set(share) for share in shares] == [{0.5}, {0.0}]


def test_options_of_the_other_kind_of_search_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="rsps trains a supernet and does not know --runs, --recipe"):
        search(*options(tmp_path), "--runs", 3, "--recipe", 12)
    with pytest.raises(ConfigError, match="rea searches on a table and does not know --settings, --device"):
        search(*options(tmp_path, "rea"))


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="tas searches sss; --space tss was given"):
        search(*options(tmp_path, "tas"))
    with pytest.raises(ConfigError, match="gdas needs --settings, one of nats-bench, nas-bench-201"):
        search("--algorithm", "gdas", "--space", "tss", "--dataset", "digits", "--seed", 0)
    with pytest.raises(UnknownName, match="unknown settings 'tiny'"):
        search(*options(tmp_path), "--settings", "tiny")


@pytest.mark.parametrize(("settings", "images"), [("nats-bench", (448, 448)), ("digits", (896, 450))])
def test_darts_pt_of_the_paper_searches_on_halves(
    settings: str, images: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Seen(Exception):
        pass

    def run_search(name: str, data: SearchData, *_: object, **__: object) -> None:
        raise Seen(len(data.train.train), len(data.valid.train))

    monkeypatch.setattr(loop, "run_search", run_search)
    with pytest.raises(Seen) as seen:
        search(*options(tmp_path, "darts-pt"), "--settings", settings)
    assert seen.value.args == images
