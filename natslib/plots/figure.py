"""Start, caption and save a figure, with the numbers it draws and where they come from."""

import io
import json
import textwrap
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

import natslib
from natslib.files import atomic
from natslib.plots.texts import latex, markdown

STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "legend.title_fontsize": 7,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.5,
    "legend.fontsize": 7,
    "legend.edgecolor": "none",
    "legend.fancybox": False,
    "legend.framealpha": 0.85,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
}

CAPTION_IN = 0.26
CAPTION_LINES, MORE = 2, "more in the .json"
_ABSENT = "absent: "  # begins the label of a panel that shows only why there is nothing


def use_style() -> None:
    """Set the project's fonts, sizes and lines for every figure made from here on."""
    mpl.rcParams.update(STYLE)


def new_figure(
    rows: int, columns: int, *, panel_in: tuple[float, float] = (2.4, 2.2)
) -> tuple[Figure, np.ndarray]:
    """Return a figure and its (rows, columns) array of axes; `panel_in` is the width and height of one panel in inches.

    Room for a caption of one line is kept below the panels.
    """
    caption_in = _caption_in(1)
    width, height = columns * panel_in[0], rows * panel_in[1] + caption_in
    layout = ConstrainedLayoutEngine(rect=_above_caption(caption_in, height), wspace=0.04, hspace=0.04)
    fig = Figure(figsize=(width, height), layout=layout)
    axes = fig.subplots(rows, columns, squeeze=False)
    return fig, axes


def write_caption(fig: Figure, *parts: str) -> None:
    """Write below the panels, in at most two small lines, where the figure comes from and how to read it.

    `parts` come in order of importance; empty ones do not count. The last ones that do not fit are left to the .json
    file, where `save` writes the whole caption; a first one that does not fit by itself is cut. A figure without room
    for the second line becomes higher.
    """
    told = [part for part in parts if part]
    lines, kept = _wrapped(fig, told), told
    while len(lines) > CAPTION_LINES and len(kept) > 1:
        kept = kept[:-1]
        lines = _wrapped(fig, [*kept, MORE])
    if len(lines) > CAPTION_LINES:
        lines = _wrapped(fig, kept, max_lines=CAPTION_LINES, placeholder=f" … {MORE}")
    _keep_room(fig, len(lines))
    fig.text(0.01, 0.008, "\n".join(lines), fontsize=6, color="#5f5f5f", ha="left", va="bottom")
    fig.set_label(" · ".join(told))


def _wrapped(fig: Figure, parts: Sequence[str], **options: Any) -> list[str]:
    text = "\u00a0· ".join(parts)  # no line begins with the dot
    return textwrap.wrap(text, int(fig.get_figwidth() * 19), **options)


def _keep_room(fig: Figure, lines: int) -> None:
    engine, (width, height) = fig.get_layout_engine(), fig.get_size_inches()
    if not isinstance(engine, ConstrainedLayoutEngine):
        return
    room_in = engine.get()["rect"][1] * height
    more_in = _caption_in(lines) - room_in
    if more_in > 0:
        fig.set_size_inches(width, height + more_in)
        engine.set(rect=_above_caption(room_in + more_in, height + more_in))


def draw_absent(ax: Axes, text: str) -> None:
    """Write in place of a panel why there is nothing to draw."""
    ax.set_axis_off()
    ax.set_label(f"{_ABSENT}{text}")
    ax.text(
        0.5,
        0.5,
        textwrap.fill(text, 34),
        transform=ax.transAxes,
        ha="center",
        va="center",
        fontsize=7.5,
        color="#5f5f5f",
    )


def _left_out(fig: Figure) -> str:
    """Return why a figure shows nothing: the reasons of its panels, if all have one; else an empty text."""
    labels = [str(ax.get_label()) for ax in fig.axes]
    if not labels or not all(label.startswith(_ABSENT) for label in labels):
        return ""
    return "; ".join(dict.fromkeys(label.removeprefix(_ABSENT) for label in labels))


def new_mosaic(layout: str, size_in: tuple[float, float]) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure and its named axes for a layout such as "AAB;CCC"; `size_in` excludes the caption's text."""
    caption_in = _caption_in(1)
    height = size_in[1] + caption_in
    engine = ConstrainedLayoutEngine(rect=_above_caption(caption_in, height))
    fig = Figure(figsize=(size_in[0], height), layout=engine)
    axes = fig.subplot_mosaic(layout)
    return fig, axes


def _caption_in(lines: int) -> float:
    return CAPTION_IN + 0.13 * (lines - 1)


def _above_caption(caption_in: float, height_in: float) -> tuple[float, float, float, float]:
    caption = caption_in / height_in
    return 0.0, caption, 1.0, 1.0 - caption


DPI = {"svg": 130, "pdf": 130, "png": 200}  # of the points inside the vector files, and of the picture
_METADATA: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
_TEXTS = {"svg": ("Title", "Description"), "pdf": ("Title", "Subject"), "png": ("Title", "Description")}
_SETTINGS: dict[Any, Any] = {"svg.hashsalt": "natslib", "svg.fonttype": "none", "pdf.fonttype": 42}


def save(
    fig: Figure,
    data: pd.DataFrame,
    stem: str | Path,
    provenance: dict[str, Any],
    *,
    rows: pd.DataFrame | None = None,
) -> dict[str, Path]:
    """Write stem.svg, .pdf, .png, .csv (the numbers drawn) and .json (provenance, caption and natslib's version).

    For a table, `rows` are what it shows; they also go to stem.md (Markdown) and stem.tex (LaTeX, with the package
    booktabs). Returns the paths by suffix. Each file appears whole or not at all, and none where the disk is full; it
    holds the same bytes whenever the same figure is saved with the same libraries. Numbers have eight significant
    digits. The folder is made if missing. The record of a figure whose panels are all absent says so under "left_out".
    """
    base = Path(stem)
    contents = {suffix: _rendered(fig, suffix, base.name) for suffix in _METADATA}
    contents["csv"] = data.to_csv(index=False, float_format="%.8g", lineterminator="\n").encode()
    record = {"natslib": natslib.__version__, "figure": base.name, "caption": fig.get_label(), **provenance}
    if reason := _left_out(fig):
        record["left_out"] = reason
    contents["json"] = (
        json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False, default=str) + "\n"
    ).encode(errors="backslashreplace")  # names of files that are no Unicode, which JSON writes so as well
    if rows is not None:
        contents |= {"md": markdown(rows).encode(), "tex": latex(rows).encode()}
    saved = {suffix: base.with_name(f"{base.name}.{suffix}") for suffix in contents}
    with ExitStack() as all_written:  # a full disk leaves all of the old files
        for suffix, content in contents.items():
            all_written.enter_context(atomic(saved[suffix])).write_bytes(content)
    return saved


def _rendered(fig: Figure, suffix: str, name: str) -> bytes:
    """Return a file of the figure; its name and caption stand in it too, as a screen reader's text."""
    buffer = io.BytesIO()
    told = dict(zip(_TEXTS[suffix], (name, fig.get_label()), strict=True))
    with mpl.rc_context(_SETTINGS):
        fig.savefig(buffer, format=suffix, dpi=DPI[suffix], metadata=_METADATA[suffix] | told)
    return buffer.getvalue()
