"""How the weight-sharing searches are run: those of the papers, and small ones for the embedded image sets."""

import math
from dataclasses import replace
from typing import Any

from natslib.errors import ConfigError, unknown_name
from natslib.novelty import AT_DESK, PUBLISHED, Novelty
from natslib.spaces import PAPER_SCALE, SMALL_SCALE, SPACES
from natslib.weight_sharing.settings import Settings

#: NATS-Bench, section 4 and the published searches on the topology space.
NATS_TSS = Settings(
    name="nats-bench",
    scale=PAPER_SCALE,
    running_statistics=False,
    ordinary_last_norm=False,
    halves=False,
    epochs=100,
    batch=64,
    valid_batch=512,
    valid_augmented=False,
    learning_rate=0.025,
    learning_rate_min=0.001,
    cosine_epochs=100,
    momentum=0.9,
    nesterov=True,
    weight_decay=5e-4,
    clip=math.inf,
    alphas_first=False,
    arch_learning_rate=3e-4,
    arch_betas=(0.5, 0.999),
    arch_eps=1e-8,
    arch_weight_decay=1e-3,
    tau_max=10.0,
    tau_min=0.1,
    one_cell=False,
    candidates=100,
    epoch_candidates=100,
    warm_up=0.0,
    baseline_decay=0.99,
    last_baseline=False,
    controller_updates=50,
    controller_samples=20,
    controller_clip=5.0,
    controller_entropy=1e-4,
    tune_epochs=5,
    tune_learning_rate=0.0025,
    scored=200,
)
#: The published searches on the size space; with the warm-up of the launch script.
NATS_SSS = replace(NATS_TSS, warm_up=0.3, baseline_decay=0.95)
#: The searches of NAS-Bench-201: running statistics in the cells gave its first table, batch statistics ("BN0") its
#: second. There the norm that DARTS and GDAS clip takes in the gradient of the α too, here it does not.
NAS_BENCH_201 = replace(
    NATS_TSS,
    name="nas-bench-201",
    running_statistics=True,
    ordinary_last_norm=True,
    epochs=250,
    cosine_epochs=250,
    clip=5.0,
    one_cell=True,
)
#: DARTS-PT on the topology space.
DARTS_PT = replace(
    NATS_TSS,
    running_statistics=True,
    ordinary_last_norm=True,
    halves=True,
    valid_batch=64,
    valid_augmented=True,
    nesterov=False,
    weight_decay=3e-4,
    clip=5.0,
    alphas_first=True,
)

#: NAS-OoD's search stage. There the weights' learning rate stays, for its cosine is stepped in the second stage only.
NAS_OOD = replace(
    NATS_TSS,
    name="nas-ood",
    epochs=600,
    cosine_epochs=600,
    batch=32,
    learning_rate_min=0.025,
    nesterov=False,
    weight_decay=3e-4,
    clip=5.0,
)

_AT_DESK: dict[str, Any] = {
    "scale": SMALL_SCALE,
    "epochs": 100,
    "cosine_epochs": 100,
    "valid_batch": 225,
    "learning_rate": 0.1,
    "arch_learning_rate": 3e-3,
    "candidates": 25,
    "epoch_candidates": 25,
    "controller_updates": 10,
    "controller_samples": 5,
}
#: For the embedded image sets: small networks, and architecture parameters that move within a few hundred steps.
DIGITS_TSS = replace(NATS_TSS, name="digits", **_AT_DESK, tune_epochs=2)
#: Deliberately without augmentation where operations are masked: it would blur differences of few images among 450.
DIGITS_PT = replace(
    DARTS_PT,
    name="digits",
    scale=SMALL_SCALE,
    running_statistics=False,
    ordinary_last_norm=False,
    halves=False,
    valid_augmented=False,
    arch_learning_rate=3e-3,
    tune_epochs=2,
)
DIGITS_NAS_OOD = replace(DIGITS_TSS, clip=5.0)
DIGITS_SSS = replace(DIGITS_TSS, warm_up=0.3, baseline_decay=0.95)


def _smoke(settings: Settings) -> Settings:
    """Return settings that show within seconds that a search runs, and nothing else."""
    return replace(
        settings,
        name="smoke",
        epochs=2,
        cosine_epochs=2,
        candidates=5,
        epoch_candidates=5,
        warm_up=0.5 if settings.warm_up else 0.0,
        controller_updates=2,
        controller_samples=2,
        tune_epochs=1,
        scored=10,
        novelty=settings.novelty and replace(settings.novelty, classifier_epochs=2),
    )


_ENAS: dict[str, Any] = {"arch_learning_rate": 1e-3, "arch_weight_decay": 0.0, "arch_eps": 1e-3}
_ENAS_201: dict[str, Any] = {
    "learning_rate": 0.05,
    "learning_rate_min": 0.0005,
    "cosine_epochs": 10,
    "weight_decay": 2.5e-4,
    "batch": 128,
    "valid_batch": 128,
    "valid_augmented": True,
    "arch_betas": (0.0, 0.999),
    "epoch_candidates": 10,
    "last_baseline": True,
}
#: Rates as much higher than the paper's as those of `DIGITS_TSS`; a cosine of the same share of the epochs.
_ENAS_201_AT_DESK: dict[str, Any] = {
    "learning_rate": 0.2,
    "cosine_epochs": 4,
    "arch_learning_rate": 1e-2,
    "epoch_candidates": 5,
}


def _nas_bench_201(settings: Settings, **of_enas: Any) -> dict[str, Settings]:
    """Return the settings of each method of NAS-Bench-201; DARTS has a fifth of the epochs of the others."""
    short = settings.epochs // 5
    darts = replace(settings, epochs=short, cosine_epochs=short)
    return {
        "tss": settings,
        "darts-v1": darts,
        "darts-v2": replace(darts, alphas_first=True),
        "setn": replace(settings, clip=math.inf),
        "enas": replace(settings, **_ENAS | _ENAS_201 | of_enas),
    }


def _both_norms(settings: Settings, **of_enas: Any) -> dict[str, dict[str, Settings]]:
    """Return the settings with running statistics and, named BN0, with those of the batch."""
    of_batch = settings.name.replace("201", "201-bn0")
    return {
        settings.name: _nas_bench_201(settings, **of_enas),
        of_batch: _nas_bench_201(replace(settings, name=of_batch, running_statistics=False), **of_enas),
    }


def _nas_ood(settings: Settings, novelty: Novelty) -> dict[str, Settings]:
    """Return the settings of the two forms of NAS-OoD and of its ablations, which lack a part each.

    In the bilevel form the weights learn on drawn and on real images in equal parts.
    """
    changes: dict[str, dict[str, Any]] = {
        "nas-ood": {},
        "nas-ood-bilevel": {"synthetic_share": 0.5},
        "nas-ood-no-reversal": {"reversal": False},
        "nas-ood-no-transport": {"novelty_weight": 0.0},
        "nas-ood-no-cycle": {"cycle_weight": 0.0},
    }
    return {name: replace(settings, novelty=replace(novelty, **changed)) for name, changed in changes.items()}


_DIGITS = {
    "tss": DIGITS_TSS,
    "sss": DIGITS_SSS,
    "enas": replace(DIGITS_TSS, **_ENAS | {"arch_learning_rate": 1e-2}),
    "tunas": replace(DIGITS_SSS, arch_weight_decay=0.0),
    "darts-pt": DIGITS_PT,
    "darts-pt-fixed": DIGITS_PT,
    "darts-pt-magnitude": DIGITS_PT,
    **_nas_ood(DIGITS_NAS_OOD, AT_DESK),
}


def _trained_for(epochs: int, preset: dict[str, Settings]) -> dict[str, Settings]:
    """Return a preset whose supernets train for that many epochs, with a name that says so."""
    return {
        name: replace(each, name=f"{each.name}-{epochs}", epochs=epochs, cosine_epochs=epochs)
        for name, each in preset.items()
    }


#: The settings of each preset by method; the entries 'tss' and 'sss' are those of methods that are not named.
PRESETS: dict[str, dict[str, Settings]] = {
    "nats-bench": {
        "tss": NATS_TSS,
        "sss": NATS_SSS,
        "enas": replace(NATS_TSS, **_ENAS),
        "tunas": replace(NATS_SSS, arch_weight_decay=0.0),
        "darts-pt": DARTS_PT,
        "darts-pt-fixed": DARTS_PT,
        "darts-pt-magnitude": DARTS_PT,
    },
    **_both_norms(NAS_BENCH_201),
    "nas-ood": _nas_ood(NAS_OOD, PUBLISHED),
    "digits": _DIGITS,
    **{f"digits-{epochs}": _trained_for(epochs, _DIGITS) for epochs in (20, 40, 60)},
    **_both_norms(replace(NAS_BENCH_201, name="nas-bench-201-digits", **_AT_DESK), **_ENAS_201_AT_DESK),
    "smoke": {name: _smoke(settings) for name, settings in _DIGITS.items()},
}


def settings_of(preset: str, method: str, space: str) -> Settings:
    """Return the settings of a preset for a method on a space: its own where it has some, else those of the space.

    Raises `UnknownName` for another preset, `ConfigError` where the preset has none for the space.
    """
    if preset not in PRESETS:
        raise unknown_name("settings", preset, PRESETS)
    known = PRESETS[preset]
    if method in known:
        return known[method]
    if space not in known:
        others = "searches of " + ", ".join(name for name in known if name in SPACES)
        if not known.keys() & SPACES:
            others = ", ".join(known)
        raise ConfigError(f"{method} searches {space}; the settings {preset!r} are for {others}")
    return known[space]
