"""A source that is trained, through the real workflow: two shards of two cells, killed and resumed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from natslib.tables import load
from natslib.training.logs import read_records

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("Snakefile", "config", "natslib", "notebooks", "profiles")
TRAIN = {"space": "tss", "arch": "5,9,0,1", "seed": "777", "dataset": "photos", "recipe": "12", "shards": 2}
TABLE = "results/tables/mine/manifest.json"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder like the project's in which the training has run."""
    folder = tmp_path_factory.mktemp("project")
    for name in NEEDED:
        (folder / name).symlink_to(ROOT / name)
    source = {"train": TRAIN, "split": "test", "recipe": "longest", "items": ["fig3_accuracy_vs_cost"]}
    (folder / "mine.json").write_text(json.dumps({"figures": "figures", "sources": {"mine": source}}))
    make(folder)
    return folder


def make(folder):
    """Make the table; return what Snakemake said."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "mine.json", "--", TABLE]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout + result.stderr


def shard(folder, number):
    return folder / f"results/training/mine/tss/shard-{number}-of-2.jsonl"


def test_two_shards_become_one_table(project):
    cells = [[entry["arch_index"] for entry in read_records(shard(project, number))] for number in (0, 1)]
    assert cells == [[5, 1], [9, 0]]  # of about the same FLOPs each
    table = load(project / "results/tables/mine")
    assert table.runs()["n_archs"].tolist() == [4, 4, 4]
    assert table.manifest["damaged"] == []


def test_a_killed_shard_goes_on_and_the_other_is_left_alone(project):
    whole = list(read_records(shard(project, 0)))
    lines = shard(project, 0).read_bytes().splitlines(keepends=True)
    shard(project, 0).write_bytes(lines[0] + lines[1][:100])
    for written_later in ("results/training/mine/shard-0-of-2.finished", TABLE):
        (project / written_later).unlink()
    other = shard(project, 1).stat().st_mtime_ns

    said = make(project)

    assert (said.count("rule train:"), shard(project, 1).stat().st_mtime_ns) == (1, other)
    first, second = read_records(shard(project, 0))
    assert first == whole[0]
    for split, columns in whole[1]["splits"].items():
        assert second["splits"][split]["accuracy"] == columns["accuracy"]
    assert load(project / "results/tables/mine").runs()["n_archs"].tolist() == [4, 4, 4]
