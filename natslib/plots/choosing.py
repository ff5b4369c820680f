"""Let the reader of a notebook choose what a panel shows, where there is one to choose."""

import base64
import io
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from natslib.plots.alternative import alternative
from natslib.plots.figure import DPI, ONE_COLUMN, new_figure

SESSION = "JPY_SESSION_NAME"
"""Jupyter's server sets it in the kernel of a notebook that somebody opened; papermill, nbconvert and nbval do not."""


def choose(draw: Callable[..., None], *drawn_from: Any, **choices: Iterable[Any]) -> None:
    """Show one panel in a notebook and, by name, what it can show: a drop-down for texts, a slider for numbers.

    `draw(ax, *drawn_from, **chosen)` draws it, with the first of each of `choices` and again whenever the reader
    chooses another. Where nobody reads (without `SESSION`), nothing is drawn nor shown.
    """
    if SESSION not in os.environ:
        return
    import ipywidgets  # both come with the notebooks
    from IPython.display import display

    controls = {}
    for name, options in choices.items():
        look: dict[str, Any] = {"description": name.replace("_", " "), "options": list(options)}
        if isinstance(look["options"][0], str):
            controls[name] = ipywidgets.Dropdown(**look)
        else:
            controls[name] = ipywidgets.SelectionSlider(continuous_update=False, **look)
    panel = ipywidgets.Output()

    def redraw(_: object) -> None:
        chosen = {name: control.value for name, control in controls.items()}
        panel.outputs = (_picture(draw, drawn_from, chosen),)

    for control in controls.values():
        control.observe(redraw, names="value")
    redraw(None)
    display(ipywidgets.VBox([*controls.values(), panel]))


def _picture(
    draw: Callable[..., None], drawn_from: tuple[Any, ...], chosen: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is drawn as an output of a notebook, with its alternative text."""
    fig, axes = new_figure(1, 1, height_in=2.8, width_in=ONE_COLUMN)
    draw(axes[0, 0], *drawn_from, **chosen)
    alt = alternative(fig, ", ".join(f"{name} {value}" for name, value in chosen.items()), "")
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=DPI["png"])
    about = {"width": round(100 * fig.get_figwidth()), "alt": alt}
    return {
        "output_type": "display_data",
        "data": {"image/png": base64.b64encode(buffer.getvalue()).decode(), "text/plain": alt},
        "metadata": {"image/png": about},
    }
