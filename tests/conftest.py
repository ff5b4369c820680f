"""Fixtures that more than one folder of tests uses."""

from pathlib import Path

import pytest

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
