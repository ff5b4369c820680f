"""The README's claims that a machine can check."""

import re
import subprocess
import sys
from pathlib import Path

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


def test_its_table_names_the_rules_and_files_of_the_workflow():
    snakefile = (ROOT / "Snakefile").read_text(encoding="utf-8")
    rows = [line.split("|") for line in README.splitlines() if "](notebooks/" in line]
    assert {rule for row in rows for rule in re.findall(r"`(\w+)`", row[3])} | {
        "all",
        "trained",
        "train",
        "search",
        "searches",
        "table",
    } == set(re.findall(r"^rule (\w+):", snakefile, flags=re.MULTILINE))
    for stem in (stem for row in rows for stem in re.findall(r"`(\w+)`", row[4])):
        assert f"{{FIGURES}}/{stem.removesuffix('_SOURCE')}" in snakefile
