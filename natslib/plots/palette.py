"""The colours of every figure: Okabe and Ito's eight, which people with colour-blindness can tell apart."""

from collections.abc import Iterable

BLACK, GREY = "#000000", "#7f7f7f"
ORANGE, SKY, GREEN, YELLOW = "#e69f00", "#56b4e9", "#009e73", "#f0e442"
BLUE, VERMILLION, PURPLE = "#0072b2", "#d55e00", "#cc79a7"

CYCLE = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK, GREY)

DATASET_COLOURS = {"CIFAR-10": BLUE, "CIFAR-100": VERMILLION, "ImageNet16-120": GREEN}

OPERATION_COLOURS = {
    "none": "#bdbdbd",
    "skip_connect": BLACK,
    "nor_conv_1x1": SKY,
    "nor_conv_3x3": BLUE,
    "avg_pool_3x3": ORANGE,
}

ALGORITHM_COLOURS = {
    "random": GREY,
    "rea": BLUE,
    "reinforce": VERMILLION,
    "bohb": GREEN,
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

SEQUENTIAL = "cividis"


def colours(names: Iterable[str]) -> dict[str, str]:
    """Return a colour for each name: datasets, operations and algorithms have their own; others take what is free.

    The result depends on the names and their order alone. With more than eight names, colours repeat.
    """
    known = DATASET_COLOURS | OPERATION_COLOURS | ALGORITHM_COLOURS
    wanted = list(dict.fromkeys(names))
    chosen = {name: known[name] for name in wanted if name in known}
    free = [colour for colour in CYCLE if colour not in chosen.values()] or list(CYCLE)
    others = [name for name in wanted if name not in known]
    return {name: chosen.get(name) or free[others.index(name) % len(free)] for name in wanted}
