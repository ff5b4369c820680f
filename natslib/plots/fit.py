"""Whether everything that a figure writes is on its canvas, and nothing is written over something else."""

from collections.abc import Iterator
from itertools import combinations, pairwise

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

LEAST_PT = 6  # of a text in print
_SLACK = 1.5  # pixels, of a hundred an inch


def misfits(fig: Figure) -> list[str]:
    """Return what leaves the canvas or is too small, and which titles, labels, legends and ticks overlap.

    The figure must have been drawn, which lays it out.
    """
    renderer = FigureCanvasAgg(fig).get_renderer()  # that of the last file has its own resolution
    return [*_small(fig), *_outside(fig, renderer), *_overlapping(fig, renderer)]


def _small(fig: Figure) -> Iterator[str]:
    for text in fig.findobj(Text):
        if text.get_text() and text.get_visible() and float(text.get_fontsize()) < LEAST_PT:
            yield f"{text.get_text()!r} has less than {LEAST_PT} points"


def _outside(fig: Figure, renderer: RendererAgg) -> Iterator[str]:
    told = [(f"the panel {_name(ax)!r}", ax.get_tightbbox(renderer)) for ax in fig.axes]
    told += [(f"{text.get_text()!r}", text.get_window_extent(renderer)) for text in fig.texts]
    told += [("a legend", legend.get_window_extent(renderer)) for legend in fig.legends]
    canvas = fig.bbox.padded(_SLACK)
    for what, box in told:
        if box and (box.x0 < canvas.x0 or box.y0 < canvas.y0 or box.x1 > canvas.x1 or box.y1 > canvas.y1):
            yield f"{what} leaves the canvas"


def _name(ax: Axes) -> str:
    return ax.get_title() or ax.get_ylabel() or ax.get_xlabel()


def _overlapping(fig: Figure, renderer: RendererAgg) -> Iterator[str]:
    written = [text for text in fig.texts if text.get_text()]
    for ax in fig.axes:
        parts = [ax.title, *([ax.xaxis.label, ax.yaxis.label] if ax.axison else [])]
        written += [text for text in parts if text.get_visible() and text.get_text()]
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in written]
    boxes += [("a legend", legend.get_window_extent(renderer)) for legend in fig.legends]
    for (one, box), (other, behind) in combinations(boxes, 2):
        if _overlap(box, behind):
            yield f"{one!r} overlaps {other!r}"
    for ax in fig.axes:
        for axis in (ax.xaxis, ax.yaxis) if ax.axison else ():
            yield from _crowded(axis, renderer)


def _crowded(axis: Axis, renderer: RendererAgg) -> Iterator[str]:
    """Return which neighbouring tick labels of an axis overlap; slanted ones are not looked at."""
    low, high = sorted(axis.get_view_interval())
    ticks = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=False)
    shown = [text for at, text in ticks if low <= at <= high and text.get_visible() and text.get_text()]
    for one, other in pairwise(text for text in shown if text.get_rotation() % 90 == 0):
        if _overlap(one.get_window_extent(renderer), other.get_window_extent(renderer)):
            yield f"the ticks {one.get_text()!r} and {other.get_text()!r} overlap"


def _overlap(one: Bbox, other: Bbox) -> bool:
    both = Bbox.intersection(one, other)
    return both is not None and min(both.width, both.height) > _SLACK
