"""`natslib train` reads its arguments strictly and writes logs that other commands read."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from natslib.commands.options import numbers
from natslib.commands.train import (
    add_arguments,
    asked_jobs,
    parse_shard,
    run,
)
from natslib.datasets import DATASETS, SHIFTED, Dataset
from natslib.errors import ConfigError, UnknownName
from natslib.training import device as device_module
from natslib.training.images import ImageSet, Split
from natslib.training.jobs import Job, embedded_plan
from natslib.training.logs import read_records
from natslib.training.names import is_small, log_name
from natslib.training.sources import ENVIRONMENTS, IMAGE_SETS

ASKED = "--space tss --arch 5,1835 --dataset photos --recipe 12"


def parse(text: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(text.split())


def test_numbers_and_ranges() -> None:
    assert numbers("3,5,10-12", 13) == [3, 5, 10, 11, 12]
    assert numbers("5,3,5,3-5", 13) == [5, 3, 4]
    assert parse_shard("1/4") == (1, 4)


@pytest.mark.parametrize("text", ["", "a", "1-2-3", "1,,2", "-3", "1.5"])
def test_what_is_no_list_of_numbers_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="allowed are numbers and ranges, such as 3,5,10-20"):
        numbers(text, 10)


@pytest.mark.parametrize("text", ["10", "3,8-10", "9-5"])
def test_numbers_outside_and_ranges_turned_round_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="allowed are numbers from 0 to 9, a range's smaller one first"):
        numbers(text, 10)


def test_unknown_architectures_and_seeds_that_no_table_holds_are_refused_before_training() -> None:
    asked = "--out x --space tss --dataset digits --recipe 12"
    with pytest.raises(ConfigError, match="allowed are numbers from 0 to 15624"):
        asked_jobs(parse(f"{asked} --arch 15620-15630"))
    with pytest.raises(ConfigError, match="allowed are numbers from 0 to 2147483647"):
        asked_jobs(parse(f"{asked} --arch 5 --seed 2147483648"))


@pytest.mark.parametrize("device", ["gpu", "meta", "cuda:99"])
def test_a_device_that_is_not_there_is_refused_before_training(tmp_path: Path, device: str) -> None:
    with pytest.raises(ConfigError, match=f"cannot compute on the device '{device}'.*allowed are cpu"):
        run(parse(f"--out {tmp_path} {ASKED} --device {device}"))


@pytest.mark.parametrize("text", ["1", "a/b", "1/2/3", "-1/2"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="allowed is i/n, such as 0/2"):
        parse_shard(text)


def test_missing_arguments_are_named() -> None:
    with pytest.raises(ConfigError, match=r"missing --arch, --recipe \(or --plan embedded or ood\)"):
        asked_jobs(parse("--out x --space tss --dataset digits"))


def test_jobs_are_what_was_asked() -> None:
    jobs = asked_jobs(parse(f"--out x {ASKED} --seed 777,888"))
    assert jobs == [Job("tss", arch, "photos", "12", seed) for seed in (777, 888) for arch in (5, 1835)]


def test_the_embedded_plan_holds_every_job_once() -> None:
    plan = embedded_plan()
    assert len(set(plan)) == len(plan) == 4930 + 2 * 600 + 300 + 2 * 1024 + 2 * 500 + 2 * 300 + 497 + 2 * 422
    once = {job[:2] for job in plan if job[2:] == ("digits", "12", 777)}
    assert {job[:2] for job in plan} == once
    assert {job[2:] for job in plan[2400:3400]} == {job[2:] for job in plan}
    assert asked_jobs(parse("--out x --plan embedded")) == plan


def test_own_images_need_a_scale() -> None:
    assert (is_small("digits", None), is_small("cifar10", None), is_small("a.npz", "small")) == (
        True,
        False,
        True,
    )
    with pytest.raises(ConfigError, match=r"say --scale paper or --scale small for your own images a\.npz"):
        is_small("a.npz", None)


def test_unknown_datasets_and_recipes_are_refused(tmp_path: Path) -> None:
    start = f"--out {tmp_path} --space tss --arch 5 --device cpu"
    with pytest.raises(UnknownName, match=r"unknown recipe '13': allowed are .*'12', '36'"):
        run(parse(f"{start} --dataset digits --recipe 13"))
    with pytest.raises(UnknownName, match=r"unknown dataset 'digit'.*did you mean 'digits'"):
        run(parse(f"{start} --dataset digit --recipe 12 --scale small"))


def test_a_run_writes_stamped_logs_and_reports_progress(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(parse(f"--out {tmp_path} --device cpu {ASKED}")) == 0
    entries = list(read_records(tmp_path / "tss/shard-0-of-1.jsonl"))
    assert [entry["arch_index"] for entry in entries] == [5, 1835]
    for entry in entries:
        assert set(entry["splits"]) == {"train", "valid", "test"}
        assert entry["splits"]["test"]["epoch"] == list(range(12))
        assert entry["splits"]["test"]["accuracy"][-1] > 25  # ten classes
        assert {"torch", "device", "commit", "clock"} <= set(entry["stamp"])
    assert "2/2  tss 1835 photos 12 seed 777  about 0 min left" in capsys.readouterr().err


def test_own_images_train_under_their_own_name(tmp_path: Path) -> None:
    pixels, labels = np.zeros((128, 8, 8, 1), np.uint8), np.arange(128) % 2
    arrays = {"train_images": pixels, "train_labels": labels, "test_images": pixels, "test_labels": labels}
    np.savez(tmp_path / "mine.npz", **arrays)
    asked = f"--space sss --arch 0 --dataset {tmp_path}/mine.npz --recipe 12 --scale small"
    assert run(parse(f"--out {tmp_path} --device cpu {asked}")) == 0
    (entry,) = read_records(tmp_path / "sss/shard-0-of-1.jsonl")
    assert (entry["dataset"], entry["splits"]["test"]["accuracy"][-1]) == ("mine", 50)


def test_a_dataset_of_one_entry_and_one_function_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def toy() -> ImageSet:
        pixels = torch.zeros((128, 8, 8, 1), dtype=torch.uint8)
        pixels[1::2] = 200
        part = Split(pixels, torch.arange(128) % 2)
        return ImageSet("toy", 2, part, {"test": part}, (100.0,), (100.0,), shift=0, flip=False)

    monkeypatch.setitem(
        DATASETS, "toy", Dataset("toy", "toy", 2, 8, 1, 0, False, {"train": 128, "test": 128})
    )
    monkeypatch.setitem(IMAGE_SETS, "toy", toy)
    asked = "--space tss --arch 9930 --dataset toy --recipe 12 --scale small"
    assert run(parse(f"--out {tmp_path} --device cpu {asked}")) == 0
    (entry,) = read_records(tmp_path / "tss/shard-0-of-1.jsonl")
    assert (entry["dataset"], entry["splits"]["test"]["accuracy"][-1]) == ("toy", 100)


def test_a_plan_can_be_one_spaces_and_takes_no_list() -> None:
    jobs = asked_jobs(parse("--out x --plan embedded --space sss"))
    assert jobs == [job for job in embedded_plan() if job.space == "sss"]
    with pytest.raises(ConfigError, match=r"--arch, --seed beside --plan.*allowed is --space"):
        asked_jobs(parse("--out x --plan embedded --arch 5 --seed 777"))
    with pytest.raises(ConfigError, match="--scale beside --plan"):
        asked_jobs(parse("--out x --plan embedded --scale paper"))


def test_own_images_do_not_pass_for_others() -> None:
    with pytest.raises(ConfigError, match=r"images my/digits\.npz would stand in the logs as 'digits'"):
        log_name("my/digits.npz")


@pytest.mark.parametrize("name", ["d" * 65, "a\nb"])
def test_a_name_that_no_table_holds_is_refused_before_training(name: str) -> None:
    with pytest.raises(ConfigError, match="is not one of 1 to 64 printable characters: rename it"):
        log_name(f"{name}.npz")


def test_runs_of_one_scale_do_not_pass_for_those_of_another(tmp_path: Path) -> None:
    asked = f"--out {tmp_path} --device cpu --space sss --arch 0 --dataset digits --recipe 12"
    assert run(parse(asked)) == 0
    (entry,) = read_records(tmp_path / "sss/shard-0-of-1.jsonl")
    assert entry["stamp"]["scale"] == "small"
    with pytest.raises(ConfigError, match=r"asked is the scale 'paper', and .* of the scale 'small': keep"):
        run(parse(f"{asked} --scale paper"))
    assert run(parse(f"{asked} --scale small")) == 0


def test_it_ends_by_saying_what_was_trained_and_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = f"--out {tmp_path} --device cpu --space tss --arch 5 --dataset photos --recipe 12"
    assert run(parse(words)) == 0
    assert capsys.readouterr().out == f"1 trained now, 0 there before; logs in {tmp_path}/tss\n"
    assert run(parse(f"{words} --json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"trained": 0, "there_before": 1, "logs": [f"{tmp_path}/tss"]}


def test_images_that_are_not_there_are_missed_before_a_scale_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(
        UnknownName, match=r"unknown dataset 'pets'.*nor is there a file or folder of that name"
    ):
        run(parse(f"--out {tmp_path} --space tss --arch 5 --dataset pets --recipe 12"))


def test_the_shifted_sets_are_those_that_consist_of_environments() -> None:
    assert tuple(ENVIRONMENTS) == SHIFTED


def test_several_devices_train_side_by_side_each_job_on_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two stand-ins on the CPU, which torch numbers as it does GPUs."""
    devices = [torch.device("cpu", 0), torch.device("cpu", 1)]
    monkeypatch.setattr(device_module, "ready_devices", lambda name: devices)
    asked = "--space tss --arch 0-5 --dataset digits --recipe 12"
    assert run(parse(f"--out {tmp_path}/both {asked}")) == 0
    monkeypatch.setattr(device_module, "ready_devices", lambda name: devices[:1])
    assert run(parse(f"--out {tmp_path}/one {asked}")) == 0
    both, one = (
        {entry["arch_index"]: entry for entry in read_records(tmp_path / name / "tss/shard-0-of-1.jsonl")}
        for name in ("both", "one")
    )
    assert set(both) == set(one) == set(range(6))
    assert {entry["stamp"]["scale"] for entry in both.values()} == {"small"}
    for arch, entry in both.items():
        for split, columns in entry["splits"].items():
            assert columns["accuracy"] == one[arch]["splits"][split]["accuracy"]


def test_steps_are_captured_on_gpus_alone(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--captured was asked for on cpu: allowed are GPUs"):
        run(parse(f"--out {tmp_path} --device cpu --captured {ASKED}"))
    assert not list(tmp_path.iterdir())
