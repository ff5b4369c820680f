from pathlib import Path

from natslib.workflow import from_root, project_root


def test_a_folder_below_the_snakefile_finds_it(tmp_path):
    (tmp_path / "Snakefile").touch()
    below = tmp_path / "notebooks" / "deep"
    below.mkdir(parents=True)
    assert project_root(below) == tmp_path
    assert project_root(tmp_path) == tmp_path


def test_outside_a_project_the_start_is_the_root(tmp_path):
    assert project_root(tmp_path) == tmp_path


def test_relative_paths_are_meant_from_the_root(tmp_path, monkeypatch):
    (tmp_path / "Snakefile").touch()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert from_root("results/x") == tmp_path / "results" / "x"
    assert from_root(tmp_path / "elsewhere") == tmp_path / "elsewhere"
    assert from_root("~/x") == Path.home() / "x"
