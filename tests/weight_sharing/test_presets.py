"""The settings of the papers by value, and how the small ones differ."""

import math
from dataclasses import replace

import pytest

from natslib.errors import ConfigError, UnknownName
from natslib.spaces import PAPER_SCALE, SMALL_SCALE, SPACES
from natslib.weight_sharing import METHODS, get_method
from natslib.weight_sharing.presets import NATS_SSS, NATS_TSS, PRESETS, settings_of


@pytest.mark.parametrize("name", [name for name in METHODS if not name.startswith("darts-pt")])
def test_the_weights_learn_as_published(name: str) -> None:
    settings = settings_of("nats-bench", name, get_method(name).space)
    assert settings.scale == PAPER_SCALE
    assert (settings.epochs, settings.batch, settings.valid_batch) == (100, 64, 512)
    assert (settings.momentum, settings.nesterov, settings.weight_decay) == (0.9, True, 5e-4)
    assert settings.clip == math.inf
    assert not settings.running_statistics
    assert settings.learning_rate_of(0) == 0.025
    assert settings.learning_rate_of(50) == pytest.approx(0.013)
    assert settings.learning_rate_of(99) == pytest.approx(0.001 + 0.024 * (1 - math.cos(math.pi / 100)) / 2)


def test_the_temperature_falls_linearly_from_10_to_a_tenth() -> None:
    temperatures = [NATS_TSS.temperature(epoch) for epoch in range(100)]
    assert (temperatures[0], temperatures[99]) == (10.0, pytest.approx(0.1))
    assert temperatures[33] == pytest.approx(10 - 9.9 / 3)


@pytest.mark.parametrize(
    ("name", "space", "adam"),
    [
        ("darts-v1", "tss", (3e-4, (0.5, 0.999), 1e-8, 1e-3)),
        ("darts-v2", "tss", (3e-4, (0.5, 0.999), 1e-8, 1e-3)),
        ("gdas", "tss", (3e-4, (0.5, 0.999), 1e-8, 1e-3)),
        ("setn", "tss", (3e-4, (0.5, 0.999), 1e-8, 1e-3)),
        ("enas", "tss", (1e-3, (0.5, 0.999), 1e-3, 0.0)),
        ("tas", "sss", (3e-4, (0.5, 0.999), 1e-8, 1e-3)),
        ("fbnetv2", "sss", (3e-4, (0.5, 0.999), 1e-8, 1e-3)),
        ("tunas", "sss", (3e-4, (0.5, 0.999), 1e-8, 0.0)),
    ],
)
def test_the_architecture_is_learned_as_published(name: str, space: str, adam: tuple) -> None:
    settings = settings_of("nats-bench", name, space)
    found = (
        settings.arch_learning_rate,
        settings.arch_betas,
        settings.arch_eps,
        settings.arch_weight_decay,
    )
    assert found == adam


def test_selection_controller_and_warm_up_are_as_published() -> None:
    enas = settings_of("nats-bench", "enas", "tss")
    assert (enas.controller_updates, enas.controller_samples, enas.controller_clip) == (50, 20, 5.0)
    assert (enas.controller_entropy, enas.baseline_decay, enas.candidates) == (1e-4, 0.99, 100)
    assert (NATS_SSS.warm_up, NATS_SSS.baseline_decay) == (0.3, 0.95)


@pytest.mark.parametrize(("preset", "running"), [("nas-bench-201", True), ("nas-bench-201-bn0", False)])
def test_nas_bench_201_differs_as_it_says(preset: str, running: bool) -> None:
    methods = ["darts-v1", "darts-v2", "gdas", "setn", "rsps", "enas"]
    settings = {name: settings_of(preset, name, "tss") for name in methods}
    assert [some.epochs for some in settings.values()] == [50, 50, 250, 250, 250, 250]
    assert {some.running_statistics for some in settings.values()} == {running}
    assert {some.ordinary_last_norm for some in settings.values()} == {True}
    assert {name for name, some in settings.items() if some.clip != 5.0} == {"setn"}
    assert {name for name, some in settings.items() if some.alphas_first} == {"darts-v2"}
    assert settings["rsps"].one_cell
    enas = settings["enas"]
    assert (enas.valid_batch, enas.valid_augmented, enas.last_baseline) == (128, True, True)
    assert (enas.candidates, enas.epoch_candidates) == (100, 10)
    assert {some.valid_batch for name, some in settings.items() if name != "enas"} == {512}
    assert (enas.weight_decay, enas.batch, enas.arch_betas) == (2.5e-4, 128, (0.0, 0.999))
    rates = [enas.learning_rate_of(epoch) for epoch in (0, 10, 20)]
    assert rates == pytest.approx([0.05, 0.0005, 0.05])


def test_darts_pt_differs_as_it_says() -> None:
    settings = settings_of("nats-bench", "darts-pt", "tss")
    assert (settings.weight_decay, settings.clip, settings.running_statistics) == (3e-4, 5.0, True)
    assert (settings.tune_epochs, settings.tune_learning_rate) == (5, 0.0025)
    assert settings.ordinary_last_norm
    assert settings.halves
    assert settings.valid_augmented
    assert settings.alphas_first


def test_nats_bench_has_none_of_the_rules_of_others() -> None:
    for name in ("rsps", "darts-v1", "darts-v2", "gdas", "setn", "enas", "tas", "fbnetv2", "tunas"):
        settings = settings_of("nats-bench", name, get_method(name).space)
        others = (settings.ordinary_last_norm, settings.halves, settings.valid_augmented)
        assert not any((*others, settings.alphas_first, settings.one_cell, settings.last_baseline)), name
        assert settings.epoch_candidates == settings.candidates


@pytest.mark.parametrize("paper", ["nas-bench-201", "nas-bench-201-bn0"])
def test_the_desk_sized_form_keeps_the_rules_of_its_paper(paper: str) -> None:
    rules = (
        "running_statistics",
        "ordinary_last_norm",
        "valid_augmented",
        "clip",
        "alphas_first",
        "one_cell",
    )
    for name in ("rsps", "darts-v1", "darts-v2", "gdas", "setn", "enas"):
        full, small = (settings_of(preset, name, "tss") for preset in (paper, f"{paper}-digits"))
        assert small.name == f"{paper}-digits"
        for rule in (*rules, "last_baseline", "weight_decay", "batch", "arch_betas", "nesterov"):
            assert getattr(full, rule) == getattr(small, rule), (name, rule)
        assert full.epochs / small.epochs == full.cosine_epochs / small.cosine_epochs == 2.5
        assert small.scale == SMALL_SCALE


@pytest.mark.parametrize("epochs", [40, 60])
def test_digits_for_fewer_epochs_differ_in_nothing_else(epochs: int) -> None:
    for name, settings in PRESETS["digits"].items():
        changes = {"name": f"digits-{epochs}", "epochs": epochs, "cosine_epochs": epochs}
        assert PRESETS[f"digits-{epochs}"][name] == replace(settings, **changes)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_new_method_has_the_settings_of_its_space(preset: str) -> None:
    for space in PRESETS[preset].keys() & SPACES.keys():
        assert settings_of(preset, "new", space) is PRESETS[preset][space]


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(UnknownName, match=r"unknown settings 'digit'.*did you mean 'digits'"):
        settings_of("digit", "rsps", "tss")
    with pytest.raises(
        ConfigError, match="tunas searches sss; the settings 'nas-bench-201' are for searches of tss"
    ):
        settings_of("nas-bench-201", "tunas", "sss")
