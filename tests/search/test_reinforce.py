import numpy as np
import pytest

from natslib.search import Result, Subspace
from natslib.search.algorithms.reinforce import MovingAverage, Policy, reinforce
from natslib.spaces import get_space


def loss(logits: np.ndarray, arch: tuple[int, ...], advantage: float) -> float:
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return float(-log_p[np.arange(len(arch)), arch].sum() * advantage)


def test_the_gradient_is_that_of_the_loss() -> None:
    rng = np.random.default_rng(0)
    policy = Policy(rng.standard_normal((6, 5)), np.zeros((2, 6, 5)), 0.01)
    arch, step = (0, 1, 2, 3, 4, 0), 1e-6
    expected = np.zeros((6, 5))
    for place in np.ndindex(6, 5):
        nudge = np.zeros((6, 5))
        nudge[place] = step
        up, down = loss(policy.logits + nudge, arch, 2.5), loss(policy.logits - nudge, arch, 2.5)
        expected[place] = (up - down) / (2 * step)
    np.testing.assert_allclose(policy.loss_gradient(arch, 2.5), expected, atol=1e-7)


def test_adam_moves_as_published() -> None:
    """Two steps, computed by hand from the update rule."""
    policy = Policy(np.zeros((1, 2)), np.zeros((2, 1, 2)), 0.1)
    policy.descend(np.array([[1.0, -2.0]]))
    np.testing.assert_allclose(policy.logits, [[-0.1, 0.1]], rtol=1e-6)
    policy.descend(np.array([[1.0, 2.0]]))
    first = (0.9 * 0.1 * np.array([1.0, -2.0]) + 0.1 * np.array([1.0, 2.0])) / (1 - 0.9**2)
    second = (0.999 * 0.001 * np.array([1.0, 4.0]) + 0.001 * np.array([1.0, 4.0])) / (1 - 0.999**2)
    np.testing.assert_allclose(policy.logits, [[-0.1, 0.1] - 0.1 * first / (np.sqrt(second) + 1e-8)])


def test_samples_follow_the_softmax() -> None:
    rng = np.random.default_rng(0)
    policy = Policy(np.log([[0.1, 0.2, 0.7], [1 / 3, 1 / 3, 1 / 3]]), np.zeros((2, 2, 3)), 0.01)
    drawn = np.array([policy.sample(rng) for _ in range(20_000)])
    shares = [np.bincount(column, minlength=3) / len(drawn) for column in drawn.T]
    np.testing.assert_allclose(shares, policy.probabilities, atol=0.012)


def test_samples_among_a_few_follow_the_softmax_given_that_they_are_among_them() -> None:
    rng = np.random.default_rng(0)
    policy = Policy(np.log([[0.1, 0.2, 0.7], [0.2, 0.3, 0.5]]) - 900.0, np.zeros((2, 2, 3)), 0.01)
    codes = np.array([[0, 1], [1, 1], [2, 0]])
    drawn = [policy.sample_among(codes, rng) for _ in range(20_000)]
    shares = [drawn.count(code) / len(drawn) for code in map(tuple, codes.tolist())]
    expected = np.array([0.1 * 0.3, 0.2 * 0.3, 0.7 * 0.2])
    np.testing.assert_allclose(shares, expected / expected.sum(), atol=0.012)


def test_a_policy_that_prefers_what_is_not_covered_goes_on_among_what_is() -> None:
    """With the high rate the policy settles beside a few covered cells; drawing until one is covered took minutes."""
    space = get_space("tss")
    part = Subspace(space, np.random.default_rng(0).choice(len(space), size=20, replace=False))
    for seed in range(20):
        search = reinforce(part, np.random.default_rng(seed), learning_rate=0.5)
        arch = next(search)
        for _ in range(60):
            assert arch in part
            arch = search.send(Result(arch, float(sum(arch)), 12))


def test_the_average_is_free_of_start_up_bias() -> None:
    average = MovingAverage(0.9)
    assert average.update(80.0) == pytest.approx(80.0)
    assert average.update(90.0) == pytest.approx((0.09 * 80 + 0.1 * 90) / 0.19)


def test_the_first_reward_moves_nothing_because_it_is_its_own_baseline() -> None:
    """The average takes in a reward before it is subtracted, so the first advantage is zero."""
    search = reinforce(get_space("tss"), np.random.default_rng(5))
    arch = next(search)
    policy = search.gi_frame.f_locals["policy"]
    before = policy.logits.copy()
    arch = search.send(Result(arch, 80.0, 12))
    np.testing.assert_array_equal(policy.logits, before)
    search.send(Result(arch, 90.0, 12))
    moved = policy.logits - before
    assert (moved[np.arange(6), arch] > 0).all()
    assert np.abs(moved).max() == pytest.approx(0.01, rel=0.5)


def test_it_learns_a_rewarded_choice() -> None:
    space = get_space("sss")
    search = reinforce(space, np.random.default_rng(0), learning_rate=0.1)
    arch = next(search)
    for _ in range(400):
        arch = search.send(Result(arch, 10.0 * sum(choice == 3 for choice in arch), 12))
    policy = search.gi_frame.f_locals["policy"]
    assert policy.probabilities[:, 3].min() > 0.8
