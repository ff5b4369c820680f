"""The objectives against their definitions, on batches that are small enough to be worked out otherwise."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from natslib.errors import ConfigError, UnknownName
from natslib.nets.mlp import Mlp
from natslib.training.images import ImageSet, Split
from natslib.training.objectives import OBJECTIVES, get_objective, make_objective
from natslib.training.objectives.coral import Coral
from natslib.training.objectives.dann import Dann
from natslib.training.objectives.groupdro import GroupDro
from natslib.training.objectives.irm import irm_penalty
from natslib.training.objectives.mmd import Mmd
from natslib.training.objectives.objective import Batch, Setting
from natslib.training.objectives.rsc import Rsc, top_share

DOMAINS = 3
#: Those that can be made for images of which nothing is asked; the others have tests of their own.
PLAIN = [name for name in OBJECTIVES if name != "generated"]


def batch(n: int = 24, domains: int = DOMAINS, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(n, 2, 4, 4, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 5, (n,), generator=generator)
    return Batch(images, labels, torch.randint(0, domains, (n,), generator=generator))


def network() -> Mlp:
    torch.manual_seed(1)
    return Mlp(2, 4, 5).double()


def image_set(domains: int) -> ImageSet:
    """Images of so many environments, of which objectives ask nothing else."""
    split = Split(torch.zeros(5, 4, 4, 2, dtype=torch.uint8), torch.arange(5))
    names = tuple(map(str, range(domains)))
    return ImageSet("some", 5, split, {}, (0.0, 0.0), (1.0, 1.0), shift=0, flip=False, environments=names)


def made(name: str, net: Mlp, domains: int = DOMAINS, steps: int = 10, **values: float) -> Any:
    return make_objective(name, Setting(net, image_set(domains), steps, seed=3), values)


def trained(name: str, domains: int = DOMAINS, **values: float) -> list[Tensor]:
    """Return the weights after three steps of Adam on batches of unequal environments."""
    net = network()
    objective, optimizer = made(name, net, domains, **values), torch.optim.Adam(net.parameters())
    for seed in range(3):
        objective.step(net, optimizer, batch(domains=domains, seed=seed))
    return [weight.detach().clone() for weight in net.parameters()]


def equal(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_irm_penalty_is_the_squared_gradient_of_a_scale() -> None:
    logits = torch.tensor([[0.3, -1.2], [2.0, 0.1], [-0.4, 0.9]], dtype=torch.float64)
    labels = torch.tensor([0, 1, 1])
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(cross_entropy(scale * logits, labels), scale)
    twice = logits.repeat_interleave(2, 0), labels.repeat_interleave(2)  # even and odd rows alike
    assert irm_penalty(*twice).item() == pytest.approx(slope.item() ** 2, abs=1e-6)
    assert slope.abs() > 0.1


def test_even_and_odd_rows_have_gradients_of_their_own() -> None:
    logits, labels = torch.randn(8, 3, generator=torch.Generator().manual_seed(2)), torch.arange(8) % 3
    slopes = []
    for rows in (slice(0, None, 2), slice(1, None, 2)):
        scale = torch.ones((), requires_grad=True)
        slopes += torch.autograd.grad(cross_entropy(scale * logits[rows], labels[rows]), scale)
    assert irm_penalty(logits, labels).item() == pytest.approx((slopes[0] * slopes[1]).item(), rel=1e-5)


def test_the_irm_penalty_is_that_of_each_environment_and_not_of_all_pooled() -> None:
    """Two environments that want the scale moved in opposite directions: pooled they want nothing."""
    logits = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]], dtype=torch.float64).repeat(2, 1)
    chance = logits.softmax(1)[0, 0].item()
    labels, domains = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1]), torch.tensor([0] * 4 + [1] * 4)
    objective = made("irm", network(), domains=2)
    found = objective.penalty(logits, Batch(logits, labels, domains)).item()
    assert found == pytest.approx(((1 - chance) ** 2 + chance**2) / 2)
    assert irm_penalty(logits, labels).item() < found / 2


@pytest.mark.parametrize("name", ["irm", "vrex"])
def test_a_penalty_waits_with_weight_one_and_then_the_optimizer_begins_afresh(name: str) -> None:
    net = network()
    objective = made(name, net, steps=10, penalty=50.0, anneal=0.3)
    optimizer = torch.optim.Adam(net.parameters())
    weights, steps = [], []
    for seed in range(5):
        weights.append(objective.weight)
        objective.step(net, optimizer, batch(seed=seed))
        steps.append(int(optimizer.state[net.classifier.weight]["step"]))
    assert weights == [1.0, 1.0, 1.0, 50.0, 50.0]
    assert steps == [1, 2, 3, 1, 2]


def test_vrex_is_the_variance_of_risks_and_of_one_environment_erm() -> None:
    net, some = network(), batch()
    risks = [
        cross_entropy(net(some.images[some.domains == d]), some.labels[some.domains == d]) for d in range(3)
    ]
    risks = torch.stack(risks).detach()
    objective = made("vrex", net, penalty=7.0, anneal=0.0)
    outcome = objective.loss(net, some)
    assert (outcome.loss - outcome.risk).item() == pytest.approx(7 * np.var(risks.numpy()), rel=1e-9)
    alone = some._replace(domains=torch.zeros_like(some.domains))
    outcome = objective.loss(net, alone)
    assert outcome.loss.item() == made("erm", net).loss(net, alone).loss.item()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("irm", {"penalty": 0.0, "anneal": 0.0}),
        ("vrex", {"penalty": 0.0, "anneal": 0.0}),
        ("coral", {"weight": 0.0}),
        ("mmd", {"weight": 0.0}),
        ("dann", {"weight": 0.0, "rounds": 0.0}),
        ("rsc", {"features": 0.0, "images": 0.0}),
    ],
)
def test_without_its_weight_an_objective_is_erm_bit_for_bit(name: str, values: Mapping[str, float]) -> None:
    assert equal(trained(name, **values), trained("erm"))
    assert not equal(trained(name), trained("erm"))


def test_groupdro_moves_its_weights_on_the_simplex_to_the_worst_environment() -> None:
    net = network()
    objective, optimizer = made("groupdro", net, rate=0.5), torch.optim.Adam(net.parameters())
    assert isinstance(objective, GroupDro)
    some = batch()
    risks = torch.stack(
        [
            cross_entropy(net(some.images), some.labels, reduction="none")[some.domains == d].mean()
            for d in range(DOMAINS)
        ]
    ).detach()
    expected = (0.5 * risks).softmax(0)
    outcome = objective.step(net, optimizer, some)
    np.testing.assert_allclose(objective.q.numpy(), expected.numpy(), rtol=1e-6)
    assert outcome.loss.item() == pytest.approx((expected * risks).sum().item())
    for seed in range(20):
        objective.step(net, optimizer, batch(seed=seed, domains=2 + seed % 2))
        assert objective.q.sum().item() == pytest.approx(1)
        assert (objective.q > 0).all()


def test_coral_is_nothing_for_equal_features_and_the_gaps_of_moments_for_others() -> None:
    net, some = network(), batch()
    features = net.features(some.images)
    objective = made("coral", net)
    assert isinstance(objective, Coral)
    assert objective.between(features, features).item() == 0
    one, other = features[:10].detach().numpy(), features[10:].detach().numpy()
    gaps = np.mean((one.mean(0) - other.mean(0)) ** 2) + np.mean((np.cov(one.T) - np.cov(other.T)) ** 2)
    assert objective.between(features[:10], features[10:]).item() == pytest.approx(gaps, rel=1e-9)
    twice = Batch(some.images.repeat(2, 1, 1, 1), some.labels.repeat(2), torch.arange(48) // 24)
    outcome = made("coral", net, domains=2, weight=1e6).loss(net, twice)
    assert outcome.loss.item() == pytest.approx(outcome.risk.item(), rel=1e-9)


def test_mmd_is_nothing_for_equal_features_and_two_a_rate_for_far_ones() -> None:
    objective = made("mmd", network())
    assert isinstance(objective, Mmd)
    features = torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert objective.between(features, features).item() == pytest.approx(0, abs=1e-9)
    point = torch.zeros(3, 4, dtype=torch.float64)
    assert objective.between(point, point + 1e4).item() == pytest.approx(14)
    near = objective.between(point, point + torch.tensor([1.0, 0, 0, 0])).item()
    assert near == pytest.approx(2 * sum(1 - np.exp(-rate) for rate in 10.0 ** np.arange(-3, 4)))


def test_dann_alternates_and_turns_the_sign_for_the_features() -> None:
    net = network()
    objective, optimizer = made("dann", net, weight=3.0, rounds=2.0), torch.optim.Adam(net.parameters())
    assert isinstance(objective, Dann)
    moved = []
    for seed in range(6):
        before = [[p.clone() for p in part.parameters()] for part in (net, objective.discriminator)]
        objective.step(net, optimizer, batch(seed=seed))
        after = [list(part.parameters()) for part in (net, objective.discriminator)]
        moved.append([not equal(a, b) for a, b in zip(before, after, strict=True)])
    assert moved == [[False, True], [False, True], [True, False]] * 2

    some = batch()
    features = net.features(some.images).detach().requires_grad_()
    (told,) = torch.autograd.grad(objective.told_apart(features, some.domains), features)
    (risk,) = torch.autograd.grad(cross_entropy(net.classifier(features), some.labels), features)
    seen: list[Tensor] = []

    class Watched(Mlp):
        def features(self, images: Tensor) -> Tensor:
            found = super().features(images)
            found.register_hook(seen.append)
            return found

    net.__class__ = Watched
    objective.loss(net, some).loss.backward()
    torch.testing.assert_close(seen[0], risk - 3.0 * told)
    assert told.abs().sum() > 0


def test_the_discriminator_can_be_kept_smooth() -> None:
    net, some = network(), batch()
    rough, smooth = (made("dann", net, smoothness=weight) for weight in (0.0, 2.0))
    features = net.features(some.images).detach().requires_grad_()
    summed = cross_entropy(rough.discriminator(features), some.domains, reduction="sum")
    (slope,) = torch.autograd.grad(summed, features)
    more = smooth.told_apart(features, some.domains) - rough.told_apart(features, some.domains)
    assert more.item() == pytest.approx(2 * slope.square().sum(1).mean().item())


@pytest.mark.parametrize(("features", "images"), [(1 / 3, 0.25), (0.5, 0.5), (0.1, 1.0)])
def test_rsc_mutes_exactly_the_stated_share(features: float, images: float) -> None:
    net, some = network(), batch()
    objective = made("rsc", net, features=features, images=images)
    assert isinstance(objective, Rsc)
    seen = net.features(some.images)
    muted = objective.muted(net, seen, some.labels)
    assert muted.any(1).sum() == round(images * 24)
    assert set(muted.sum(1).tolist()) <= {0, round(features * 390)}
    slopes = net.classifier.weight[some.labels]
    for row in torch.nonzero(muted.any(1))[:, 0]:
        assert slopes[row][muted[row]].min() >= slopes[row][~muted[row]].max()
    logits = net.classifier(seen.masked_fill(muted, 0))
    assert objective.loss(net, some).loss.item() == cross_entropy(logits, some.labels).item()
    assert not torch.equal(logits, net(some.images)), "something is muted"


def test_rsc_mutes_the_images_whose_true_class_loses_most() -> None:
    net, some = network(), batch()
    seen = net.features(some.images)
    everywhere = made("rsc", net, features=0.3, images=1.0).muted(net, seen, some.labels)
    some_images = made("rsc", net, features=0.3, images=0.25).muted(net, seen, some.labels).any(1)
    before, after = (net.classifier(x).softmax(1) for x in (seen, seen.masked_fill(everywhere, 0)))
    fall = (before - after).gather(1, some.labels[:, None])[:, 0]
    assert fall[some_images].min() >= fall[~some_images].max()


def test_a_share_is_rounded_to_whole_places() -> None:
    assert top_share(torch.tensor([3.0, 1.0, 2.0]), 0.5).tolist() == [True, False, True]
    assert not top_share(torch.tensor([3.0, 1.0]), 0.0).any()


def test_mixup_mixes_images_of_different_environments_and_their_losses() -> None:
    """Images that are their environment's number: a mixed one lies between two numbers, and all three are mixed."""
    net = network()
    domains = torch.arange(12) % 3
    images = domains.double()[:, None, None, None].expand(12, 2, 4, 4)
    seen: list[Tensor] = []
    net.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    objective = made("mixup", net, alpha=50.0)  # shares near a half
    outcome = objective.loss(net, Batch(images, torch.zeros(12, dtype=torch.long), domains))
    values = seen[0][:, 0, 0, 0]
    assert len(outcome.labels) == 12
    assert not np.isin(values.numpy(), [0.0, 1.0, 2.0]).any(), (
        "each image is mixed with another environment's"
    )


def test_mixup_counts_each_label_by_its_share() -> None:
    net = network()
    some = batch(8, domains=2)._replace(domains=torch.arange(8) % 2)
    objective = made("mixup", net, domains=2, alpha=1.0)
    outcome = objective.loss(net, some)
    rng = np.random.default_rng(3)
    order = rng.permutation(2)
    expected = []
    for one, other in (order, order[::-1]):
        share = rng.beta(1, 1)
        x, y = (some.images[d::2] for d in (one, other))
        logits = net(share * x + (1 - share) * y)
        a, b = (cross_entropy(logits, some.labels[d::2]) for d in (one, other))
        expected.append(share * a + (1 - share) * b)
    assert outcome.loss.item() == pytest.approx(torch.stack(expected).mean().item(), rel=1e-6)


@pytest.mark.parametrize("name", PLAIN)
def test_each_objective_learns_draws_nothing_global_and_is_the_same_again(name: str) -> None:
    state = torch.get_rng_state()
    net = network()
    torch.set_rng_state(state)
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    gentle = {"penalty": 0.01, "anneal": 0.0} if name == "irm" else {}  # its product may fall below zero
    objective, some = made(name, net, steps=60, **gentle), batch(96)
    risks = [objective.step(net, optimizer, some).risk.item() for _ in range(60)]
    assert np.mean(risks[-6:]) < 0.7 * risks[0]
    assert torch.equal(torch.get_rng_state(), state)
    assert equal(trained(name), trained(name))


@pytest.mark.parametrize("name", PLAIN)
def test_a_batch_may_lack_an_environment_or_have_one_image_of_it(name: str) -> None:
    net = network()
    objective, optimizer = made(name, net), torch.optim.Adam(net.parameters())
    for domains in ([0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 2], [0, 1, 2, 0, 1, 2]):
        outcome = objective.step(net, optimizer, batch(6)._replace(domains=torch.tensor(domains)))
        assert torch.isfinite(outcome.loss)
        assert len(outcome.logits) == len(outcome.labels) == 6
    assert all(torch.isfinite(weight).all() for weight in net.parameters())


@pytest.mark.parametrize("name", ["irm", "vrex", "groupdro", "coral", "mmd", "dann", "mixup"])
def test_one_source_environment_is_refused_where_two_are_needed(name: str) -> None:
    with pytest.raises(
        ConfigError, match=f"objective {name} needs 2 or more source environments; some has 1 "
    ):
        made(name, network(), domains=1)


@pytest.mark.parametrize("name", ["erm", "rsc"])
def test_one_environment_is_enough_for_what_tells_none_apart(name: str) -> None:
    assert made(name, network(), domains=1).name == name


def test_unknown_names_and_numbers_are_refused() -> None:
    with pytest.raises(
        UnknownName, match=r"unknown objective 'irn': allowed are 'erm', .*did you mean 'irm'"
    ):
        made("irn", network())
    with pytest.raises(UnknownName, match="unknown number of irm 'weight': allowed are 'penalty', 'anneal'"):
        made("irm", network(), weight=3.0)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_drawn_numbers_lie_in_their_ranges(name: str) -> None:
    rng = np.random.default_rng(0)
    for number in get_objective(name).numbers.values():
        drawn = [number.draw(rng) for _ in range(200)]
        ends = [end if number.base is None else number.base**end for end in (number.low, number.high)]
        assert ends[0] - (1 if number.whole else 0) <= min(drawn) <= max(drawn) <= ends[1]
        if number.whole:
            assert {int(value) for value in drawn} == set(range(1, 8)), "2^U(0, 3), rounded down"
