"""Thousands of random calls give what the official packages give: the same value, or an error of the same type."""

import sys
from types import SimpleNamespace

import pytest

import natslib.nats_bench as ours
from natslib.nas_201_api import NASBench201API
from tests.dropin.archives import FOLDERS, records_of, whole_file
from tests.dropin.calls import (
    FLOAT32,
    NAS_201,
    NATS,
    Draw,
    lists_and_matrices,
    outcome,
    random_calls,
    same,
    unique,
)

NUMBER = 5000
EXACT = 0.0 if sys.version_info < (3, 12) else 1e-14
"""From Python 3.12 on `sum` of floats, which the official package uses, is compensated: the last bits differ."""


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("fast_mode", [True, False], ids=["fast", "whole"])
@pytest.mark.parametrize("space", ["tss", "sss"])
def test_random_calls_of_nats_bench(space, fast_mode, shared_data, tmp_path, monkeypatch):
    nats_bench = pytest.importorskip("nats_bench", reason="the official reader is not installed: extra 'dev'")
    folder = shared_data / "official-fragments" / FOLDERS[space]
    path = str(folder if fast_mode else whole_file(folder, tmp_path / f"{folder.name}.pickle.pbz2"))
    without_copies(monkeypatch, nats_bench.api_utils)
    theirs = nats_bench.create(path, space, fast_mode=fast_mode, verbose=False)
    mine = ours.create(path, space, fast_mode=fast_mode, verbose=False)
    kinds = NATS | ({"unique": unique, "lists_and_matrices": lists_and_matrices} if space == "tss" else {})
    draw = Draw(seed=NUMBER + fast_mode, space=space, archs=theirs.meta_archs)
    compare(mine, theirs, random_calls(draw, kinds, NUMBER // 2))


@pytest.mark.usefixtures("cache")
def test_random_calls_of_nas_201_api(shared_data, monkeypatch):
    official = pytest.importorskip(
        "nas_201_api", reason="the older official reader is not installed: extra 'dev'"
    )
    folder = shared_data / "official-fragments" / FOLDERS["tss"]
    whole = records_of(folder)
    named = {
        index: {"less": record["12"], "full": record["200"]} for index, record in whole["arch2infos"].items()
    }
    without_copies(monkeypatch, official.api_utils)
    theirs = official.NASBench201API(whole | {"arch2infos": named}, verbose=False)
    mine = NASBench201API(folder, verbose=False)
    compare(mine, theirs, random_calls(Draw(NUMBER, "tss", theirs.meta_archs), NAS_201, NUMBER))


def compare(mine, theirs, calls) -> None:
    wrong, answered = [], 0
    for number, one in enumerate(calls):
        expected, got = outcome(theirs, one, number), outcome(mine, one, number)
        answered += not isinstance(expected, type)
        if not same(got, expected, FLOAT32 if one.early else EXACT):
            wrong.append(f"{one.told}\n  official: {expected!r:.600}\n  natslib:  {got!r:.600}")
    assert not wrong, f"{len(wrong)} calls differ:\n" + "\n".join(wrong[:5])
    assert answered > 0.4 * number  # the calls are not all refused


def without_copies(monkeypatch, module):
    """Let the official package hand out what it holds: copying takes nine tenths of its time, nothing is altered."""
    monkeypatch.setattr(module, "copy", SimpleNamespace(deepcopy=lambda value: value))
