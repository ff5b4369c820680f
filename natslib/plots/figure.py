"""Start, caption and save a figure, with the numbers it draws and where they come from."""

import io
import json
import re
import textwrap
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import matplotlib as mpl
import numpy as np
import pandas as pd
import PIL.Image
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

import natslib
from natslib.files import atomic
from natslib.plots.alternative import alternative
from natslib.plots.fit import misfits
from natslib.plots.texts import latex, markdown

STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 8,
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

ONE_COLUMN, TWO_COLUMNS = 3.4, 7.1
"""The widths of all figures in inches: one column of a journal's page, and two."""
_ABSENT = "absent: "  # begins the label of a panel that shows only why there is nothing

_TITLE_IN, _TITLE_PER_IN = 0.19, 13  # height of a line, and its characters an inch
_CAPTION_IN, _CAPTION_PER_IN = 0.125, 19
_EDGE_IN = 0.07
CAPTION_LINES, MORE = 4, "More in the .json."


def use_style() -> None:
    """Set the project's fonts, sizes and lines for every figure made from here on."""
    mpl.rcParams.update(STYLE)


def new_figure(
    rows: int, columns: int, *, height_in: float = 2.2, width_in: float = TWO_COLUMNS
) -> tuple[Figure, np.ndarray]:
    """Return a figure and its (rows, columns) array of axes; `height_in` is that of a row of panels.

    `width_in` is `TWO_COLUMNS` or `ONE_COLUMN`. `write_caption` adds the height that title and caption need.
    """
    fig = Figure(figsize=(width_in, rows * height_in), layout=_layout())
    return fig, fig.subplots(rows, columns, squeeze=False)


def new_mosaic(
    layout: str, height_in: float, *, width_in: float = TWO_COLUMNS
) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure and its named axes for a layout such as "AAB;CCC"; sizes as those of `new_figure`."""
    fig = Figure(figsize=(width_in, height_in), layout=_layout())
    return fig, fig.subplot_mosaic(layout)


def _layout() -> ConstrainedLayoutEngine:
    return ConstrainedLayoutEngine(wspace=0.04, hspace=0.04)


def write_caption(fig: Figure, *parts: str, title: str) -> None:
    """Write above the panels which item this is, and below them what it shows; the figure becomes so much higher.

    `title` begins with the paper's name for it ("NATS-Bench, Figure 3: ..."). `parts` come in order of importance: what
    the figure claims, what is drawn, where the numbers come from; each becomes a sentence, empty ones do not count. The
    last ones that do not fit into `CAPTION_LINES` lines are left to the .json file, where `save` writes the whole
    caption; a first one that does not fit by itself is cut. Of a figure whose panels are all absent only the last is
    written. Legends of the whole figure must be there before.
    """
    told = [_sentence(part) for part in (parts[-1:] if _left_out(fig) else parts) if part]
    lines, kept = _wrapped(fig, told), told
    while len(lines) > CAPTION_LINES and len(kept) > 1:
        kept = kept[:-1]
        lines = _wrapped(fig, [*kept, MORE])
    if len(lines) > CAPTION_LINES:
        lines = _wrapped(fig, kept, max_lines=CAPTION_LINES, placeholder=f" … {MORE}")
    above = textwrap.wrap(title, int(fig.get_figwidth() * _TITLE_PER_IN))
    fig.set_label("\n".join([title, *told]))
    _make_room(fig, _TITLE_IN * len(above) + _EDGE_IN, _CAPTION_IN * len(lines) + 2 * _EDGE_IN)
    width, height = fig.get_size_inches()
    place: dict[str, Any] = {"x": _EDGE_IN / width, "ha": "left", "linespacing": 1.25}
    look: dict[str, Any] = {"fontsize": 8, "fontweight": "bold"}
    fig.text(y=1 - _EDGE_IN / height, s="\n".join(above), va="top", **place, **look)
    fig.text(y=_EDGE_IN / height, s="\n".join(lines), va="bottom", fontsize=6.5, color="#404040", **place)


def _sentence(part: str) -> str:
    """Return a part of a caption with a capital and a full stop, numbers kept together with their units."""
    word = re.match(
        r"[a-z]{2,}(?![-_])", part
    )  # neither a key such as "q: quoted" nor a name such as digits-T
    text = part[0].upper() + part[1:] if word else part
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _wrapped(fig: Figure, parts: Sequence[str], **options: Any) -> list[str]:
    whole = re.sub(
        r"(?<=\d) (?=[^\s(])", "\u00a0", " ".join(parts)
    )  # no line ends between a number and its unit
    return textwrap.wrap(whole, int(fig.get_figwidth() * _CAPTION_PER_IN), break_on_hyphens=False, **options)


def _make_room(fig: Figure, above_in: float, below_in: float) -> None:
    """Make the figure higher by what stands above and below the panels; its legends stand right below the title."""
    width, panels_in = fig.get_size_inches()
    renderer = FigureCanvasAgg(fig).get_renderer()
    legends_in = sum(each.get_window_extent(renderer).height / fig.dpi + _EDGE_IN for each in fig.legends)
    height = panels_in + legends_in + above_in + below_in
    fig.set_size_inches(width, height)
    for legend in fig.legends:
        legend.set_bbox_to_anchor((0, 0, 1, 1 - above_in / height), transform=fig.transFigure)
    if isinstance(engine := fig.get_layout_engine(), ConstrainedLayoutEngine):
        engine.set(rect=(0.0, below_in / height, 1.0, panels_in / height))


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
    """Write stem.svg, .pdf, .png, .csv (the numbers drawn) and .json (title, caption, provenance, natslib's version).

    The .json also says, as `alt`, what the picture shows to those who do not see it; so do the pictures themselves. For
    a table, `rows` are what it shows; they also go to stem.md (Markdown) and stem.tex (LaTeX, with the package
    booktabs). Returns the paths by suffix. Each file appears whole or not at all, and none where the disk is full; it
    holds the same bytes whenever the same figure is saved with the same libraries. Numbers have eight significant
    digits. The folder is made if missing. Warns of what does not fit (`fit.misfits`). The record of a figure whose
    panels are all absent says so under "left_out".
    """
    base = Path(stem)
    title, _, told = str(fig.get_label()).partition("\n")
    named = title or base.name
    alt = alternative(fig, named, told.split("\n")[0], rows)
    contents = {suffix: _rendered(fig, suffix, named, alt) for suffix in _METADATA}
    for misfit in misfits(fig):
        warnings.warn(f"{base.name}: {misfit}", stacklevel=2)
    contents["csv"] = data.to_csv(index=False, float_format="%.8g", lineterminator="\n").encode()
    record = {
        "natslib": natslib.__version__,
        "figure": base.name,
        "title": title,
        "caption": told.replace("\n", " "),
        "alt": alt,
        **provenance,
    }
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


def _rendered(fig: Figure, suffix: str, title: str, alt: str) -> bytes:
    """Return a file of the figure; its title and what it shows stand in it too, as a screen reader's text."""
    buffer = io.BytesIO()
    told = dict(zip(_TEXTS[suffix], (title, alt), strict=True))
    with mpl.rc_context(_SETTINGS):
        fig.savefig(buffer, format=suffix, dpi=DPI[suffix], metadata=_METADATA[suffix] | told)
    if suffix != "svg":
        return buffer.getvalue()
    described = f"</title>\n <desc>{escape(alt)}</desc>"
    return (
        buffer.getvalue()
        .replace(b"</title>", described.encode(), 1)
        .replace(b"<svg ", b'<svg role="img" ', 1)
    )


def show(saved: Mapping[str, Path]) -> Any:
    """Return what `save` wrote as a picture for a notebook, with its alternative text and at its size in print."""
    from IPython.display import Image  # comes with the notebooks

    with PIL.Image.open(saved["png"]) as picture:
        width = round(100 * picture.width / DPI["png"])
    record = json.loads(saved["json"].read_text(encoding="utf-8"))
    return Image(filename=saved["png"], width=width, alt=record["alt"])
