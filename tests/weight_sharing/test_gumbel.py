import torch

from natslib.weight_sharing.methods.gumbel import hard_sample, perturbed, soft_sample


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_largest_perturbed_logit_follows_the_softmax() -> None:
    logits = torch.tensor([0.1, 0.2, 0.7]).log().expand(20_000, 3)
    choices = perturbed(logits, 3.0, seeded()).argmax(dim=1)
    shares = choices.bincount(minlength=3) / len(choices)
    torch.testing.assert_close(shares, torch.tensor([0.1, 0.2, 0.7]), atol=0.01, rtol=0)


def test_the_temperature_divides_logits_and_noise() -> None:
    logits = torch.randn(6, 5, generator=seeded(1))
    warm, cold = perturbed(logits, 10.0, seeded()), perturbed(logits, 0.1, seeded())
    torch.testing.assert_close(warm * 10.0, cold * 0.1)


def test_soft_samples_sharpen_as_the_temperature_falls() -> None:
    logits = torch.zeros(1000, 5)
    warm, cold = soft_sample(logits, 10.0, seeded()), soft_sample(logits, 0.1, seeded())
    torch.testing.assert_close(cold.sum(dim=1), torch.ones(1000))
    assert warm.max(dim=1).values.mean() < 0.3
    assert cold.max(dim=1).values.mean() > 0.9


def test_a_hard_sample_is_one_hot_and_has_the_gradient_of_the_soft_one() -> None:
    logits = torch.randn(6, 5, generator=seeded(1), requires_grad=True)
    factors = torch.randn(6, 5, generator=seeded(2))
    hard, choices = hard_sample(logits, 2.0, seeded())
    torch.testing.assert_close(hard, torch.nn.functional.one_hot(choices, 5).float())
    (straight_through,) = torch.autograd.grad((hard * factors).sum(), logits)
    (soft,) = torch.autograd.grad((soft_sample(logits, 2.0, seeded()) * factors).sum(), logits)
    torch.testing.assert_close(straight_through, soft)
    assert (straight_through != 0).all()


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    hard_sample(torch.zeros(6, 5), 1.0, seeded())
    assert torch.equal(torch.get_rng_state(), before)
