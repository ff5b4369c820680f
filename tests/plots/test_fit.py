"""What does not fit into a figure is named."""

import pandas as pd
import pytest

from natslib import plots
from natslib.plots import fit


def misfits(fig):
    fig.draw_without_rendering()
    return fit.misfits(fig)


@pytest.fixture
def drawn():
    plots.use_style()
    fig, axes = plots.new_figure(1, 3, height_in=1.5)
    for ax in axes.flat:
        ax.plot([0, 1])
        ax.set(title="a title", xlabel="x", ylabel="y")
    plots.write_caption(fig, "the claim", title="Paper, Figure 1")
    return fig


def test_nothing_where_all_fits(drawn):
    assert misfits(drawn) == []


def test_titles_that_overlap(drawn):
    for ax in drawn.axes[:2]:
        ax.set_title("a title as long as two panels are wide, and longer")
    assert any("overlaps" in told for told in misfits(drawn))


def test_text_that_leaves_the_canvas(drawn):
    drawn.text(0.9, 0.5, "a text that goes on beyond the right edge")
    assert misfits(drawn) == ["'a text that goes on beyond the right edge' leaves the canvas"]


def test_text_that_is_too_small(drawn):
    drawn.axes[0].title.set_fontsize(5.5)
    assert misfits(drawn) == ["'a title' has less than 6 points"]


def test_a_legend_over_a_title(drawn):
    drawn.legend(["a line"], loc="upper left")
    assert any("'a legend'" in told or "a legend" in told for told in misfits(drawn))


def test_ticks_that_run_into_one_another(drawn):
    drawn.axes[0].set_xticks([0.5, 0.52], ["1,000,000", "1,000,001"])
    assert misfits(drawn) == ["the ticks '1,000,000' and '1,000,001' overlap"]


def test_saving_warns_of_them(drawn, tmp_path):
    drawn.text(0.9, 0.5, "a text that goes on beyond the right edge")
    with pytest.warns(UserWarning, match=r"fig: 'a text that .* leaves the canvas"):
        plots.save(drawn, pd.DataFrame({"x": [1]}), tmp_path / "fig", {})
