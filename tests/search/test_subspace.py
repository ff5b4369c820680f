import numpy as np
import pytest

from natslib.errors import ConfigError, UnknownArchitecture
from natslib.search import subspace
from natslib.search.subspace import Subspace, covers
from natslib.spaces import get_space

TSS = get_space("tss")
PART = Subspace(TSS, [7, 3, 9000, 3])


def test_it_is_the_space_with_fewer_members() -> None:
    assert len(PART) == 3
    assert PART.name == "tss"
    assert PART.index(TSS.code(9000)) == 9000
    np.testing.assert_array_equal(PART.codes(), TSS.codes([3, 7, 9000]))
    assert covers(PART, TSS.code(7))
    assert not covers(PART, TSS.code(8))
    assert covers(TSS, TSS.code(8))


def test_an_architecture_outside_is_refused() -> None:
    with pytest.raises(UnknownArchitecture, match="8 is not among the 3"):
        PART.code(8)
    with pytest.raises(ConfigError, match="needs at least one"):
        Subspace(TSS, [])


def test_samples_are_uniform() -> None:
    rng = np.random.default_rng(0)
    drawn = TSS.indices(np.array([PART.sample(rng) for _ in range(6000)]))
    members, counts = np.unique(drawn, return_counts=True)
    assert members.tolist() == [3, 7, 9000]
    np.testing.assert_allclose(counts, 2000, atol=150)
    assert set(TSS.indices(PART.sample(rng, 50))) == {3, 7, 9000}


@pytest.mark.parametrize("rule", ["clean", "official"])
@pytest.mark.parametrize("name", ["tss", "sss"])
def test_where_all_is_covered_mutants_are_as_frequent_as_the_spaces_own(name: str, rule: str) -> None:
    space = get_space(name)
    whole = Subspace(space, np.arange(len(space)))
    parent = space.code(1234)
    counts = []
    for seed, place in enumerate((space, whole)):
        rng = np.random.default_rng(seed)
        children = space.indices(np.array([place.mutate(parent, rng, rule=rule) for _ in range(20_000)]))
        counts.append(np.bincount(children, minlength=len(space)) / 20_000)
    np.testing.assert_allclose(*counts, atol=0.012)


@pytest.mark.parametrize("name", ["tss", "sss"])
def test_in_a_part_clean_mutants_are_as_frequent_as_if_drawn_until_one_is_covered(name: str) -> None:
    space, rng = get_space(name), np.random.default_rng(0)
    parent = space.code(1234)
    part = Subspace(space, [1234, *space.indices(rng.permutation(space.neighbours(parent))[:5]), *range(100)])
    counts = []
    for draw in (part.mutate, lambda code, rng: drawn_until_covered(part, code, rng)):
        children = space.indices(np.array([draw(parent, rng) for _ in range(8_000)]))
        counts.append(np.bincount(children, minlength=len(space)) / 8_000)
    assert len(part.neighbours(parent)) >= 5
    np.testing.assert_allclose(*counts, atol=0.02)
    np.testing.assert_allclose(counts[0][counts[0] > 0], 1 / len(part.neighbours(parent)), atol=0.015)


def test_in_a_part_the_official_rule_returns_the_parent_as_often_as_in_the_full_space() -> None:
    """In the size space one time in eight, however few neighbours are covered, and else a covered neighbour."""
    sizes, rng = get_space("sss"), np.random.default_rng(0)
    parent = sizes.code(1234)
    near = sizes.indices(rng.permutation(sizes.neighbours(parent))[:5])
    part = Subspace(sizes, [1234, *near, *range(40)])
    children = sizes.indices(np.array([part.mutate(parent, rng, rule="official") for _ in range(8_000)]))
    shares = [(children == index).mean() for index in (1234, *near)]
    np.testing.assert_allclose(shares, [1 / 8, *[7 / 40] * 5], atol=0.02)


@pytest.mark.parametrize("rule", ["clean", "official"])
def test_mutants_of_a_parent_with_few_covered_neighbours_may_be_farther_away(rule: str) -> None:
    """Two cells that have only each other would keep evolution between them for ever."""
    parent, rng = TSS.code(0), np.random.default_rng(0)
    near = TSS.neighbours(parent)[:1]
    two_away = [code for code in TSS.codes().tolist() if sum(np.array(code) != parent) == 2][:5]
    far = [code for code in TSS.codes().tolist() if sum(np.array(code) != parent) == 6][:5]
    part = Subspace(TSS, TSS.indices(np.array([parent, *near.tolist(), *two_away, *far])))
    children = {part.mutate(parent, rng, rule=rule) for _ in range(300)}
    assert children == {*map(tuple, near.tolist()), *map(tuple, two_away)}


def drawn_until_covered(part: Subspace, code: tuple[int, ...], rng: np.random.Generator) -> tuple[int, ...]:
    child = part.full.mutate(code, rng)
    return child if child in part else drawn_until_covered(part, code, rng)


def test_a_clean_mutant_is_not_drawn_more_than_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    change = subspace.change
    monkeypatch.setattr(subspace, "change", lambda *how: drawn.append(how) or change(*how))
    part, rng = Subspace(TSS, range(0, 15_625, 80)), np.random.default_rng(0)
    for code in map(tuple, part.codes().tolist()):
        part.mutate(code, rng)
    assert len(drawn) == len(part)


def test_mutants_stay_inside_even_without_a_neighbour() -> None:
    rng = np.random.default_rng(0)
    lonely = Subspace(TSS, [0, 1])
    assert {lonely.mutate(TSS.code(0), rng) for _ in range(30)} <= {TSS.code(0), TSS.code(1)}
    code = TSS.code(0)
    near = tuple(TSS.neighbours(code)[5].tolist())
    pair = Subspace(TSS, [0, TSS.index(near)])
    assert {pair.mutate(code, rng) for _ in range(10)} == {near}
    np.testing.assert_array_equal(pair.neighbours(code), [near])
    assert lonely.neighbours(code).shape == (0, 6)
    assert pair.crossover(code, near, rng) in (code, near)
