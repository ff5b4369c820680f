"""Losses, gradients and choices of one tiny seeded search for each method and paper, recorded.

They are our own numbers, of a state that was compared with the released code (NATS-Bench's to 1e-13): another order of
steps, batch, draw, baseline, clipping or augmentation shows here first.
Refresh on purpose only: `python -m tests.weight_sharing.test_recorded_steps`, and say in the commit why they moved.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from natslib.training.images import ImageSet
from natslib.weight_sharing import METHODS, get_method
from natslib.weight_sharing.data import SearchData, search_data
from natslib.weight_sharing.loop import Run
from natslib.weight_sharing.methods.enas import Controller, Enas
from natslib.weight_sharing.presets import PRESETS, settings_of
from natslib.weight_sharing.settings import Settings
from tests.recorded import check_recorded, double_precision, fingerprint, write_record

from .conftest import brightness
from .tiny import CLASSES, SCALE

RECORD = Path(__file__).with_name("recorded_steps.json")
REFRESH = "python -m tests.weight_sharing.test_recorded_steps"
PAPERS = {
    "nats-bench": [name for name in METHODS if name not in PRESETS["nas-ood"]],
    "nas-ood": list(PRESETS["nas-ood"]),
    "nas-bench-201": ["rsps", "darts-v1", "darts-v2", "gdas", "setn", "enas"],
    "nas-bench-201-bn0": ["rsps", "darts-v1", "darts-v2", "gdas", "setn", "enas"],
}
pytestmark = pytest.mark.filterwarnings("ignore:the environments look alike")
SEARCHES = [(preset, name) for preset, names in PAPERS.items() for name in names]


def images() -> SearchData:
    """20 images to train on, 12 to choose by, shifted and mirrored."""
    train = ImageSet("tiny-valid", CLASSES, brightness(20, 0), {}, (100.0,), (60.0,), shift=1, flip=True)
    return search_data(replace(train, environments=("one", "other")), brightness(12, 1))


def tiny_settings(preset: str, name: str) -> Settings:
    """Return a preset's settings for a few steps, with rates and clips of a size that a few steps show."""
    chosen = settings_of(preset, name, get_method(name).space)
    return replace(
        chosen,
        scale=SCALE,
        batch=8,
        valid_batch=5,
        epochs=2,
        cosine_epochs=2,
        arch_learning_rate=0.05,
        clip=chosen.clip / 20,
        candidates=6,
        epoch_candidates=6 * chosen.epoch_candidates // chosen.candidates or 1,
        warm_up=0.5 if chosen.warm_up else 0.0,
        controller_updates=2,
        controller_samples=3,
        controller_clip=1e-3,
        tune_epochs=1,
        novelty=chosen.novelty and replace(chosen.novelty, classifier_epochs=2),
    )


def searched(preset: str, name: str) -> list[dict[str, Any]]:
    """Return what a tiny search shows from its untrained start on, an entry an epoch."""
    with double_precision():
        run = Run(name, images(), tiny_settings(preset, name), 0)
        shown = []
        for _ in range(run.method.epochs + 1):
            run.advance()
            row, weights = run.rows[-1], list(run.method.network.parameters())
            found = {key: row[key] for key in ("arch_index", "train_loss", "valid_loss", "valid_accuracy")}
            found["weights"] = fingerprint(weights)
            found["gradient"] = fingerprint(weight.grad for weight in weights)
            if run.method.alphas is not None:
                found["alphas"] = row["alphas"][:5]
                found["all_alphas"] = fingerprint([run.method.alphas])
            if isinstance(run.method, Enas):
                found["controller"] = fingerprint(run.method.controller.parameters())
                found["baseline"] = run.method.baseline
            shown.append(found | run.method.record())
        return shown


def drawn() -> dict[str, Any]:
    """Return what a seeded controller draws, and the gradient of what it thinks of that."""
    with double_precision():
        generator = torch.Generator().manual_seed(0)
        controller = Controller(6, 5, generator)
        samples = controller(4, generator)
        (samples.log_probs.sum() + samples.entropies.sum()).backward()
        gradients = [parameter.grad for parameter in controller.parameters() if parameter.grad is not None]
        return {
            "codes": samples.codes.tolist(),
            "log_probs": samples.log_probs.tolist(),
            "entropies": samples.entropies.tolist(),
            "gradient": fingerprint(gradients),
        }


def test_every_method_of_every_paper_is_recorded() -> None:
    desk_sized = {
        "digits",
        "digits-20",
        "digits-40",
        "digits-60",
        "nas-bench-201-digits",
        "nas-bench-201-bn0-digits",
        "smoke",
    }
    assert set(PAPERS) == set(PRESETS) - desk_sized


@pytest.mark.parametrize(("preset", "name"), SEARCHES)
def test_a_tiny_search_takes_the_steps_that_are_recorded(preset: str, name: str) -> None:
    check_recorded(RECORD, f"{name} {preset}", searched(preset, name), REFRESH)


def test_the_controller_draws_what_is_recorded() -> None:
    check_recorded(RECORD, "controller", drawn(), REFRESH)


if __name__ == "__main__":
    every = {f"{name} {preset}": searched(preset, name) for preset, name in SEARCHES}
    write_record(RECORD, every | {"controller": drawn()})
