"""Every command line of the README, the guides, the profiles and the help texts can be given as it stands.

Lines that need no download, no training and no minutes are run, on small inputs under the names that they have there;
the others are parsed, those of Snakemake planned.
"""

import argparse
import contextlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import yaml

from natslib.commands import VERBS, main, make_parser
from natslib.search import SEARCHES
from natslib.training.logs import append_lines
from tests.conftest import ROOT
from tests.dropin.archives import FOLDERS, invented, tar_of
from tests.search.small_table import record

DOCUMENTS = [
    "README.md",
    *(f"guides/{path.name}" for path in sorted((ROOT / "guides").glob("*.md"))),
]
COMMENTED = [
    *(f"profiles/{each.name}/config.yaml" for each in sorted((ROOT / "profiles").iterdir())),
    *(f"config/{each.name}" for each in sorted((ROOT / "config").glob("*.yaml"))),
]
PROGRAMS = ("natslib", "snakemake", "python", "make")


class Line(NamedTuple):
    """A command line and where it stands; `whole` unless it is a part that a sentence speaks of."""

    place: str
    text: str
    whole: bool = True

    @property
    def words(self) -> list[str]:
        """The words of the command, without what follows a pipe or a comment; `> FILE` stays."""
        return shlex.split(self.text.removeprefix(".venv/bin/"), comments=True)


def documented() -> Iterator[Line]:
    """Yield the command lines of all texts."""
    for name in DOCUMENTS:
        text = re.sub(r"```.*?```", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.DOTALL)
        for line in re.findall(r"^    (\S.*)$", text, re.MULTILINE):
            yield from _commands(name, line)
        for quoted in re.findall(r"`([^`]+)`", re.sub(r"^    .*$", "", text, flags=re.MULTILINE)):
            for line in _commands(name, " ".join(quoted.split())):
                yield line._replace(whole=False)
    for name in COMMENTED:
        for line in re.findall(r"^#   (\S.*)$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE):
            yield from _commands(name, line)


def of_help() -> Iterator[Line]:
    """Yield the examples of the help texts, without the remarks behind them; a line that goes on is joined."""
    for verb in ("", *VERBS):
        parser = make_parser(verb)
        if verb:
            (verbs,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
            parser = verbs.choices[verb]
        text = re.sub(r"\n {6,}(?=--)", " ", parser.epilog or "")
        for line in re.findall(r"^  (natslib .*)$|: (natslib --.*)$", text, re.MULTILINE):
            yield from _commands(f"natslib {verb} --help", re.split(r" {2,}\(", "".join(line))[0])


def _commands(place: str, line: str) -> Iterator[Line]:
    program = line.removeprefix(".venv/bin/").split(" ")[0]
    if program in PROGRAMS and line != program:
        yield Line(place, line)


LINES = [*documented(), *of_help()]
OURS = [line for line in LINES if line.words[0] == "natslib"]
PLANS = [line for line in LINES if line.words[0] == "snakemake" and line.whole]


def name_of(line: Line) -> str:
    return f"{line.place}: {line.text[:70]}"


def test_lines_are_found_everywhere() -> None:
    places = {line.place for line in LINES if line.whole}
    assert {
        "README.md",
        "guides/command-line.md",
        "profiles/kubernetes/config.yaml",
        "config/embedded.yaml",
    } <= places
    assert {f"natslib {verb} --help" for verb in VERBS} <= places
    assert {line.words[1] for line in OURS if line.whole} >= set(VERBS)


@pytest.mark.parametrize("line", [each for each in OURS if each.whole], ids=name_of)
def test_a_whole_line_is_understood(line: Line) -> None:
    words = [word for word in _without_redirection(line.words[1:]) if word != "..."]
    if words[0] != "--completion":
        ends = pytest.raises(SystemExit, match=r"^0$") if "--help" in words else contextlib.nullcontext()
        with ends:
            make_parser(words[0]).parse_args(words)


@pytest.mark.parametrize("line", [each for each in OURS if not each.whole], ids=name_of)
def test_what_a_sentence_names_is_there(line: Line) -> None:
    """A verb, and options that it has."""
    words = line.words[1:]
    if words[0].startswith("-"):
        options = {option for action in make_parser()._actions for option in action.option_strings}
        assert set(words) & options, line
        return
    if words[0] == "VERB":
        return
    (verbs,) = (
        each for each in make_parser(words[0])._actions if isinstance(each, argparse._SubParsersAction)
    )
    known = {option for action in verbs.choices[words[0]]._actions for option in action.option_strings}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known, line


@pytest.mark.parametrize("line", [each for each in LINES if each.words[0] in ("python", "make")], ids=name_of)
def test_modules_and_targets_are_there(line: Line) -> None:
    words = line.words
    if words[0] == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert words[1] in targets, line
    elif words[1] == "-m":
        assert importlib.util.find_spec(words[2]), line


def _without_redirection(words: list[str]) -> list[str]:
    return words[: words.index(">")] if ">" in words else words


# run

SHORT = {"search": ["--runs", "2"], "verify": ["--runs", "0"], "compare": ["--resamples", "3"],
         "convert": ["--processes", "1"], "fetch": ["--processes", "1", "--unverified"]}  # fmt: skip
AT_ONCE = {"random", "rea", "local-search"}


def can_run(line: Line) -> bool:
    """Whether a line needs neither the network, nor training, nor minutes."""
    words = line.words[1:]
    if line.place == "guides/search-by-training.md":
        return False  # tests/commands/test_guide.py follows it
    if not line.whole or "--help" in words or "..." in line.text or words[0].startswith("-"):
        return False
    if words[0] == "fetch":
        return len(words) == 1 or any(word.startswith(("MIRROR", "/mnt", "$TORCH")) for word in words)
    if words[0] == "search":
        name = words[words.index("--algorithm") + 1]
        return "--train" not in words and (name in AT_ONCE or (name not in SEARCHES and ".py:" in name))
    return words[0] in ("info", "query", "compare", "convert", "verify", "export")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with small inputs under the names that the documents give them."""
    (tmp_path / "logs").mkdir()
    for folder in (ROOT / "logs").iterdir():
        (tmp_path / "logs" / folder.name).symlink_to(folder)
    made = invented(tmp_path / "made")
    for name in ("ARCHIVE", "torch-home/NATS-tss-v1_0-3ffb9-simple"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(made)
    (tmp_path / "MIRROR").mkdir()
    for space, folder in FOLDERS.items():
        tar_of(invented(tmp_path / "made" / space, space), tmp_path / "MIRROR" / f"{folder}.tar")
    for name in ("logs/tss", "runs/pets/tss"):
        (tmp_path / name).mkdir(parents=True)
        append_lines(tmp_path / name / "a.jsonl", [record(arch, 777) for arch in (5, 250)])
    pd.DataFrame({"arch": [6111, 0, 1462], "acc": [91.0, 88.0, 89.0]}).to_csv(
        tmp_path / "mine.csv", index=False
    )
    scores = pd.DataFrame(
        {"arch": range(0, 15_000, 250), "synflow": np.arange(60) % 17, "naswot": np.arange(60) % 7}
    )
    scores.to_csv(tmp_path / "scores.csv", index=False)
    (tmp_path / "mine.yaml").write_text(
        "space: tss\narch: arch\ncolumns:\n"
        "  acc: {dataset: cifar100, recipe: '200', split: valid, seed: mean, metric: accuracy}\n"
    )
    own = "def my_search(space, rng):\n    while True:\n        yield space.sample(rng)\n"
    (tmp_path / "mine.py").write_text(own)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch-home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("document", sorted({line.place for line in OURS if can_run(line)}))
def test_lines_that_take_seconds_do_what_they_say(
    document: str, place: Path, capsys: pytest.CaptureFixture[str], published_table: object
) -> None:
    lines = [each for each in OURS if each.place == document and can_run(each)]
    if any("TABLE" in line.words for line in lines):
        assert main(["convert", "published", "TABLE", "--processes", "1"]) == 0
    for line in lines:
        words = [os.path.expandvars(word) for word in _without_redirection(line.words[1:])]
        words = ["MIRROR" if word.startswith(("/mnt", "https://")) else word for word in words]
        words = ["cifar100" if word == "mine" else word for word in words]  # which the table has
        if words[0] == "convert" and not {"--explain", "--help"} & set(words):
            shutil.rmtree(words[2], ignore_errors=True)
        for taken in ("EXPORT", "EXPORTED"):
            shutil.rmtree(taken, ignore_errors=True)
        short = SHORT.get(words[0], []) if "--explain" not in words else []
        code = main([*words, *short])
        said = capsys.readouterr()
        assert code == 0, (line, said.err)
        assert said.out, line


def test_the_completion_is_written(place: Path) -> None:
    pytest.importorskip("shtab")
    (line,) = {
        line.text.split("   ")[0].strip() for line in OURS if line.words[1] == "--completion" and line.whole
    }
    folder = Path("home/.local/share/bash-completion/completions")
    folder.mkdir(parents=True)
    environment = os.environ | {
        "HOME": str(Path("home").absolute()),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
    }
    command = line.replace("natslib", f"{sys.executable} -m natslib", 1)
    subprocess.run(command, shell=True, env=environment, check=True)
    assert "_shtab_natslib" in (folder / "natslib").read_text()


# planned


def options_of(line: Line) -> argparse.Namespace:
    """Return how Snakemake understands a line."""
    cli = pytest.importorskip("snakemake.cli")
    with contextlib.redirect_stderr(None):
        parser = cli.get_argument_parser()
        return parser.parse_args(line.words[1:])


@pytest.mark.parametrize("line", PLANS, ids=name_of)
def test_no_option_of_snakemake_eats_a_target(line: Line) -> None:
    """`--configfile` takes all words that follow it: a target behind it is taken for a file that is not there."""
    given = options_of(line)
    for file in given.configfile or []:
        assert (ROOT / str(file)).is_file() or str(file) == "mine.yaml", line
    snakefile = (ROOT / "Snakefile").read_text()
    for target in given.targets or []:
        assert re.search(rf"^rule {target}:", snakefile, re.MULTILINE) or target.startswith("figures/"), line


def planned() -> list[list[str]]:
    """Return each different plan once: what a line asks for, with a profile that this machine can read."""
    found = {}
    for line in PLANS:
        if line.place != "CONTRIBUTING.md" and "mine.yaml" not in line.text and "--report" not in line.text:
            words = [w for w in line.words[1:] if "kubernetes" not in w]
            if "profiles/slurm" not in words and "--workflow-profile" in words:
                words.remove("--workflow-profile")
            if "official" not in line.text:
                found[shlex.join(words)] = words
    return list(found.values())


@pytest.mark.parametrize("words", planned(), ids=shlex.join)
def test_a_line_of_snakemake_can_be_planned(words: list[str]) -> None:
    command = [sys.executable, "-m", "snakemake", *words, "--dry-run", "--nolock", "--quiet", "all"]
    if any("slurm" in word for word in words):
        pytest.importorskip("snakemake_executor_plugin_slurm")
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]


def test_the_configuration_of_the_training_guide_can_be_planned(tmp_path: Path) -> None:
    text = (ROOT / "guides/training.md").read_text()
    (block,) = [each for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "sources:" in each]
    assert yaml.safe_load(block)["sources"]
    (tmp_path / "mine.yaml").write_text(block)
    command = [
        "--cores",
        "8",
        "--configfile",
        str(tmp_path / "mine.yaml"),
        "--dry-run",
        "--nolock",
        "--quiet",
        "all",
    ]
    result = subprocess.run(
        [sys.executable, "-m", "snakemake", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr[-2000:]
