"""Scripts in the style of published ones print the same when one line, the import, is changed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.records import write_archive, write_meta
from natslib.spaces import get_space
from tests.dropin.archives import FOLDERS
from tests.dropin.scripts import IMPORT_201, IMPORT_NATS, SCRIPTS

NUMBER = 60  # architectures that the scripts look at
THROUGH_NATS = "from nats_bench import create\nAPI = lambda path, verbose: create(path, 'tss', True, verbose)"
"""The calls of NAS-Bench-201's API that the script has are those of NATS-Bench's, which reads the same files."""


@pytest.fixture(scope="module")
def archive(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Architectures with the genuine records' numbers in turn, and all that a search meets from its seed on."""
    genuine = tuple(sorted((shared_data / "official-fragments" / FOLDERS["tss"]).glob("0*.pickle.pbz2")))
    folder = tmp_path_factory.mktemp("archive") / FOLDERS["tss"]
    write_archive(folder, get_space("tss"), range(NUMBER), genuine)
    write_meta(folder, get_space("tss"))
    return folder


def run(code: str, path: Path, cache: Path) -> list[str]:
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    flag = ["--path", str(path)] if "--path" in code else [str(path)]
    done = subprocess.run(
        [sys.executable, "-c", code, *flag], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_prints_the_same_after_one_line_was_changed(name, archive, tmp_path):
    pytest.importorskip("nats_bench", reason="the official reader is not installed: extra 'dev'")
    code = SCRIPTS[name]
    (line,) = [line for line in (IMPORT_NATS, IMPORT_201) if line in code.splitlines()]
    theirs = run(code.replace(IMPORT_201, THROUGH_NATS), archive, tmp_path)
    ours = run(code.replace(line, line.replace("from ", "from natslib.")), archive, tmp_path)
    assert len(ours) == len(theirs) > 1
    for our_line, their_line in zip(ours, theirs, strict=True):
        for ours_word, theirs_word in zip(our_line.split(), their_line.split(), strict=True):
            assert same_word(ours_word, theirs_word), (our_line, their_line)


def same_word(ours: str, theirs: str) -> bool:
    """Whether two words are equal, or are numbers that single precision cannot tell apart."""
    try:
        return ours == theirs or float(ours) == pytest.approx(float(theirs), rel=2e-7)
    except ValueError:
        return False
