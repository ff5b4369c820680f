"""ENAS's controller: an LSTM that writes a cell edge by edge (Pham et al. 2018, in NATS-Bench's size)."""

from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

SIZE = 32  # of the LSTM's state and of an operation's embedding
LAYERS = 2
TEMPERATURE = 5.0
TANH_CONSTANT = 2.5  # keeps each logit within +-2.5, so that no operation ever dies out
SMALL_BOUND = 0.1
_SMALL = {"start", "lstm.weight_ih_l0", "lstm.weight_hh_l0", "embedding.weight", "predict.weight"}


class Samples(NamedTuple):
    """Architectures a controller drew: `codes` (n, positions); `log_probs` and `entropies` (n,), sums."""

    codes: Tensor
    log_probs: Tensor
    entropies: Tensor


class Controller(nn.Module):
    """An autoregressive policy over `positions` choices out of `choices` each.

    The first LSTM layer's weights, the embedding, the start vector and the prediction's weights begin at U(-0.1, 0.1);
    the rest as PyTorch begins it, U(-1/sqrt(32), 1/sqrt(32)). It stays on the CPU: it is far too small for a GPU.
    """

    def __init__(self, positions: int, choices: int, generator: Generator) -> None:
        super().__init__()
        self.positions = positions
        self.start = nn.Parameter(torch.empty(SIZE))
        self.lstm = nn.LSTM(SIZE, SIZE, LAYERS)
        self.embedding = nn.Embedding(choices, SIZE)
        self.predict = nn.Linear(SIZE, choices)
        for name, parameter in self.named_parameters():
            bound = SMALL_BOUND if name in _SMALL else SIZE**-0.5
            nn.init.uniform_(parameter, -bound, bound, generator=generator)

    def logits(self, outputs: Tensor) -> Tensor:
        """Return the bounded logits 2.5 tanh(prediction / 5) of LSTM outputs (n, 32): (n, choices)."""
        return TANH_CONSTANT * torch.tanh(self.predict(outputs) / TEMPERATURE)

    def forward(self, n: int, generator: Generator) -> Samples:
        """Draw `n` architectures; log-probabilities and entropies can be differentiated."""
        inputs, state = self.start.expand(n, -1), None
        codes, log_probs, entropies = [], [], []
        for _ in range(self.positions):
            outputs, state = self.lstm(inputs[None], state)
            log_p = self.logits(outputs[0]).log_softmax(dim=-1)
            code = torch.multinomial(log_p.detach().exp(), 1, generator=generator)
            codes.append(code[:, 0])
            log_probs.append(log_p.gather(1, code)[:, 0])
            entropies.append(-(log_p.exp() * log_p).sum(dim=-1))
            inputs = self.embedding(code[:, 0])
        return Samples(torch.stack(codes, 1), torch.stack(log_probs).sum(0), torch.stack(entropies).sum(0))
