"""The operations do what the benchmark's do: pre-activation, uncounted padding, identity or projection."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, relu

from natslib.nets.cell import ReductionBlock, build_op


@pytest.fixture
def images() -> Tensor:
    return torch.randn(3, 4, 6, 6, generator=torch.Generator().manual_seed(0))


def test_none_is_no_module_and_skip_is_the_input(images: Tensor) -> None:
    assert build_op(0, 4, 4) is None
    skip = build_op(1, 4, 4)
    assert skip is not None
    assert torch.equal(skip(images), images)


def test_a_skip_that_changes_the_width_has_no_relu(images: Tensor) -> None:
    skip = build_op(1, 4, 5)
    assert skip is not None
    assert [type(module) for module in skip] == [nn.Conv2d, nn.BatchNorm2d]
    torch.testing.assert_close(
        skip.eval()(-images), -skip.eval()(images)
    )  # a linear map: its bias is still zero


@pytest.mark.parametrize(("choice", "kernel"), [(2, 1), (3, 3)])
def test_convolutions_are_relu_conv_bn(images: Tensor, choice: int, kernel: int) -> None:
    op = build_op(choice, 4, 5)
    assert op is not None
    weight, before = op[1].weight, images.clone()
    assert weight.shape == (5, 4, kernel, kernel)
    expected = conv2d(relu(images), weight, padding=kernel // 2)
    expected = (expected - expected.mean((0, 2, 3), keepdim=True)) / (
        expected.var((0, 2, 3), correction=0, keepdim=True) + 1e-5
    ).sqrt()
    torch.testing.assert_close(op.train()(images), expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(images, before)  # the ReLU is not in place: other edges read the same node


def test_average_pooling_does_not_count_the_padding() -> None:
    pool = build_op(4, 4, 4)
    assert pool is not None
    ones = torch.ones(1, 4, 5, 5)
    assert torch.equal(pool(ones), ones)
    assert not list(pool.parameters())


def test_the_reduction_block_halves_and_ends_without_relu(images: Tensor) -> None:
    block = ReductionBlock(4, 8).eval()
    with torch.no_grad():
        for module in block.branch.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.zero_()
        out = block(images)
    assert out.shape == (3, 8, 3, 3)
    torch.testing.assert_close(out, conv2d(avg_pool2d(images, 2), block.shortcut[1].weight))
    assert (out < 0).any()
