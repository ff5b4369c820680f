"""Architectures as the official API reads their strings, and the text that it prints of one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from natslib.dropin.results import ArchResults

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
COMMENTS = {
    name: f"Trained on the {part} set of CIFAR-10, tested on its test set; per-time is the mean of the seconds of an "
    "epoch or an evaluation, all-time their sum so far."
    for name, part in {"cifar10-valid": "train", "cifar10": "train+valid"}.items()
}
"""What `nats_bench` says beside the numbers of `get_more_info`, in words of our own."""


def str2lists(arch_str: str) -> list[tuple[tuple[str, int], ...]]:
    """Return the (operation, source) pairs of each node of a cell but the first.

    Any cell of that form will do. Raises `AssertionError` for an edge that is no 'operation~source'.
    """
    return [tuple((op, int(source)) for op, source in _edges(node)) for node in arch_str.split("+")]


def str2matrix(arch_str: str, search_space: Sequence[str] = OPERATIONS) -> "np.ndarray":
    """Return the cell as a square float64 matrix: entry [i, j] is the number of the operation on the edge from j to i.

    Raises `AssertionError` as `str2lists`, `ValueError` for an operation that is not in `search_space`.
    """
    import numpy as np  # only here: importing a drop-in costs nothing

    nodes = arch_str.split("+")
    matrix = np.zeros((len(nodes) + 1, len(nodes) + 1))
    for target, node in enumerate(nodes, start=1):
        for op, source in _edges(node):
            if op not in search_space:
                raise ValueError(
                    f"unknown operation {op!r} in {arch_str!r}; allowed are {', '.join(search_space)}"
                )
            matrix[target, int(source)] = search_space.index(op)
    return matrix


def _edges(node: str) -> list[list[str]]:
    edges = [edge.split("~") for edge in node.split("|") if edge]
    for edge in edges:
        if len(edge) != 2:
            raise AssertionError(f"{'~'.join(edge)!r} is no edge; one is written 'operation~source'")
    return edges


def print_information(
    information: "ArchResults", extra_info: str | None = None, show: bool = False, *, joint: str, tested: bool
) -> list[str]:
    """Return what the official API prints of an architecture, line by line; with `show`, print it too.

    `joint` stands between loss and accuracy; `tested`: whether CIFAR-10 trained on half of the images shows its test.
    """
    names = information.get_dataset_names()
    lines = [information.arch_str, f"datasets : {names}, extra-info : {extra_info}"]
    for name in names:
        cost = information.get_compute_costs(name)
        latency = cost.get("latency")
        told = f"{latency * 1000:.2f}" if latency else None
        flops, params = _shown(cost, "flops", "6.2f"), _shown(cost, "params", ".3f")
        lines.append(f"{name:14s} FLOP={flops} M, Params={params} MB, latency={told} ms.")
        sets = {"train": "train"} | _printed_sets(name, tested)
        measured = [f"{title} : [{_metrics(information, name, of, joint)}]" for title, of in sets.items()]
        lines.append(f"{name:14s} {', '.join(measured)}")
    if show:
        print("\n".join(lines))
    return lines


def _printed_sets(dataset: str, tested: bool) -> dict[str, str]:
    if dataset == "cifar10-valid":
        return {"valid": "x-valid", "test": "ori-test"} if tested else {"valid": "x-valid"}
    return {"test ": "ori-test"} if dataset == "cifar10" else {"valid": "x-valid", "test": "x-test"}


def _metrics(information: "ArchResults", dataset: str, setname: str, joint: str) -> str:
    try:
        told = information.get_metrics(dataset, setname)
    except (KeyError, ValueError):  # not evaluated; no official archive lacks it
        told = {}
    return f"loss = {_shown(told, 'loss', '.3f')}{joint}top1 = {_shown(told, 'accuracy', '.2f')}%"


def _shown(told: dict[str, Any], key: str, how: str) -> str:
    return f"{told[key]:{how}}" if key in told else "?"
