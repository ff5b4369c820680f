"""The decomposition of a full factorial: against projections, on functions of known parts, and on real results."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from natslib.analysis.columns import accuracy_frame, find_columns
from natslib.analysis.factorial import (
    ACCURACIES,
    RANKS,
    choice_effects,
    effects,
    find_factorial,
    find_factorials,
    pair_shares,
    share_by_order,
    variance_frame,
    variances,
)
from natslib.errors import NotMeasured
from natslib.spaces import get_space
from natslib.tables import load

SHAPE = (3, 2, 4)
NAMES = ("a", "b", "c")


@pytest.fixture
def cube() -> np.ndarray:
    return np.random.default_rng(0).normal(size=SHAPE)


def projected(cube: np.ndarray) -> dict[str, float]:
    """Return the shares by orthogonal projections: at each position on the mean, or on what is left of it."""
    found = {}
    for order in range(1, cube.ndim + 1):
        for some in combinations(range(cube.ndim), order):
            matrix = np.ones((1, 1))
            for axis, size in enumerate(cube.shape):
                mean = np.full((size, size), 1 / size)
                matrix = np.kron(matrix, np.eye(size) - mean if axis in some else mean)
            found[" & ".join(NAMES[axis] for axis in some)] = (
                (matrix @ cube.ravel()) ** 2
            ).mean() / cube.var()
    return found


def shares(cube: np.ndarray) -> pd.Series:
    return variance_frame(cube, NAMES).set_index("positions")["share"]


def test_shares_are_those_of_orthogonal_projections(cube: np.ndarray) -> None:
    found = shares(cube)
    assert found.to_dict() == pytest.approx(projected(cube), abs=1e-12)
    assert list(found.index) == ["a", "b", "c", "a & b", "a & c", "b & c", "a & b & c"]


def test_shares_sum_to_one_and_effects_to_the_cube(cube: np.ndarray) -> None:
    found = effects(cube)
    assert shares(cube).sum() == pytest.approx(1, abs=1e-12)
    assert sum(found.values()) == pytest.approx(cube)
    one, other = (np.broadcast_to(found[key], SHAPE) for key in ((0, 1), (1, 2)))
    assert (one * other).mean() == pytest.approx(0, abs=1e-12)


def test_an_additive_function_has_no_interaction() -> None:
    a, b, c = np.ix_([0.0, 1, 5], [0.0, 2], [1.0, -1, 3, 3])
    found = shares(a + b + c)
    parts = {"a": np.var([0, 1, 5]), "b": 1.0, "c": np.var([1, -1, 3, 3])}
    assert found[list(parts)].to_dict() == pytest.approx(
        {key: part / sum(parts.values()) for key, part in parts.items()}
    )
    assert found[found.index.str.contains("&")].to_numpy() == pytest.approx(0, abs=1e-12)


def test_parity_is_interaction_alone() -> None:
    sign = np.array([-1.0, 1])
    found = variance_frame(sign[:, None, None] * sign[:, None] * sign, NAMES).set_index("positions")["share"]
    assert found["a & b & c"] == pytest.approx(1)
    assert found.drop("a & b & c").to_numpy() == pytest.approx(0)


def test_ranks_see_through_what_stretches_an_order() -> None:
    stretched = np.exp(2 * (8 * np.arange(3)[:, None] + np.arange(8)))
    by_order = share_by_order(variances(stretched, ("a", "b")))
    assert by_order.loc[1, RANKS] == pytest.approx(1)
    assert by_order.loc[1, ACCURACIES] < 0.5


def test_nothing_varies_nothing_is_explained() -> None:
    assert shares(np.full(SHAPE, 7.0)).isna().all()


def test_pairs_stand_below_the_diagonal(cube: np.ndarray) -> None:
    frame = variance_frame(cube, NAMES)
    matrix, found = pair_shares(frame, NAMES), shares(cube)
    assert matrix.loc["c", "a"] == found["a & c"]
    assert matrix.loc["b", "b"] == found["b"]
    assert matrix.isna().to_numpy().sum() == 3


SPACE = get_space("sss")


def measured(choices: list[int], others: list[int]) -> pd.Series:
    """Return accuracies of all networks of some widths, and of a few others."""
    codes = SPACE.codes()
    held = np.isin(codes, choices).all(axis=1)
    held[others] = True
    return pd.Series(np.arange(len(codes), dtype=float)).where(held)


def test_the_sub_grid_is_found_beside_others() -> None:
    found = find_factorial(SPACE, measured([0, 2, 7], [1, 9, 500, 31_000]))
    assert found.choices == (("8", "24", "64"),) * 5
    assert found.archs[1, 0, 2, 0, 0] == SPACE.index((2, 0, 7, 0, 0))
    assert found.described(SPACE) == "all 243 combinations of {8, 24, 64} at each position, of 32,768"
    assert found.cube(measured([0, 2, 7], []))[1, 0, 2, 0, 0] == SPACE.index((2, 0, 7, 0, 0))


def test_all_of_a_space_needs_no_words() -> None:
    found = find_factorial(SPACE, measured(list(range(8)), []))
    assert found.archs.shape == (8,) * 5
    assert found.described(SPACE) == ""


def test_a_part_without_a_grid_is_refused_with_its_number() -> None:
    few = measured([], [0, 5, 77, 4000])
    with pytest.raises(NotMeasured, match=r"no full factorial: 4 of 32,768 architectures are measured"):
        find_factorial(SPACE, few)
    found, lacking = find_factorials(SPACE, pd.DataFrame({"a": measured([0, 1], []), "b": few}))
    assert list(found) == ["a"]
    assert lacking == "no full factorial, left out: b"
    with pytest.raises(NotMeasured, match="no full factorial"):
        find_factorials(SPACE, pd.DataFrame({"b": few}))


def test_choices_move_the_mean() -> None:
    factorial = find_factorial(SPACE, measured([0, 7], []))
    cube = np.zeros((2,) * 5)
    cube[1, ...] = 4.0
    found = choice_effects(cube, factorial).set_index(["position", "choice"])["effect"]
    assert found["stem and cell 1"].tolist() == [-2, 2]
    assert found.iloc[2:].eq(0).all()


def test_on_the_papers_cells_the_edge_from_input_to_output_explains_most() -> None:
    """As measured on all 15,625 cells; of ranks, edges alone explain seven tenths on each dataset."""
    table = load("published")
    columns = find_columns(table.runs(), table.values, splits=["valid"])
    accuracy = accuracy_frame(table.values, columns)
    for label, most in {"C10-V": 0.125, "C100-V": 0.142, "I120-V": 0.241}.items():
        cube = find_factorial(table.space, accuracy[label]).cube(accuracy[label])
        frame = variances(cube, table.space.positions)
        alone = frame[(frame["of"] == ACCURACIES) & (frame["order"] == 1)].set_index("positions")["share"]
        assert alone.idxmax() == "0→3"
        assert alone.max() == pytest.approx(most, abs=5e-4)
        assert share_by_order(frame).loc[1, RANKS] == pytest.approx(0.695, abs=0.02)
        assert share_by_order(frame).sum().to_numpy() == pytest.approx(1)
