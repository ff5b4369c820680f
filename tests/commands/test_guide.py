"""What guides/search-by-training.md shows is carried out, with budgets of two evaluations or a second."""

import re
import shlex
from pathlib import Path

import pytest

from natslib.commands import main
from natslib.search.store import read_description
from natslib.training.logs import read_records
from tests.commands.own_images import write_folder, write_npz

GUIDE = Path(__file__).resolve().parents[2] / "guides" / "search-by-training.md"
TEXT = GUIDE.read_text(encoding="utf-8")


def test_the_guide_can_be_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("optuna")
    monkeypatch.chdir(tmp_path)
    write_folder(Path("pets"))
    write_npz(Path("pets.npz"))
    commands = re.findall(r"^    natslib (.*)$", TEXT, re.MULTILINE)
    short = [
        re.sub("'[0-9]+ evaluations'", "'2 evaluations'", each).replace("1800 s", "1 s") for each in commands
    ]
    for command in short:
        assert main(shlex.split(command)) == 0, command
    asked = [read_description(path.parent) for path in Path().glob("*/search.json")]
    assert {each["algorithm"] for each in asked} == {"autoshrink", "rea", "random", "tpe"}
    assert {each["space"] for each in asked} == {"tss", "sss", "dag5"}
    assert {each["source"]["trained on"] for each in asked} == {"pets"}
    capsys.readouterr()
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    exec(compile(code, GUIDE.name, "exec"), {})
    assert 0 <= float(capsys.readouterr().out) <= 100


def test_what_the_guide_says_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(Path("pets"))
    words = "--train --algorithm random --space sss --dataset pets --scale small --seed 0 --out shrunk"
    assert main(["search", *words.split(), "--budget", "2 evaluations"]) == 0
    named = re.findall(r"`([^`]+)`", TEXT.partition("| in `shrunk/` |")[2].partition("\n\n")[0])
    patterns = [name.replace("SPACE", "sss") for name in named if "natslib" not in name]
    assert len(patterns) == 4
    assert all(list(Path("shrunk").glob(pattern)) for pattern in patterns)
    splits = {
        place: {
            split
            for log in Path("shrunk", place).glob("*.jsonl")
            for r in read_records(log)
            for split in r["splits"]
        }
        for place in ("logs/sss", "logs/final/sss")
    }
    assert splits == {"logs/sss": {"train", "valid"}, "logs/final/sss": {"train", "valid", "test"}}
