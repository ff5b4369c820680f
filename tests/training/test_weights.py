"""A farm that keeps weights: they are those that the log's last epoch was measured with."""

from pathlib import Path

import pytest
import torch

from natslib.commands import main
from natslib.nets import build_network
from natslib.spaces import SMALL_SCALE
from natslib.training import load_images, read_records
from natslib.training.images import normalise
from natslib.training.jobs import Job
from natslib.training.weights import weights_file

ASKED = "train --space tss --arch 5 --dataset photos --recipe 12 --device cpu --out"


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("farm")
    assert main([*ASKED.split(), str(folder), "--keep-weights"]) == 0
    return folder


def test_the_network_with_these_weights_is_the_one_that_was_measured(farm: Path) -> None:
    path = weights_file(farm, Job("tss", 5, "photos", "12", 777))
    assert list(path.parent.iterdir()) == [path]
    data = load_images("photos", Path(), verify=True)
    network = build_network("tss", 5, in_channels=3, classes=10, scale=SMALL_SCALE)
    network.load_state_dict(torch.load(path))
    test = data.evaluations["test"]
    with torch.inference_mode():
        found = network.eval()(normalise(test.images, data)).argmax(1)
    (record,) = read_records(farm / "tss/shard-0-of-1.jsonl")
    right = 100 * (found == test.labels).double().mean().item()
    assert right == pytest.approx(record["splits"]["test"]["accuracy"][-1], abs=0.2)  # one image of 520


def test_a_run_from_before_has_none_which_is_said(
    farm: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tss").mkdir()
    for name in ("shard-0-of-1.jsonl",):
        (tmp_path / "tss" / name).write_bytes((farm / "tss" / name).read_bytes())
    assert main([*ASKED.split(), str(tmp_path), "--keep-weights"]) == 0
    said = capsys.readouterr().out
    assert "0 trained now, 1 there before" in said
    assert "1 of those before have no weights: they were trained without --keep-weights" in said


def test_groups_keep_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED.split(), str(tmp_path), "--keep-weights", "--group", "2"]) != 0
    assert "groups of 2 are not kept: allowed are groups of 1" in capsys.readouterr().err
