"""What every registered space promises; a new space inherits these tests by being in `SPACES`, as a toy here does."""

import copy
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from natslib.datasets import DATASETS, get_dataset
from natslib.errors import UnknownArchitecture, UnknownName
from natslib.search.simulate import Dice
from natslib.spaces import MUTATION_RULES, SCALES, SPACES, TOPOLOGY, Scale, Space, get_space
from natslib.spaces.skeleton import Skeleton
from natslib.spaces.space import Code, CodeArray, change

TOY_CELLS = TOPOLOGY.codes([0, 5, 1462, 1651, 4000, 9930, 11472, 15624])
"""What the sixth position of the toy chooses from; the first five are widths."""


def toy_layout(codes: CodeArray, scale: Scale) -> tuple[np.ndarray, np.ndarray, int]:
    return TOY_CELLS[codes[..., 5]], (codes[..., :5].astype(int) + 1) * scale.channels, scale.cells


def toy_mutation(code: Code, rng: np.random.Generator) -> Code:
    return change(code, int(rng.integers(6)), 8, rng)


TOY = Space(
    name="toy",
    title="toy widths and cells",
    choices=tuple("abcdefgh"),
    positions=("stem", "first", "second", "third", "fourth", "cell"),
    template="{}{}{}{}{}/{}",
    shuffle_seed=3,
    networks=Skeleton(toy_layout),
    official_mutation=toy_mutation,
)


@pytest.fixture(params=[*sorted(SPACES), "toy"])
def space(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Space:
    monkeypatch.setitem(SPACES, "toy", TOY)
    return SPACES[request.param]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(2021)


def test_whole_space_round_trips_through_codes(space):
    codes = space.codes()
    assert codes.shape == (len(space), len(space.positions))
    assert codes.dtype == np.uint8
    assert len(np.unique(codes, axis=0)) == len(space)
    np.testing.assert_array_equal(space.indices(codes), np.arange(len(space)))


def test_whole_space_round_trips_through_strings(space):
    strings = space.strings()
    assert len(set(strings)) == len(space)
    np.testing.assert_array_equal(space.indices(strings), np.arange(len(space)))


def test_scalar_names_agree_with_the_arrays(space, rng):
    strings, codes = space.strings(), space.codes()
    for index in rng.integers(len(space), size=200).tolist():
        code = tuple(codes[index].tolist())
        for name in (index, np.int64(index), strings[index], code, list(code), codes[index]):
            assert space.code(name) == code
            assert space.index(name) == index
            assert space.string(name) == strings[index]


def test_names_are_plain_python_values(space):
    assert {type(choice) for choice in space.code(3)} == {int}
    assert {type(choice) for choice in space.code(space.codes()[3])} == {int}
    assert type(space.index(space.code(3))) is int


def test_arrays_keep_their_leading_shape(space):
    grid = np.arange(12).reshape(3, 4)
    codes = space.codes(grid)
    assert codes.shape == (3, 4, len(space.positions))
    np.testing.assert_array_equal(space.indices(codes), grid)
    np.testing.assert_array_equal(space.indices(np.array(space.strings(), object)[grid]), grid)
    assert space.codes([]).shape == (0, len(space.positions))
    assert space.indices([]).shape == (0,)
    assert space.indices(space.codes([])).shape == (0,)


@pytest.mark.parametrize("name", [-1, 10**9, np.int64(-1), True])
def test_wrong_index_is_named_with_the_range(space, name):
    with pytest.raises(
        UnknownArchitecture, match=rf"{space.title} architecture .*from 0 to {len(space) - 1}"
    ):
        space.code(name)
    with pytest.raises(UnknownArchitecture, match=f"from 0 to {len(space) - 1}"):
        space.index(name)


def test_wrong_string_is_named_with_the_form(space):
    right = space.string(0)
    for wrong in ("", "resnet", right + " ", right[:-1], right.upper() + "|", "x" * 10_000):
        with pytest.raises(UnknownArchitecture, match=r"strings like .* with each . one of ") as error:
            space.code(wrong)
        assert repr(wrong)[:100] in str(error.value)
        assert all(choice in str(error.value) for choice in space.choices)
        assert len(str(error.value)) < 500


def test_wrong_code_is_named_with_the_form(space):
    right = space.code(0)
    for wrong in (
        right[:-1],
        (*right, 0),
        (*right[:-1], len(space.choices)),
        (-1, *right[1:]),
        (),
        None,
        1.0,
    ):
        with pytest.raises(UnknownArchitecture, match=f"codes of {len(right)} numbers") as error:
            space.code(wrong)
        assert repr(wrong)[:100] in str(error.value)
    with pytest.raises(UnknownArchitecture, match="codes of"):
        space.code(tuple(map(float, right)))


def test_wrong_arrays_name_the_first_wrong_one(space):
    codes = space.codes([0, 1, 2]).astype(int)
    codes[1, 0] = len(space.choices)
    with pytest.raises(UnknownArchitecture, match=rf"\({len(space.choices)}, .*each from 0 to"):
        space.indices(codes)
    with pytest.raises(UnknownArchitecture, match="'nothing'"):
        space.indices([space.string(0), "nothing"])
    with pytest.raises(UnknownArchitecture, match=f"architecture {len(space)}: "):
        space.codes([0, len(space)])
    with pytest.raises(UnknownArchitecture, match="indices from 0"):
        space.codes([0.5])
    for call in (space.indices, space.one_hot, lambda wrong: space.params_m(wrong, "cifar10")):
        with pytest.raises(UnknownArchitecture, match="codes of"):
            call([[0, 1]])


def test_samples_are_legal_and_uniform(space, rng):
    n, choices = 40_000, len(space.choices)
    drawn = space.sample(rng, n)
    assert drawn.shape == (n, len(space.positions))
    assert drawn.dtype == np.uint8
    for column in drawn.T:
        counts = np.bincount(column, minlength=choices)
        assert len(counts) == choices
        assert np.abs(counts - n / choices).max() < 5 * np.sqrt(n / choices)
    pairs = np.bincount(drawn[:, 0] * choices + drawn[:, 1], minlength=choices**2)
    assert np.abs(pairs - n / choices**2).max() < 5 * np.sqrt(n / choices**2)


def test_one_sample_is_a_code_and_follows_the_generator(space):
    first, again = (space.sample(np.random.default_rng(5)) for _ in range(2))
    assert first == again == space.code(first)
    assert len({space.sample(np.random.default_rng(seed)) for seed in range(50)}) > 40


def test_clean_mutation_changes_one_position_uniformly(space, rng):
    parent, n = space.code(7), 20_000
    children = np.array([space.mutate(parent, rng) for _ in range(n)])
    assert (np.sum(children != parent, axis=1) == 1).all()
    found, counts = np.unique(space.indices(children), return_counts=True)
    assert set(found) == set(space.indices(space.neighbours(parent)))
    assert np.abs(counts - n / len(found)).max() < 5 * np.sqrt(n / len(found))


@pytest.mark.parametrize("rule", MUTATION_RULES)
def test_mutation_stays_in_the_space_and_follows_the_generator(space, rule):
    for index in range(0, len(space), len(space) // 50):
        child = space.mutate(index, np.random.default_rng(index), rule=rule)
        assert child == space.code(child)
        assert child == space.mutate(space.code(index), np.random.default_rng(index), rule=rule)
        assert np.sum(np.array(child) != space.code(index)) <= 1


def test_mutations_side_by_side_are_those_one_by_one(space):
    if space.official_mutations is None:
        pytest.skip("its runs are not taken side by side")
    codes = space.codes(np.arange(0, len(space), len(space) // 500))
    these, those = ([Dice(seed) for seed in range(len(codes))] for _ in range(2))
    many = space.official_mutations(
        codes, lambda n: np.array([[each.random() for each in these] for _ in range(n)])
    )
    assert list(map(tuple, many.tolist())) == [
        space.mutate(code, each, rule="official") for code, each in zip(codes, those, strict=True)
    ]


def test_unknown_mutation_rule_names_the_allowed_ones(space, rng):
    with pytest.raises(UnknownName, match="mutation rule 'offical': allowed are 'clean', 'official'"):
        space.mutate(0, rng, rule="offical")


def test_neighbours_are_all_codes_at_distance_one(space):
    centre = space.code(11)
    around = space.neighbours(centre)
    assert around.dtype == np.uint8
    everything = space.codes()
    expected = everything[(everything != np.array(centre)).sum(axis=1) == 1]
    assert {tuple(row) for row in around.tolist()} == {tuple(row) for row in expected.tolist()}
    assert len(around) == len(expected) == len(centre) * (len(space.choices) - 1)


def test_crossover_mixes_both_parents_evenly(space, rng):
    mother, father = (0,) * len(space.positions), (1,) * len(space.positions)
    children = np.array([space.crossover(mother, father, rng) for _ in range(4_000)])
    assert set(np.unique(children)) == {0, 1}
    assert np.abs(children.mean(axis=0) - 0.5).max() < 0.04
    assert space.crossover(mother, mother, rng) == mother


def test_one_hot_is_inverted_by_argmax(space):
    codes = space.codes()
    encoded = space.one_hot(codes)
    assert encoded.dtype == np.float32
    blocks = encoded.reshape(len(space), len(space.positions), len(space.choices))
    assert (blocks.sum(axis=-1) == 1).all()
    np.testing.assert_array_equal(blocks.argmax(axis=-1), codes)
    np.testing.assert_array_equal(space.one_hot(space.code(9)), encoded[9])


@pytest.mark.parametrize("dataset", sorted(DATASETS))
def test_cost_of_many_equals_cost_of_each(space, rng, dataset):
    codes = space.sample(rng, 40)
    params, flops = space.params_m(codes, dataset), space.flops_m(codes, dataset)
    assert params.shape == flops.shape == (40,)
    assert params.dtype == flops.dtype == np.float64
    assert params.tolist() == [float(space.params_m(code, dataset)) for code in codes]
    assert flops.tolist() == [float(space.flops_m(code, dataset)) for code in codes]
    assert space.params_m(codes.reshape(4, 10, -1), dataset).shape == (4, 10)


@pytest.mark.parametrize("scale", SCALES)
def test_its_networks_are_built_and_cost_what_is_counted(space, rng, scale):
    nets = pytest.importorskip("natslib.nets", reason="building networks needs torch")
    data = get_dataset("photos")
    for code in map(tuple, space.sample(rng, 5).tolist()):
        network = nets.build_network(
            space.name, code, in_channels=data.in_channels, classes=data.classes, scale=SCALES[scale]
        )
        found = nets.count_params(network), nets.count_flops(network, data.in_channels, data.resolution)
        assert found == tuple(map(int, space.count(np.array(code, np.uint8), data, SCALES[scale])))


def test_cost_on_an_unknown_dataset_names_the_known(space):
    with pytest.raises(UnknownName, match=r"dataset 'cifar-10': allowed are .*'cifar10'"):
        space.params_m(space.code(0), "cifar-10")


def test_space_is_a_frozen_hashable_value(space):
    with pytest.raises(FrozenInstanceError):
        space.name = "other"
    with pytest.raises(ValueError, match="read-only"):
        space.codes()[0] = 0
    assert {space: "found"}[copy.deepcopy(space)] == "found"
    revived = pickle.loads(pickle.dumps(space))
    assert revived == space
    assert len(pickle.dumps(space)) < 2_000
    assert revived.string(5) == space.string(5)


def test_lookup_by_name_and_title(space):
    assert get_space(space.name) is space
    assert get_space(space.title) is space
    with pytest.raises(
        UnknownName, match=f"unknown space 'nb101': allowed are .*'{space.name}', '{space.title}'"
    ):
        get_space("nb101")


def test_all_names_at_once_are_not_made_one_by_one(space, monkeypatch):
    fresh = copy.deepcopy(space)
    for one in ("code", "string", "_legal_code", "_legal_index"):
        monkeypatch.setattr(Space, one, None)  # whoever calls it fails
    assert len(fresh.strings()) == len(fresh)
    np.testing.assert_array_equal(fresh.indices(fresh.codes()), np.arange(len(fresh)))


def test_importing_the_spaces_builds_no_table():
    script = (
        "from natslib.spaces import SPACES\n"
        "built = [key for space in SPACES.values() for key in vars(space) if key.startswith('_')]\n"
        "assert not built, built\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
