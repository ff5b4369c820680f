"""`natslib search` from the options to the trajectories, and leaderboard entries that can be checked."""

import argparse
import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from natslib import load
from natslib.commands.search import add_arguments, run
from natslib.errors import BadSource, ConfigError, NatslibError, NotMeasured, UnknownName
from natslib.files import write_atomic
from natslib.search import SEARCHES, Trial, evaluate
from natslib.search.leaderboard import check_entry, given_settings, outer_names, read_entries, save_entry
from natslib.search.oracle import Oracle
from natslib.search.repeat import find_search
from natslib.search.simulate import Protocol
from natslib.search.store import read_description, read_runs, repeat_into
from natslib.search.study import find_studies
from natslib.spaces import get_space
from natslib.tables import convert
from natslib.tables.table import Table
from tests.search.small_table import ARCHS, small_table


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    small_table(folder)
    return folder / "table"


def search(*words: object) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args([str(word) for word in words])
    return run(args)


def options(table: Path, output: Path, algorithm: str = "rea") -> list:
    return [
        "--algorithm", algorithm, "--space", "tss", "--dataset", "cifar100", "--table", table,
        "--runs", 6, "--seed", 0, "--budget", "3000 s", "--out", output,
    ]  # fmt: skip


def test_a_search_leaves_trajectories_and_says_what_came_out(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(*options(table, tmp_path)) == 0
    said = capsys.readouterr().out
    assert "6 runs, 25.0 evaluations a run" in said  # 12 * 10 s and one pass of 2 s each
    assert "test accuracy (recipe 12): 6" in said
    frame = read_runs(tmp_path)
    assert set(frame["arch_index"]) <= set(ARCHS)
    assert frame["cost"].unique().tolist() == [122.0]
    assert read_description(tmp_path)["source"]["split"] == "valid"


@pytest.mark.parametrize("name", [name for name in SEARCHES if name not in ("tpe", "autoshrink")])
def test_every_search_runs_on_a_table_that_covers_a_part(table: Path, tmp_path: Path, name: str) -> None:
    """BOHB and its kin find their rungs in the curves; processes and workers are as good as one."""
    assert search(*options(table, tmp_path, name), "--workers", 2, "--processes", 2) == 0
    frame = read_runs(tmp_path)
    assert frame["run"].nunique() == 6
    assert set(frame["arch_index"]) <= set(ARCHS)
    assert frame["epochs"].isin([1, 4, 12]).all()


def test_a_table_on_which_nothing_can_be_shrunk_says_what_it_covers(table: Path, tmp_path: Path) -> None:
    with pytest.raises(NatslibError, match=r"covers 0 of the 68 removals of 13 dense starts"):
        search(*options(table, tmp_path, "autoshrink"))


def test_settings_reach_the_search_and_are_kept(table: Path, tmp_path: Path) -> None:
    """Two of a population, drawn from once: another run than with the defaults, and a description that says so."""
    told = ["--set", "population_size=2", "tournament_size=1", "--set", "mutation=clean"]
    assert search(*options(table, tmp_path / "set"), *told) == 0
    assert search(*options(table, tmp_path / "plain")) == 0
    description = read_description(tmp_path / "set")
    assert description["algorithm"] == "rea"
    assert description["settings"] == {"population_size": 2, "tournament_size": 1, "mutation": "clean"}
    one, other = (read_runs(tmp_path / name)["arch_index"].tolist() for name in ("set", "plain"))
    assert one != other
    with pytest.raises(ConfigError, match="another search"):
        search(*options(table, tmp_path / "set"))


def test_a_multi_fidelity_search_keeps_its_rungs_with_settings(table: Path, tmp_path: Path) -> None:
    assert search(*options(table, tmp_path, "hyperband"), "--set", "eta=12") == 0
    assert set(read_runs(tmp_path)["epochs"]) == {1, 12}
    with pytest.raises(UnknownName, match="unknown setting of hyperband 'max_epochs'"):
        search(*options(table, tmp_path, "hyperband"), "--set", "max_epochs=1")


@pytest.mark.parametrize(
    ("algorithm", "setting", "told"),
    [
        (
            "autoshrink",
            "weight=-1",
            "weight=-1.0 was given; the weight of the FLOPs is finite and at least 0",
        ),
        ("autoshrink", "floor=100.5", "floor=100.5 was given; a floor of accuracy lies from 0 to 100 %"),
        ("autoshrink", "candidates=0", "candidates=0 was given; at least 1 removal"),
        ("autoshrink", "candidates=2.5", "candidates=2.5 was given; candidates is a whole number"),
        ("autoshrink", "wieght=1", "unknown setting of autoshrink 'wieght'.*did you mean 'weight'"),
        ("autoshrink", "flops_of=cifar11", "unknown dataset 'cifar11'"),
        ("autoshrink", "weight", "'weight' was given; a setting is NAME=VALUE"),
        ("random", "weight=1", "random has none"),
        ("rea", "population_size=-1", "does not start with population_size=-1"),
        ("tpe", "multivariate=perhaps", "multivariate is true or false"),
    ],
)
def test_settings_that_cannot_be(algorithm: str, setting: str, told: str, tmp_path: Path) -> None:
    words = ["--algorithm", algorithm, "--dataset", "cifar10", "--seed", 0, "--runs", 2, "--out", tmp_path]
    with pytest.raises(NatslibError, match=told):
        search(*words, "--set", setting)
    assert not list(tmp_path.iterdir())


def test_an_entry_repeats_the_settings_that_were_given() -> None:
    told = {"population_size": 5}
    assert given_settings("rea", told) == told
    assert given_settings("reinforce-nb201", {"learning_rate": 0.5}) == {}
    assert given_settings("hyperband", {"max_epochs": 12, "eta": 2}) == {"eta": 2}


def test_what_cannot_be_is_said(table: Path, tmp_path: Path) -> None:
    without_time = [word for word in options(table, tmp_path) if word not in ("--budget", "3000 s")]
    assert search(*without_time, "--recipe", "12") == 0  # CIFAR-100 has a recipe in the paper
    with pytest.raises(ConfigError, match=r"the table .* is of tss"):
        search(*options(table, tmp_path), "--space", "sss")
    with pytest.raises(
        NotMeasured,
        match="no validation scores of ImageNet16-120 in this table; it can be searched on: cifar100",
    ):
        search(*options(table, tmp_path), "--dataset", "ImageNet16-120", "--recipe", "12")
    with pytest.raises(NotMeasured, match=r"no validation scores of cifar10 in this table"):
        search(*options(table, tmp_path), "--dataset", "cifar10")
    with pytest.raises(UnknownName, match="unknown algorithm 'reaa'"):
        search(*options(table, tmp_path, "reaa"))
    with pytest.raises(ConfigError, match=r"budget=0\.0 was given"):
        search(*options(table, tmp_path / "other"), "--budget", "0 s")


def test_a_table_without_validation_times_is_searched_and_that_is_said(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    timed = Table.cost

    def untimed(self: Table, *, validation: bool = True, **where: Any) -> np.ndarray:
        if validation:
            raise NotMeasured("no total_time_s of split 'valid'")
        return timed(self, validation=False, **where)

    monkeypatch.setattr(Table, "cost", untimed)
    assert search(*options(table, tmp_path)) == 0
    assert "validation passes not charged" in capsys.readouterr().out
    assert read_description(tmp_path)["source"]["charge_validation"] is False
    assert read_runs(tmp_path)["cost"].unique().tolist() == [120.0]


def test_failed_runs_make_the_command_fail(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "mine.py"
    own.write_text(
        "def mine(space, rng):\n    assert rng.random() < 0.5\n    while True:\n        yield space.sample(rng)\n"
    )
    with pytest.warns(UserWarning, match="runs failed"):
        assert search(*options(table, tmp_path / "out", f"{own}:mine")) == 1
    assert "mine, run" in capsys.readouterr().err


def test_an_algorithm_of_ones_own_is_found_in_its_file(tmp_path: Path) -> None:
    own = tmp_path / "mine.py"
    own.write_text("def mine(space, rng):\n    yield space.sample(rng)\n")
    name, function = find_search(f"{own}:mine")
    assert (name, function.__name__) == ("mine", "mine")
    with pytest.raises(ConfigError, match="has no function 'yours'; it has mine"):
        find_search(f"{own}:yours")
    with pytest.raises(BadSource, match="no Python file"):
        find_search("nowhere.py:mine")
    own.write_text("import nonsense_that_is_not_there")
    with pytest.raises(BadSource, match=r"does not run .*nonsense_that_is_not_there"):
        find_search(f"{own}:mine")


def greedy(space: Any, rng: np.random.Generator) -> Any:
    best = yield space.sample(rng)
    while True:
        seen = yield space.mutate(best.arch, rng)
        best = max(best, seen, key=lambda result: result.score)


def test_an_entry_can_be_repeated_by_a_colleague(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    oracle = Oracle.from_table(load(table), dataset="cifar100", recipe="12", split="valid", draw="random")
    runs = repeat_into(tmp_path / "runs", greedy, oracle, Protocol(3000.0), runs=6, seed=4)
    accuracies = {"valid": runs.frame.groupby("run")["score"].max()}
    entry = tmp_path / "board" / "greedy"
    told = save_entry(entry, tmp_path / "runs", accuracies, table=str(table), author="me", own=greedy)
    assert told["accuracies"]["valid"]["mean"] == pytest.approx(accuracies["valid"].mean())

    monkeypatch.chdir(entry)
    words = shlex.split(told["command"])
    assert words[:2] == ["natslib", "search"]
    assert search(*words[2:], "--out", tmp_path / "again") == 0
    check_entry(entry, tmp_path / "again")
    assert search(*words[2:], "--seed", 5, "--out", tmp_path / "other") == 0
    with pytest.raises(BadSource, match="others than claimed"):
        check_entry(entry, tmp_path / "other")

    board = read_entries(tmp_path / "board")
    assert board[["algorithm", "author", "runs", "entry"]].values.tolist() == [["greedy", "me", 6, "greedy"]]
    assert np.isnan(board["test"].iloc[0])
    with pytest.raises(ConfigError, match=r"shape \(5,\) were given for 6 runs"):
        save_entry(entry, tmp_path / "runs", {"test": np.ones(5)}, table="t", author="me", own=greedy)
    with pytest.raises(BadSource, match="not a readable leaderboard entry"):
        check_entry(tmp_path, tmp_path / "again")


def test_an_entry_names_its_table_as_a_colleague_can(tmp_path: Path, published_table: Table) -> None:
    """A copy of `published` by that name, another folder by the way from the entry; never the author's own paths."""
    (study,) = find_studies(published_table)[:1]
    repeat_into(tmp_path / "runs", "random", study.oracle, Protocol(study.budget / 50), runs=2, seed=0)
    asked = {"author": "me", "runs": tmp_path / "runs", "accuracies": {"valid": np.ones(2)}}
    entry, table = tmp_path / "board" / "random", tmp_path / "tables" / "copy"
    convert("published", table, processes=1)
    commands = [
        save_entry(entry, **asked, table=where)["command"] for where in (str(table), str(tmp_path / "runs"))
    ]
    assert "--table published " in commands[0]
    assert "--table ../../runs " in commands[1]


def test_what_can_be_searched_for_is_listed_whole() -> None:
    with pytest.raises(UnknownName, match=r"unknown algorithm 'foo'.*'rea'.*'gdas'.*'FILE\.py:FUNCTION'"):
        search("--algorithm", "foo", "--dataset", "cifar10", "--seed", 0)


def test_a_search_that_needs_curves_says_where_there_are_some(tmp_path: Path, published_table: Table) -> None:
    words = ["--algorithm", "hyperband", "--dataset", "cifar10", "--seed", 0, "--out", tmp_path]
    with pytest.raises(NotMeasured, match="such as --table logs/embedded-tss --dataset digits"):
        search(*words)


def test_what_came_out_is_also_json(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert search(*options(table, tmp_path), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["runs"], told["evaluations_a_run"], told["recipe"], told["unit"]) == (6, 25.0, "12", "s")
    frame = read_runs(tmp_path)
    assert told["final"] == frame.groupby("run")["incumbent"].last().tolist()
    known = load(table).values("accuracy", dataset="cifar100", recipe="12", split="test")[told["final"]]
    assert told["test_accuracy"] == {"mean": known.mean(), "std": known.std(), "runs": 6, "recipe": "12"}


def test_a_search_of_ones_own_may_ask_for_short_trainings_where_there_are_any(table: Path) -> None:
    (study,) = find_studies(load(table))
    assert study.oracle.epochs == (12,)
    assert study.own_oracle().epochs == (1, 4, 12)
    (published,) = find_studies(load("published"))[:1]
    assert published.own_oracle() is published.oracle


def helper() -> float:
    return 0.5


def clean(space: Any, rng: np.random.Generator) -> Any:
    import math

    best = {"score": -math.inf}
    while True:
        arches = [space.mutate(arch, rng) for arch in space.sample(rng, 2).tolist() if len(best) < np.inf]
        (yield from evaluate(Trial(arch) for arch in arches)).sort(key=lambda seen: best["score"])


def unclean(space: Any, rng: np.random.Generator) -> Any:
    while True:
        yield max(space.sample(rng, 3).tolist(), key=lambda arch: helper() * TURN)


TURN = 2


def test_a_function_that_needs_what_stands_around_it_is_no_entry(tmp_path: Path) -> None:
    assert outer_names(clean.__code__) == {"np", "evaluate", "Trial"}
    scores = np.ones((1, 15_625, 1))
    oracle = Oracle(get_space("tss"), scores, scores[0], (12,), "valid", {"dataset": "cifar100"})
    repeat_into(tmp_path / "runs", unclean, oracle, Protocol(5.0), runs=2, seed=0)
    with pytest.raises(
        ConfigError, match=r"unclean takes TURN, helper from around it, .* inside the function"
    ):
        save_entry(tmp_path / "e", tmp_path / "runs", {}, table="t", author="me", own=unclean)


@pytest.mark.parametrize(
    "change",
    [
        {"algorithm": 7}, {"source": []}, {"accuracies": 1}, {"accuracies": {"test": 5}}, {"runs": "3"},
        {"accuracies": {"test": {"mean": "x", "std": 1}}}, {"protocol": {}}, {"trajectories_sha256": None},
        {"author": None},
    ],
)  # fmt: skip
def test_an_entry_of_another_shape_is_named(tmp_path: Path, change: dict[str, Any]) -> None:
    scores = np.ones((1, 15_625, 1))
    source = {"dataset": "cifar100", "recipe": "12", "draw": "mean", "charge_validation": True}
    oracle = Oracle(get_space("tss"), scores, scores[0], (12,), "valid", source)
    repeat_into(tmp_path / "runs", "random", oracle, Protocol(5.0), runs=2, seed=0)
    told = save_entry(tmp_path / "e", tmp_path / "runs", {"test": np.ones(2)}, table="t", author="me")
    (tmp_path / "e" / "entry.json").write_text(json.dumps(told | change))
    for use in (lambda: read_entries(tmp_path), lambda: check_entry(tmp_path / "e", tmp_path / "runs")):
        with pytest.raises(BadSource, match=r"entry\.json: no leaderboard entry"):
            use()


def test_runs_of_no_table_make_no_entry(tmp_path: Path) -> None:
    scores = np.ones((1, 15_625, 1))
    oracle = Oracle(get_space("tss"), scores, scores[0], (12,), "valid")
    repeat_into(tmp_path / "runs", "random", oracle, Protocol(5.0), runs=2, seed=0)
    with pytest.raises(BadSource, match="no description of a search on a table, its 'dataset' is None"):
        save_entry(tmp_path / "e", tmp_path / "runs", {}, table="t", author="me")


def test_an_entry_never_stands_beside_another_entrys_algorithm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = np.ones((1, 15_625, 1))
    source = {"dataset": "cifar100", "recipe": "12", "draw": "mean", "charge_validation": True}
    oracle = Oracle(get_space("tss"), scores, scores[0], (12,), "valid", source)
    repeat_into(tmp_path / "runs", greedy, oracle, Protocol(5.0), runs=2, seed=0)
    save_entry(tmp_path / "e", tmp_path / "runs", {}, table="t", author="me", own=greedy)

    def full(path: Path, content: bytes) -> None:
        if path.name == "entry.json":
            raise NatslibError("the disk is full")
        write_atomic(path, content)

    monkeypatch.setattr("natslib.search.leaderboard.write_atomic", full)
    with pytest.raises(NatslibError, match="the disk is full"):
        save_entry(tmp_path / "e", tmp_path / "runs", {}, table="t", author="me", own=clean)
    assert "clean" in (tmp_path / "e" / "algorithm.py").read_text()
    assert not (tmp_path / "e" / "entry.json").exists()
