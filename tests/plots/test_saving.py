"""A figure is saved whole, with its numbers and origin, and byte for byte the same each time."""

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

import natslib
from natslib import plots
from natslib.errors import NatslibError
from natslib.plots import figure as figure_module

DATA = pd.DataFrame({"x": [1, 2], "y": [1 / 3, np.nan]})


def figure():
    fig, axes = plots.new_figure(1, 1)
    axes[0, 0].scatter(np.arange(500), np.arange(500) ** 0.5, rasterized=True)
    axes[0, 0].set(xlabel="cost", ylabel="accuracy")
    plots.write_caption(fig, "the claim", "source: test", title="Paper, Figure 1: costs")
    return fig


def test_five_files_with_data_and_provenance(tmp_path):
    saved = plots.save(figure(), DATA, tmp_path / "new" / "fig.a", {"table": {"origin": "published"}})
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        f"fig.a.{suffix}" for suffix in ("csv", "json", "pdf", "png", "svg")
    ]
    assert saved["csv"].read_text() == "x,y\n1,0.33333333\n2,\n"
    record = json.loads(saved["json"].read_text())
    assert record == {
        "figure": "fig.a",
        "natslib": natslib.__version__,
        "title": "Paper, Figure 1: costs",
        "caption": "The claim. Source: test.",
        "alt": "Paper, Figure 1: costs. The claim. Axes: accuracy against cost.",
        "table": {"origin": "published"},
    }


def test_same_bytes_every_time(tmp_path):
    once, again = (plots.save(figure(), DATA, tmp_path / name / "fig", {}) for name in ("a", "b"))
    for suffix in figure_module.DPI:
        assert once[suffix].read_bytes() == again[suffix].read_bytes(), suffix


def test_the_picture_itself_says_what_it_shows(tmp_path):
    saved = plots.save(figure(), DATA, tmp_path / "fig", {})
    drawn = saved["svg"].read_text()
    alt = json.loads(saved["json"].read_text())["alt"]
    assert f"<title>Paper, Figure 1: costs</title>\n <desc>{alt}</desc>" in drawn
    assert '<svg role="img" ' in drawn
    assert ">The claim. Source: test.</text>" in drawn
    with Image.open(saved["png"]) as picture:
        assert (picture.text["Title"], picture.text["Description"]) == ("Paper, Figure 1: costs", alt)
    assert plots.show(saved).alt == alt


def test_a_table_is_described_by_its_columns(tmp_path):
    rows = pd.DataFrame(
        [["REA", 1.0]], columns=pd.MultiIndex.from_tuples([("", "search"), ("here", "C10-T")])
    )
    saved = plots.save(figure(), DATA, tmp_path / "fig", {}, rows=rows)
    alt = json.loads(saved["json"].read_text())["alt"]
    assert alt.endswith("A table of 1 rows with the columns search, here: C10-T.")


def test_saving_again_replaces(tmp_path):
    plots.save(figure(), DATA, tmp_path / "fig", {})
    plots.save(figure(), DATA.head(1), tmp_path / "fig", {})
    assert (tmp_path / "fig.csv").read_text() == "x,y\n1,0.33333333\n"
    assert len(list(tmp_path.iterdir())) == 5


def test_nothing_is_left_of_a_failed_write(tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(NatslibError, match="No space left"):
        plots.save(figure(), DATA, tmp_path / "fig", {})
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_all_of_the_old_files(tmp_path, monkeypatch):
    """Never new drawings beside old numbers."""
    saved = plots.save(figure(), DATA, tmp_path / "fig", {"seed": 1})
    before = {path: path.read_bytes() for path in saved.values()}
    write = Path.write_bytes

    def full(path, content):
        if ".json" in path.name:
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(NatslibError, match=r"cannot write .*fig\.json: No space left"):
        plots.save(figure(), DATA.head(1), tmp_path / "fig", {"seed": 2})
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_path_that_is_no_unicode_stands_in_the_record(tmp_path):
    saved = plots.save(figure(), DATA, tmp_path / "fig", {"table": "a\udcff é"})
    assert json.loads(saved["json"].read_bytes())["table"] == "a\udcff é"


@pytest.mark.parametrize("width_in", [figure_module.ONE_COLUMN, figure_module.TWO_COLUMNS])
def test_title_and_caption_wrap_inside_the_figure(width_in):
    fig, _ = plots.new_figure(1, 1, width_in=width_in)
    plots.write_caption(fig, "words of any length " * 20, "", title="Words of any length " * 5)
    for text in fig.texts:
        box = text.get_window_extent(FigureCanvasAgg(fig).get_renderer())
        assert "\n" in text.get_text()
        assert box.x1 < fig.bbox.x1


def test_a_caption_has_few_lines_and_the_record_has_all_of_it(tmp_path):
    fig, _ = plots.new_figure(1, 1)
    plots.write_caption(fig, "first part", "second " * 20, "", "third " * 140, title="title")
    written = fig.texts[-1].get_text()
    assert written.count("\n") < figure_module.CAPTION_LINES
    assert written.startswith("First part. Second")
    assert written.endswith("More in the .json.")
    record = json.loads(plots.save(fig, DATA, tmp_path / "fig", {})["json"].read_text())
    assert record["caption"].startswith("First part. Second second")
    assert record["caption"].lower().count("third") == 140


def test_a_first_part_that_is_too_long_by_itself_is_cut():
    fig, _ = plots.new_figure(1, 1)
    plots.write_caption(fig, "word " * 200, "second part", title="title")
    written = fig.texts[-1].get_text()
    assert written.count("\n") == figure_module.CAPTION_LINES - 1
    assert written.endswith("… More in the .json.")
    assert fig.get_label().endswith("Second part.")


def test_no_line_of_a_caption_ends_between_a_number_and_its_unit():
    for before in range(1, 60):
        fig, _ = plots.new_figure(1, 1, width_in=figure_module.ONE_COLUMN)
        plots.write_caption(fig, f"{'x' * before} after 200 epochs {'y' * 40} in 333,333 s", title="title")
        assert not re.search(r"\d\n", fig.texts[-1].get_text())


def test_a_long_caption_and_a_legend_make_room_for_themselves():
    fig, axes = plots.new_figure(1, 1)
    axes[0, 0].plot([1, 2], label="a line")
    axes[0, 0].set(xlabel="below the panel", title="above the panel")
    fig.legend(loc="outside upper center")
    height = fig.get_figheight()
    plots.write_caption(fig, "word " * 60, title="title")
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    order = fig.texts[1], axes[0, 0].xaxis.label, axes[0, 0].title, fig.legends[0], fig.texts[0]
    boxes = [each.get_window_extent(canvas.get_renderer()) for each in order]
    assert fig.get_figheight() > height
    assert all(low.y1 < high.y0 for low, high in pairwise(boxes))


def test_a_figure_of_absent_panels_alone_says_so_in_its_record(tmp_path):
    fig, axes = plots.new_figure(1, 3)
    for ax, reason in zip(axes.flat, ("no test accuracy", "one seed only", "one seed only"), strict=True):
        plots.draw_absent(ax, reason)
    plots.write_caption(fig, "a claim", "what is drawn", "source: test", title="title")
    saved = plots.save(fig, DATA, tmp_path / "fig", {})
    assert json.loads(saved["json"].read_text())["caption"] == "Source: test."
    assert json.loads(saved["json"].read_text())["left_out"] == "no test accuracy; one seed only"
    fig, axes = plots.new_figure(1, 2)
    plots.draw_absent(axes[0, 0], "no test accuracy")
    saved = plots.save(fig, DATA, tmp_path / "fig", {})
    assert "left_out" not in json.loads(saved["json"].read_text())
