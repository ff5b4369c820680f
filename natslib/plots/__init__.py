"""Figures: `draw_…(ax, frame)` functions that know no tables, one palette, and one way to save."""

from natslib.plots.heatmap import draw_heatmap
from natslib.plots.palette import colours
from natslib.plots.saving import save
from natslib.plots.style import draw_absent, new_figure, new_mosaic, use_style, write_source

__all__ = [
    "colours",
    "draw_absent",
    "draw_heatmap",
    "new_figure",
    "new_mosaic",
    "save",
    "use_style",
    "write_source",
]
