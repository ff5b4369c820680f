"""Training with generated images beside the real ones: what is added, who learns from what, and equal controls."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from natslib.errors import ConfigError
from natslib.nets.mlp import Mlp
from natslib.training.images import normalise
from natslib.training.objectives import make_objective
from natslib.training.objectives.objective import Batch, Setting
from natslib.training.recipes import get_recipe
from tests.shifted import CLASSES, shifted_images

pytestmark = pytest.mark.filterwarnings("ignore:the environments look alike")
ALL = pytest.mark.parametrize("name", ["generated", "duplicates", "noise"])
DATA = shifted_images()


def network() -> Mlp:
    torch.manual_seed(1)
    return Mlp(1, 8, CLASSES)


def batch() -> Batch:
    return Batch(normalise(DATA.train.images, DATA), DATA.train.labels, DATA.train.domains)


def made(name: str, net: Mlp, **values: float) -> Any:
    return make_objective(name, Setting(net, DATA, 10, seed=3), values)


class Counting(Mlp):
    """Keeps the images of each forward pass."""

    seen: list[Tensor]

    def features(self, images: Tensor) -> Tensor:
        self.seen = [*getattr(self, "seen", []), images.detach()]
        return super().features(images)


@ALL
def test_all_three_add_as_many_images_for_the_first_half_of_a_batch(name: str) -> None:
    net = Counting(1, 8, CLASSES)
    some = batch()
    outcome = made(name, net).loss(net, some)
    ((real, further),) = [seen.split(len(some.labels)) for seen in net.seen]
    assert torch.equal(real, some.images)
    assert len(further) == len(real) // 2
    apart = (further - real[: len(further)]).abs()
    assert (apart.max() == 0) == (name == "duplicates")
    assert apart.mean() < 0.6
    # what is reported is of the real images
    assert len(outcome.logits) == len(outcome.labels) == len(real)


@ALL
def test_it_learns_draws_nothing_global_and_is_the_same_again(name: str) -> None:
    def trained() -> list[float]:
        net = network()
        torch.manual_seed(7)
        state = torch.get_rng_state()
        objective, optimizer = made(name, net), torch.optim.Adam(net.parameters(), 1e-3)
        risks = [objective.step(net, optimizer, batch()).risk.item() for _ in range(30)]
        assert torch.equal(torch.get_rng_state(), state)
        return risks

    risks = trained()
    assert np.mean(risks[-3:]) < 0.7 * risks[0]
    assert trained() == risks


def test_the_generator_learns_against_the_network() -> None:
    """The sign of what it is told: by the network's loss on drawn images, with nothing of its own."""
    net = network()
    objective = made("generated", net)
    some = batch()
    drawn, own = objective.further(Batch(*(part[:30] for part in some)))
    assert drawn.requires_grad
    parameters = list(objective.novel.generator.parameters())
    of_own = torch.autograd.grad(own, parameters, retain_graph=True)
    outcome = objective.loss(net, some)
    whole = torch.autograd.grad(outcome.loss, parameters, retain_graph=True)
    plain = objective.novel.draw(some.images[:30], some.domains[:30])
    logits = net(torch.cat([some.images, plain]))
    labels = torch.cat([some.labels, some.labels[:30]])
    of_network = torch.autograd.grad(torch.nn.functional.cross_entropy(logits, labels), parameters)
    for all_in_all, mine, theirs in zip(whole, of_own, of_network, strict=True):
        torch.testing.assert_close(all_in_all, mine - theirs, rtol=1e-3, atol=1e-5)


def test_one_step_moves_the_network_and_the_generator_once() -> None:
    net, steps = network(), []
    objective, optimizer = made("generated", net), torch.optim.SGD(net.parameters(), 0.1)
    optimizer.register_step_post_hook(lambda *_: steps.append("network"))
    objective.novel.optimizer.register_step_post_hook(lambda *_: steps.append("generator"))
    objective.step(net, optimizer, batch())
    assert sorted(steps) == ["generator", "network"]


def test_a_generator_needs_two_environments_and_the_controls_none() -> None:
    data = shifted_images(domains=1)
    for name in ("duplicates", "noise"):
        assert make_objective(name, Setting(network(), data, 10, 0), {}).name == name
    with pytest.raises(ConfigError, match="the objective generated needs 2 or more source environments"):
        make_objective("generated", Setting(network(), data, 10, 0), {})


@ALL
def test_it_is_named_in_a_recipe(name: str) -> None:
    assert get_recipe(f"12-{name}", small=True).objective == name
