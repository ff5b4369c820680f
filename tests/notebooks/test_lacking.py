"""What the notebooks of the figures do with a source that lacks what they draw: they say it, and draw the rest."""

import re
from itertools import product
from pathlib import Path

import nbformat
import pandas as pd
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

from natslib.spaces import get_space
from natslib.tables import convert
from natslib.workflow.catalogue import CATALOGUE
from natslib.workflow.draw import draw_item
from natslib.workflow.notebook import run_notebook

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
COLUMNS = {"a": ("cifar10-valid", "valid"), "b": ("cifar10", "test"), "c": ("cifar100", "valid")}
MAPPING = "space: tss\narch: arch\ncolumns:\n" + "".join(
    f"  {name}: {{dataset: {dataset}, recipe: '200', split: {split}, seed: 777, metric: accuracy}}\n"
    for name, (dataset, split) in COLUMNS.items()
)


def small_table(folder: Path, indices: list[int]) -> str:
    """Convert one run of a few cells, none of them marked by the paper and none above 92 %."""
    frame = pd.DataFrame({"arch": [get_space("tss").string(index) for index in indices]})
    for number, name in enumerate(COLUMNS):
        frame[name] = [50.0 + number + index % 40 for index in indices]
    frame.to_csv(folder / "few.csv", index=False)
    (folder / "few.yaml").write_text(MAPPING)
    convert(folder / "few.csv", folder / "t", columns=folder / "few.yaml")
    return str(folder / "t")


def texts_of(executed: Path, kind: str) -> str:
    cells = nbformat.read(executed, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "\n".join(output.text for output in outputs if output.get("name") == kind)


def words_in(figure: Path) -> str:
    """Return the text of a figure."""
    return " ".join(re.findall("<text[^>]*>(.*?)</text>", figure.read_text(), flags=re.DOTALL))


@pytest.mark.parametrize(
    ("notebook", "figures", "words"),
    [
        ("02_accuracy_vs_cost", ["figure3"], "No marked architecture in this source"),
        ("04_correlation", ["figure5"], "3 are needed to correlate"),
        ("05_seed_noise", ["figure_noise", "figure_stability"], "no accuracy of two or more seeds"),
    ],
)
@pytest.mark.parametrize("indices", [[2, 9], [2, 9, 11, 13]], ids=["two cells", "four cells"])
def test_it_says_what_is_not_there_and_draws_the_rest(notebook, figures, words, indices, tmp_path):
    stems = {name: str(tmp_path / name) for name in figures}
    parameters = {"table": small_table(tmp_path, indices), **stems}
    run_notebook(NOTEBOOKS / f"{notebook}.ipynb", tmp_path / "executed.ipynb", parameters)
    assert "Warning" not in texts_of(tmp_path / "executed.ipynb", "stderr")
    assert words in " ".join(words_in(Path(f"{stem}.svg")) for stem in stems.values())


@pytest.mark.parametrize(
    ("notebook", "figures"),
    [
        ("06_anytime", ["figure_anytime", "figure_algorithms"]),
        ("08_proxy_vs_full", ["figure_proxy"]),
        ("10_your_algorithm", ["figure_yours"]),
    ],
)
def test_what_searches_is_left_out_of_test_accuracies_and_parameters_alone(
    notebook, figures, tmp_path, monkeypatch
):
    """The size space's test accuracies, as most people export them: no validation scores, so nothing to search by."""
    networks = get_space("sss").codes(range(0, 32768, 4000))
    frame = pd.DataFrame({"arch": range(0, 32768, 4000), "test": 60.0})
    frame["params"] = get_space("sss").params_m(networks, "cifar10")
    frame.to_csv(tmp_path / "sizes.csv", index=False)
    of = "dataset: cifar10, recipe: '90', split: test, seed: mean"
    told = f"{{{of}, metric: accuracy}}\n  params: {{{of}, metric: params_m}}"
    (tmp_path / "sizes.yaml").write_text(f"space: sss\narch: arch\ncolumns:\n  test: {told}\n")
    convert(tmp_path / "sizes.csv", tmp_path / "t", columns=tmp_path / "sizes.yaml")

    (item,) = (each for each in CATALOGUE.values() if each.notebook == notebook)
    monkeypatch.chdir(NOTEBOOKS.parent)
    given = {"table": str(tmp_path / "t"), **{name: str(tmp_path / name) for name in figures}}
    reason = draw_item(item, tmp_path / "executed.ipynb", given)

    assert reason is not None
    assert "a search is scored by validation accuracies (split valid), and it holds test only" in reason
    for name in figures:
        assert "scored by validation" in words_in(tmp_path / f"{name}.svg")


def test_a_path_that_the_source_does_not_cover_is_left_out_with_what_it_covers(tmp_path, monkeypatch):
    """Half of the cells, so that some removals are there and others are not."""
    monkeypatch.chdir(NOTEBOOKS.parent)
    item = CATALOGUE["autoshrink"]
    stems = {name: str(tmp_path / name) for name in item.figures}
    table = small_table(tmp_path, list(range(0, 15_625, 2)))
    reason = draw_item(item, tmp_path / "executed.ipynb", {"table": table, **stems})
    assert re.search(r"has that of \d+ of the \d+ architectures below \|", reason)
    assert all("AutoShrink needs the accuracy" in words_in(Path(f"{stem}.svg")) for stem in stems.values())


@pytest.mark.parametrize("curves", [True, False], ids=["one training with curves", "two without"])
def test_parts_of_trainings_are_drawn_as_far_as_there_are_some(curves, tmp_path, monkeypatch):
    """Figure 5 needs curves, and what is beside Table 6 a shorter training; Table 6 does with either."""
    trained = [("200", range(200))] if curves else [("12", [11]), ("200", [199])]
    rows = [
        {"arch": arch, "data": data, "recipe": recipe, "set": split, "epoch": epoch}
        | {"acc": 20 + epoch / 5 + arch + (arch % 3 if split == "test" else 0)}
        for arch, (recipe, epochs) in product(range(20), trained)
        for (data, split), epoch in product((("cifar10-valid", "valid"), ("cifar10", "test")), epochs)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "parts.csv", index=False)
    keys = "dataset: data, recipe: recipe, split: set" + (", epoch: epoch" if curves else "")
    acc = "columns: {acc: {seed: 777, metric: accuracy}}"
    (tmp_path / "parts.yaml").write_text(f"space: tss\narch: arch\nkeys: {{{keys}}}\n{acc}\n")
    convert(tmp_path / "parts.csv", tmp_path / "t", columns=tmp_path / "parts.yaml")
    monkeypatch.chdir(NOTEBOOKS.parent)
    item = CATALOGUE["nasbench201_schedules"]
    stems = {name: str(tmp_path / name) for name in item.figures}
    draw_item(item, tmp_path / "executed.ipynb", {"table": str(tmp_path / "t"), "recipe": "200", **stems})
    words = {name: words_in(Path(f"{stem}.svg")) for name, stem in stems.items()}
    assert "after 200 of 200" in words["figure5"] if curves else "No curves of" in words["figure5"]
    assert "planned shorter" in words["figure_shorter"] if curves else "Kendall" in words["figure_shorter"]
    assert "C10-T" in words["figure_moments"]


def test_a_misspelt_parameter_stops_bare_papermill(tmp_path):
    executed = tmp_path / "executed.ipynb"
    with pytest.raises(
        PapermillExecutionError, match=r"'datset'.*did you mean|unknown parameter of this notebook"
    ):
        papermill.execute_notebook(NOTEBOOKS / "03_ranks.ipynb", executed, parameters={"datset": "cifar100"})
