"""The command line: what it prints, and its exit codes."""

import argparse
import csv
import importlib
import io
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from bench.records import official_record, write_archive
from natslib.commands import VERBS, exits, main
from natslib.commands.info import _gaps
from natslib.commands.options import DATASET, RECIPE
from natslib.datasets import DATASETS
from natslib.spaces import SCALES, SPACES, get_space
from natslib.tables import Table, convert
from natslib.tables.format.schema import Block
from natslib.tables.format.writing import block_of_finals
from natslib.training.recipes import RECIPES

QUERY = ["--dataset", "cifar100", "--recipe", "12", "--split", "test"]


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("cli")
    write_archive(folder / "a", get_space("tss"), [0, 7])
    convert(folder / "a", folder / "t", processes=1)
    return str(folder / "t")


def test_convert_says_what_it_made(table, tmp_path, capsys):
    write_archive(tmp_path / "a", get_space("tss"), [4])
    assert main(["convert", str(tmp_path / "a"), str(tmp_path / "t"), "--processes", "1"]) == 0
    assert "55 rows of 1 architectures (tss)" in capsys.readouterr().out


def test_info_says_datasets_budgets_seeds_splits_and_gaps(table, capsys):
    assert main(["info", table]) == 0
    out = capsys.readouterr().out
    assert "tss (topology), 15,625 architectures" in out
    assert "missing     1-6, 8-15624" in out
    assert (
        "cifar10-valid   recipe  200  valid    epochs 200  seeds 777 (2), 888 (2), 999 (2)  loss accuracy time_s"
        in out
    )


def test_info_tells_which_epochs_curves_have(table, capsys):
    assert main(["info", table]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("cifar100 ")]
    told = {tuple(line.split()[2:4]): line.rpartition("curves: ")[2] for line in lines}
    assert told["12", "valid"] == "every epoch"
    assert told["200", "valid"] == "last epoch only"
    assert main(["info", "published"]) == 0
    out = capsys.readouterr().out
    assert "curves: none" in out
    assert "every epoch" not in out


def test_info_derives_the_gaps_of_a_table_whose_manifest_does_not_tell_them(capsys):
    assert main(["info", "published", "--verify"]) == 0
    out = capsys.readouterr().out
    assert "missing     no architecture\n" in out
    assert "verified    its files, as whenever it is loaded" in out
    finals = block_of_finals(
        Block("cifar10", "12", "test", 1), {"arch_index": np.arange(1, 15625), "epoch": np.array(11)}
    )
    assert _gaps(Table.from_finals(finals, get_space("tss"), {"origin": "test"})) == "0"


def test_info_verifies_the_bytes_of_every_file(table, tmp_path, capsys):
    assert main(["info", table, "--verify"]) == 0
    assert "verified    2 files\n" in capsys.readouterr().out
    folder = shutil.copytree(table, tmp_path / "t")
    with (folder / "curves" / "000000.parquet").open("r+b") as file:
        file.seek(100)
        byte = file.read(1)
        file.seek(100)
        file.write(bytes([byte[0] ^ 1]))
    assert main(["info", str(folder), "--verify"]) == 1
    err = capsys.readouterr().err
    assert "altered since the manifest was written: curves/000000.parquet" in err
    assert len(err.splitlines()) == 1


def test_a_path_that_no_system_opens_is_refused_in_one_line(capsys):
    assert main(["info", "x" * 5000]) == 1
    err = capsys.readouterr().err
    assert "cannot be opened" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("processes", ["0", "-1", "two", "²", "1" * 5000])
def test_processes_are_at_least_one(processes, tmp_path, capsys):
    with pytest.raises(SystemExit) as raised:
        main(["convert", "published", str(tmp_path / "t"), f"--processes={processes}"])
    assert raised.value.code == 2
    assert "is no whole number from 1" in capsys.readouterr().err


def test_info_as_json_is_the_manifest_and_the_blocks(table, capsys):
    assert main(["info", table, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["space"] == "tss"
    assert {
        "dataset": "cifar10",
        "recipe": "12",
        "split": "test",
        "seed": 111,
        "n_archs": 2,
        "epochs": 12,
    } in content["blocks"]


def test_query_in_three_forms(table, capsys):
    trial = official_record(get_space("tss"), 7)["12"]["all_results"][("cifar100", 111)]
    expected = trial["eval_acc1es"]["x-test@11"]
    assert main(["query", table, "--arch", "7", *QUERY, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["arch_index"], row["mean"], row["111"], row["std"]) == (7, expected, expected, None)
    assert main(["query", table, *QUERY, "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["arch_index"] for row in rows] == ["0", "7"]
    assert float(rows[1]["mean"]) == expected
    assert main(["query", table, "--arch", get_space("tss").string(7), *QUERY]) == 0
    assert str(expected) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--arch", "99999", *QUERY], "99999"),
        (["--arch", "3", *QUERY], "architecture 3"),
        (["--arch", "|conv|", *QUERY], "|conv|"),
        (["--arch", "²", *QUERY], "unknown topology architecture '²'"),
        (["--arch=--5", *QUERY], "unknown topology architecture '--5'"),
        (["--arch=-5", *QUERY], "unknown topology architecture -5"),
        (["--arch", "9" * 5000, *QUERY], "unknown topology architecture '999"),
        ([*QUERY[:-1], "tset"], "did you mean 'test'"),
        ([*QUERY, "--metric", "speed"], "unknown metric 'speed'"),
        ([*QUERY, "--epoch", "12"], "epochs 0 to 11"),
    ],
)
def test_a_refusal_is_one_line_and_exit_code_1(table, arguments, words, capsys):
    assert main(["query", table, *arguments]) == 1
    err = capsys.readouterr().err
    assert words in err
    assert len(err.splitlines()) == 1


def test_every_verb_is_listed_and_helps(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = capsys.readouterr().out
    for verb in VERBS:
        assert f"\n    {verb} " in listed
        with pytest.raises(SystemExit):
            main([verb, "--help"])
        assert "usage: natslib" in capsys.readouterr().out


def test_every_exit_code_is_documented_and_no_other_returned(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = dict(re.findall(r"^  (\d+) +(\w.*)$", capsys.readouterr().out, re.MULTILINE))
    assert {int(code): text for code, text in listed.items()} == exits.EXITS
    values = {value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    assert values == set(exits.EXITS)


def test_every_verb_gives_its_answer_as_json_and_shows_examples():
    for verb in VERBS:
        parser = argparse.ArgumentParser()
        importlib.import_module(f"natslib.commands.{verb}").add_arguments(parser)
        (json_option,) = (action for action in parser._actions if action.dest == "json")
        assert json_option.help == "the answer as JSON", verb
        assert f"natslib {verb} " in parser.epilog, verb


def test_names_are_completed_in_the_shell(tmp_path):
    """As bash completes: verbs, options of a verb, and the values of an option that has a list."""
    pytest.importorskip("shtab")
    script = tmp_path / "natslib.bash"
    done = subprocess.run(
        [sys.executable, "-m", "natslib", "--completion", "bash"], capture_output=True, text=True, check=True
    )
    script.write_text(done.stdout)
    for line, expected in {"qu": "query", "train --sca": "--scale", "train --space d": "dag5"}.items():
        words = ["natslib", *line.split()]
        asked = f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _shtab_natslib; echo ${{COMPREPLY[@]}}"
        found = subprocess.run(
            ["bash", "-c", f"source {script}; {asked}"], capture_output=True, text=True, check=True
        )
        assert found.stdout.split() == [expected]


def test_a_shell_that_nothing_completes_is_refused_with_those_that_are(capsys):
    pytest.importorskip("shtab")
    assert main(["--completion", "dash"]) == 1
    assert "--completion 'dash' was given; allowed are bash, zsh" in capsys.readouterr().err


def test_percentages_are_printed_as_the_files_hold_them_and_std_is_explained(capsys, published_table):
    asked = ["query", "published", "--arch", "6111", "--dataset", "cifar10-valid", "--recipe", "200"]
    assert main([*asked, "--split", "valid", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["777"], row["888"], row["999"], row["mean"]) == (91.684, 91.72, 91.416, 91.606667)
    assert main([*asked, "--split", "valid"]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0] == (
        "accuracy [%], cifar10-valid, recipe 200, split valid; std: of the seeds, n - 1"
    )
    assert main([*asked, "--split", "train", "--metric", "time_s", "--json"]) == 0
    assert len(str(json.loads(capsys.readouterr().out)[0]["777"])) > 10  # nothing else is rounded


def test_query_needs_no_word_that_a_table_has_once(capsys, published_table):
    assert main(["query", "published", "--arch", "6111", "--dataset", "cifar10-valid"]) == 0
    assert "accuracy [%], cifar10-valid, recipe 200, split valid" in capsys.readouterr().out
    assert main(["query", "published", "--arch", "6111"]) != 0
    said = capsys.readouterr().err
    assert (
        "dataset is not given, and accuracy is there for several: 'ImageNet16-120', 'cifar10-valid'" in said
    )


def test_info_says_in_words_what_a_table_lacks(table, capsys, published_table):
    assert main(["info", "published"]) == 0
    said = capsys.readouterr().out
    assert "lacks       training accuracy, test accuracy, curves; the official archives have it" in said
    assert main(["info", table]) == 0
    assert "\nlacks" not in capsys.readouterr().out


def options_of(verb: str) -> dict[str, argparse.Action]:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"natslib.commands.{verb}").add_arguments(parser)
    return {action.dest: action for action in parser._actions}


def test_the_same_option_is_spelt_and_explained_alike_in_every_verb():
    """What trains by is --recipe, where results go is --out, seeds are --seed, networks --arch."""
    options = {verb: options_of(verb) for verb in VERBS}
    for verb, known in options.items():
        assert not known.keys() & {"output", "archs", "seeds", "time_s", "recipes", "benchmark"}, verb
    for same in ("table", "data", "unverified", "device"):
        told = {known[same].help.partition(" (published)")[0] for known in options.values() if same in known}
        assert len(told) == 1, same
    for verb in ("query", "train", "retrain"):
        assert options[verb]["dataset"].help.startswith(DATASET)
        assert options[verb]["recipe"].help.startswith(RECIPE)


def test_names_in_the_help_come_from_the_registries(monkeypatch):
    monkeypatch.setitem(SPACES, "mine", SPACES["sss"])
    monkeypatch.setitem(SCALES, "huge", SCALES["paper"])
    monkeypatch.setitem(RECIPES, "7", RECIPES["12"])
    options = options_of("train")
    assert list(options["space"].choices)[-1] == "mine"
    assert list(options["scale"].choices) == ["paper", "small", "huge"]
    assert "200, 7;" in options["recipe"].help
    assert ", ".join(DATASETS) in options["dataset"].help
