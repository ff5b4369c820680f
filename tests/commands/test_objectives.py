"""`natslib objectives` on folders of images: a table of objectives, and refusals that come before any training."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from natslib.__main__ import main
from natslib.training.comparing import LOG

PARTS = {
    ("dry", "train"): 8,
    ("dry", "valid"): 4,
    ("wet", "train"): 8,
    ("wet", "valid"): 4,
    ("ice", "test"): 10,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sources and a target of pictures, of which a bright upper half tells the class."""
    rng = np.random.default_rng(0)
    for (name, split), count in PARTS.items():
        for number in range(2 * count):
            kind = ("ant", "bee")[number % 2]
            pixels = rng.integers(0, 180, (8, 8, 3), dtype=np.uint8)
            pixels[:4] += 60 if kind == "ant" else 0
            path = tmp_path / "mine" / name / split / kind / f"{number:02d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return tmp_path / "mine"


def ask(folder: Path, *more: str) -> int:
    out = str(folder.parent / "out")
    short = ["--draws", "2", "--seed", "0,1", "--steps", "10"]
    return main(["objectives", "--dataset", str(folder), "--out", out, *short, *more])


def test_folders_give_a_table_of_objectives(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(folder, "--objective", "erm,irm,vrex") == 0
    told = capsys.readouterr()
    assert told.err.splitlines()[-1] == "12/12  mine vrex draw 1 seed 1"
    lines = told.out.splitlines()
    assert "held-out images of the sources" in lines[0]
    assert "further environment" not in lines[0], "there is none"
    assert [line.split()[1] for line in lines[1:]] == ["erm", "irm", "vrex"]
    assert "(+0)" in lines[1]
    assert ask(folder, "--objective", "erm,irm,vrex") == 0
    again = capsys.readouterr()
    assert (again.out, again.err) == (told.out, ""), "nothing is trained twice"


def test_one_source_is_refused_before_anything_is_trained(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(folder / "wet")
    assert ask(folder) == 1
    assert "objective irm needs 2 or more source environments; mine has 1 (dry)" in capsys.readouterr().err
    assert not (folder.parent / "out" / LOG).exists()
    assert ask(folder, "--objective", "erm,rsc") == 0


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--objective", "erm,irn", "unknown objective 'irn'"),
        ("--network", "tss", "unknown network 'tss': allowed are 'mlp' and such as 'tss:6111'"),
        ("--network", "tss:99999", "99999"),
    ],
)
def test_unknown_names_are_refused(
    folder: Path, option: str, value: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(folder, option, value) == 1
    assert reason in capsys.readouterr().err
