"""What a reader chooses is drawn, and nothing is shown where nobody reads."""

import base64
import io

import pandas as pd
import pytest
from PIL import Image

from natslib import plots
from natslib.plots import choosing


@pytest.fixture
def displayed(monkeypatch):
    """What is displayed from here on."""
    found = []
    monkeypatch.setattr("IPython.display.display", found.append)
    return found


def draw(ax, frame, *, column, above):
    kept = frame[frame[column] > above]
    ax.plot(kept[column])
    ax.set(xlabel=f"{len(kept)} rows", ylabel=column)


FRAME = pd.DataFrame({"a": [1, 5, 9], "b": [2, 3, 4]})


def test_each_choice_is_drawn(displayed, monkeypatch):
    monkeypatch.setenv(choosing.SESSION, "a.ipynb")
    plots.choose(draw, FRAME, column=list(FRAME), above=range(5))
    ((column, above, panel),) = [box.children for box in displayed]
    (first,) = panel.outputs
    assert "Axes: a against 3 rows." in first["data"]["text/plain"]
    above.value = 3
    assert "Axes: a against 2 rows." in panel.outputs[0]["data"]["text/plain"]
    column.value = "b"
    (last,) = panel.outputs
    assert last["metadata"]["image/png"]["alt"] == "column b, above 3. Axes: b against 1 rows."
    with Image.open(io.BytesIO(base64.b64decode(last["data"]["image/png"]))) as picture:
        assert picture.width == 2 * last["metadata"]["image/png"]["width"]
    assert last["data"]["image/png"] != first["data"]["image/png"]


def test_texts_are_in_a_list_and_numbers_on_a_slider(displayed, monkeypatch):
    monkeypatch.setenv(choosing.SESSION, "a.ipynb")
    plots.choose(draw, FRAME, column=list(FRAME), above=range(5))
    kinds = [type(control).__name__ for control in displayed[0].children[:2]]
    assert kinds == ["Dropdown", "SelectionSlider"]
    assert displayed[0].children[0].options == ("a", "b")


def test_nothing_is_drawn_where_nobody_reads(displayed, monkeypatch):
    monkeypatch.delenv(choosing.SESSION, raising=False)
    plots.choose(draw, FRAME, column=["there is no such column"], above=range(5))
    assert displayed == []
