"""The README's claims that a machine can check."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from natslib.commands import main
from natslib.training.objectives import OBJECTIVES
from natslib.workflow.catalogue import readme_table
from tests.commands.own_images import write_environments, write_folder

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_python_runs():
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "6111" in result.stdout


def test_its_links_lead_somewhere():
    links = re.findall(r"\]\((?!http)([^)]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_its_table_is_that_of_the_catalogue():
    assert readme_table() in README, (
        "run `python -m natslib.workflow.catalogue` and paste the table into README.md"
    )


def test_its_lines_for_edge_shrinking_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On `published`, on our tables and on own images; there with two evaluations."""
    monkeypatch.chdir(tmp_path)
    Path("logs").symlink_to(ROOT / "logs")
    write_folder(Path("pets"))
    lines = re.findall(r"^    natslib (search --algorithm autoshrink [^#\n]*)", README, re.MULTILINE)
    assert len(lines) == 5
    for line in lines:
        assert main(shlex.split(line.replace("'60 evaluations'", "'2 evaluations'"))) == 0, line
        assert re.search(r"^\d+ runs, [\d.]+ evaluations a run", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.filterwarnings("ignore:the environments look alike")  # to classifiers of few epochs
def test_its_three_commands_for_own_environments_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A shift of two folders, a table of objectives and a search with NAS-OoD; with one trial, one draw, few epochs."""
    monkeypatch.chdir(tmp_path)
    write_environments(Path("mine"))
    found = re.findall(
        r"^    natslib ((shift mine|objectives --dataset mine\b|search .*--dataset mine\b)[^#\n]*)",
        README,
        re.MULTILINE,
    )
    lines = {line.split()[0]: line for line, _ in found}
    assert list(lines) == ["shift", "objectives", "search"]
    assert len(found) == 3
    short = {
        "shift": "--trials 1",
        "objectives": "--draws 1 --seed 0 --steps 3",
        "search": "--settings smoke",
    }
    said = {}
    for verb, line in lines.items():
        assert main(shlex.split(f"{line} {short[verb]}")) == 0, line
        said[verb] = capsys.readouterr().out
    assert "one side shows features that the other lacks" in said["shift"]
    assert [row.split()[1] for row in said["objectives"].splitlines()[1:]] == list(OBJECTIVES)
    assert re.search(r"^architecture \d+ ", said["search"], re.MULTILINE)
    assert Path("found/generator.pt").exists()
