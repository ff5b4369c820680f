"""The arithmetic of the two networks that AutoShrink published, against their modules and against what it printed."""

import pytest
from torch import nn

from natslib.analysis.autoshrink_networks import (
    SHRINK_CNN,
    SHRINK_CNN_OPS,
    SHRINK_CNN_STAGES,
    found_networks,
    shrink_cnn,
    shrink_rnn,
)
from natslib.nets import count_flops, count_params
from natslib.nets.wiring import WiringCell
from natslib.spaces.wiring import edges_of


def test_shrink_cnn() -> None:
    params, macs = shrink_cnn()
    assert params / 1e6 == pytest.approx(3.601, abs=0.0005)
    assert macs / 1e6 == pytest.approx(383.68, abs=0.005)


def test_shrink_cnn_is_what_its_modules_count() -> None:
    blocks: list[nn.Module] = [nn.Conv2d(3, 44, 3, stride=2, padding=1, bias=False)]
    channels = 44
    for cells, width, pooled in SHRINK_CNN_STAGES:
        blocks += [nn.MaxPool2d(pooled)] if pooled > 1 else []
        for _ in range(cells):
            code = [edge in SHRINK_CNN for edge in edges_of(5)]
            blocks.append(cell := WiringCell(code, SHRINK_CNN_OPS, channels, width))
            channels = cell.c_out
    blocks += [nn.Conv2d(channels, 1280, 1, bias=False), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    network = nn.Sequential(*blocks, nn.Linear(1280, 1001))
    norms = sum(count_params(module) for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    expected = shrink_cnn()
    assert (count_params(network) - norms, count_flops(network, 3, 224)) == (expected.params, expected.macs)


@pytest.mark.parametrize(("edges", "millions"), [(12, 23.00), (13, 24.11), (15, 26.33)])
def test_shrink_rnn(edges: int, millions: float) -> None:
    assert shrink_rnn(edges) / 1e6 == pytest.approx(millions, abs=0.005)


def test_the_table_of_what_was_found() -> None:
    rows = found_networks().set_index(["network", "edges"])
    assert list(rows.index) == [("ShrinkCNN", 6), ("ShrinkRNN", 12), ("ShrinkRNN", 13), ("ShrinkRNN", 15)]
    assert rows.round(2)["params_m"].tolist() == [3.6, 23.0, 24.11, 26.33]
