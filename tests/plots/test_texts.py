"""A table as text shows what its figure shows, and stays a table in Markdown and in LaTeX."""

import html
import re

import numpy as np
import pandas as pd
import pytest

from natslib import plots
from natslib.plots import tables
from natslib.plots.texts import as_text, latex, markdown, span

ROWS = pd.DataFrame(
    {
        "edge|op": ["α_1", "a|b"],
        "two\nlines": pd.array([1200, None], "Int64"),
        "rate": [0.00170370868, np.nan],
    }
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1200, "1,200"), (np.int64(5), "5"), (1.70370868e-3, "0.0017"), ("12", "12"), (2.0, "2")]
    + [(nothing, "–") for nothing in ("", None, np.nan, pd.NA)],
)
def test_a_cell_is_written_for_a_reader(value, text):
    assert as_text(value) == text


@pytest.fixture
def displayed(monkeypatch):
    """What is displayed from here on, as a notebook gets it."""
    found = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: found.append(data) if raw else None)
    return found


def cells_of(table):
    return [html.unescape(text) for text in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", table)]


def test_a_table_in_a_notebook_has_the_same_cells_as_its_text(displayed):
    frame = pd.DataFrame({"rate": [1 / 3, np.nan], "a<b": ["x" * 200, "p&q"], "n": [1, 20]}).round(3)
    plots.show_table(frame, index=False, na_rep="-")
    plots.show_table(frame, index=False, na_rep="-")
    first, again = displayed
    assert first == again
    assert first["text/plain"] == frame.to_string(index=False, na_rep="-")
    assert cells_of(first["text/html"]) == ["rate", "a<b", "n", "0.333", "x" * 200, "1", "-", "p&q", "20"]
    assert cells_of(first["text/html"]) == first["text/plain"].split()
    assert "<th>a&lt;b</th>" in first["text/html"]


def test_a_series_in_a_notebook_has_a_head_where_something_is_named(displayed):
    series = pd.Series({"mean": 0.5, "best": 2.0})
    for each in (series, series.rename("tau"), series.rename_axis("of")):
        plots.show_table(each)
        assert displayed[-1]["text/plain"] == each.to_string()
    rows = ["mean", "0.5", "best", "2.0"]
    heads = [[], ["", "tau"], ["", "", "of", ""]]
    assert [cells_of(shown["text/html"]) for shown in displayed] == [head + rows for head in heads]


def test_markdown_has_one_line_of_names_and_no_bar_within_a_cell():
    names, rule, first, second = markdown(ROWS).splitlines()
    assert [name.strip() for name in names.split(" | ")] == [r"| edge\|op", "two lines", "rate   |"]
    assert set(rule) == set("|:-")
    assert [cell.strip("| ") for cell in first.split(" | ")] == ["α_1", "1,200", "0.0017"]
    assert [cell.strip("| ") for cell in second.split(" | ")] == [r"a\|b", "–", "–"]


def test_latex_is_escaped_and_has_the_rules_of_booktabs():
    assert latex(ROWS).splitlines() == [
        r"\begin{tabular}{lll}",
        r"\toprule",
        "edge|op & two lines & rate \\\\",
        r"\midrule",
        r"$\alpha$\_1 & 1,200 & 0.0017 \\",
        r"a|b & – & – \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_two_levels_of_names_stand_before_each_other_or_above():
    columns = pd.MultiIndex.from_tuples(
        [("", "search"), ("in print", "C10"), ("in print", "C100"), ("here", "C10")]
    )
    rows = pd.DataFrame([["REA", "1 %", "2", "3"]], columns=columns)
    assert markdown(rows).startswith("| search   | in print C10   | in print C100   | here C10   |\n|:")
    above, below, *_ = latex(rows).splitlines()[2:]
    assert above == r" & \multicolumn{2}{l}{in print} & here \\"
    assert below == r"search & C10 & C100 & C10 \\"
    assert r"REA & 1 \% & 2 & 3 \\" in latex(rows)


def test_the_texts_of_a_table_are_saved_beside_it_with_the_same_bytes_every_time(tmp_path):
    saved = [
        plots.save(tables.rows_figure(ROWS), ROWS, tmp_path / name / "table", {}, rows=ROWS)
        for name in ("a", "b")
    ]
    for suffix, write in (("md", markdown), ("tex", latex)):
        once, again = (paths[suffix].read_bytes() for paths in saved)
        assert once == again == write(ROWS).encode()


def test_a_span_is_one_number_where_its_ends_read_alike():
    assert span(pd.Series([0.931, np.nan, 0.86]), "{:.2f}") == "0.86 to 0.93"
    assert span(pd.Series([15_625, 15_625]), "{:,}") == "15,625"
