"""The Markov source: what is known of it, and what texts drawn from it show."""

import numpy as np
import pytest

from natslib.training.text import SYMBOLS, MarkovSource, markov_source


@pytest.fixture(scope="module")
def source() -> MarkovSource:
    return markov_source(np.random.default_rng(0))


def test_the_stationary_chances_stay(source: MarkovSource) -> None:
    following = np.einsum("abc,abcd->bcd", source.stationary, source.rows)
    np.testing.assert_allclose(following, source.stationary, atol=1e-12)
    assert source.stationary.sum() == pytest.approx(1)


def test_the_entropy_rate_is_the_loss_of_who_knows_the_source(source: MarkovSource) -> None:
    text = source.draw(40_000, np.random.default_rng(1))
    told = source.rows[tuple(text[place : len(text) - 3 + place] for place in range(4))]
    losses = -np.log(told)
    assert losses.mean() == pytest.approx(source.entropy(), abs=4 * losses.std() / 200)


def test_the_entropy_after_one_symbol_is_that_of_counted_pairs(source: MarkovSource) -> None:
    text = source.draw(40_000, np.random.default_rng(2))
    pairs = np.zeros((SYMBOLS, SYMBOLS))
    np.add.at(pairs, (text[:-1], text[1:]), 1)
    rows = pairs / pairs.sum(axis=1, keepdims=True)
    counted = -np.log(rows[text[:-1], text[1:]]).mean()
    assert counted == pytest.approx(source.entropy(1), abs=0.02)


def test_every_symbol_known_helps(source: MarkovSource) -> None:
    entropies = [source.entropy(known) for known in (3, 2, 1, 0)]
    assert entropies == sorted(entropies)
    assert np.exp(entropies[1]) > 1.05 * np.exp(entropies[0])  # two symbols are not enough


def test_entropies_that_are_known() -> None:
    even = MarkovSource(np.full((SYMBOLS,) * 4, 1 / SYMBOLS))
    assert [even.entropy(known) for known in (3, 0)] == pytest.approx([np.log(SYMBOLS)] * 2)
    # what comes next is the symbol three places before, plus one: nothing is left open, but for who sees less
    cycle = np.zeros((SYMBOLS,) * 4)
    for first in range(SYMBOLS):
        cycle[first, :, :, (first + 1) % SYMBOLS] = 1
    assert MarkovSource(cycle).entropy() == 0
    assert MarkovSource(cycle).entropy(2) == pytest.approx(np.log(SYMBOLS))
