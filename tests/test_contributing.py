"""The examples of CONTRIBUTING.md are carried out, each in a copy of the project."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = re.split(r"\n(?=\*\*A)", TEXT.partition("## To add")[2].partition("## Checks")[0])[1:]
COPIED = (
    "natslib",
    "notebooks",
    "tests",
    "config",
    "profiles",
    "logs",
    "Snakefile",
    "README.md",
    "pyproject.toml",
)


def name_of(section: str) -> str:
    return re.match(r"\*\*An? ([^*]+)\*\*", section)[1]


def test_every_kind_has_its_example() -> None:
    kinds = {"space", "algorithm", "weight-sharing search", "dataset", "recipe", "objective", "notebook"}
    assert {name_of(section) for section in SECTIONS} == kinds


@pytest.mark.parametrize("section", SECTIONS, ids=name_of)
def test_the_example_works(section: str, tmp_path: Path) -> None:
    for part in COPIED:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, tmp_path / part)
    for kind, content in steps(section):
        if kind == "python":
            path = tmp_path / re.match(r"# (\S+)", content)[1]
            assert not path.exists()
            path.write_text(content.partition("\n")[2])
        elif kind == "diff":
            patch(tmp_path, content)
        else:
            run(tmp_path, content.strip())


def steps(section: str) -> list[tuple[str, str]]:
    """Return the blocks of a section in order: files, patches and single commands."""
    pattern = r"```(?P<kind>\w+)\n(?P<block>.*?)```|^    (?P<command>(?:natslib|snakemake|python|cp) [^\n]+)$"
    found = re.finditer(pattern, section, flags=re.DOTALL | re.MULTILINE)
    return [(each["kind"] or "command", each["block"] or each["command"]) for each in found]


def patch(folder: Path, diff: str) -> None:
    """Apply a patch whose places are found by the lines themselves."""
    for name, hunks in re.findall(r"--- a/(\S+)\n\+\+\+ b/\S+\n(.*?)(?=\n--- a/|\Z)", diff, flags=re.DOTALL):
        path = folder / name
        text = path.read_text()
        for hunk in filter(str.strip, hunks.split("@@\n")):
            lines = hunk.rstrip("\n").split("\n")
            before = "\n".join(line[1:] for line in lines if line[:1] in " -")
            after = "\n".join(line[1:] for line in lines if line[:1] in " +")
            assert text.count(before) == 1, f"{name} has changed: {before!r} is not there once"
            text = text.replace(before, after)
        path.write_text(text)


def run(folder: Path, command: str) -> None:
    """Run a command of the project with the copy's library."""
    words = shlex.split(command)
    modules = {"natslib": "natslib", "snakemake": "snakemake"}
    if words[0] in modules:
        words = [sys.executable, "-m", modules[words[0]], *words[1:]]
    elif words[0] == "python":
        words[0] = sys.executable
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
