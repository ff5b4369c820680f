"""The first proposals of every search, recorded: a change of behaviour shows here first.

Refresh on purpose only: `python -m tests.search.test_recorded`, and say in the commit why they moved.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from natslib.search import SEARCHES, Trial
from natslib.spaces import get_space

from .toy import drive

RECORD = Path(__file__).with_name("recorded_proposals.json")
NAMES = [name for name in SEARCHES if name != "tpe"]  # Optuna's proposals change with its versions
COUNT = 40
REFRESH = "python -m tests.search.test_recorded"


def first_proposals(name: str, space: str) -> list[list[int]]:
    """Index of each proposal, and the epochs where it names them."""
    there = get_space(space)
    proposals = drive(SEARCHES[name](there, np.random.default_rng(0)), there, COUNT)
    return [
        [there.index(proposal.arch), proposal.epochs]
        if isinstance(proposal, Trial)
        else [there.index(proposal)]
        for proposal in proposals
    ]


@pytest.mark.parametrize("space", ["tss", "sss"])
@pytest.mark.parametrize("name", NAMES)
def test_first_proposals_are_those_recorded(name: str, space: str) -> None:
    recorded = json.loads(RECORD.read_text()).get(f"{name} {space}")
    assert recorded is not None, (
        f"{name} is not recorded yet in the space {space}: run `{REFRESH}` and commit the file"
    )
    assert first_proposals(name, space) == recorded, (
        f"{name} proposes other architectures than before; if that is meant, run `{REFRESH}` and give the reason in "
        "the commit"
    )


def test_a_new_algorithm_is_told_how_to_be_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SEARCHES, "new", SEARCHES["random"])
    with pytest.raises(AssertionError, match=rf"new is not recorded yet in the space tss: run `{REFRESH}`"):
        test_first_proposals_are_those_recorded("new", "tss")


if __name__ == "__main__":
    every = {f"{name} {space}": first_proposals(name, space) for name in NAMES for space in ("tss", "sss")}
    RECORD.write_text("{\n" + ",\n".join(f"{json.dumps(key)}: {every[key]}" for key in every) + "\n}\n")
