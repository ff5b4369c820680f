"""The two search spaces as drawings, and counts over them: sizes of equivalence classes and cost levels."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from natslib.plots.palette import BLACK, BLUE, GREY, OPERATION_COLOURS, VERMILLION

_FACES = {"stem": "#ffffff", "cell": "#cfe6f5", "reduction": "#e8e8e8", "head": "#ffffff"}
_EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
_BENDS = {(0, 2): -0.55, (1, 3): 0.55, (0, 3): -0.62}
_LABELS_AT = {
    (0, 1): (0.5, 0.09), (1, 2): (1.5, 0.09), (2, 3): (2.5, 0.09), (0, 2): (1.0, 0.42), (1, 3): (2.0, -0.42),
    (0, 3): (1.5, 1.03),
}  # fmt: skip


def draw_skeleton(ax: Axes, blocks: pd.DataFrame) -> None:
    """Draw the blocks of `analysis.architectures.macro_skeleton` from left to right, both spaces' channels below."""
    ax.set_axis_off()
    ax.set(xlim=(-1.95, len(blocks) - 0.05), ylim=(-1.35, 1.15))
    for place, block in enumerate(blocks.to_dict("records")):
        ax.add_patch(
            FancyBboxPatch(
                (place, -0.3), 0.78, 0.9, boxstyle="round,pad=0,rounding_size=0.06",
                facecolor=_FACES[block["kind"]], edgecolor=BLACK, linewidth=0.8,
            )
        )  # fmt: skip
        ax.text(place + 0.39, 0.32, block["title"], ha="center", va="center", fontsize=7, fontweight="bold")
        ax.text(place + 0.39, -0.03, block["detail"], ha="center", va="center", fontsize=6)
        side = (
            ""
            if block["shrink"] == 0
            else "S × S"
            if block["shrink"] == 1
            else f"S/{block['shrink']} × S/{block['shrink']}"
        )
        for height, text in (
            (0.78, side),
            (-0.62, block["topology_channels"]),
            (-0.98, block["size_channels"]),
        ):
            ax.text(place + 0.39, height, text, ha="center", va="center", fontsize=7.5)
        if place:
            ax.annotate(
                "",
                (place, 0.15),
                (place - 0.22, 0.15),
                arrowprops={"arrowstyle": "-|>", "lw": 0.8, "color": BLACK},
            )
    for height, text in (
        (0.78, "feature map"),
        (0.15, "image, 3 × S × S →"),
        (-0.62, "channels in topology (N = 5)"),
        (-0.98, "in size (N = 1)"),
    ):
        ax.text(-0.12, height, text, ha="right", va="center", fontsize=7.5, color="#404040")


def draw_cell(ax: Axes, operations: Sequence[str]) -> None:
    """Draw one cell of the topology space: four nodes and the operation on each of its six edges.

    `operations` are in the official reading order of the edges: 0→1, 0→2, 1→2, 0→3, 1→3, 2→3.
    """
    ax.set_axis_off()
    ax.set(xlim=(-0.45, 3.5), ylim=(-0.75, 1.1), aspect="equal")
    for (source, target), operation in zip(_EDGES, operations, strict=True):
        _draw_edge(ax, source, target, operation)
    for node in range(4):
        ax.add_patch(Circle((node, 0), 0.13, facecolor="white", edgecolor=BLACK, linewidth=0.9, zorder=3))
        ax.text(node, 0, str(node), ha="center", va="center", fontsize=8, zorder=4)
    ax.text(-0.2, 0, "in", ha="right", va="center", fontsize=7)
    ax.text(3.2, 0, "out", ha="left", va="center", fontsize=7)
    ax.text(
        -0.2,
        -0.66,
        "a node is the sum of its incoming edges",
        ha="left",
        va="center",
        fontsize=6.5,
        color="#404040",
    )


def draw_operation_legend(ax: Axes, operations: Sequence[str]) -> None:
    """List the operations an edge can have, each in its colour."""
    handles = [
        Line2D([], [], color=OPERATION_COLOURS[name], lw=2, ls=_line(name), label=name) for name in operations
    ]
    ax.set_axis_off()
    ax.legend(handles=handles, loc="center", title="an edge is one of", alignment="left")


def draw_widths(ax: Axes, widths: Sequence[int], chosen: Sequence[int]) -> None:
    """Draw the choices of the size space: one column of `widths` a position, the `chosen` width of each filled."""
    ax.grid(visible=False)
    for position, width in enumerate(chosen):
        faces = [BLUE if each == width else "white" for each in widths]
        ax.scatter([position] * len(widths), widths, c=faces, edgecolors=GREY, s=26, linewidths=0.7)
    ax.set_xticks(range(len(chosen)), [f"c{position}" for position in range(len(chosen))])
    ax.set(yticks=list(widths), ylabel="channels", xlim=(-0.6, len(chosen) - 0.4))


def _draw_edge(ax: Axes, source: int, target: int, operation: str) -> None:
    colour = OPERATION_COLOURS[operation]
    bend = _BENDS.get((source, target), 0.0)
    ax.add_patch(
        FancyArrowPatch(
            (source, 0), (target, 0), connectionstyle=f"arc3,rad={bend}", arrowstyle="-|>", mutation_scale=9,
            color=colour, linewidth=1.6, linestyle=_line(operation), shrinkA=8, shrinkB=8, zorder=2,
        )
    )  # fmt: skip
    x, y = _LABELS_AT[source, target]
    ax.text(x, y, operation, ha="center", va="center", fontsize=6, color="#202020", zorder=5)


def _line(operation: str) -> str:
    return ":" if operation == "none" else "-"


def draw_class_sizes(ax: Axes, sizes: pd.DataFrame) -> None:
    """Draw how many equivalence classes (column `classes`) there are of each `size`, both axes logarithmic."""
    ax.vlines(sizes["size"], 0.5, sizes["classes"], color=BLUE, linewidth=1)
    ax.scatter(sizes["size"], sizes["classes"], color=BLUE, s=9, linewidths=0)
    ax.set(
        xscale="log",
        yscale="log",
        ylim=(0.5, None),
        xlabel="equal cells in the class",
        ylabel="classes of that size",
    )
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter("{x:,.0f}")
    ax.set_title(f"{sizes['classes'].sum():,} classes of {sizes['architectures'].sum():,} architectures")


def draw_cost_levels(ax: Axes, levels: pd.DataFrame) -> None:
    """Draw how many architectures share each distinct number of parameters (millions)."""
    ax.vlines(levels["params_m"], 0, levels["architectures"], color=VERMILLION, linewidth=1.6)
    ax.scatter(levels["params_m"], levels["architectures"], color=VERMILLION, s=9, linewidths=0)
    ax.set(xlabel="parameters (millions)", ylabel="architectures", ylim=(0, None))
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.set_title(f"{len(levels)} levels of cost")
