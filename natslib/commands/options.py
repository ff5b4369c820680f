"""Options that several verbs share, what their help says, and how their values are read."""

import argparse
import json
import math
import re
from pathlib import Path
from typing import Any

from natslib.datasets import DATASETS
from natslib.errors import ConfigError, shown

TABLE = "'published' or the folder of a table"
ARCH = "index or string of an architecture"
DATASET = f"training set: {', '.join(DATASETS)}"
RECIPE = "training recipe"
MANY = 1_000_000  # numbers of one range; no space has as many architectures


def add_json(parser: argparse._ActionsContainer) -> argparse.Action:
    """Declare the option that every verb with an answer has."""
    return parser.add_argument("--json", action="store_true", help="the answer as JSON")


def print_json(content: Any) -> None:
    """Print an answer as JSON: what is not there (NaN) as null, numbers of numpy as numbers."""
    print(json.dumps(_plain(content), indent=1, allow_nan=False, ensure_ascii=False))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if hasattr(value, "tolist"):  # an array or a number of numpy
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def from_1(text: str) -> int:
    """Read a whole number from 1."""
    if not re.fullmatch("0*[1-9][0-9]{0,5}", text):
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no whole number from 1")
    return int(text)


def from_0(text: str) -> int:
    """Read a whole number from 0."""
    if not re.fullmatch("[0-9]{1,18}", text):
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no whole number from 0")
    return int(text)


def index_or_string(text: str) -> int | str:
    """Return an index where the text is one; `Space.index` refuses what is neither index nor string."""
    return int(text) if re.fullmatch("-?[0-9]{1,9}", text) else text


def numbers(text: str, stop: int) -> list[int]:
    """Return the numbers of a list such as '3,5,10-20' (both ends belong to a range), each once.

    Raises `ConfigError` for what is no such list, unless all lie from 0 to `stop` - 1, and for more than memory holds.
    """
    found: dict[int, None] = {}
    for part in text.split(","):
        ends = part.split("-")
        if len(ends) > 2 or not all(re.fullmatch(" *[0-9]{1,10} *", end) for end in ends):
            raise ConfigError(
                f"cannot read {shown(part)} in {shown(text)}: allowed are numbers and ranges, such as 3,5,10-20"
            )
        first, last = int(ends[0]), int(ends[-1])
        if not first <= last < stop:
            raise ConfigError(
                f"{shown(part)} in {shown(text)}: allowed are numbers from 0 to {stop - 1}, a range's smaller one first"
            )
        if last - first >= MANY:
            raise ConfigError(
                f"{shown(part)} in {shown(text)}: allowed are ranges of at most {MANY:,} numbers"
            )
        found |= dict.fromkeys(range(first, last + 1))
    return list(found)


def add_download_arguments(parser: argparse._ActionsContainer) -> list[argparse.Action]:
    """Declare the options that say where downloads lie, and whether they must be the official ones."""
    return [
        parser.add_argument(
            "--data", type=Path, default=Path("data"), help="folder of what is downloaded (data)"
        ),
        parser.add_argument(
            "--unverified", action="store_true", help="accept downloaded files of another checksum"
        ),
    ]


def add_device_argument(parser: argparse._ActionsContainer) -> argparse.Action:
    """Declare the option that says what trains."""
    return parser.add_argument("--device", help="cpu, cuda, ... (left out: a GPU where there is one)")


def add_machine_arguments(parser: argparse._ActionsContainer) -> list[argparse.Action]:
    """Declare the options that say where the images are and what trains."""
    return [*add_download_arguments(parser), add_device_argument(parser)]
