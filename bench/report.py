"""How a measurement is told: a ratio, what it should be, and the figures behind it."""

from collections.abc import Iterable
from typing import NamedTuple


class Line(NamedTuple):
    """One measured ratio; `target` is '<= x', '>= x' or empty where none is set."""

    what: str
    ratio: float
    target: str
    detail: str

    @property
    def met(self) -> bool:
        sign, _, bound = self.target.partition(" ")
        return not sign or (self.ratio <= float(bound) if sign == "<=" else self.ratio >= float(bound))


def print_report(lines: Iterable[Line]) -> None:
    """Print one line a measurement, with a mark on those that miss their target."""
    for line in lines:
        mark = " " if line.met else "!"
        print(f"{mark} {line.what:50} {line.ratio:10.3g}  {line.target:8}  {line.detail}", flush=True)
