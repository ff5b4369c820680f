"""The recurrent cell against its formulas written out, and its size against the published arithmetic."""

import numpy as np
import pytest
import torch

from natslib.analysis.autoshrink_networks import SHRINK_RNN, shrink_rnn
from natslib.nets import count_params
from natslib.nets.recurrent import ACTIVATIONS, LanguageModel, RecurrentCell
from natslib.spaces.wiring import edges_of


def mixed(source: torch.Tensor, both: torch.Tensor, function: object) -> torch.Tensor:
    """A source, and from it towards what a function makes of the second half of `both`, as far as the first says."""
    gate, value = both.chunk(2, dim=1)
    return source + torch.sigmoid(gate) * (function(value) - source)


def test_nodes_average_what_comes_in_and_the_cell_its_leaves() -> None:
    # 0→1, 0→2, 1→2 and 0→3: node 2 averages two terms, the cell nodes 2 and 3
    cell = RecurrentCell((1, 1, 1, 1, 0, 0), ("relu", "sigmoid", "identity"), 4)
    word, state = torch.randn(5, 4), torch.randn(5, 4)
    both = torch.cat([cell.word.weight, cell.state.weight], dim=1)
    first = mixed(state, torch.cat([word, state], dim=1) @ both.T, torch.tanh)
    gates, values = cell.edges["0"](first).chunk(2, dim=1)
    terms = [
        mixed(first, torch.cat(parts, dim=1), ACTIVATIONS[op])
        for *parts, op in zip(
            gates.chunk(3, 1), values.chunk(3, 1), ("relu", "sigmoid", "identity"), strict=True
        )
    ]
    second = mixed(terms[0], cell.edges["1"](terms[0]), torch.sigmoid)
    expected = ((terms[1] + second) / 2 + terms[2]) / 2
    torch.testing.assert_close(cell(cell.word(word), state), expected)


def test_what_the_first_node_does_not_reach_is_not_there() -> None:
    cell = RecurrentCell((0, 1, 1, 0, 0, 0), ("tanh",) * 3, 4)  # 1→2 hangs on node 1, which nothing reaches
    assert list(cell.edges) == ["0"]
    assert cell.edges["0"].weight.shape == (8, 4)


def test_a_cell_without_edges_is_its_first_node() -> None:
    cell = RecurrentCell((0, 0, 0), ("tanh", "tanh"), 4)
    word, state = cell.word(torch.randn(5, 4)), torch.randn(5, 4)
    torch.testing.assert_close(cell(word, state), mixed(state, word + cell.state(state), torch.tanh))


@pytest.mark.parametrize("edges", [SHRINK_RNN, set(edges_of(6))])
def test_the_size_is_the_published_arithmetic(edges: set[tuple[int, int]]) -> None:
    code = [edge in edges for edge in edges_of(6)]
    model = LanguageModel(code, ("tanh", "identity", "sigmoid", "sigmoid", "tanh"), 20, 50)
    assert count_params(model) == shrink_rnn(len(edges), hidden=20, vocabulary=50)


def test_a_text_in_two_pieces_is_the_text() -> None:
    model = LanguageModel(np.ones(15, int), ("tanh", "relu", "sigmoid", "identity", "tanh"), 8, 12)
    words = torch.randint(0, 12, (7, 3))
    whole, last = model(words, model.blank(3))
    first, state = model(words[:4], model.blank(3))
    second, end = model(words[4:], state)
    assert whole.shape == (7, 3, 12)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(end, last)
