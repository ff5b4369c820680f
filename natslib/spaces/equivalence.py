"""When two cells are the same: the official unique strings, equal expressions, and equal networks.

A key is a value that two cells share exactly if the rule calls them equivalent. The rules, and the number of
classes each finds among the 15,625 cells:

============  ======  ==================================================================================
`plain`       15,625  official unique string, nothing simplified
`skip`        12,751  official unique string, a skip is its source
`zero`         6,466  official unique string (the paper's 6.5K): marks zeros, but does not absorb them all
`expression`   4,930  equal formulas: zeros absorbed fully, sums flattened through skips
`exact`        5,234  equal networks: the same function of input and weights, after renaming convolutions
============  ======  ==================================================================================

`expression` compares formulas, which do not say whose weights a convolution uses. So it
(1) unites one convolution that reaches the output twice (0→1 conv; 1→2, 1→3, 2→3 skip) with two that have
their own weights (0→1, 0→2 conv; 1→3, 2→3 skip), which concerns 326 classes of 2,432 cells;
(2) takes a convolution of zeros for zero, although its batch norm adds a learned bias;
(3) keeps the pooling of a sum apart from the sum of the pooled.
`exact` gets all three right: its partition is the one that random weights find. 4,552 of the 4,930
expressions are one network each; the other 378 hold 8,619 cells. While the biases are zero, as before
training, there are 5,044 networks.
Parameters are no part of either rule: a cell may carry convolutions that its output does not depend on.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, groupby, permutations, product
from typing import Any, TypeAlias

from natslib.errors import unknown_name
from natslib.spaces.cell import CONV_1X1, CONV_3X3, EDGES, NONE, OPS, POOL, SKIP

Terms: TypeAlias = tuple[tuple[int, int], ...]  # a sum of (number of poolings, convolution's edge or INPUT)
Convolutions: TypeAlias = dict[int, tuple[int, Terms]]  # edge: (operation, what it convolves)

INPUT = -1
CONVOLUTIONS = (CONV_1X1, CONV_3X3)
UNIQUE_MODES = ("plain", "skip", "zero")


def unique_string(code: Sequence[int], mode: str) -> str:
    """Return the official unique string of a code; raises `UnknownName` for a wrong mode.

    The modes are the official flag `consider_zero`: `plain` None, `skip` False, `zero` True. The last one,
    which the official `get_unique_str` uses, leaves a node of several zeros as `#+#` and zero terms in sums.
    """
    if mode not in UNIQUE_MODES:
        raise unknown_name("unique-string mode", mode, UNIQUE_MODES)
    nodes = ["0"]
    for target in (1, 2, 3):
        incoming = _incoming(code, target)
        nodes.append("+".join(sorted(_official_term(op, nodes[source], mode) for _, source, op in incoming)))
    return nodes[-1]


def _official_term(op: int, source: str, mode: str) -> str:
    if mode == "zero" and (op == NONE or source == "#"):
        return "#"
    if mode != "plain" and op == SKIP:
        return source
    return f"({source})@{OPS[op]}"


def expression_key(code: Sequence[int]) -> tuple[Any, ...]:
    """Return a cell's formula: a sorted sum of (operation, operand); () is zero, ((0, ()),) the input."""
    nodes: list[tuple[Any, ...]] = [((0, ()),)]
    for target in (1, 2, 3):
        terms: list[Any] = []
        for _, source, op in _incoming(code, target):
            if op == SKIP:
                terms += nodes[source]
            elif op != NONE and nodes[source]:
                terms.append((op, nodes[source]))
        nodes.append(tuple(sorted(terms)))
    return nodes[-1]


def exact_key(code: Sequence[int]) -> tuple[Any, ...]:
    """Return the network of a cell: its output and used convolutions, numbered the same in equal networks.

    Convolutions of equal formula could be numbered either way; the smallest key over these orders is taken.
    """
    output, convolutions = _expand(code)
    used = _used(output, convolutions)
    formulas = {edge: _formula(edge, convolutions) for edge in used}
    ranked = sorted(used, key=formulas.__getitem__)
    alike = [tuple(group) for _, group in groupby(ranked, key=formulas.__getitem__)]
    orders = (tuple(chain(*order)) for order in product(*map(permutations, alike)))
    return min(_numbered(output, convolutions, order) for order in orders)


def _incoming(code: Sequence[int], target: int) -> Iterator[tuple[int, int, int]]:
    """Yield (edge, source node, operation) of each edge into the node `target`."""
    for edge, (source, end) in enumerate(EDGES):
        if end == target:
            yield edge, source, code[edge]


def _expand(code: Sequence[int]) -> tuple[Terms, Convolutions]:
    """Return the output as a sum of pooled inputs and convolutions, and what each convolution convolves."""
    nodes: list[Terms] = [((0, INPUT),)]
    convolutions: Convolutions = {}
    for target in (1, 2, 3):
        terms: list[tuple[int, int]] = []
        for edge, source, op in _incoming(code, target):
            if op in CONVOLUTIONS:
                convolutions[edge] = (op, nodes[source]) if nodes[source] else (NONE, ())
                terms.append((0, edge))
            elif op == POOL:
                terms += [_pooled(term, convolutions) for term in nodes[source]]
            elif op == SKIP:
                terms += nodes[source]
        nodes.append(tuple(terms))
    return nodes[-1], convolutions


def _pooled(term: tuple[int, int], convolutions: Convolutions) -> tuple[int, int]:
    """Pool one term; a convolution of zeros is constant over the image, and pooling does not change it."""
    poolings, source = term
    constant = source != INPUT and convolutions[source] == (NONE, ())
    return term if constant else (poolings + 1, source)


def _used(output: Terms, convolutions: Convolutions) -> set[int]:
    """Return the edges of the convolutions that the output depends on."""
    used: set[int] = set()
    ahead = [source for _, source in output]
    while ahead:
        edge = ahead.pop()
        if edge != INPUT and edge not in used:
            used.add(edge)
            ahead += [source for _, source in convolutions[edge][1]]
    return used


def _formula(edge: int, convolutions: Convolutions) -> tuple[Any, ...]:
    if edge == INPUT:
        return ()
    op, terms = convolutions[edge]
    return op, tuple(sorted((poolings, _formula(source, convolutions)) for poolings, source in terms))


def _numbered(output: Terms, convolutions: Convolutions, order: tuple[int, ...]) -> tuple[Any, ...]:
    number = {INPUT: INPUT} | {edge: place for place, edge in enumerate(order)}

    def rename(terms: Terms) -> Terms:
        return tuple(sorted((poolings, number[source]) for poolings, source in terms))

    return rename(output), tuple((convolutions[edge][0], rename(convolutions[edge][1])) for edge in order)


KEYS: dict[str, Callable[[Sequence[int]], object]] = {
    "plain": lambda code: unique_string(code, "plain"),
    "skip": lambda code: unique_string(code, "skip"),
    "zero": lambda code: unique_string(code, "zero"),
    "expression": expression_key,
    "exact": exact_key,
}
