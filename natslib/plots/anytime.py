"""Searches over what they spend, their final accuracies with intervals, and the sorted accuracies of all runs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator

from natslib.analysis.multi_trial import axis_of
from natslib.plots.figure import draw_absent
from natslib.plots.palette import BLACK, looks, title_of

LEGEND_IN = 1.5  # the width of the widest entry of a legend
_SPLIT_HANDLES = {"valid": ("validation", BLACK, "-"), "test": ("test", BLACK, "--")}
LEAST_MARGIN = 0.5  # points, where all that is drawn is one value
FLOOR_SHARE = 0.06  # of the time axis: where the lowest curve sets the bottom of the panel


def order_of(finals: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return the searches in one order for all datasets, the best first: by the mean of their average ranks.

    `finals`: by title, with columns method and rank.
    """
    ranks = pd.concat(finals).groupby("method", sort=False)["rank"].mean()
    return [str(name) for name in ranks.sort_values(kind="stable").index]


def describe_ends(finals: Mapping[str, pd.DataFrame], names: Iterable[str]) -> str:
    """Return which search of `names` ends highest by dataset, for a caption.

    And from how many it is not told by tests, where `names` are all that were tested together.

    `finals`: by title, with columns method, mean and, where there are three searches or more, groups (the letters of
    `multi_trial.rank_frame`).
    """
    told = []
    for title, every in finals.items():
        final = every[every["method"].isin(list(names))]
        highest = int(final["mean"].to_numpy().argmax())
        letters = [set(each) if isinstance(each, str) else set() for each in final["groups"]]
        tested = len(final) == len(every) and bool(letters[highest])
        alike = sum(bool(each & letters[highest]) for each in letters) - 1 if tested else 0
        told.append(
            f"{title_of(final['method'].iloc[highest])} on {title}"
            + (f" (not told from {alike} others)" if alike else "")
        )
    return f"Highest at the end: {', '.join(told)}"


def describe_recorded(found: Mapping[str, Mapping[str, object]]) -> str:
    """Return which searches' runs were recorded before, for a caption; `found` has them by dataset."""
    names = sorted({title_of(name) for searches in found.values() for name in searches})
    return f"Recorded runs: {', '.join(names)}" if names else ""


def draw_curves(
    ax: Axes, curves: pd.DataFrame, *, optimum: float | None = None, band: bool = True, width: float = 1.2
) -> None:
    """Draw anytime curves of `analysis.multi_trial.curve_frame` with their bands, in percent over what was spent.

    `optimum`: a dotted line, or words where it is farther away than the curves reach. The panel begins at the lowest
    curve after the first 6 percent of the time.
    """
    axis, unit = axis_of(curves), axis_unit(curves)
    chosen = looks(curves["method"], int(curves["method"].value_counts().max()))
    for name, curve in curves.groupby("method", sort=False):
        x, look = curve[axis] / unit, chosen[str(name)]
        ax.plot(x, curve["mean"], drawstyle="steps-post", linewidth=width, label=title_of(str(name)), **look)
        if band:
            shade = {"step": "post", "alpha": 0.22, "linewidth": 0, "color": look["color"]}
            ax.fill_between(x, curve["low"], curve["high"], **shade)
    last = curves[axis].max()
    low, high = (
        float(curves.loc[curves[axis] >= FLOOR_SHARE * last, "low"].min()),
        float(curves["high"].max()),
    )
    above = ""
    if optimum is not None and optimum - high > high - low:
        above = f"\nbest there is: {optimum:.2f}, above"
    elif optimum is not None:
        ax.axhline(optimum, color=BLACK, linewidth=0.8, linestyle=":")
        high = max(high, optimum)
    margin = 0.05 * (high - low) or LEAST_MARGIN
    ax.set(xlim=(0, last / unit), ylim=(low - margin, high + margin), xlabel=axis_label(curves) + above)
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


def axis_unit(curves: pd.DataFrame) -> int:
    """Return the unit of the axis: 1, or the paper's 100 seconds, or 1,000 where budgets are scaled up."""
    axis = axis_of(curves)
    last = float(curves[axis].max())
    return 1 if axis != "time_s" or last < 1000 else 100 if last <= 120_000 else 1000


def accuracy_label(split: str) -> str:
    """Return the label of an axis of accuracies on that split."""
    return f"{_SPLIT_HANDLES[split][0]} accuracy (%)"


def axis_label(curves: pd.DataFrame) -> str:
    """Return the label of the axis of what was spent, in its `axis_unit`."""
    if axis_of(curves) != "time_s":
        return "evaluations"
    unit = axis_unit(curves)
    return "simulated time (s)" if unit == 1 else f"simulated time ({unit:,} s)"


def draw_regret(ax: Axes, curves: pd.DataFrame, optimum: float) -> None:
    """Draw how far each mean anytime curve is below the optimum (points, logarithmic), without bands.

    Less than a hundredth, which accuracies are told in, is drawn as a hundredth.
    """
    below, unit = curves.assign(mean=np.maximum(optimum - curves["mean"], 0.01)), axis_unit(curves)
    axis = axis_of(curves)
    chosen = looks(below["method"], int(below["method"].value_counts().max()))
    for name, curve in below.groupby("method", sort=False):
        style: dict[str, Any] = {
            "drawstyle": "steps-post",
            "linewidth": 1.0,
            "label": title_of(str(name)),
        } | chosen[str(name)]
        ax.plot(curve[axis] / unit, curve["mean"], **style)
    ax.set(yscale="log", xlim=(0, below[axis].max() / unit), xlabel=axis_label(below))
    ratio = below["mean"].max() / below["mean"].min()
    ax.yaxis.set_minor_locator(LogLocator(subs=() if ratio > 300 else (2, 5) if ratio > 10 else range(1, 10)))
    for plain in (ax.yaxis.set_major_formatter, ax.yaxis.set_minor_formatter):
        plain("{x:g}")


def draw_intervals(
    ax: Axes, finals: pd.DataFrame, *, optimum: float | None = None, order: Sequence[str] = ()
) -> None:
    """Draw the mean of each search with its 95 % interval (columns method, mean, low, high).

    From top to bottom in `order`, of which a search may be absent; the best on top where there is none.
    """
    chosen = looks(finals["method"])
    known = [name for name in order if name in set(finals["method"])]
    best = finals.sort_values("mean", ascending=False, kind="stable")
    finals = finals.set_index("method").loc[known].reset_index() if known else best
    for place, (name, middle, low, high) in enumerate(
        finals[["method", "mean", "low", "high"]].itertuples(index=False)
    ):
        ax.plot([low, high], [place, place], color=chosen[name]["color"], linewidth=2, solid_capstyle="butt")
        ax.plot([middle], [place], **chosen[name] | {"markersize": 4.5})
    ax.set_yticks(range(len(finals)), [title_of(name) for name in finals["method"]])
    ax.set_ylim(len(finals) - 0.3, -0.7)
    if optimum is not None:
        ax.axvline(optimum, color=BLACK, linewidth=0.8, linestyle=":")


def draw_sorted(ax: Axes, samples: dict[str, npt.NDArray[np.float64]], *, dashed: bool) -> None:
    """Draw the final accuracies of all runs in ascending order, one line a search; dashed for test accuracy.

    The panel begins at the accuracy that one run in twenty of the worst search does not reach.
    """
    chosen = looks(samples, max(map(len, samples.values())))
    for name, sample in samples.items():
        place = np.arange(1, len(sample) + 1)
        look = chosen[name] | {"linestyle": "--" if dashed else "-"}
        ax.plot(place, np.sort(sample), linewidth=1.1, label=title_of(name), **look)
    drawn = [np.asarray(line.get_ydata(), dtype=float) for line in ax.lines]
    low, high = min(np.quantile(each, 0.05) for each in drawn), max(each.max() for each in drawn)
    margin = 0.03 * (high - low) or LEAST_MARGIN
    ax.set_ylim(low - margin, high + margin)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set_xlabel("run, sorted by accuracy")


def list_methods(fig: Figure, names: Iterable[str], *, splits: Sequence[str] = ()) -> None:
    """Put a legend of searches above the panels, as many in a row as fit.

    `splits`: where lines tell validation from test accuracy (see `draw_sorted`), those drawn; colours alone then tell
    the searches.
    """
    plain = {"linestyle": "-"} if splits else {}
    handles = [
        Line2D([], [], linewidth=1.3, label=title_of(name), **look | plain)
        for name, look in looks(names).items()
    ]
    handles += [_handle(*_SPLIT_HANDLES[split]) for split in splits]
    columns = min(len(handles), int(fig.get_figwidth() / LEGEND_IN))
    fig.legend(
        handles=handles, handlelength=1.6, columnspacing=1.2, loc="outside upper center", ncols=columns
    )


def _handle(label: str, colour: str, line: Any) -> Line2D:
    return Line2D([], [], color=colour, linestyle=line, linewidth=1.3, label=label)


BAR, ROW = 0.65, 1.0  # heights, of a bar and of a line with a name


def draw_ranks(ax: Axes, ranks: pd.DataFrame) -> None:
    """Draw average ranks (columns method, rank, groups, p_alike; of `multi_trial.rank_frame`), best on the left.

    Searches that share a letter in `groups` are joined by a bar. An empty frame is said in words.
    """
    if ranks.empty:
        draw_absent(ax, "Ranks are compared among three searches or more.")
        return
    letters = sorted(set("".join(ranks["groups"])))
    for row, letter in enumerate(letters, start=1):
        joined = ranks.loc[ranks["groups"].str.contains(letter), "rank"]
        ends = [joined.min() - 0.06, joined.max() + 0.06]
        ax.plot(ends, [-BAR * row] * 2, color=BLACK, linewidth=1.8, solid_capstyle="butt")
    rows = -BAR * (len(letters) + 1) - ROW * np.arange(len(ranks))
    _draw_names(ax, ranks, rows)
    ax.set(xlim=(1, len(ranks)), ylim=(rows[-1] - ROW / 2, 0))
    ax.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10], integer=True))
    ax.xaxis.tick_top()
    ax.grid(False)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.spines["top"].set_visible(True)
    p = ranks["p_alike"].iloc[0]
    alike = "< 0.001" if p < 0.001 else f"= {p:.2g}"
    ax.set_xlabel(f"average rank (1 is best)\nall alike: p {alike}")


def _draw_names(ax: Axes, ranks: pd.DataFrame, rows: npt.NDArray[np.floating]) -> None:
    """Lead a line from each rank down to its row and to its name at the left edge."""
    chosen = looks(ranks["method"])
    for name, rank, row in zip(ranks["method"], ranks["rank"], rows, strict=True):
        ax.plot([rank, rank, 1], [0, row, row], linewidth=1.1, **chosen[name] | {"markevery": [1]})
    ax.set_yticks(rows, [title_of(name) for name in ranks["method"]])
    ax.tick_params(axis="y", length=0)
