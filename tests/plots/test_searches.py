"""The drawing functions of searches and of agreement tables put the given numbers into the panel."""

from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from natslib import plots
from natslib.plots import anytime, tables
from natslib.plots.anytime import draw_ranks
from natslib.plots.figure import STYLE, new_figure
from natslib.plots.palette import AGREEMENT_COLOURS, ALGORITHM_COLOURS, ALGORITHM_LINES, looks, title_of
from natslib.search import SEARCHES


@pytest.fixture
def ax():
    return Figure().subplots()


def curves(**means):
    times = np.linspace(100, 20_000, 4)
    parts = [
        pd.DataFrame(
            {"method": name, "time_s": times, "mean": mean, "low": np.subtract(mean, 1), "high": mean}
        )
        for name, mean in means.items()
    ]
    return pd.concat(parts, ignore_index=True)


def test_curves_are_steps_over_the_papers_unit_with_a_band_each(ax):
    anytime.draw_curves(ax, curves(rea=[1, 2, 3, 4], asha=[0, 1, 1, 2]), optimum=5.0)
    assert [line.get_drawstyle() for line in ax.lines[:2]] == ["steps-post", "steps-post"]
    assert ax.lines[0].get_xdata()[-1] == 200
    assert [line.get_linestyle() for line in ax.lines] == ["-", "--", ":"]
    assert len(ax.collections) == 2
    assert ax.get_xlabel() == "simulated time (100 s)"
    assert ax.get_ylim()[1] > 5.0
    assert ax.get_ylim()[0] > -1  # the first moments do not set the scale


@pytest.mark.parametrize(("last", "label"), [(90.0, "(s)"), (20_000.0, "(100 s)"), (2e6, "(1,000 s)")])
def test_the_unit_of_time_follows_the_budget(last, label):
    assert anytime.axis_label(pd.DataFrame({"time_s": [1.0, last]})) == f"simulated time {label}"
    assert anytime.axis_label(pd.DataFrame({"evaluations": [1.0, last]})) == "evaluations"


def test_regret_is_below_the_optimum_with_plain_numbers(ax):
    anytime.draw_regret(ax, curves(rea=[1.0, 2, 3, 4]), 4.5)
    assert ax.lines[0].get_ydata().tolist() == [3.5, 2.5, 1.5, 0.5]
    assert ax.get_yscale() == "log"
    assert ax.yaxis.get_major_formatter()(0.1) == "0.1"


def test_intervals_are_sorted_with_the_best_on_top(ax):
    finals = pd.DataFrame({"method": ["rea", "random"], "mean": [2.0, 1], "low": [1.5, 0], "high": [3.0, 2]})
    anytime.draw_intervals(ax, finals)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["REA", "RANDOM"]
    assert ax.lines[0].get_xdata().tolist() == [1.5, 3]
    low, high = ax.get_ylim()
    assert low > high, "the first stands on top"


def test_intervals_keep_one_order_for_all_datasets():
    finals = {
        "a": pd.DataFrame({"method": ["rea", "random"], "mean": [2.0, 1], "rank": [1.2, 1.8]}),
        "b": pd.DataFrame(
            {"method": ["rea", "random", "asha"], "mean": [2.0, 3, 1], "rank": [2.0, 1.9, 1.0]}
        ),
    }
    order = anytime.order_of(finals)
    assert order == ["asha", "rea", "random"]
    ax = Figure().subplots()
    anytime.draw_intervals(ax, finals["a"].assign(low=0.0, high=4.0), order=order)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["REA", "RANDOM"]


def test_the_highest_end_is_said_with_how_many_are_as_good():
    finals = {
        "a": pd.DataFrame(
            {"method": ["rea", "random", "asha"], "mean": [2.0, 1, 3], "groups": ["ab", "b", "a"]}
        ),
        "b": pd.DataFrame({"method": ["rea", "random"], "mean": [2.0, 3], "groups": [np.nan, np.nan]}),
    }
    told = anytime.describe_ends(finals, ["rea", "random", "asha"])
    assert told == "Highest at the end: ASHA on a (not told from 1 others), RANDOM on b"
    assert anytime.describe_ends(finals, ["rea"]) == "Highest at the end: REA on a, REA on b"


def test_a_far_optimum_is_written_and_leaves_the_panel_to_the_curves(ax):
    anytime.draw_curves(ax, curves(rea=[1, 2, 3, 4]), optimum=50.0)
    assert ax.get_ylim()[1] < 5
    assert ax.get_xlabel().endswith("best there is: 50.00, above")


RANKS = pd.DataFrame(
    {
        "method": ["rea", "asha", "random"],
        "rank": [1.25, 1.75, 3.0],
        "groups": ["a", "a", ""],
        "p_alike": 1e-9,
    }
)


def test_ranks_lead_to_their_names_and_bars_join_groups(ax):
    draw_ranks(ax, RANKS)
    bar, *leads = ax.lines
    assert bar.get_xdata() == pytest.approx([1.25 - 0.06, 1.75 + 0.06])
    assert [line.get_xdata()[0] for line in leads] == [1.25, 1.75, 3.0]
    assert [line.get_linestyle() for line in leads] == ["-", "--", "-"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["REA", "ASHA", "RANDOM"]
    assert [line.get_ydata()[-1] for line in leads] == list(ax.get_yticks())
    assert max(line.get_ydata()[-1] for line in leads) < bar.get_ydata()[0] < 0
    assert ax.get_xlabel() == "average rank (1 is best)\nall alike: p < 0.001"


def test_too_few_searches_to_rank_are_said_in_words(ax):
    draw_ranks(ax, RANKS.iloc[:0])
    assert "three searches or more" in ax.texts[0].get_text().replace("\n", " ")


def test_sorted_runs_ascend_and_dashes_tell_the_test_accuracy():
    fig, axes = new_figure(1, 1)
    anytime.draw_sorted(axes[0, 0], {"reinforce-nb201": np.array([2.0, 1.0])}, dashed=False)
    anytime.draw_sorted(axes[0, 0], {"reinforce-nb201": np.array([2.0, 1.0])}, dashed=True)
    assert [line.get_linestyle() for line in axes[0, 0].lines] == ["-", "--"]
    assert axes[0, 0].lines[0].get_ydata().tolist() == [1, 2]
    anytime.list_methods(fig, ["reinforce-nb201"], splits=["valid", "test"])
    legend = fig.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["REINFORCE, lr 0.5", "validation", "test"]
    assert [line.get_linestyle() for line in legend.get_lines()] == ["-", "-", "--"]


def test_a_legend_of_all_searches_stays_within_the_figure():
    with mpl.rc_context(STYLE):
        fig, _ = new_figure(1, 1)
        anytime.list_methods(fig, SEARCHES)
        fig.draw_without_rendering()
    box = fig.legends[0].get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= fig.bbox.x1


def test_every_search_has_a_look_of_its_own_and_a_title():
    coloured = [(ALGORITHM_COLOURS[name], ALGORITHM_LINES.get(name, "-")) for name in SEARCHES]
    assert len(set(coloured)) == len(SEARCHES)
    marked = looks(SEARCHES, points=200)
    assert len({look["marker"] for look in marked.values()}) == len(SEARCHES), "told without colour too"
    assert len({look["markevery"] for look in marked.values()}) == len(SEARCHES)
    assert title_of("local-search") == "local search"


ROWS = pd.DataFrame(
    [
        ("rea", "a", 94.0, 0.3, 94.02, 0.31, "quoted", -0.001, "agrees"),
        ("rea", "b", 72.0, 0.9, np.nan, np.nan, "", np.nan, ""),
        ("random", "a", 93.0, 0.2, 93.86, 0.23, "recomputed", -0.86, "apart"),
        ("bohb", "a", 93.9, 0.3, 93.94, 0.28, "remembered", -0.04, ""),
    ],
    columns=[
        "method",
        "column",
        "mean",
        "std",
        "printed_mean",
        "printed_std",
        "evidence",
        "difference",
        "agreement",
    ],
)


def test_an_agreement_table_writes_both_numbers_and_marks_what_is_apart():
    fig = tables.agreement_figure(ROWS)
    said = [text.get_text() for text in fig.axes[0].texts]
    for text in (
        "94.00±0.30",
        "94.02±0.31 q",
        "93.86±0.23 c",
        "93.94±0.28 ?",
        "+0.00",
        "-0.86 !!",
        "not in this source",
        "REA",
        "RANDOM",
    ):
        assert text in said
    faces = [patch.get_facecolor()[:3] for patch in fig.axes[0].patches]
    assert len(set(faces)) == 3
    told = tables.compared_with(ROWS, "the paper's")
    assert told == (
        "Below each number the paper's and the difference, coloured by how well they agree; q: quoted in a later "
        "paper, c: recomputed, ?: remembered, unchecked"
    )


@pytest.mark.parametrize("columns", [2, 6], ids=["CIFAR-10 alone", "the paper's six"])
def test_the_texts_of_a_cell_stay_within_it(columns):
    names = [f"ImageNet16-120\nvalidation {place}" for place in range(columns)]
    row = {
        "method": "a-random-architecture",
        "mean": 45.03,
        "std": 13.91,
        "printed_mean": 45.03,
        "printed_std": 13.91,
    }
    row |= {"evidence": "recomputed", "difference": -10.5, "agreement": "apart"}
    fig = tables.agreement_figure(pd.DataFrame([row | {"column": name} for name in names]))
    fig.draw_without_rendering()
    cells = [patch.get_window_extent() for patch in fig.axes[0].patches]
    inside = [
        text for text in fig.axes[0].texts if "\n" not in text.get_text() and text.get_position()[0] > 0
    ]
    assert len(inside) == 3 * len(cells) == 3 * columns
    for text in inside:
        box = text.get_window_extent()
        assert any(cell.x0 <= box.x0 and box.x1 <= cell.x1 for cell in cells), text.get_text()
    headings = [text.get_window_extent() for text in fig.axes[0].texts if "\n" in text.get_text()]
    assert all(right.x0 - left.x1 > 2 for left, right in pairwise(headings)), "told apart by an eye"


def test_numbers_by_other_rules_than_the_printed_ones_are_not_judged():
    rows = ROWS.assign(agreement=["another protocol" if kind else "" for kind in ROWS["agreement"]])
    fig = tables.agreement_figure(rows)
    (told,) = fig.axes[0].get_legend().get_texts()
    assert told.get_text() == "another protocol, not judged"
    assert "-0.86" in [text.get_text() for text in fig.axes[0].texts]
    assert "by other rules than the paper's not judged" in tables.compared_with(rows, "the paper's")


def test_a_remembered_number_is_drawn_apart_and_agrees_with_nothing():
    drawn = {text.get_text(): text for text in tables.agreement_figure(ROWS).axes[0].texts}
    apart = {text for text, artist in drawn.items() if artist.get_fontstyle() == "italic"}
    assert apart == {"93.94±0.28 ?", "-0.04"}


def test_the_texts_of_a_table_go_to_markdown_and_latex_with_their_evidence(tmp_path):
    fig, texts = tables.agreement_figure(ROWS), tables.agreement_rows(ROWS)
    saved = plots.save(fig, ROWS, tmp_path / "table", {}, rows=texts)
    assert set(saved) == {"svg", "pdf", "png", "csv", "json", "md", "tex"}
    assert "| BOHB     | 93.90±0.30; 93.94±0.28 (remembered); -0.04" in saved["md"].read_text()
    assert "REA & 94.00±0.30; 94.02±0.31 (quoted); +0.00 & 72.00±0.90" in saved["tex"].read_text()


def test_rows_of_text_mark_how_a_printed_number_is_known():
    fig = tables.rows_figure(pd.DataFrame({"search": ["a", "b"], "paper": ["1.00 q", "2.00 ?"]}))
    italic = [t.get_text() for t in fig.axes[0].texts if t.get_fontstyle() == "italic"]
    assert italic == ["2.00 ?"]
    assert tables.explain_evidence(pd.Series(["quoted", np.nan])) == "q: quoted in a later paper"


def test_without_anything_printed_there_is_no_key_to_the_colours():
    rows = ROWS.assign(printed_mean=np.nan, agreement="")
    assert tables.agreement_figure(rows).axes[0].get_legend() is None
    assert tables.compared_with(rows, "the paper's").endswith("nothing printed compares")


def test_agreement_can_be_told_in_grey():
    luminance = [
        sum(w * int(colour[i : i + 2], 16) for w, i in ((0.3, 1), (0.59, 3), (0.11, 5)))
        for colour in (AGREEMENT_COLOURS[key] for key in ("near", "agrees", "apart"))
    ]
    assert luminance == sorted(luminance, reverse=True)
    assert min(-np.diff(luminance)) > 10


def test_one_value_alone_is_drawn_too(ax):
    anytime.draw_curves(ax, curves(rea=[7, 7, 7, 7]).assign(low=7.0, high=7.0), optimum=7.0)
    low, high = ax.get_ylim()
    assert low < 7 < high
