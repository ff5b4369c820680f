"""The README's claims that a machine can check."""

import re
import subprocess
import sys
from pathlib import Path

from natslib.workflow.catalogue import readme_table

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
