"""The recipes are the published ones."""

from dataclasses import replace

import pytest

from natslib.errors import UnknownName
from natslib.spaces import PAPER_SCALE, SMALL_SCALE
from natslib.training.recipes import RECIPES, SMALL_RECIPES, get_recipe, is_erm


@pytest.mark.parametrize(
    ("recipe", "epochs", "second", "last"),
    [
        ("12", 12, 0.0982963, 0.00170371),
        ("200", 200, 0.0999938, 6.16838e-06),
        ("90", 90, 0.0999695, 3.04586e-05),
    ],
)
def test_learning_rates_are_the_published_ones(recipe: str, epochs: int, second: float, last: float) -> None:
    rates = get_recipe(recipe, small=False).learning_rates()
    assert len(rates) == epochs
    assert rates[0] == 0.1
    assert (rates[1], rates[-1]) == (pytest.approx(second, rel=1e-6), pytest.approx(last, rel=1e-5))


def test_everything_else_is_the_same_for_all_recipes_of_the_paper() -> None:
    assert RECIPES["01"].learning_rates() == (0.1,)
    of_the_paper = [RECIPES[name] for name in ("01", "12", "90", "200")]
    common = {(r.batch, r.learning_rate, r.momentum, r.weight_decay, r.scale) for r in of_the_paper}
    assert common == {(256, 0.1, 0.9, 5e-4, PAPER_SCALE)}


def test_embedded_sets_have_a_short_and_a_long_recipe_of_their_own() -> None:
    assert [get_recipe(recipe, small=True).epochs for recipe in ("12", "36")] == [12, 36]
    assert get_recipe("12", small=True).scale == SMALL_SCALE
    with pytest.raises(
        UnknownName, match=f"unknown recipe '200': allowed are {', '.join(map(repr, SMALL_RECIPES))}"
    ):
        get_recipe("200", small=True)


def test_an_objective_behind_a_recipe_changes_that_alone() -> None:
    plain, irm = (get_recipe(name, small=True) for name in ("12", "12-irm"))
    assert (plain.objective, irm.objective, irm.name) == ("erm", "irm", "12-irm")
    assert replace(irm, name="12", objective="erm", numbers={}) == plain
    assert irm.numbers == {"penalty": 10.0}
    assert repr(plain).count("objective") == 0, (
        "searches that were begun before objectives are known by this text"
    )
    assert is_erm("12")
    assert not is_erm("12-irm")


@pytest.mark.parametrize("name", ["12-", "12-erm", "13-irm", "-irm", "irm"])
def test_a_recipe_has_one_name(name: str) -> None:
    with pytest.raises(UnknownName, match=f"unknown recipe '{name}': allowed are '12', '36'"):
        get_recipe(name, small=True)


def test_an_unknown_objective_is_refused() -> None:
    with pytest.raises(
        UnknownName, match=r"unknown objective 'irn': allowed are 'erm', .*did you mean 'irm'"
    ):
        get_recipe("12-irn", small=True)
