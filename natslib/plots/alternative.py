"""What a picture shows, in words, for those who do not see it."""

from collections.abc import Iterable

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def alternative(fig: Figure, title: str, claim: str, rows: pd.DataFrame | None = None) -> str:
    """Return the title, what the figure claims, and what its panels show, read off the figure itself.

    For a table, `rows` are what it shows.
    """
    return " ".join(filter(None, [f"{title}.", claim, _panels(fig) if rows is None else _table(rows)]))


def _table(rows: pd.DataFrame) -> str:
    names = [
        ": ".join(filter(None, map(str, name))) if isinstance(name, tuple) else str(name) for name in rows
    ]
    return f"A table of {len(rows)} rows with the columns {_listed(names)}."


def _panels(fig: Figure) -> str:
    shown = [ax for ax in fig.axes if ax.get_label() != "<colorbar>"]
    legends = [*fig.legends, *filter(None, (ax.get_legend() for ax in shown))]
    names = [text.get_text() for legend in legends for text in legend.get_texts()]
    drawn = [ax for ax in shown if ax.axison]
    told = [f"{len(shown)} panels{_titles(drawn)}." if len(shown) > 1 else ""]
    pairs = [(ax.get_ylabel(), ax.get_xlabel()) for ax in drawn]
    labels = [" against ".join(filter(None, pair)) for pair in pairs]
    told.append(f"Axes: {_listed(labels, '; ')}." if any(labels) else "")
    told += [f"{bar.get_ylabel()} by colour." for bar in fig.axes if bar not in shown]
    told.append(f"Told apart: {_listed(names)}." if names else "")
    return " ".join(filter(None, told))


def _titles(axes: Iterable[Axes]) -> str:
    titles = _listed((ax.get_title() or ax.get_title(loc="left") for ax in axes), "; ")
    return f": {titles}" if titles else ""


def _listed(names: Iterable[str], comma: str = ", ") -> str:
    """Return the names once each, on one line."""
    return comma.join(dict.fromkeys(" ".join(name.split()) for name in names if name))
