import numpy as np

from natslib.search import Result
from natslib.search.algorithms.regularized_evolution import regularized_evolution
from natslib.spaces import get_space

TSS = get_space("tss")


def distance(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    return sum(x != y for x, y in zip(a, b, strict=True))


def test_children_are_single_changes_of_a_living_member() -> None:
    search = regularized_evolution(TSS, np.random.default_rng(0))
    history = [next(search)]
    for step in range(200):
        history.append(search.send(Result(history[-1], float(step % 7), 12)))
    for step, child in enumerate(history[10:], start=10):
        assert any(distance(child, member) == 1 for member in history[step - 10 : step])


def test_the_oldest_dies_even_if_it_is_the_best() -> None:
    search = regularized_evolution(TSS, np.random.default_rng(0), population_size=3, tournament_size=200)
    best = next(search)
    arch = search.send(Result(best, 100.0, 12))
    for score in (1.0, 2.0):
        arch = search.send(Result(arch, score, 12))
    assert distance(arch, best) == 1  # the first child is of the best
    child = search.send(Result(arch, 50.0, 12))  # ... which is now dropped
    assert distance(child, arch) == 1


def test_the_tournament_is_drawn_with_replacement() -> None:
    """With as many draws as members, the worst is a parent now and then only if members can be drawn twice."""
    parents = set()
    for seed in range(60):
        search = regularized_evolution(TSS, np.random.default_rng(seed), population_size=2, tournament_size=2)
        first = next(search)
        second = search.send(Result(first, 90.0, 12))
        if distance(first, second) > 2:
            child = search.send(Result(second, 10.0, 12))
            parents.add("worst" if distance(child, second) == 1 else "best")
    assert parents == {"worst", "best"}


def test_the_mutation_rule_is_passed_on() -> None:
    """In the size space the official rule returns the parent itself one time in eight, the clean one never."""
    sizes = get_space("sss")
    unchanged = {}
    for rule in ("official", "clean"):
        search = regularized_evolution(sizes, np.random.default_rng(0), population_size=1, mutation=rule)
        parent, unchanged[rule] = next(search), 0
        for _ in range(400):
            child = search.send(Result(parent, 1.0, 12))
            unchanged[rule] += child == parent
            parent = child
    assert unchanged["clean"] == 0
    assert 25 <= unchanged["official"] <= 80
