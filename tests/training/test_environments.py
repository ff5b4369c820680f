"""Shifted digits: what their facts say, disjoint, the same every time, and a target that nothing reads too early."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from natslib.datasets import get_dataset
from natslib.errors import BadSource, ConfigError
from natslib.nets import build_network
from natslib.spaces import SMALL_SCALE
from natslib.tables import Table, convert, load
from natslib.training.candidates import train_group
from natslib.training.embedded import SPLIT_SEED, digit_parts
from natslib.training.environments import Environments, coloured_digits, need_sources, rotated_digits
from natslib.training.images import ImageSet, Sealed, Split, augmented_epoch, draw_plan
from natslib.training.jobs import Job, jobs_for, ood_plan, representatives
from natslib.training.logs import append_lines
from natslib.training.loop import train
from natslib.training.recipes import Recipe, get_recipe
from natslib.training.sources import ENVIRONMENTS, load_images
from natslib.weight_sharing.data import load_search_data, paired_epoch, search_data

SHORT = Recipe("2", 2, 16, learning_rate=0.1, momentum=0.9, weight_decay=5e-4, scale=SMALL_SCALE)
CPU = torch.device("cpu")


def marked(n: int, first: int) -> Split:
    """Images that are one number each; the label is its parity."""
    numbers = torch.arange(first, first + n)
    return Split(numbers.to(torch.uint8)[:, None, None, None].expand(n, 8, 8, 1).clone(), numbers % 2)


def refuse() -> Split:
    raise AssertionError("the target was read")


def environments(target: Callable[[], Split] = refuse) -> Environments:
    sources = {"a": marked(20, 0), "b": marked(12, 50)}
    valid = {"a": marked(6, 100), "b": marked(4, 120)}
    return Environments("tiny", 2, sources, valid, Sealed({"far": target}), shift=1, flip=False)


def test_pooling_keeps_every_image_with_its_environment() -> None:
    pooled = environments(lambda: marked(5, 200)).pooled()
    for split, second in ((pooled.train, 50), (pooled.evaluations["valid"], 120)):
        assert ((split.images[:, 0, 0, 0] >= second).long() == split.domains).all()
    assert sorted(pooled.train.images[:, 0, 0, 0].tolist()) == [*range(20), *range(50, 62)]
    assert (pooled.environments, pooled.open_final()["test"].domains.tolist()) == (("a", "b"), [2] * 5)
    halves = pooled.train.domains.split(16)
    assert all({0, 1} <= set(half.tolist()) for half in halves)  # in random order


def test_an_augmented_epoch_hands_domains_on_in_the_plans_order() -> None:
    pooled = environments().pooled()
    plan = draw_plan(pooled, torch.Generator().manual_seed(3))
    assert torch.equal(augmented_epoch(pooled, plan).domains, pooled.train.domains[plan.order])


def test_batches_of_a_search_carry_the_domains_of_their_images() -> None:
    pooled = replace(environments().pooled(), shift=0, mean=(0.0,), std=(1.0,))
    data = search_data(pooled, pooled.evaluations["valid"])
    for pair in paired_epoch(data, 10, torch.Generator().manual_seed(0)):
        for batch, second in zip(pair, (50, 120), strict=True):
            assert batch.domains.tolist() == (batch.images[:, 0, 0, 0] >= second).long().tolist()


def test_the_target_is_read_after_the_last_epoch_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loader that raises: the search never comes there, the training only when its last epoch is over."""
    search = environments().pooled().to(CPU)
    data = search_data(search, search.evaluations["valid"])
    list(paired_epoch(data, 8, torch.Generator().manual_seed(0)))
    assert not data.train.final
    assert not data.valid.final
    epochs = []
    monkeypatch.setattr(
        "natslib.training.loop.augmented_epoch", lambda *args: epochs.append(1) or augmented_epoch(*args)
    )
    network = build_network("tss", 5, in_channels=1, classes=2, scale=SMALL_SCALE)
    with pytest.raises(AssertionError, match="the target was read"):
        train(network, search, SHORT, 777)
    assert len(epochs) == SHORT.epochs


@pytest.mark.parametrize("group", [1, 2])
def test_a_run_has_the_target_at_its_last_epoch_alone_from_log_to_table(tmp_path: Path, group: int) -> None:
    data = environments(lambda: marked(5, 200)).pooled()
    jobs = jobs_for("tss", np.arange(11472, 11474), "tiny", "2", (777,))[:group]
    entries = train_group(jobs, data, SHORT, stamp={})
    found = json.loads(json.dumps(entries[0]))["splits"]["test"]
    assert [found[name][0] for name in ("loss", "accuracy", "top5", "time_s")] == [None] * 4
    assert found["accuracy"][1] in {20.0 * n for n in range(6)}
    assert "diverged" not in entries[0]
    append_lines(tmp_path / "log.jsonl", entries)
    convert(tmp_path, tmp_path / "table")
    table, where = Table.open(tmp_path / "table"), {"dataset": "tiny", "recipe": "2"}
    assert table.curves(**where, split="test") == "last epoch only"
    assert table.curves(**where, split="valid") == "every epoch"
    assert table.value("accuracy", 11472, **where, split="test") == found["accuracy"][1]


def test_a_target_that_does_not_fit_is_refused() -> None:
    pooled = environments(lambda: marked(5, 200).take(slice(0))).pooled()
    with pytest.raises(BadSource, match="tiny, test: 0 labels for 0 images"):
        pooled.open_final()


def test_domains_of_another_form_are_refused() -> None:
    pooled = environments().pooled()
    wrong = replace(pooled.train, domains=pooled.train.domains[1:])
    with pytest.raises(
        BadSource, match=r"tiny, train: domains are torch.int64 \(31,\); allowed is .* one an image"
    ):
        replace(pooled, train=wrong)


def test_too_few_sources_are_refused_by_name(tiny_images: ImageSet) -> None:
    pooled = environments().pooled()
    need_sources(pooled, 2, "irm")
    with pytest.raises(
        ConfigError, match=r"nas-ood needs 3 or more source environments; tiny has 2 \(a, b\)"
    ):
        need_sources(pooled, 3, "nas-ood")
    with pytest.raises(ConfigError, match="irm needs 2 or more source environments; tiny has none"):
        need_sources(tiny_images, 2, "irm")


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_no_digit_is_in_two_environments(name: str) -> None:
    """Turned, coloured or moved, an image keeps its number: here it is written into its pixels beforehand."""
    parts = digit_parts(np.random.default_rng(SPLIT_SEED))
    seen = [image.tobytes() for images, _ in parts.values() for image in images]
    assert len(set(seen)) > 0.99 * len(seen)  # a few digits are written twice
    found = ENVIRONMENTS[name](views=0)
    counts = [
        len(split) for split in (*found.sources.values(), *found.valid.values(), *found.targets.values())
    ]
    assert sum(counts) == sum(len(labels) for _, labels in parts.values()) == 1797
    if name.startswith("digits-rotated"):
        first = found.sources["0°"]
        assert np.array_equal(first.images.numpy(), parts["train"][0][: len(first)] * 15)
        assert torch.equal(
            torch.cat([each.labels for each in found.sources.values()]), torch.from_numpy(parts["train"][1])
        )


def test_targets_are_turned_as_far_as_they_say() -> None:
    near = rotated_digits(target=0, views=0).targets["0°"]
    turned = rotated_digits(target=90, views=0).targets["90°"]
    assert torch.equal(turned.images, near.images.rot90(1, (1, 2)))


@pytest.mark.parametrize("noise", [0.25, 0.0])
def test_colours_deceive_as_often_as_they_say(noise: float) -> None:
    found = coloured_digits(label_noise=noise, views=0)
    digits = digit_parts(np.random.default_rng(SPLIT_SEED))["test"][1]
    right = found.targets["90%"].labels.numpy() == (digits < 5)
    assert right.mean() == pytest.approx(1 - noise, abs=0.002)
    for name, flipped in (("10%", 0.1), ("20%", 0.2), ("90%", 0.9)):
        split = (found.sources | {"90%": found.targets["90%"]})[name]
        ink = split.images.flatten(1, 2).sum(1)
        assert (ink.min(1).values == 0).all()
        assert (ink.argmax(1) != split.labels).float().mean() == pytest.approx(flipped, abs=0.002)


def test_a_search_gets_unshifted_images_of_the_sources_alone() -> None:
    data = load_search_data("digits-tinted", Path("nowhere"), CPU, verify=True)
    assert (len(data.train.train), len(data.valid.train)) == (896, 450)
    assert set(data.valid.train.domains.tolist()) == {0, 1}
    target = {
        image.numpy().tobytes()
        for image in coloured_digits(label_noise=0, name="digits-tinted", views=0).targets["90%"].images
    }
    assert not target & {image.numpy().tobytes() for image in data.valid.train.images}


def test_the_plan_is_stratified_by_the_published_accuracy() -> None:
    plan = ood_plan()
    cells = np.array([job.arch_index for job in plan[:200]])
    assert len(set(plan)) == len(plan) == 200 * 6 + 60 * 2
    assert {job.arch_index for job in plan} == set(cells.tolist()) <= set(representatives().tolist())
    assert {(job.dataset, job.recipe) for job in plan} == {
        (name, "12") for name in ("digits-tinted", "digits-rotated", "digits-rotated-70")
    }
    accuracy = load("published").values("accuracy", dataset="cifar10-valid", recipe="200", split="valid")
    strata = np.array_split(np.sort(accuracy[representatives()]), 200)
    for value, stratum in zip(np.sort(accuracy[cells]), strata, strict=True):
        assert stratum[0] <= value <= stratum[-1]


def test_tinted_digits_tell_cells_apart_and_label_noise_hides_them() -> None:
    """nas-ood.md, section 5: 10 to 75 % by cell when tinted; when coloured every cell reads the colour alone."""
    assert get_dataset("digits-tinted").images["test"] == 1353
    recipe, found = get_recipe("12", small=True), {}
    for name, archs in (("digits-tinted", (11472, 15000)), ("digits-coloured", (15000,))):
        data = load_images(name, Path(), verify=True)
        for arch in archs:
            (entry,) = train_group([Job("tss", arch, name, "12", 777)], data, recipe, stamp={})
            found[name, arch] = {split: each["accuracy"][-1] for split, each in entry["splits"].items()}
    assert found["digits-tinted", 11472]["test"] < 25
    assert found["digits-tinted", 15000]["test"] > 60
    assert found["digits-coloured", 15000]["test"] < 16
    assert found["digits-coloured", 15000]["valid"] == pytest.approx(85.5, abs=1.5)
