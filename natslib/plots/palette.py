"""The colours of every figure: Okabe and Ito's eight, which people with colour-blindness can tell apart."""

from collections.abc import Iterable
from typing import Any

from natslib.datasets import title_of as dataset_title

BLACK, GREY = "#000000", "#7f7f7f"
ORANGE, SKY, GREEN, YELLOW = "#e69f00", "#56b4e9", "#009e73", "#f0e442"
BLUE, VERMILLION, PURPLE = "#0072b2", "#d55e00", "#cc79a7"

CYCLE = (BLACK, BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, GREY)

DATASET_COLOURS = {
    "CIFAR-10": BLUE,
    "CIFAR-100": VERMILLION,
    "ImageNet16-120": GREEN,
    "digits": ORANGE,
    "photos": SKY,
    "digit-pairs": PURPLE,
    "digits-rotated": GREY,
    "digits-coloured": YELLOW,
    "digits-tinted": BLACK,
}

OPERATION_COLOURS = {
    "none": "#bdbdbd",
    "skip_connect": BLACK,
    "nor_conv_1x1": SKY,
    "nor_conv_3x3": BLUE,
    "avg_pool_3x3": ORANGE,
}

OPERATION_MARKERS = {
    "none": "v",
    "skip_connect": "s",
    "nor_conv_1x1": "o",
    "nor_conv_3x3": "D",
    "avg_pool_3x3": "^",
}

ALGORITHM_COLOURS = {
    "random": GREY,
    "rea": BLUE,
    "reinforce": VERMILLION,
    "bohb": GREEN,
    "local-search": ORANGE,
    "bananas": PURPLE,
    "bananas-ridge": PURPLE,
    "npenas": SKY,
    "nsga2": BLACK,
    "reinforce-nb201": ORANGE,
    "successive-halving": BLUE,
    "hyperband": VERMILLION,
    "asha": GREEN,
    "tpe": PURPLE,
    "autoshrink": VERMILLION,
    "rsps": GREY,
    "darts-v1": SKY,
    "darts-v2": BLUE,
    "gdas": VERMILLION,
    "setn": GREEN,
    "enas": PURPLE,
    "tas": BLUE,
    "fbnetv2": VERMILLION,
    "tunas": GREEN,
}

ALGORITHM_LINES = {
    **dict.fromkeys(["reinforce-nb201", "successive-halving", "hyperband", "asha", "tpe"], "--"),
    "bananas": "-.",
    "autoshrink": "-.",
}
"""Searches that share a colour with another one are dashed, or dash-dotted; all others are solid."""

LINES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "h", "<", ">", "p", "d", "8", "H")
_FIXED_MARKERS = {
    "random": "o",
    "rea": "s",
    "reinforce": "^",
    "bohb": "D",
    "local-search": "v",
    "bananas": "P",
    "bananas-ridge": "X",
    "npenas": "*",
    "nsga2": "h",
    "reinforce-nb201": "<",
    "successive-halving": ">",
    "hyperband": "p",
    "asha": "d",
    "tpe": "8",
    "autoshrink": "H",
    "rsps": "o",
    "darts-v1": "<",
    "darts-v2": ">",
    "gdas": "s",
    "setn": "^",
    "enas": "D",
    "tas": "o",
    "fbnetv2": "s",
    "tunas": "^",
}

ALGORITHM_TITLES = {
    "random": "RANDOM",
    "rea": "REA",
    "reinforce": "REINFORCE",
    "reinforce-nb201": "REINFORCE, lr 0.5",
    "bohb": "BOHB",
    "autoshrink": "AutoShrink",
    "bananas": "BANANAS",
    "bananas-ridge": "BANANAS, ridge",
    "npenas": "NPENAS",
    "nsga2": "NSGA-II",
    "hyperband": "Hyperband",
    "asha": "ASHA",
    "tpe": "TPE",
    "rsps": "RSPS",
    "darts-v1": "DARTS (1st)",
    "darts-v2": "DARTS (2nd)",
    "gdas": "GDAS",
    "setn": "SETN",
    "enas": "ENAS",
    "darts-pt": "DARTS-PT",
    "darts-pt-fixed": "DARTS-PT, fixed α",
    "nas-ood": "NAS-OoD",
    "nas-ood-bilevel": "NAS-OoD, two levels",
    "nas-ood-no-reversal": "NAS-OoD, no reversal",
    "nas-ood-no-transport": "NAS-OoD, no transport",
    "nas-ood-no-cycle": "NAS-OoD, no cycle",
    "tas": "TAS: interpolation",
    "fbnetv2": "FBNetV2: Gumbel masks",
    "tunas": "TuNAS: sampled masks",
    "resnet": "ResNet",
    "optimal": "best",
}

# How well a number agrees with the printed one: pale, so that black text is read on it; told apart without hue too.
AGREEMENT_COLOURS = {
    "agrees": "#c6e2f2",
    "near": "#fbf3b8",
    "apart": "#f3b58c",
    "another protocol": "#e0e0e0",
    "": "#f2f2f2",
}

SEQUENTIAL = "cividis"


def colours(names: Iterable[str]) -> dict[str, str]:
    """Return a colour for each name: datasets, operations and algorithms have their own; others take what is free.

    The result depends on the names and their order alone. With more than eight names, colours repeat.
    """
    titled = {dataset_title(name): colour for name, colour in DATASET_COLOURS.items()}
    known = DATASET_COLOURS | titled | OPERATION_COLOURS | ALGORITHM_COLOURS
    wanted = list(dict.fromkeys(names))
    chosen = {name: known[name] for name in wanted if name in known}
    free = [colour for colour in CYCLE if colour not in chosen.values()] or list(CYCLE)
    others = [name for name in wanted if name not in known]
    return {name: chosen.get(name) or free[others.index(name) % len(free)] for name in wanted}


def title_of(algorithm: str) -> str:
    """Return how a search is written in figures: the paper's capitals, else its name with spaces.

    A name that ends with "-bn0" is that of a search of NAS-Bench-201 with the statistics of batches in its cells.
    """
    if algorithm.endswith("-bn0"):
        return f"{title_of(algorithm.removesuffix('-bn0'))}, BN0"
    return ALGORITHM_TITLES.get(algorithm, algorithm.replace("-", " "))


def by_number(number: int) -> dict[str, Any]:
    """Return a line style and a marker for the line of this number, as `looks` does for searches."""
    return {"linestyle": LINES[number % len(LINES)], "marker": MARKERS[number % len(MARKERS)]}


def looks(names: Iterable[str], points: int = 0) -> dict[str, dict[str, Any]]:
    """Return how the line of each search is drawn: its colour, line style and marker, so that any one of them tells it.

    Of lines through `points` points about eight have a marker, and those of two lines do not fall together; with 0
    every point has one.
    """
    wanted = list(dict.fromkeys(names))
    chosen = colours(wanted)
    taken = {_FIXED_MARKERS[name] for name in wanted if name in _FIXED_MARKERS}
    free = [marker for marker in MARKERS if marker not in taken]
    others = [name for name in wanted if name not in _FIXED_MARKERS]
    found: dict[str, dict[str, Any]] = {}
    for place, name in enumerate(wanted):
        marker = _FIXED_MARKERS.get(name) or free[others.index(name) % len(free)]
        found[name] = {
            "color": chosen[name],
            "linestyle": ALGORITHM_LINES.get(name, "-"),
            "marker": marker,
            "markersize": 3.6,
            "markeredgewidth": 0,
        }
        if points:
            step = max(1, points // 8)
            found[name]["markevery"] = (step * place // len(wanted), step)
    return found
