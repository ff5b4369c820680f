"""Figures: `draw_…(ax, frame)` functions that know no tables, one palette, and one way to save."""

from natslib.extras import how_to_get

try:
    from natslib.plots.choosing import choose
    from natslib.plots.figure import (
        ONE_COLUMN,
        TWO_COLUMNS,
        draw_absent,
        new_figure,
        new_mosaic,
        save,
        show,
        use_style,
        write_caption,
    )
    from natslib.plots.heatmap import draw_heatmap
    from natslib.plots.palette import colours
    from natslib.plots.texts import show_table, span
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"natslib.plots: {how_to_get(error)}", name=error.name) from None

__all__ = [
    "ONE_COLUMN",
    "TWO_COLUMNS",
    "choose",
    "colours",
    "draw_absent",
    "draw_heatmap",
    "new_figure",
    "new_mosaic",
    "save",
    "show",
    "show_table",
    "span",
    "use_style",
    "write_caption",
]
