from itertools import product

import numpy as np
import torch

from natslib.weight_sharing.method import Batch
from natslib.weight_sharing.methods.setn import most_probable
from tests.weight_sharing.tiny import Endless, calls_of, noise, tiny


def test_the_most_probable_codes_are_those_of_the_sorted_list_of_all() -> None:
    logits = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    log_p = logits.double().log_softmax(dim=1).numpy()
    codes = np.array(list(product(range(5), repeat=6)))
    order = np.argsort(-log_p[np.arange(6), codes].sum(axis=1), kind="stable")[:100]
    assert most_probable(logits, 100) == [tuple(code) for code in codes[order].tolist()]


def test_ties_are_taken_in_lexicographic_order() -> None:
    assert most_probable(torch.zeros(6, 5), 7) == [*((0, 0, 0, 0, 0, op) for op in range(5)), (0, 0, 0, 0, 1, 0),
                                                  (0, 0, 0, 0, 1, 1)]  # fmt: skip


def test_a_step_trains_one_candidate_and_learns_through_the_mixture() -> None:
    method = tiny("setn")
    mixture = method.alphas.detach().softmax(dim=1)
    calls = calls_of(method.network)
    train, valid = noise(1), noise(2)
    method.step(train, valid)
    (images, weights, active), (others, mixed) = calls
    assert images is train.images
    assert others is valid.images
    assert (active.sum(dim=1) == 1).all()
    assert torch.equal(weights, active.float())
    torch.testing.assert_close(mixed.detach(), mixture)


def test_the_weights_learn_on_uniform_candidates_whatever_the_logits_say() -> None:
    method = tiny("setn")
    method.alphas.data[:, 2] = 50.0
    drawn = np.array([method.uniform() for _ in range(2000)])
    shares = np.array([np.bincount(column, minlength=5) for column in drawn.T]) / len(drawn)
    np.testing.assert_allclose(shares, 0.2, atol=0.04)


def test_only_the_weights_see_the_training_batch() -> None:
    one, other = tiny("setn"), tiny("setn")
    one.step(noise(1), noise(2))
    other.step(noise(1), noise(3))
    for mine, its in zip(one.network.parameters(), other.network.parameters(), strict=True):
        assert torch.equal(mine, its)
    assert not torch.equal(one.alphas, other.alphas)


def test_the_choice_is_the_best_of_the_100_most_probable_each_on_one_batch() -> None:
    method, batches, scored = tiny("setn"), Endless(), []

    def score(code: tuple[int, ...], batch: Batch) -> torch.Tensor:
        assert torch.equal(batch.images, noise(len(scored) + 1).images)
        assert not method.network.training
        scored.append(code)
        return torch.tensor(90.0 if len(scored) in (58, 77) else 10.0)

    method.score = score
    chosen = method.choose(batches)
    assert scored == most_probable(method.alphas, 100)
    assert chosen == scored[57]  # the first of the best
    assert batches.taken == 100
    assert method.network.training
