"""What a machine can check of the README and the guides."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from natslib.commands import main
from natslib.training.objectives import OBJECTIVES
from natslib.workflow.catalogue import catalogue_table
from tests.commands.own_images import write_environments, write_folder

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "guides").glob("*.md"))}


def run_python(code: str) -> str:
    result = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_python_of_the_readme_runs():
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert "6111" in run_python(code)


def test_the_python_of_the_guide_runs_from_top_to_bottom():
    blocks = re.findall(r"```python\n(.*?)```", GUIDES["python"], flags=re.DOTALL)
    said = run_python("\n".join(blocks).replace("runs=20", "runs=3")).splitlines()
    assert said[0].startswith("|nor_conv_3x3~0|+|nor_conv_3x3~0|")
    assert 0 < float(said[-1]) <= 100


@pytest.mark.parametrize(("folder", "text"), [(".", README), *(("guides", text) for text in GUIDES.values())])
def test_links_lead_somewhere(folder: str, text: str) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)[^)]*\)", text) + re.findall(r'<img src="([^"]+)"', text)
    assert [link for link in links if not (ROOT / folder / link).exists()] == []


def test_every_guide_is_linked_in_the_readme():
    assert [name for name in GUIDES if f"](guides/{name}.md)" not in README] == []


def test_the_table_of_figures_is_that_of_the_catalogue():
    assert catalogue_table() in GUIDES["figures"], (
        "run `python -m natslib.workflow.catalogue` and paste the table into guides/figures.md"
    )


def test_the_lines_for_edge_shrinking_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On `published`, on our tables and on own images; there with two evaluations."""
    monkeypatch.chdir(tmp_path)
    Path("logs").symlink_to(ROOT / "logs")
    write_folder(Path("pets"))
    text = "".join(GUIDES[name] for name in ("small-benchmarks", "training", "command-line"))
    lines = re.findall(r"^    natslib (search --algorithm autoshrink [^#\n]*)", text, re.MULTILINE)
    assert len(lines) == 5
    for line in lines:
        short = line.replace("'60 evaluations'", "'2 evaluations'").replace("--runs 100", "--runs 5")
        assert main(shlex.split(short)) == 0, line
        assert re.search(r"^\d+ runs, [\d.]+ evaluations a run", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.filterwarnings("ignore:the environments look alike")  # to classifiers of few epochs
def test_the_three_commands_for_own_environments_work(
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
