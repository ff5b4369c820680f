"""A figure is saved whole, with its numbers and origin, and byte for byte the same each time."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

import natslib
from natslib import plots
from natslib.errors import NatslibError
from natslib.plots import figure as module

DATA = pd.DataFrame({"x": [1, 2], "y": [1 / 3, np.nan]})


def figure():
    fig, axes = plots.new_figure(1, 1)
    axes[0, 0].scatter(np.arange(500), np.arange(500) ** 0.5, rasterized=True)
    plots.write_caption(fig, "source: test")
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
        "caption": "source: test",
        "table": {"origin": "published"},
    }


def test_same_bytes_every_time(tmp_path):
    once, again = (plots.save(figure(), DATA, tmp_path / name / "fig", {}) for name in ("a", "b"))
    for suffix in module.DPI:
        assert once[suffix].read_bytes() == again[suffix].read_bytes(), suffix


def test_the_picture_itself_says_what_it_shows(tmp_path):
    saved = plots.save(figure(), DATA, tmp_path / "fig", {})
    drawn = saved["svg"].read_text()
    assert "<dc:description>source: test</dc:description>" in drawn.replace("\n", "").replace("  ", "")
    assert ">source: test</text>" in drawn
    with Image.open(saved["png"]) as picture:
        assert picture.text["Description"] == "source: test"


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


def test_source_line_wraps_inside_the_figure():
    fig = figure()
    plots.write_caption(fig, "word " * 40, "")
    box = fig.texts[-1].get_window_extent(FigureCanvasAgg(fig).get_renderer())
    assert "\n" in fig.texts[-1].get_text()
    assert box.x1 < fig.bbox.x1


def test_a_caption_has_two_lines_at_most_and_the_record_has_all_of_it(tmp_path):
    fig = figure()
    plots.write_caption(fig, "first part", "second " * 6, "", "third " * 40)
    written = fig.texts[-1].get_text()
    assert written.count("\n") <= 1
    assert written.startswith("first part")
    assert written.endswith("more in the .json")
    record = json.loads(plots.save(fig, DATA, tmp_path / "fig", {})["json"].read_text())
    assert record["caption"].startswith("first part · second second")
    assert record["caption"].count("third") == 40


def test_a_first_part_that_is_too_long_by_itself_is_cut():
    fig = figure()
    plots.write_caption(fig, "word " * 60, "second part")
    written = fig.texts[-1].get_text()
    assert written.count("\n") == 1
    assert written.endswith("… more in the .json")
    assert fig.get_label().endswith("second part")


def test_a_long_source_line_makes_room_for_itself():
    fig, axes = plots.new_figure(1, 1)
    axes[0, 0].set_xlabel("below the panel")
    height = fig.get_figheight()
    plots.write_caption(fig, "word " * 60)
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    text, label = (
        each.get_window_extent(canvas.get_renderer()) for each in (fig.texts[0], axes[0, 0].xaxis.label)
    )
    assert fig.get_figheight() > height
    assert text.y1 < label.y0


def test_a_figure_of_absent_panels_alone_says_so_in_its_record(tmp_path):
    fig, axes = plots.new_figure(1, 3)
    for ax, reason in zip(axes.flat, ("no test accuracy", "one seed only", "one seed only"), strict=True):
        plots.draw_absent(ax, reason)
    saved = plots.save(fig, DATA, tmp_path / "fig", {})
    assert json.loads(saved["json"].read_text())["left_out"] == "no test accuracy; one seed only"
    fig, axes = plots.new_figure(1, 2)
    plots.draw_absent(axes[0, 0], "no test accuracy")
    saved = plots.save(fig, DATA, tmp_path / "fig", {})
    assert "left_out" not in json.loads(saved["json"].read_text())
