"""How AutoShrink trains a recurrent candidate (AAAI 2020; released code b37564d): clipped SGD on pieces of text.

Of what is published, a desk has no use for pretrained word vectors, and left out is that one piece in twenty has half
the length. The published rates fall four and two epochs before the end, for trainings of ten; here once, two before.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from natslib.nets.recurrent import LanguageModel


@dataclass(frozen=True)
class Reading:
    """The settings of a training: so many texts side by side, in pieces of so many steps.

    `patience`: epochs without a gain of validation loss that end it; so does a validation loss above `ratio` times that
    of training.
    """

    width: int = 24
    epochs: int = 5
    batch: int = 256
    steps: int = 5
    learning_rate: float = 20.0
    clip: float = 0.25
    patience: int = 4
    ratio: float = 3.0


def side_by_side(text: npt.NDArray[np.int64], batch: int) -> Tensor:
    """Cut a text into `batch` of equal length, (length // batch, batch); what is left over is dropped."""
    length = len(text) // batch
    return torch.from_numpy(text[: length * batch]).view(batch, length).T.contiguous()


def train_language(
    model: LanguageModel, train: Tensor, valid: Tensor, how: Reading
) -> tuple[float, int, str]:
    """Train in place on texts side by side, (steps, n); return what came of it.

    That is the perplexity of the best validation loss over the epochs, NaN where there was none; epochs; what ended it.
    """
    sgd, losses = torch.optim.SGD(model.parameters(), how.learning_rate), list[float]()
    for epoch in range(1, how.epochs + 1):
        sgd.param_groups[0]["lr"] = how.learning_rate * (0.1 if epoch > how.epochs - 2 else 1.0)
        seen = _train_epoch(model, sgd, train, how)
        losses.append(text_loss(model, valid))
        if not losses[-1] <= how.ratio * seen:
            return _perplexity(losses), epoch, "high loss"
        if epoch - 1 - int(np.argmin(losses)) >= how.patience:
            return _perplexity(losses), epoch, "no gain"
    return _perplexity(losses), how.epochs, "all epochs"


@torch.inference_mode()
def text_loss(model: LanguageModel, text: Tensor) -> float:
    """Return the mean loss in nats of predicting each symbol of texts (steps, n) from those before it."""
    logits, _ = model(text[:-1], model.blank(text.shape[1]))
    return cross_entropy(logits.flatten(0, 1), text[1:].flatten()).item()


def _train_epoch(model: LanguageModel, sgd: torch.optim.Optimizer, text: Tensor, how: Reading) -> float:
    """Return the mean loss over the symbols of one pass; pieces hand on the state, without its gradient."""
    state, total = model.blank(text.shape[1]), 0.0
    for start in range(0, len(text) - 1, how.steps):
        piece = text[start : start + how.steps + 1]
        logits, state = model(piece[:-1], state.detach())
        loss = cross_entropy(logits.flatten(0, 1), piece[1:].flatten())
        sgd.zero_grad()
        loss.backward()
        clip_grad_norm_(model.parameters(), how.clip)
        sgd.step()
        total += loss.item() * (len(piece) - 1)
    return total / (len(text) - 1)


def _perplexity(losses: list[float]) -> float:
    return math.exp(min((loss for loss in losses if math.isfinite(loss)), default=math.nan))
