"""Captured steps train as eager ones do: here a double stands for the CUDA graph, with its warm-up, on the CPU."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from natslib.errors import ConfigError
from natslib.nets import build_network
from natslib.nets.merged import MergedNetwork
from natslib.spaces import SMALL_SCALE
from natslib.training.captured import WARM_UP, CapturedSteps, Work
from natslib.training.images import ImageSet, Split, augmented_epoch, draw_plan
from natslib.training.loop import LearningCurve, batches, set_rate, sgd, tally_batch, train
from natslib.training.objectives import make_objective
from natslib.training.objectives.objective import Setting
from natslib.training.recipes import Recipe


def network(space: str = "tss", arch: int | str = 11) -> nn.Module:
    torch.manual_seed(777)
    return build_network(space, arch, in_channels=3, classes=7, scale=SMALL_SCALE)


class Double:
    """Does the work where a graph would be replayed; what it captured it runs first, as often as a GPU must."""

    def __init__(self) -> None:
        self.captured = 0

    def __call__(self, work: Work) -> Work:
        self.captured += 1
        for _ in range(WARM_UP):
            work()
        return work


def seen(curves: dict[str, LearningCurve]) -> dict[str, tuple[list[float], ...]]:
    return {name: (curve.loss, curve.accuracy, curve.top5) for name, curve in curves.items()}


@pytest.fixture
def uneven(tiny_images: ImageSet) -> ImageSet:
    """Images of which the last batch of an epoch is smaller than the others."""
    return replace(tiny_images, train=tiny_images.train.take(slice(0, 42)))


@pytest.mark.parametrize(("space", "arch"), [("tss", 11), ("tss", 284), ("sss", "8:24:40:64:8")])
def test_captured_steps_train_to_the_same_bits(
    uneven: ImageSet, tiny_recipe: Recipe, space: str, arch: int | str
) -> None:
    double = Double()
    eager, captured = network(space, arch), network(space, arch)
    curves = train(captured, uneven, tiny_recipe, 777, double)
    assert seen(curves) == seen(train(eager, uneven, tiny_recipe, 777))
    assert double.captured == 2  # one for whole batches, one for the last
    for name, tensor in eager.state_dict().items():
        assert torch.equal(captured.state_dict()[name], tensor), name


def steps_for(
    data: ImageSet, recipe: Recipe, capture: Callable[[Work], Work]
) -> tuple[CapturedSteps, MergedNetwork, torch.optim.Optimizer]:
    merged = MergedNetwork(network().to(memory_format=torch.channels_last)).train()
    optimizer = sgd(merged, recipe)
    objective = make_objective("erm", Setting(merged, data, 9, 777), {})
    return CapturedSteps(merged, optimizer, objective, data, tally_batch, capture), merged, optimizer


def test_a_replayed_step_reads_and_writes_the_same_places(uneven: ImageSet, tiny_recipe: Recipe) -> None:
    """A graph knows addresses alone: nothing may be made anew between two replays."""
    places: list[list[int]] = []

    def watched(work: Work) -> Work:
        def replay() -> object:
            places.append([tensor.data_ptr() for tensor in held()])
            return work()

        return replay

    steps, merged, optimizer = steps_for(uneven, tiny_recipe, watched)

    def held() -> list[Tensor]:
        momentum = [state["momentum_buffer"] for state in optimizer.state.values()]
        rates = [group["lr"] for group in optimizer.param_groups]
        inputs = [tensor for place, _ in steps._steps.values() for tensor in (place.images, place.labels)]
        return [steps.tally, *merged.parameters(), *merged.buffers(), *momentum, *rates, *inputs]

    generator = torch.Generator().manual_seed(1)
    for rate in (0.1, 0.05):
        set_rate(optimizer, rate)
        steps.tally.zero_()
        for some in batches(augmented_epoch(uneven, draw_plan(uneven, generator)), 21):
            steps(some)
    assert len(places) == 4
    assert places == places[:1] * 4


def test_the_rate_of_a_captured_step_can_be_changed(uneven: ImageSet, tiny_recipe: Recipe) -> None:
    steps, merged, optimizer = steps_for(uneven, tiny_recipe, lambda work: work)
    batch: Split = uneven.train.take(slice(0, 16))
    set_rate(optimizer, 0.0)
    before = [weight.detach().clone() for weight in merged.parameters()]
    steps(batch)
    assert all(torch.equal(old, new) for old, new in zip(before, merged.parameters(), strict=True))
    set_rate(optimizer, 0.1)
    steps(batch)
    assert not all(torch.equal(old, new) for old, new in zip(before, merged.parameters(), strict=True))


def test_objectives_with_choices_of_their_own_are_not_captured(
    tiny_images: ImageSet, tiny_recipe: Recipe
) -> None:
    recipe = replace(tiny_recipe, name="3-mixup", objective="mixup")
    with pytest.raises(
        ConfigError, match="captured steps were asked for with the recipe '3-mixup'; allowed are"
    ):
        train(network(), tiny_images, recipe, 777, Double())
