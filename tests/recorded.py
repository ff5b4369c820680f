"""Numbers that were recorded once and have to come out again, on any processor: computed in double precision."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

DIGITS = 10  # significant ones that are kept
RELATIVE, ABSOLUTE = 1e-6, 1e-9


@contextmanager
def double_precision() -> Iterator[None]:
    """Let everything that is made within be float64, on one thread, without touching the global generator."""
    threads = torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            yield
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_num_threads(threads)


def fingerprint(tensors: Iterable[Tensor]) -> float:
    """Return one number that changes with every element and with their order."""
    flat = torch.cat([tensor.detach().double().flatten() for tensor in tensors])
    return float((flat * torch.arange(1, len(flat) + 1).double().cos()).sum())


def rounded(value: Any) -> Any:
    """Return nested lists and mappings with their floats rounded; NaN, which JSON has not, as None."""
    if isinstance(value, Mapping):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.{DIGITS}g}")
    return value


def check(found: Any, recorded: Any, where: str = "") -> None:
    """Compare nested lists and mappings: floats within the tolerance, everything else exactly."""
    if isinstance(recorded, dict):
        assert found.keys() == recorded.keys(), where
        for key, value in recorded.items():
            check(found[key], value, f"{where} {key}")
    elif isinstance(recorded, list):
        assert len(found) == len(recorded), where
        for place, value in enumerate(recorded):
            check(found[place], value, f"{where} {place}")
    elif isinstance(recorded, float):
        assert found == pytest.approx(recorded, rel=RELATIVE, abs=ABSOLUTE), where
    else:
        assert found == recorded, where


def check_recorded(record: Path, name: str, found: Any, refresh: str) -> None:
    """Compare with what stands under a name in a JSON file; say how to record what is new, or moved on purpose."""
    recorded = json.loads(record.read_text()).get(name)
    assert recorded is not None, f"{name} is not recorded yet: run `{refresh}` and commit the file"
    try:
        check(rounded(found), recorded, name)
    except AssertionError as wrong:
        pytest.fail(
            f"{wrong}\n{name} moved; if that is meant, run `{refresh}` and give the reason in the commit"
        )


def write_record(record: Path, every: Mapping[str, Any]) -> None:
    """Write what was found, an entry a line."""
    lines = [f"{json.dumps(name)}: {json.dumps(rounded(found))}" for name, found in every.items()]
    record.write_text("{\n" + ",\n".join(lines) + "\n}\n")
