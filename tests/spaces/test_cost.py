"""Parameters and FLOPs against every value of spec A4, the official records, and a layer-by-layer count."""

import bz2
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from natslib.datasets import get_dataset
from natslib.spaces import PAPER_SCALE, SIZE, SMALL_SCALE, SPACES, TOPOLOGY, Scale

C10, C100, IN16 = DATASETS = ("cifar10", "cifar100", "ImageNet16-120")
TOPOLOGY_LANDMARKS = {
    0: ((0.129306, 15.64737), (0.135156, 15.65322), (0.136456, 3.91948)),
    11: ((0.802426, 113.95137), (0.808276, 113.95722), (0.809576, 28.49548)),
    284: ((0.101306, 11.71521), (0.107156, 11.72106), (0.108456, 2.93644)),
    11472: ((0.559386, 78.56193), (0.565236, 78.56778), (0.566536, 19.64812)),
    1462: ((1.531546, 220.11969), (1.537396, 220.12554), (1.538696, 55.03756)),
    9930: ((1.288506, 184.73025),),
    6111: ((1.073466, 153.27297),),
    857: ((0.858426, 121.81569),),
    4317: ((0.241306, 31.37601),),
}
SIZE_LANDMARKS = {
    "8:8:8:8:8": ((0.011714, 4.481114), (0.012524, 4.481924), (0.012704, 1.121336)),
    "8:8:8:16:32": ((0.049202, 6.84065), (0.052172, 6.84362), (0.052832, 1.71404)),
    "8:8:40:32:40": ((0.144834, 21.827994), (0.148524, 21.831684), (0.149344, 5.461816)),
    "8:8:8:16:40": ((0.067378, 7.991706),),
    "64:64:64:64:64": ((0.713674, 274.399882),),
    "8:16:24:32:40": ((0.115490, 15.33993),),
    "8:16:32:48:64": ((0.251394, 26.780298),),
    "32:40:48:56:64": ((0.409514, 95.261322),),
    "16:16:32:32:64": ((0.225466, 33.866378),),
}
CASES = [
    (name, arch, dataset, values)
    for name, landmarks in (("tss", TOPOLOGY_LANDMARKS), ("sss", SIZE_LANDMARKS))
    for arch, row in landmarks.items()
    for dataset, values in zip(DATASETS, row, strict=False)
]


@pytest.mark.parametrize(("name", "arch", "dataset", "values"), CASES)
def test_landmark(name, arch, dataset, values):
    space = SPACES[name]
    code = space.code(arch)
    assert (space.params_m(code, dataset), space.flops_m(code, dataset)) == values


@pytest.mark.parametrize(
    ("dataset", "params", "flops"),
    [
        ("cifar10-valid", (73_306, 28_000, 243_040), (7_783_050, 3_932_160, 35_389_440)),
        (C10, (73_306, 28_000, 243_040), (7_783_050, 3_932_160, 35_389_440)),
        (C100, (79_156, 28_000, 243_040), (7_788_900, 3_932_160, 35_389_440)),
        (IN16, (80_456, 28_000, 243_040), (1_953_400, 983_040, 8_847_360)),
    ],
)
def test_topology_is_linear_in_the_numbers_of_convolutions(dataset, params, flops):
    codes = TOPOLOGY.codes()
    terms = np.stack([np.ones(len(codes), int), (codes == 2).sum(axis=1), (codes == 3).sum(axis=1)])
    counted = TOPOLOGY.count(codes, dataset)
    np.testing.assert_array_equal(counted.params, params @ terms)
    np.testing.assert_array_equal(counted.macs, flops @ terms)
    assert len(np.unique(counted.macs)) == 28


def test_ranges_over_the_spaces():
    codes = SIZE.codes()
    params, flops = SIZE.params_m(codes, C10), SIZE.flops_m(codes, C10)
    assert (params.min(), params.max(), flops.min(), flops.max()) == (
        0.011714,
        0.713674,
        4.481114,
        274.399882,
    )
    assert params.mean() == pytest.approx(0.268684, abs=5e-7)


@pytest.mark.parametrize(
    ("name", "folder"), [("tss", "NATS-tss-v1_0-3ffb9-simple"), ("sss", "NATS-sss-v1_0-50262-simple")]
)
@pytest.mark.parametrize("index", [0, 11])
def test_official_records_hold_these_counts(shared_data: Path, name: str, folder: str, index: int):
    with bz2.open(shared_data / "official-fragments" / folder / f"{index:06d}.pickle.pbz2") as file:
        recipes = pickle.load(file)
    space = SPACES[name]
    for record in recipes.values():
        for (dataset, _seed), run in record["all_results"].items():
            code = space.code(record["arch_index"])
            assert float(run["params"]) == space.params_m(code, dataset)
            assert float(run["flop"]) == space.flops_m(code, dataset)


def layer_by_layer(cell, widths, repeats, data):
    """Count one network with loops over its layers, as slowly and plainly as spec A3 lists them."""
    params = macs = 0

    def conv(c_in, c_out, kernel, side, norm):
        nonlocal params, macs
        params += c_in * c_out * kernel**2 + 2 * c_out * norm
        macs += c_in * c_out * kernel**2 * side**2

    side, previous = data.resolution, widths[0]
    conv(data.in_channels, previous, 3, side, norm=True)
    for block, width in enumerate(widths):
        if block % 2:
            side //= 2
            conv(previous, width, 3, side, norm=True)
            conv(width, width, 3, side, norm=True)
            conv(previous, width, 1, side, norm=False)
        for repeat in range(0 if block % 2 else repeats):
            for choice, source in zip(cell, (0, 0, 1, 0, 1, 2), strict=True):
                c_in = previous if source == 0 and repeat == 0 else width
                if choice in (2, 3) or (choice == 1 and c_in != width):
                    conv(c_in, width, 3 if choice == 3 else 1, side, norm=True)
        previous = width
    return params + 2 * previous + (previous + 1) * data.classes, macs + (previous + 1) * data.classes


@pytest.mark.parametrize("in_channels", [1, 3])
@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("tss", PAPER_SCALE),
        ("tss", SMALL_SCALE),
        ("tss", Scale(4, 2, 1)),
        ("sss", PAPER_SCALE),
        ("sss", SMALL_SCALE),
    ],
)
def test_other_scales_count_as_their_layers_do(name, scale, in_channels):
    space, rng = SPACES[name], np.random.default_rng(0)
    data = replace(get_dataset(C10), resolution=8, in_channels=in_channels, classes=7)
    for code in space.sample(rng, 60):
        if name == "tss":
            cell, widths = code.tolist(), [scale.channels * factor for factor in (1, 2, 2, 4, 4)]
        else:
            cell = (3, 3, 3, 1, 3, 3)
            widths = [8 * (choice + 1) // scale.width_divisor for choice in code.tolist()]
        expected = layer_by_layer(cell, widths, scale.cells if name == "tss" else 1, data)
        assert tuple(space.count(code, data, scale)) == expected
