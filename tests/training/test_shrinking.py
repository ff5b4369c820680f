"""What ends a candidate's training as AutoShrink trains it."""

import math

import pytest
import torch
from torch import nn

from natslib.training import shrinking
from natslib.training.embedded import digits
from natslib.training.images import ImageSet, Split
from natslib.training.shrinking import Shrinking, train_shrinking


@pytest.fixture(scope="module")
def few() -> ImageSet:
    """Sixty-four digits to train on, and the same ones to validate on."""
    data = digits()
    some = Split(data.train.images[:64], data.train.labels[:64])
    return ImageSet("few", 10, some, {"valid": some}, data.mean, data.std, shift=0, flip=False)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


@pytest.mark.parametrize(
    ("validation", "ended", "epochs", "accuracy"),
    [
        ([(0.5, 0.1 * epoch) for epoch in range(1, 9)], "all epochs", 8, 80.0),
        ([(0.5, 0.3)] + [(0.5, 0.3)] * 7, "no gain", 6, 30.0),  # five epochs after the first one
        ([(0.5, 0.3), (0.5, 0.2), (0.5, 0.4)] + [(0.5, 0.4)] * 5, "no gain", 8, 40.0),
        ([(0.5, 0.19)] * 8, "low accuracy", 4, 19.0),
        ([(0.5, 0.3), (1e3, 0.4)] + [(0.5, 0.4)] * 6, "high loss", 2, 40.0),
        ([(math.nan, 0.3)] * 8, "high loss", 1, 30.0),
    ],
)
def test_what_ends_a_training(
    validation: list[tuple[float, float]],
    ended: str,
    epochs: int,
    accuracy: float,
    few: ImageSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = iter(validation)

    def evaluate(network: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        loss, right = next(told)
        return torch.tensor([loss, right, right], dtype=torch.float64) * len(labels)

    monkeypatch.setattr(shrinking, "evaluate", evaluate)
    outcome = train_shrinking(network(), few, Shrinking(epochs=8, batch=32), seed=0)
    assert (outcome.ended, outcome.epochs) == (ended, epochs)
    assert outcome.accuracy == pytest.approx(accuracy)


def test_an_epoch_ends_when_training_is_learnt(few: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []
    monkeypatch.setattr(torch.optim.Adam, "step", lambda self: steps.append(1))
    train_shrinking(network(), few, Shrinking(epochs=1, batch=8, learnt=1.0), seed=0)
    assert len(steps) == 8
    train_shrinking(network(), few, Shrinking(epochs=1, batch=8, learnt=-1.0), seed=0)
    assert len(steps) == 8 + 1


def test_it_learns_and_the_seed_decides(few: ImageSet) -> None:
    how = Shrinking(epochs=6, batch=16, learning_rate=0.02)
    first, again, other = (train_shrinking(network(), few, how, seed) for seed in (0, 0, 1))
    assert first == again
    assert first.accuracy > 50
    assert first != other
