"""What guides/drop-in.md shows is carried out, and its table is that of the differences."""

import re
from pathlib import Path

import pytest

from natslib.dropin.differences import DIFFERENCES
from tests.dropin.archives import FOLDERS

GUIDE = Path(__file__).resolve().parents[2] / "guides" / "drop-in.md"
TEXT = GUIDE.read_text(encoding="utf-8")
GENUINE, PUBLISHED = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def printed(code: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    exec(compile(code, GUIDE.name, "exec"), {})
    return capsys.readouterr().out.splitlines()


@pytest.mark.usefixtures("cache")
def test_its_lines_for_an_archive_run(shared_data, monkeypatch, capsys):
    assert f'"{FOLDERS["tss"]}"' in GENUINE
    monkeypatch.chdir(shared_data / "official-fragments")
    accuracy, simulated, evaluated = printed(GENUINE, capsys)
    assert float(accuracy) == pytest.approx((91.79 + 91.76 + 91.20) / 3, abs=5e-3)
    assert eval(simulated)[2] == pytest.approx(153.6959332625)
    assert eval(evaluated)["accuracy"] == pytest.approx(66.86)


@pytest.mark.usefixtures("published_table")
def test_its_lines_without_a_download_run(capsys):
    _, best = printed(PUBLISHED, capsys)
    index, accuracy = eval(best)
    told = re.search(r"# \((\d+), ([\d.]+)\.\.\.\)", PUBLISHED)
    assert (index, round(accuracy, 2)) == (int(told[1]), float(told[2]))


def test_its_changes_of_one_line_are_of_names_that_there_are():
    changed = re.findall(r"^\+(from natslib\..*)$", TEXT, re.MULTILINE)
    assert len(changed) == 2
    for line in changed:
        exec(line, {})


def test_its_table_is_that_of_the_differences():
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", TEXT, re.MULTILINE))
    assert rows == DIFFERENCES
