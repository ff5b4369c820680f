"""The catalogue and the notebooks say the same."""

import ast
from pathlib import Path

import papermill
import pytest

from natslib.workflow.catalogue import CATALOGUE, DATA, asked_of

ROOT = Path(__file__).resolve().parents[2]
ITEMS = list(CATALOGUE.values())
GIVEN = {
    "table": {"table"},
    "records": {"searches", "settings", "dataset"},
    "further": {"further"},
    "own": set(),
    "trajectories": {"trajectories"},
}
ALWAYS_GIVEN = {
    "table",
    "searches",
    "further",
    "split",
    "splits",
    "runs",
    "runs_others",
    "entry",
    "trajectories",
}  # where they are declared


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
def test_an_item_names_every_figure_of_its_notebook_and_tells_it_what_it_declares(item):
    declared = set(papermill.inspect_notebook(ROOT / item.path))
    assert set(item.figures) == {name for name in declared if name.startswith("figure")}
    assert set(item.tables) <= set(item.figures)
    told = set(item.given).union(item.parameters, *(GIVEN[need] for need in item.needs))
    assert told <= declared
    assert declared & ALWAYS_GIVEN <= told


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
def test_no_two_figures_of_a_notebook_are_swapped(item):
    declared = papermill.inspect_notebook(ROOT / item.path)
    by_default = {name: Path(ast.literal_eval(declared[name]["default"])).name for name in item.figures}
    swapped = {
        name: item.figures[name]
        for name, stem in by_default.items()
        if stem in item.figures.values() and stem != item.figures[name]
    }
    assert swapped == {}


def test_every_notebook_is_an_item():
    there = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} - {"00_index"}
    assert {item.notebook for item in ITEMS} == there


def test_no_two_figures_share_a_name():
    stems = [stem for item in ITEMS for stem in item.figures.values()]
    assert len(stems) == len(set(stems))


def test_all_leaves_out_what_a_source_cannot_give():
    told = asked_of("all", space="tss", own=False)
    assert {stem for stem, reason in told.items() if reason} == {
        "fresh_training",
        "nas_ood_table",
        "nas_ood_images",
        "nas_ood_training",
        "nas_ood_augmentation",
        "embedded_quality",
        "ood_ranks",
    }
    assert not [reason for reason in asked_of("all", space="tss", own=True).values() if reason]
    sizes = asked_of("all", space="sss", own=True)
    assert all(reason for stem, reason in sizes.items() if stem.startswith("darts_pt"))


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
def test_the_data_of_an_item_are_of_a_source(item):
    assert set(item.data) <= set(DATA)
    assert "table" in item.needs or not item.data
