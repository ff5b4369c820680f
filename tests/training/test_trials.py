"""Trials open the target last, choose by nothing of it but the oracle's share, and go on where they were killed."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from natslib.errors import BadSource, ConfigError
from natslib.nets.mlp import Mlp
from natslib.training import trials as module
from natslib.training.comparing import FRAME, LOG, compare, planned
from natslib.training.environments import Environments, rotated_digits
from natslib.training.images import ImageSet, Sealed, Split
from natslib.training.loop import prepared
from natslib.training.names import GREY, UNSHIFTED
from natslib.training.objectives import OBJECTIVES, get_objective
from natslib.training.objectives.objective import Batch
from natslib.training.trials import (
    COMMON,
    Trial,
    TrialData,
    accuracy,
    batches,
    build_trial_network,
    drawn_numbers,
    load_trial_data,
    run_trial,
)
from tests.killing import killed_at_random

TRIAL = Trial("tiny", "mlp", "erm", 0, 1, 20)


def images(n: int, seed: int) -> Split:
    """Noise in which a bright row tells the class."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 200, (n, 8, 8, 1), generator=generator).to(torch.uint8)
    labels = torch.randint(0, 3, (n,), generator=generator)
    pixels[torch.arange(n), labels] = 255
    return Split(pixels, labels)


def data(target: Callable[[], Split] = lambda: images(30, 9)) -> TrialData:
    sources = {"a": images(20, 0), "b": images(12, 1)}
    valid = {"a": images(9, 2), "b": images(6, 3)}
    pooled = Environments("tiny", 3, sources, valid, Sealed({"far": target}), shift=1, flip=False).pooled()
    return TrialData(pooled, images(10, 4))


def test_the_target_is_opened_once_and_after_the_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []

    def opened() -> Split:
        events.append("target")
        return images(30, 9)

    def noted(*args: Any) -> Iterator[Batch]:
        for batch in batches(*args):
            events.append("step")
            yield batch
        events.append("trained")

    monkeypatch.setattr(module, "batches", noted)
    run_trial(TRIAL, data(opened))
    assert events == ["step"] * TRIAL.steps + ["trained", "target"]


@pytest.mark.filterwarnings("ignore:the environments look alike")
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_of_the_target_only_the_oracle_and_what_is_measured_depend(objective: str) -> None:
    trial = replace(TRIAL, objective=objective)
    one, other = run_trial(trial, data()), run_trial(trial, data(lambda: images(30, 10)))
    differing = {name for name in one if one[name] != other[name]}
    assert differing <= {"oracle", "oracle_test", "valid_test", "elsewhere_test"}
    assert differing, "another target gives another accuracy"


def test_the_oracle_chooses_by_other_images_than_those_that_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    plain = accuracy

    def noted(network: Mlp, images: ImageSet, split: Split) -> float:
        seen.append(split.images)
        return plain(network, images, split)

    monkeypatch.setattr(module, "accuracy", noted)
    run_trial(replace(TRIAL, steps=1), data())
    sets = [{image.numpy().tobytes() for image in some} for some in seen if len(some) in (6, 24)]
    assert sets[0].isdisjoint(sets[1])
    assert len(sets[0] | sets[1]) == 30
    assert all(len(some) != 30 for some in seen), "nothing is measured on both together"
    assert all(later == sets[1] for later in sets[2:])


def test_the_best_look_is_measured_and_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Held-out accuracies that fall after the first look: its weights are the ones that are measured."""
    scores = iter([80.0, 70.0] + [10.0] * 100)
    monkeypatch.setattr(module, "LOOKS", 2)
    weights: list[float] = []

    def told(network: Mlp, images: ImageSet, split: Split) -> float:
        weights.append(float(network.classifier.weight.detach().sum()))
        return next(scores)

    monkeypatch.setattr(module, "accuracy", told)
    found = run_trial(TRIAL, replace(data(), elsewhere=None))
    assert (found["valid"], found["valid_step"], found["elsewhere"]) == (80.0, 10, None)
    assert weights[-1] == weights[0] != weights[1]


def test_a_batch_has_as_many_of_each_environment_or_all() -> None:
    pooled = data().images
    for batch in batches(pooled, 15, 3, seed=0):
        assert torch.bincount(batch.domains).tolist() == [15, 12]
    one, same, other = (next(batches(pooled, 15, 1, seed)) for seed in (0, 0, 1))
    assert torch.equal(one.images, same.images)
    assert not torch.equal(one.images, other.images)


def test_an_accuracy_is_the_mean_of_the_environments() -> None:
    pooled = data().images
    network = build_trial_network(TRIAL, pooled).eval()
    split = pooled.evaluations["valid"]
    right = network(prepared(split, pooled).images).argmax(1) == split.labels
    each = [100 * right[split.domains == number].float().mean().item() for number in (0, 1)]
    assert accuracy(network, pooled, split) == pytest.approx(sum(each) / 2)
    assert each[0] != each[1]


def test_draws_are_alike_for_all_objectives_and_the_first_is_the_defaults() -> None:
    for name in OBJECTIVES:
        kind = get_objective(name)
        first = drawn_numbers(replace(TRIAL, objective=name))
        assert first == {number: value.default for number, value in {**COMMON, **kind.numbers}.items()}
    drawn = [drawn_numbers(replace(TRIAL, objective=name, draw=3)) for name in OBJECTIVES]
    assert len({(numbers["learning_rate"], numbers["batch"]) for numbers in drawn}) == 1
    assert drawn_numbers(replace(TRIAL, draw=3)) != drawn_numbers(replace(TRIAL, draw=3, seed=2))


@pytest.mark.parametrize("network", ["tss:6111", "sss:8:24:40:64:8"])
def test_any_candidate_is_a_network_for_trials(network: str) -> None:
    found = run_trial(replace(TRIAL, network=network, steps=3, objective="coral"), data())
    assert found["network"] == network
    assert found == run_trial(replace(TRIAL, network=network, steps=3, objective="coral"), data())


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(
        ConfigError, match="unknown network 'resnet': allowed are 'mlp' and such as 'tss:6111'"
    ):
        run_trial(replace(TRIAL, network="resnet"), data())


def test_one_source_is_refused_before_anything_is_trained() -> None:
    alone = Environments(
        "tiny", 3, {"a": images(9, 0)}, {"a": images(6, 2)}, Sealed({"far": lambda: images(9, 1)}), 1, False
    )
    with pytest.raises(ConfigError, match="objective irm needs 2 or more source environments; tiny has 1 "):
        run_trial(replace(TRIAL, objective="irm"), TrialData(alone.pooled()))


def test_images_without_environments_are_refused() -> None:
    with pytest.raises(
        ConfigError, match="digits has no environments to compare objectives on: allowed are digits-"
    ):
        load_trial_data("digits", Path(), verify=True)


def test_ours_come_once_each_with_a_further_environment_and_grey_without_colours() -> None:
    coloured, grey = (load_trial_data(name, Path(), verify=True) for name in ("digits-coloured", GREY))
    for split, of in (
        (coloured.images.train, grey.images.train),
        (coloured.images.final["test"], grey.images.final["test"]),
    ):
        assert torch.equal(split.images.amax(-1, keepdim=True), of.images)
        assert torch.equal(split.labels, of.labels)
    assert grey.elsewhere is None
    assert [len(coloured.images.final["test"]), len(coloured.images.evaluations["valid"])] == [451, 450]
    assert coloured.elsewhere is not None
    kept = coloured.elsewhere.images.flatten(1, 2).amax(1).argmax(1) == coloured.elsewhere.labels
    assert kept.float().mean().item() == pytest.approx(0.5, abs=0.03)
    rotated = load_trial_data("digits-rotated", Path(), verify=True)
    assert rotated.elsewhere is not None
    assert len(rotated.elsewhere) == 450


def test_the_unshifted_target_is_turned_as_a_source_is_and_shows_other_digits() -> None:
    """The target's digits are those of the shifted set, here turned by 20 degrees instead of 50."""
    here, shifted = (load_trial_data(name, Path(), verify=True) for name in (UNSHIFTED, "digits-rotated"))
    assert torch.equal(here.images.train.images, shifted.images.train.images)
    assert here.images.environments[1] == "20°"
    (target,), (turned,) = (each.images.open_final().values() for each in (here, shifted))
    assert torch.equal(target.labels, turned.labels)
    assert torch.equal(target.images, rotated_digits(target=20, views=0).targets["20°"].images)
    assert not torch.equal(target.images, turned.images)
    assert here.elsewhere is None


PLAN = planned(["tiny"], ["erm", "irm", "dann"], network="mlp", draws=2, seeds=[0, 1], steps=4)


class Killed(BaseException):
    """What a kill is to this test."""


def test_a_killed_comparison_goes_on_and_ends_with_the_same_frame(tmp_path: Path) -> None:
    whole = compare(PLAN, tmp_path / "whole", lambda name: data(), lambda *told: None)

    def dying(done: int, total: int, trial: Trial) -> None:
        if done == 5:
            raise Killed

    with pytest.raises(Killed):
        compare(PLAN, tmp_path / "killed", lambda name: data(), dying)
    with (tmp_path / "killed" / LOG).open("a") as log:
        log.write('{"dataset": "ti')  # what a kill in the middle of a line leaves
    told: list[int] = []
    again = compare(PLAN, tmp_path / "killed", lambda name: data(), lambda done, *_: told.append(done))
    assert told == list(range(6, 13))
    pd.testing.assert_frame_equal(again, whole)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "killed" / FRAME), whole)


@pytest.mark.usefixtures("one_thread")  # forked children cannot use their parent's
def test_a_comparison_that_the_system_kills_at_random_moments_ends_with_the_same_frame(
    tmp_path: Path,
) -> None:
    plan = planned(["tiny"], ["erm", "irm", "dann"], network="mlp", draws=2, seeds=[0, 1], steps=8)

    def run(folder: Path) -> pd.DataFrame:
        return compare(plan, folder, lambda name: data(), lambda *told: None)

    start = time.monotonic()
    whole = run(tmp_path / "whole")
    whole_s = time.monotonic() - start
    assert killed_at_random(lambda: run(tmp_path / "killed"), 4, whole_s / 3) >= 2
    pd.testing.assert_frame_equal(run(tmp_path / "killed"), whole)


def test_a_beginning_of_the_plan_has_all_objectives() -> None:
    assert {trial.objective for trial in PLAN[:3]} == {"erm", "irm", "dann"}
    assert {trial.draw for trial in PLAN[: len(PLAN) // 2]} == {0}


def test_a_damaged_log_is_named(tmp_path: Path) -> None:
    (tmp_path / LOG).write_text("no JSON\n")
    with pytest.raises(BadSource, match=r"trials\.jsonl is damaged"):
        compare(PLAN, tmp_path, lambda name: data(), lambda *told: None)
