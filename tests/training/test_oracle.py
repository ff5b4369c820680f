"""Searching by training: what is trained once is known, and a search that was cut short goes on to the same end."""

import hashlib
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from natslib.errors import ConfigError, NotMeasured
from natslib.search import MULTI_FIDELITY, SEARCHES, Protocol
from natslib.search.oracle import EVALUATIONS, SECONDS
from natslib.search.store import repeat_into
from natslib.spaces import SPACES, TOPOLOGY, WIRING, Space
from natslib.training import farm as farm_module
from natslib.training import oracle as oracle_module
from natslib.training.device import ready_device
from natslib.training.farm import run_farm
from natslib.training.images import ImageSet, Split
from natslib.training.jobs import Job
from natslib.training.logs import finished_records, record
from natslib.training.loop import LearningCurve
from natslib.training.oracle import TrainedOracle
from natslib.training.recipes import Recipe

Make = Callable[..., TrainedOracle]


@pytest.fixture(autouse=True)
def as_trained_by_natslib() -> None:
    """One thread, as the commands train; forked children cannot use a thread pool that their parent started."""
    ready_device("cpu")


@pytest.fixture
def make(tiny_images: ImageSet, tiny_recipe: Recipe, tmp_path: Path) -> Make:
    """Return the function that makes an oracle on the tiny images, with its logs in `tmp_path`."""

    def made(space: Space = WIRING, folder: Path = tmp_path, **changed: Any) -> TrainedOracle:
        told: dict[str, Any] = {"seed": 777, "stamp": {"scale": "small"}} | changed
        return TrainedOracle(space, tiny_images, "tiny", tiny_recipe, folder / "logs", **told)

    return made


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Training is replaced by making up curves, which takes no time; what was asked for, in order."""
    asked: list[int] = []

    def made_up(
        jobs: Sequence[Job], data: ImageSet, recipe: Recipe, stamp: Mapping[str, object], *_: object
    ) -> list[dict[str, object]]:
        asked.extend(job.arch_index for job in jobs)
        return [
            record(
                job,
                {name: curve(job, name, recipe) for name in ("train", *data.evaluations)},
                params=1,
                flops=1,
                latency_s=1.0,
                stamp=stamp,
            )
            for job in jobs
        ]

    monkeypatch.setattr(farm_module, "train_group", made_up)
    return asked


def curve(job: Job, split: str, recipe: Recipe) -> LearningCurve:
    """A rising curve that depends on the architecture and the split alone."""
    number = int(hashlib.sha256(f"{job.arch_index} {split}".encode()).hexdigest(), 16) % 6000
    accuracy = [float(number / 100 + epoch) for epoch in range(recipe.epochs)]
    return LearningCurve([1.0] * recipe.epochs, accuracy, accuracy, [1.0] * recipe.epochs)


def logged(folder: Path, place: str = "logs") -> list[dict[str, Any]]:
    """The records of a search, without what differs from run to run: the seconds."""
    records = [json.loads(json.dumps(record)) for _, record in finished_records(folder / place)]
    for each in records:
        del each["latency_s"]
        for columns in each["splits"].values():
            del columns["time_s"]
    return records


def ask(oracle: TrainedOracle, arch: Any, epochs: int | None = None) -> tuple[int, int, float, float]:
    return oracle.finish([oracle.evaluator(np.random.default_rng(0))(arch, epochs)])


def search(
    oracle: TrainedOracle, folder: Path, algorithm: str = "rea", budget: float = 12, **rules: Any
) -> pd.DataFrame:
    return repeat_into(folder, algorithm, oracle, Protocol(budget, **rules), runs=1, seed=0).frame


def test_what_is_known_is_not_trained_again(make: Make, trained: list[int], tmp_path: Path) -> None:
    oracle = make()
    first = ask(oracle, WIRING.code(1023))
    assert (first[:2], first[3]) == ((1023, 3), 1.0)
    assert ask(oracle, 1023) == first
    assert ask(oracle, WIRING.string(1023), 1)[1] == 1
    assert ask(make(), 1023) == first
    assert trained == [1023]
    assert first[2] == logged(tmp_path)[0]["splits"]["valid"]["accuracy"][-1]


def test_fewer_epochs_are_those_of_the_same_training(make: Make, tmp_path: Path) -> None:
    oracle = make()
    scores = [ask(oracle, 512, epochs)[2] for epochs in (1, 2, 3)]
    assert scores == logged(tmp_path)[0]["splits"]["valid"]["accuracy"]
    assert [ask(oracle, 512, epochs)[3] for epochs in (1, 3)] == [1 / 3, 1.0]
    with pytest.raises(NotMeasured, match="a score after 4 epochs was asked for; allowed are 1 to 3"):
        ask(oracle, 512, 4)


def test_seconds_are_those_of_training_and_one_validation_pass(make: Make, tmp_path: Path) -> None:
    cost = ask(make(unit=SECONDS), 512, 2)[3]
    splits = next(finished_records(tmp_path / "logs"))[1]["splits"]
    assert cost == pytest.approx(sum(splits["train"]["time_s"][:2]) + np.mean(splits["valid"]["time_s"]))


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
@pytest.mark.parametrize("algorithm", ["rea", "autoshrink", "hyperband"])
def test_multi_trial_searches_train_in_every_space(
    space: Space, algorithm: str, make: Make, tmp_path: Path
) -> None:
    frame = search(make(space), tmp_path, algorithm, budget=3)
    assert frame["spent"].iloc[-1] >= 3
    assert {record["arch_index"] for record in logged(tmp_path)} == set(frame["arch_index"])


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
@pytest.mark.parametrize("algorithm", SEARCHES)
def test_every_search_keeps_the_protocol_in_every_space(
    algorithm: str, space: Space, workers: int, make: Make, trained: list[int], tmp_path: Path
) -> None:
    """With training made up: what is proposed is trained once, within the budget, and nothing else is."""
    if algorithm == "tpe":
        pytest.importorskip("optuna")
    frame = search(make(space), tmp_path, algorithm, budget=13, workers=workers)
    assert 13 <= frame["spent"].iloc[-1] < 14
    assert len(trained) == len(set(trained))
    if algorithm in MULTI_FIDELITY and workers > 1:  # a short training may end before what was reckoned with
        assert set(trained) >= set(frame["arch_index"])
    else:
        assert set(trained) == set(frame["arch_index"])
    scores = {each["arch_index"]: each["splits"]["valid"]["accuracy"] for each in logged(tmp_path)}
    told = zip(frame["arch_index"], frame["epochs"], frame["score"], strict=True)
    assert all(score == scores[index][epochs - 1] for index, epochs, score in told)


@pytest.mark.parametrize("algorithm", ["autoshrink", "nsga2"])
def test_batches_are_proposed_and_told_alike_whatever_the_number_of_workers(
    algorithm: str, make: Make, trained: list[int], tmp_path: Path
) -> None:
    frames = []
    for workers in (1, 3, 10):
        folder = tmp_path / str(workers)
        frames.append(search(make(folder=folder), folder, algorithm, budget=45, workers=workers))
    pd.testing.assert_frame_equal(frames[0], frames[1])
    pd.testing.assert_frame_equal(frames[0], frames[2])


@pytest.mark.parametrize(
    ("algorithm", "sizes"), [("random", [3, 3, 1]), ("autoshrink", [3, 3, 1]), ("nsga2", [3, 3, 1])]
)
def test_what_is_under_evaluation_is_trained_at_once(
    algorithm: str,
    sizes: list[int],
    make: Make,
    trained: list[int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batches: list[int] = []

    def spied(jobs: Sequence[Job], *args: Any, **told: Any) -> int:
        batches.append(len(jobs))
        return run_farm(jobs, *args, **told)

    monkeypatch.setattr(oracle_module, "run_farm", spied)
    search(make(), tmp_path, algorithm, budget=7, workers=3)
    assert batches == sizes


def test_workers_beyond_the_budget_train_nothing_in_vain(
    make: Make, trained: list[int], tmp_path: Path
) -> None:
    search(make(), tmp_path / "keep", "random", budget=5, workers=4)
    assert len(trained) == 5
    search(make(folder=tmp_path / "b"), tmp_path / "discard", "random", 5.5, workers=4, overshoot="discard")
    assert len(trained) == 5 + 5


def test_processes_change_nothing_but_times(make: Make, tmp_path: Path) -> None:
    one = search(make(folder=tmp_path / "one"), tmp_path / "one", budget=5, workers=3)
    with closing(make(folder=tmp_path / "two", processes=2)) as oracle:
        two = search(oracle, tmp_path / "two", budget=5, workers=3)
        assert multiprocessing.active_children()
    pd.testing.assert_frame_equal(one, two)
    assert by_index(tmp_path / "two") == by_index(tmp_path / "one")
    assert not multiprocessing.active_children()


def by_index(folder: Path) -> list[dict[str, Any]]:
    """As `logged`, in an order that does not depend on which training ended first."""
    return sorted(logged(folder), key=lambda record: int(record["arch_index"]))


def test_seconds_are_spent_by_one_process(make: Make) -> None:
    with pytest.raises(
        ConfigError, match=r"2 processes were asked.*allowed are 1, or a budget in evaluations"
    ):
        make(unit=SECONDS, processes=2)


@pytest.mark.parametrize("at", [1, 4, 9])
def test_a_search_that_was_cut_short_goes_on_to_the_same_end(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    whole = search(make(folder=tmp_path / "whole"), tmp_path / "whole")
    part, append = tmp_path / "part", farm_module.append_lines

    def cut(log: Path, entries: Sequence[Mapping[str, object]]) -> None:
        append(log, entries)
        if len(logged(part)) == at:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(farm_module, "append_lines", cut)
        with pytest.raises(KeyboardInterrupt):
            search(make(folder=part), part)
    log = next((part / "logs").rglob("*.jsonl"))
    log.write_bytes(log.read_bytes() + b'{"space": "dag5", "arch_in')  # as a kill leaves it
    pd.testing.assert_frame_equal(search(make(folder=part), part), whole)
    assert logged(part) == logged(tmp_path / "whole")


def searched(make: Make, folder: Path) -> None:
    """Search and look at what was chosen, as the command does."""
    oracle = make(folder=folder)
    oracle.finals(search(oracle, folder)["incumbent"].tail(1).tolist())


def test_twenty_kills_at_random_moments_change_nothing_but_times(make: Make, tmp_path: Path) -> None:
    searched(make, tmp_path / "warm")
    start = time.monotonic()
    searched(make, tmp_path / "whole")
    whole_s = time.monotonic() - start
    rng = np.random.default_rng(0)
    fork = multiprocessing.get_context("fork")
    killed = 0
    for _ in range(20):
        child = fork.Process(target=searched, args=(make, tmp_path / "killed"))
        child.start()
        time.sleep(rng.uniform(0, whole_s / 6))
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join()
        killed += child.exitcode != 0
    assert killed > 3
    searched(make, tmp_path / "killed")
    for place, trainings in (("logs", 12), ("logs/final", 1)):
        assert logged(tmp_path / "killed", place) == logged(tmp_path / "whole", place)
        assert len(logged(tmp_path / "whole", place)) == trainings
    frames = [pd.read_parquet(tmp_path / name / "runs-000000-000000.parquet") for name in ("killed", "whole")]
    pd.testing.assert_frame_equal(*frames)


def test_another_search_may_use_the_logs(make: Make, trained: list[int], tmp_path: Path) -> None:
    search(make(), tmp_path / "a", budget=6)
    before = list(trained)
    assert len(search(make(), tmp_path / "b", budget=6)) == 6
    assert trained == before


def test_the_description_tells_other_images_apart(make: Make, tiny_images: ImageSet) -> None:
    before = make().fingerprint
    tiny_images.evaluations["valid"].labels[0] = 6 - tiny_images.evaluations["valid"].labels[0]
    assert make().fingerprint != before
    assert make(unit=SECONDS).fingerprint != make(unit=EVALUATIONS).fingerprint
    assert make(TOPOLOGY).fingerprint != make().fingerprint


def test_what_cannot_be_searched_by_training(make: Make, tiny_images: ImageSet, tmp_path: Path) -> None:
    del tiny_images.evaluations["valid"]
    with pytest.raises(
        ConfigError, match=r"tiny has no validation images.*it has test: allowed are sets with"
    ):
        make()


def test_logs_of_another_scale_are_not_taken_for_these(make: Make, trained: list[int]) -> None:
    ask(make(), 0)
    with pytest.raises(ConfigError, match="asked is the scale 'paper'"):
        make(stamp={"scale": "paper"})


class Closed(Split):
    """Images that must not be looked at."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"a test image was opened: {name}")


@pytest.mark.parametrize("kept", ["evaluations", "final"])
def test_no_test_image_is_opened_while_searching(
    kept: str, make: Make, tiny_images: ImageSet, tmp_path: Path
) -> None:
    """Neither of a set with test images nor of one whose target is for the end alone, as of shifted images."""
    test, held = tiny_images.evaluations.pop("test"), getattr(tiny_images, kept)  # type: ignore[attr-defined]
    held["test"] = Closed(torch.empty(0), torch.empty(0))
    oracle = make()
    chosen = int(search(oracle, tmp_path, "autoshrink", budget=3)["incumbent"].iloc[-1])
    assert [set(record["splits"]) for record in logged(tmp_path)] == [{"train", "valid"}] * 3
    with pytest.raises(AssertionError, match="a test image was opened"):
        oracle.finals([chosen])
    held["test"] = test
    final = oracle.finals([chosen])[chosen]["splits"]
    assert set(final) == {"train", "valid", "test"}
    scored = next(record for record in logged(tmp_path) if record["arch_index"] == chosen)["splits"]
    for split in ("train", "valid"):  # the same network again
        assert final[split]["accuracy"] == scored[split]["accuracy"]
        assert final[split]["loss"] == scored[split]["loss"]


def test_what_was_chosen_is_trained_again_for_test_images_alone_and_once(
    make: Make, tiny_images: ImageSet, trained: list[int], tmp_path: Path
) -> None:
    make().train([5, 7])
    finals = make().finals([7, 5, 7])
    assert trained == [5, 7, 7, 5]
    assert list(finals) == [7, 5]
    assert make().finals([5]) == {5: finals[5]}
    assert [each["arch_index"] for each in logged(tmp_path, "logs/final")] == [7, 5]
    del tiny_images.evaluations["test"]  # type: ignore[attr-defined]
    assert set(make().finals([9])[9]["splits"]) == {"train", "valid"}
    assert trained == [5, 7, 7, 5, 9]
