"""Fixtures that more than one folder of tests uses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import natslib
from natslib.errors import BadSource
from natslib.tables import Table

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of genuine NATS-Bench records beside the project; without it the tests that need it are skipped."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the genuine records in ../shared/data are not on this machine")
    return folder


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """The folder of inputs that once went wrong, beside the project; without it the tests that need it are skipped."""
    folder = ROOT.parent / "shared" / "cases"
    if not folder.is_dir():
        pytest.skip("the cases in ../shared/cases are not on this machine")
    return folder


@pytest.fixture(scope="session")
def published_table() -> Table:
    """The published results; the tests that need them are skipped where the package that carries them is not there."""
    try:
        return natslib.load("published")
    except BadSource as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread: more would cost more than they save on small networks."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
