"""The stamp names the commit of natslib's own checkout, and of no other."""

import shutil
import subprocess
from pathlib import Path

import pytest

import natslib
from natslib.training.device import commit


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize(("package", "own"), [("natslib", True), (".venv/lib/natslib", False)])
def test_the_commit_is_that_of_natslibs_own_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, own: bool
) -> None:
    def git(*words: str) -> str:
        named = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        return subprocess.run(
            ["git", *named, *words], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout

    git("init")
    git("commit", "--allow-empty", "--no-gpg-sign", "-m", "first")
    (tmp_path / package).mkdir(parents=True)
    monkeypatch.setattr(natslib, "__file__", str(tmp_path / package / "__init__.py"))
    assert commit() == (git("rev-parse", "--short=12", "HEAD").strip() if own else None)


def test_outside_a_checkout_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(natslib, "__file__", str(tmp_path / "__init__.py"))
    assert commit() is None
