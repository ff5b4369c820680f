"""The fast loop gives the numbers of a plain float32 loop, twice the same numbers, and notes what diverges."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from natslib.nets import build_network
from natslib.spaces import SMALL_SCALE
from natslib.training.images import EpochPlan, ImageSet, draw_plan, normalise
from natslib.training.loop import LearningCurve, tally_batch, train
from natslib.training.recipes import Recipe

SEED = 777


def network(arch: int | str = 11, space: str = "tss") -> nn.Module:
    torch.manual_seed(SEED)
    return build_network(space, arch, in_channels=3, classes=7, scale=SMALL_SCALE)


def plain_image(image: np.ndarray, data: ImageSet, row: int, column: int, mirrored: bool) -> Tensor:
    """One image as the official pipeline prepares it: mirror, crop the padded image, to float, normalise."""
    image = image[:, ::-1] if mirrored else image
    padded = np.pad(image, ((data.shift, data.shift), (data.shift, data.shift), (0, 0)))
    size = data.resolution
    crop = padded[row : row + size, column : column + size].astype(np.float32)
    crop = (crop - np.float32(data.mean)) / np.float32(data.std)
    return torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1)))


def plain_epoch(data: ImageSet, plan: EpochPlan) -> tuple[Tensor, Tensor]:
    images = []
    for i in plan.order.tolist():
        (row, column), mirrored = plan.corners[i].tolist(), bool(plan.mirrored[i])
        images.append(plain_image(data.train.images[i].numpy(), data, row, column, mirrored))
    return torch.stack(images), data.train.labels[plan.order]


def plain_pass(
    net: nn.Module, images: Tensor, labels: Tensor, batch: int, step: object = None
) -> list[float]:
    """Mean loss, top-1 and top-5 accuracy of one pass, batch by batch, as the official meters average them."""
    sums = np.zeros(3)
    for start in range(0, len(labels), batch):
        logits, truth = net(images[start : start + batch]), labels[start : start + batch]
        loss = cross_entropy(logits, truth)
        if isinstance(step, torch.optim.Optimizer):
            step.zero_grad()
            loss.backward()
            step.step()
        best = logits.topk(5).indices == truth[:, None]
        counts = best[:, :1].sum().item(), best.sum().item()
        sums += [loss.item() * len(truth), 100 * counts[0], 100 * counts[1]]
    return list(sums / len(labels))


def plain_train(net: nn.Module, data: ImageSet, recipe: Recipe) -> dict[str, list[list[float]]]:
    """Train as a textbook would: float32, NCHW, one image after another, torch's own cosine schedule."""
    optimizer = torch.optim.SGD(net.parameters(), 0.02, 0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs)
    generator = torch.Generator().manual_seed(SEED)
    curves: dict[str, list[list[float]]] = {"train": [], "valid": [], "test": []}
    for _ in range(recipe.epochs):
        images, labels = plain_epoch(data, draw_plan(data, generator))
        net.train()
        curves["train"].append(plain_pass(net, images, labels, recipe.batch, optimizer))
        schedule.step()
        net.eval()
        with torch.no_grad():
            for name, split in data.evaluations.items():
                whole = [plain_image(i, data, data.shift, data.shift, False) for i in split.images.numpy()]
                curves[name].append(plain_pass(net, torch.stack(whole), split.labels, recipe.batch))
    return curves


@pytest.mark.parametrize(
    ("space", "arch"), [("tss", 11), ("tss", 284), ("tss", 1651), ("sss", "8:24:40:64:8")]
)
def test_the_fast_loop_equals_a_plain_float32_loop(
    tiny_images: ImageSet, tiny_recipe: Recipe, space: str, arch: int | str
) -> None:
    fast = train(network(arch, space), tiny_images, tiny_recipe, SEED)
    plain = plain_train(network(arch, space), tiny_images, tiny_recipe)
    for name, rows in plain.items():
        loss, first, five = np.array(rows).T
        np.testing.assert_allclose(fast[name].loss, loss, rtol=1e-3, err_msg=name)
        np.testing.assert_allclose(fast[name].accuracy, first, atol=1e-9, err_msg=name)
        np.testing.assert_allclose(fast[name].top5, five, atol=1e-9, err_msg=name)


@pytest.mark.parametrize(("space", "arch"), [("tss", 11), ("sss", "8:24:40:64:8")])
def test_the_given_network_is_the_trained_one(
    tiny_images: ImageSet, tiny_recipe: Recipe, space: str, arch: int | str
) -> None:
    net = network(arch, space)
    curves = train(net, tiny_images, tiny_recipe, SEED)
    split = tiny_images.evaluations["test"]
    with torch.no_grad():
        loss = cross_entropy(net(normalise(split.images, tiny_images)), split.labels)
    assert curves["test"].loss[-1] == pytest.approx(loss.item(), rel=1e-5)
    assert not net.training


def without_times(curves: dict[str, LearningCurve]) -> dict[str, tuple[list[float], ...]]:
    return {name: (curve.loss, curve.accuracy, curve.top5) for name, curve in curves.items()}


def test_the_same_seed_gives_the_same_bits(tiny_images: ImageSet, tiny_recipe: Recipe) -> None:
    first, second = (without_times(train(network(), tiny_images, tiny_recipe, SEED)) for _ in range(2))
    assert first == second
    assert first != without_times(train(network(), tiny_images, tiny_recipe, SEED + 1))


def test_the_loop_draws_nothing_from_the_global_generator(tiny_images: ImageSet, tiny_recipe: Recipe) -> None:
    net = network()
    state = torch.get_rng_state()
    train(net, tiny_images, tiny_recipe, SEED)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_nan_logit_is_never_right() -> None:
    logits = torch.tensor(
        [[float("nan")] * 6, [5.0, 4, 3, 2, 1, 0], [5.0, 4, 3, 2, 1, 0], [5.0, 4, 3, 2, 1, 0]]
    )
    labels = torch.tensor([0, 0, 4, 5])
    assert tally_batch(logits, labels, torch.tensor(0.5)).tolist() == [2.0, 1.0, 2.0]
