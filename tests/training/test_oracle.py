"""Searching by training: what is trained once is known, and a search that was cut short goes on to the same end."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from natslib.errors import ConfigError, NotMeasured
from natslib.search import SEARCHES, Protocol
from natslib.search.oracle import EVALUATIONS, SECONDS
from natslib.search.store import repeat_into
from natslib.spaces import SPACES, TOPOLOGY, WIRING, Space
from natslib.training.images import ImageSet
from natslib.training.logs import finished_records
from natslib.training.oracle import TrainedOracle
from natslib.training.recipes import Recipe

Make = Callable[..., TrainedOracle]


@pytest.fixture
def make(tiny_images: ImageSet, tiny_recipe: Recipe, tmp_path: Path) -> Make:
    """Return the function that makes an oracle on the tiny images, with its logs in `tmp_path`."""

    def made(space: Space = WIRING, folder: Path = tmp_path, **changed: Any) -> TrainedOracle:
        told: dict[str, Any] = {"seed": 777, "stamp": {"scale": "small"}} | changed
        return TrainedOracle(space, tiny_images, "tiny", tiny_recipe, folder / "logs", **told)

    return made


def logged(folder: Path) -> list[dict[str, Any]]:
    """The records of a search, without what differs from run to run: the seconds."""
    records = [json.loads(json.dumps(record)) for _, record in finished_records(folder / "logs")]
    for record in records:
        del record["latency_s"]
        for columns in record["splits"].values():
            del columns["time_s"]
    return records


def search(oracle: TrainedOracle, folder: Path, algorithm: str = "rea", budget: float = 12) -> pd.DataFrame:
    return repeat_into(folder, algorithm, oracle, Protocol(budget), runs=1, seed=0).frame


def test_what_is_known_is_not_trained_again(make: Make, tmp_path: Path) -> None:
    trained: list[int] = []
    oracle = make(report=lambda done, record: trained.append(record["arch_index"]))
    ask = oracle.evaluator(np.random.default_rng(0))
    first = ask(WIRING.code(1023), None)
    assert (first[:2], first[3]) == ((1023, 3), 1.0)
    assert ask(1023, None) == first
    assert ask(WIRING.string(1023), 1)[1] == 1
    again = make(report=lambda done, record: trained.append(record["arch_index"]))
    assert again.evaluator(np.random.default_rng(0))(1023, None) == first
    assert trained == [1023]
    assert first[2] == logged(tmp_path)[0]["splits"]["valid"]["accuracy"][-1]


def test_fewer_epochs_are_those_of_the_same_training(make: Make, tmp_path: Path) -> None:
    ask = make().evaluator(np.random.default_rng(0))
    scores = [ask(512, epochs)[2] for epochs in (1, 2, 3)]
    assert scores == logged(tmp_path)[0]["splits"]["valid"]["accuracy"]
    assert [ask(512, epochs)[3] for epochs in (1, 3)] == [1 / 3, 1.0]
    with pytest.raises(NotMeasured, match="a score after 4 epochs was asked for; allowed are 1 to 3"):
        ask(512, 4)


def test_seconds_are_those_of_training_and_one_validation_pass(make: Make, tmp_path: Path) -> None:
    oracle = make(unit=SECONDS)
    cost = oracle.evaluator(np.random.default_rng(0))(512, 2)[3]
    splits = next(finished_records(tmp_path / "logs"))[1]["splits"]
    assert cost == pytest.approx(sum(splits["train"]["time_s"][:2]) + np.mean(splits["valid"]["time_s"]))


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
@pytest.mark.parametrize("algorithm", ["rea", "autoshrink", "hyperband"])
def test_multi_trial_searches_run_in_every_space(
    space: Space, algorithm: str, make: Make, tmp_path: Path
) -> None:
    frame = search(make(space), tmp_path, algorithm, budget=3)
    assert frame["spent"].iloc[-1] >= 3
    assert {record["arch_index"] for record in logged(tmp_path)} == set(frame["arch_index"])


@pytest.mark.parametrize("at", [1, 4, 9])
def test_a_search_that_was_cut_short_goes_on_to_the_same_end(make: Make, tmp_path: Path, at: int) -> None:
    def cut(done: int, record: Mapping[str, Any]) -> None:
        if done == at:
            raise KeyboardInterrupt

    whole = search(make(folder=tmp_path / "whole"), tmp_path / "whole")
    part = tmp_path / "part"
    with pytest.raises(KeyboardInterrupt):
        search(make(folder=part, report=cut), part)
    log = next((part / "logs").rglob("*.jsonl"))
    log.write_bytes(log.read_bytes() + b'{"space": "dag5", "arch_in')  # as a kill leaves it
    pd.testing.assert_frame_equal(search(make(folder=part), part), whole)
    assert logged(part) == logged(tmp_path / "whole")


def test_another_search_may_use_the_logs(make: Make, tmp_path: Path) -> None:
    search(make(), tmp_path / "a", budget=6)
    trained: list[int] = []
    frame = search(make(report=lambda done, record: trained.append(done)), tmp_path / "b", budget=6)
    assert trained == []
    assert len(frame) == 6


def test_the_description_tells_other_images_apart(make: Make, tiny_images: ImageSet) -> None:
    before = make().fingerprint
    tiny_images.evaluations["valid"].labels[0] = 6 - tiny_images.evaluations["valid"].labels[0]
    assert make().fingerprint != before
    assert make(unit=SECONDS).fingerprint != make(unit=EVALUATIONS).fingerprint
    assert make(TOPOLOGY).fingerprint != make().fingerprint


def test_what_cannot_be_searched_by_training(make: Make, tiny_images: ImageSet, tmp_path: Path) -> None:
    del tiny_images.evaluations["valid"]
    with pytest.raises(ConfigError, match=r"tiny has no validation images.*it has test"):
        make()


def test_logs_of_another_scale_are_not_taken_for_these(make: Make, tmp_path: Path) -> None:
    make().evaluator(np.random.default_rng(0))(0, None)
    with pytest.raises(ConfigError, match="asked is the scale 'paper'"):
        make(stamp={"scale": "paper"})


def test_no_test_image_is_looked_at_to_score(make: Make, tiny_images: ImageSet) -> None:
    scored = [make().evaluator(np.random.default_rng(0))(512, None)[2]]
    tiny_images.evaluations["test"].images.zero_()
    scored.append(make(seed=777).evaluator(np.random.default_rng(0))(512, None)[2])
    assert scored[0] == scored[1]
    assert make().split == "valid"
    assert "autoshrink" in SEARCHES
