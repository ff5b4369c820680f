"""Items whose source lacks something are left out in words; whatever else stops a notebook fails."""

import json

import nbformat
import pytest
from papermill.exceptions import PapermillExecutionError

from natslib.workflow import draw
from natslib.workflow.catalogue import Item

METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
REASON = "no test accuracy of cifar10 in this table"
LACKS = f"from natslib.errors import NotMeasured\nraise NotMeasured('{REASON}')"
SAVE = """import pandas as pd
from natslib import plots
fig, axes = plots.new_figure(1, 1)
axes[0, 0].plot([0, 1])
plots.save(fig, pd.DataFrame({'x': [1]}), figure1, {'parameters': {}})"""


@pytest.fixture
def item(tmp_path, monkeypatch):
    """Write the notebook of an item with two figures, the second a table, into a project of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Snakefile").touch()
    (tmp_path / "notebooks").mkdir()

    def write(*cells):
        declared = "figure1: str = 'a'  # one\nfigure_rows: str = 'b'  # two\ntable: str = 'x'  # what"
        parameters = nbformat.v4.new_code_cell(declared, metadata={"tags": ["parameters"]})
        made = [parameters, *(nbformat.v4.new_code_cell(cell, id="sum") for cell in cells[-1:])]
        made[1:1] = map(nbformat.v4.new_code_cell, cells[:-1])
        nbformat.write(
            nbformat.v4.new_notebook(cells=made, metadata=METADATA), tmp_path / "notebooks/book.ipynb"
        )
        figures = {"figure1": "one", "figure_rows": "two"}
        return Item("mine", "own", "mine", "a title", "book", figures, tables=("figure_rows",))

    return write


GIVEN = {"table": "results/x", "figure1": "drawn/one", "figure_rows": "drawn/two"}


def test_what_is_lacking_is_said_in_every_file_of_every_figure(item, tmp_path):
    assert draw.draw_item(item(LACKS), tmp_path / "executed.ipynb", GIVEN) == REASON
    for suffix in ("svg", "pdf", "png", "csv", "json"):
        assert (tmp_path / f"drawn/one.{suffix}").stat().st_size > 0
    for suffix in ("csv", "md", "tex"):
        assert REASON in (tmp_path / f"drawn/two.{suffix}").read_text()
    record = json.loads((tmp_path / "drawn/one.json").read_text())
    assert (record["left_out"], record["parameters"]) == (REASON, {"table": "results/x"})
    assert not (tmp_path / "drawn/one.md").exists()


def test_what_was_drawn_before_stays(item, tmp_path):
    assert draw.draw_item(item(SAVE, LACKS), tmp_path / "executed.ipynb", GIVEN) == REASON
    assert "left_out" not in json.loads((tmp_path / "drawn/one.json").read_text())
    assert json.loads((tmp_path / "drawn/two.json").read_text())["left_out"] == REASON


def test_any_other_error_fails(item, tmp_path):
    with pytest.raises(PapermillExecutionError, match="division by zero"):
        draw.draw_item(item("1 / 0"), tmp_path / "executed.ipynb", GIVEN)
    assert not (tmp_path / "drawn").exists()


@pytest.mark.parametrize(
    ("cell", "code", "said"),
    [
        (LACKS, 0, f"mine is left out: {REASON}"),
        (
            "1 / 0",
            1,
            "mine stopped in cell sum (In [3]): ZeroDivisionError: division by zero; see executed.ipynb",
        ),
    ],
)
def test_a_rule_is_told_in_a_line_and_without_a_traceback(item, cell, code, said, monkeypatch, capfd):
    monkeypatch.setitem(draw.CATALOGUE, "mine", item(cell))
    words = [f"{name}={json.dumps(value)}" for name, value in GIVEN.items()]
    assert draw.main("executed.ipynb", "mine", *words) == code
    told = capfd.readouterr().err
    assert said in told
    assert "Traceback" not in told


def test_a_parameter_that_the_notebook_does_not_know_is_refused_in_a_line(item, monkeypatch, capfd):
    monkeypatch.setitem(draw.CATALOGUE, "mine", item("1"))
    assert draw.main("executed.ipynb", "mine", 'tabel="x"') == 1
    assert "did you mean 'table'" in capfd.readouterr().err
