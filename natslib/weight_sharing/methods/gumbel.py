"""Gumbel noise on logits: the samplers that GDAS, TAS and FBNetV2 differentiate through (Jang et al. 2017)."""

import torch
from torch import Generator, Tensor


def perturbed(logits: Tensor, temperature: float, generator: Generator) -> Tensor:
    """Return (log p + Gumbel noise) / temperature of each row of `logits`: (rows, choices), same shape and device.

    The noise comes from the CPU generator, so that a seed means the same search on every device.
    """
    # exponential_ never returns zero, so that the noise is finite
    noise = -torch.empty(logits.shape).exponential_(generator=generator).log()
    return (logits.log_softmax(dim=-1) + noise.to(logits)) / temperature


def soft_sample(logits: Tensor, temperature: float, generator: Generator) -> Tensor:
    """Return a Gumbel-softmax sample of each row: positive, rows add up to one; nearly one-hot at a low temperature."""
    return perturbed(logits, temperature, generator).softmax(dim=-1)


def hard_sample(logits: Tensor, temperature: float, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return a one-hot sample a row with the gradient of the soft one (straight through), and its choices (rows,)."""
    soft = soft_sample(logits, temperature, generator)
    choices = soft.argmax(dim=-1)
    one_hot = torch.nn.functional.one_hot(choices, logits.shape[-1]).to(soft)
    return one_hot - soft.detach() + soft, choices
