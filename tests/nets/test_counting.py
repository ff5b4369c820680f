"""Parameters and FLOPs counted on modules equal the closed forms and the official numbers."""

import numpy as np
import pytest
import torch

from natslib.datasets import get_dataset
from natslib.nets import build_network, count_flops, count_params
from natslib.spaces import PAPER_SCALE, get_space

DATASETS = ("cifar10", "cifar100", "ImageNet16-120")


def counted(space: str, arch: int | str | tuple[int, ...], dataset: str) -> tuple[int, int]:
    facts = get_dataset(dataset)
    network = build_network(
        space, arch, in_channels=facts.in_channels, classes=facts.classes, scale=PAPER_SCALE
    )
    return count_params(network), count_flops(network, facts.in_channels, facts.resolution)


def millions(space: str, code: tuple[int, ...], dataset: str) -> tuple[int, int]:
    found, codes = get_space(space), np.array([code])
    return tuple(round(float(f(codes, dataset)[0]) * 1e6) for f in (found.params_m, found.flops_m))


def cost_levels() -> list[tuple[int, ...]]:
    """One cell for each number of 1x1 and 3x3 convolutions: the 28 cost levels of the topology space."""
    return [(2,) * a + (3,) * b + (1,) * (6 - a - b) for a in range(7) for b in range(7 - a)]


@pytest.mark.parametrize("dataset", DATASETS)
def test_all_cost_levels_of_the_topology_space_equal_the_closed_form(dataset: str) -> None:
    levels = cost_levels()
    assert len(levels) == 28
    assert [counted("tss", code, dataset) for code in levels] == [millions("tss", c, dataset) for c in levels]


def test_a_thousand_size_networks_equal_the_closed_form() -> None:
    codes = get_space("sss").sample(np.random.default_rng(0), 1000).tolist()
    for number, code in enumerate(codes):
        dataset = DATASETS[number % 3]
        assert counted("sss", tuple(code), dataset) == millions("sss", tuple(code), dataset), code


@pytest.mark.parametrize(
    ("space", "arch", "dataset", "expected"),
    [
        ("tss", 0, "cifar10", (129_306, 15_647_370)),
        ("tss", 11472, "cifar100", (565_236, 78_567_780)),
        ("tss", 1462, "ImageNet16-120", (1_538_696, 55_037_560)),
        ("sss", "8:8:40:32:40", "cifar10", (144_834, 21_827_994)),
        ("sss", "64:64:64:64:64", "cifar10", (713_674, 274_399_882)),
        ("sss", "8:8:8:16:32", "ImageNet16-120", (52_832, 1_714_040)),
    ],
)
def test_published_landmarks(space: str, arch: int | str, dataset: str, expected: tuple[int, int]) -> None:
    assert counted(space, arch, dataset) == expected


def test_counting_leaves_the_network_as_it_was() -> None:
    network = build_network("tss", 0, in_channels=3, classes=10, scale=PAPER_SCALE)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    count_flops(network, 3, 32)
    assert network.training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())
