"""The recurrent cell of a wiring: nodes average what their edges bring, the cell its leaves (AutoShrink, AAAI 2020)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from natslib.spaces.wiring import adjacency, leaves

ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "identity": lambda x: x}
"""The operations of a node."""
INITIAL = 0.5
"""Word vectors start uniform within so much of zero."""


class RecurrentCell(nn.Module):
    """One step of time with the live edges of `code`; `ops` names the activation of each node after the first.

    Node 0 mixes word and state by a gate, every edge its source and an activation of it by a gate of its own. A cell
    without edges returns node 0.
    """

    def __init__(self, code: Sequence[int], ops: Sequence[str], width: int) -> None:
        super().__init__()
        matrix = adjacency(code)
        self.ops = [ACTIVATIONS[op] for op in ops]
        self.leaves = leaves(matrix).nonzero()[0].tolist() or [0]
        self.incoming = matrix.sum(axis=0).tolist()
        self.targets = {i: row.nonzero()[0].tolist() for i, row in enumerate(matrix) if row.any()}
        self.word = nn.Linear(width, 2 * width, bias=False)
        self.state = nn.Linear(width, 2 * width, bias=False)
        self.edges = nn.ModuleDict(
            {str(i): nn.Linear(width, 2 * width * len(js), bias=False) for i, js in self.targets.items()}
        )

    def forward(self, word: Tensor, state: Tensor) -> Tensor:
        """Return the next state (n, width); `word` (n, 2 * width) is what `self.word` makes of the word vector."""
        gate, value = (word + self.state(state)).chunk(2, dim=1)
        nodes = {0: torch.lerp(state, torch.tanh(value), torch.sigmoid(gate))}
        terms: dict[int, Tensor] = {}
        for source, targets in self.targets.items():  # sources come before their targets
            node = nodes[source] = nodes[source] if source == 0 else terms[source] / self.incoming[source]
            gates, values = self.edges[str(source)](node).chunk(2, dim=1)
            many = len(targets)
            parts = zip(targets, torch.sigmoid(gates).chunk(many, 1), values.chunk(many, 1), strict=True)
            for target, gate, value in parts:
                term = torch.lerp(node, self.ops[target - 1](value), gate)
                terms[target] = terms[target] + term if target in terms else term
        ends = [nodes[0] if leaf == 0 else terms[leaf] / self.incoming[leaf] for leaf in self.leaves]
        return ends[0] if len(ends) == 1 else torch.stack(ends).mean(0)


class LanguageModel(nn.Module):
    """Word vectors, a recurrent cell, and a classifier whose weights are the word vectors too.

    Words (steps, n) and a state (n, width) -> logits (steps, n, vocabulary) and the last state.
    """

    def __init__(self, code: Sequence[int], ops: Sequence[str], width: int, vocabulary: int) -> None:
        super().__init__()
        self.width = width
        self.vectors = nn.Embedding(vocabulary, width)
        nn.init.uniform_(self.vectors.weight, -INITIAL, INITIAL)
        self.cell = RecurrentCell(code, ops, width)
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def blank(self, n: int) -> Tensor:
        """Return the state before the first word of `n` texts, (n, width)."""
        return torch.zeros(n, self.width, device=self.bias.device)

    def forward(self, words: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        states = []
        for word in self.cell.word(self.vectors(words)):
            states.append(state := self.cell(word, state))
        return linear(torch.stack(states), self.vectors.weight, self.bias), state
