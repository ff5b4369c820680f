"""BOHB's densities and decisions in numbers: a wrong bandwidth, order or draw shows here, though it searches on.

Recorded where the densities were found equal to those of statsmodels, and the decisions to those of HpBandSter. Refresh
on purpose only: `python -m tests.search.test_bohb_recorded`, and say in the commit why they moved.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from natslib.search import Result
from natslib.search.algorithms.bohb import Model, propose_from
from natslib.spaces import get_space

from .toy import toy_scores

RECORD = Path(__file__).with_name("recorded_bohb.json")
REFRESH = "python -m tests.search.test_bohb_recorded"
SEEN = 60  # results: 9 good and 51 bad ones
SPACES = ["tss", "sss"]


def fitted(space: str) -> Model:
    """Return the model after results whose scores tie now and then, so that the order of equals counts too.

    The first position is the last choice but for a few, so that the least bandwidth and infinite densities occur.
    """
    there = get_space(space)
    model, scores = Model(len(there.positions) + 1, 0.3), np.round(toy_scores(there))
    codes = there.sample(np.random.default_rng(0), SEEN)
    codes[:, 0] = len(there.choices) - 1 - (codes[:, 0] == 0)
    for code in map(tuple, codes.tolist()):
        model.observe(Result(code, float(scores[there.index(code)]), 4))
    return model


def behaviour(space: str) -> dict[str, Any]:
    """Return data, bandwidths and values of both densities, candidates drawn from the good one, and decisions."""
    there, model = get_space(space), fitted(space)
    assert model.densities is not None
    codes = there.codes(np.linspace(0, len(there) - 1, 8).astype(int))
    found: dict[str, Any] = {}
    for name, density in zip(("good", "bad"), model.densities, strict=True):
        found[name] = {
            "data": there.indices(density.data).tolist(),
            "bandwidth": density.bandwidth.tolist(),
            "pdf": density.pdf(np.concatenate([codes, density.data[:4]])).tolist(),
        }
    drawn = model.densities[0].draw_near(len(there.choices), 12, np.random.default_rng(1))
    found["drawn"] = there.indices(drawn).tolist()
    rng = np.random.default_rng(2)
    found["decisions"] = [there.index(propose_from(model, there, 4, rng)) for _ in range(24)]
    return found


@pytest.mark.parametrize("space", SPACES)
def test_densities_and_decisions_are_those_recorded(space: str) -> None:
    recorded, now = json.loads(RECORD.read_text())[space], behaviour(space)
    why = f"; if that is meant, run `{REFRESH}` and give the reason in the commit"
    for name in ("good", "bad"):
        assert now[name]["data"] == recorded[name]["data"], f"other {name} architectures{why}"
        for what in ("bandwidth", "pdf"):
            np.testing.assert_allclose(now[name][what], recorded[name][what], rtol=1e-10, err_msg=what + why)
    assert now["drawn"] == recorded["drawn"], f"other candidates{why}"
    assert now["decisions"] == recorded["decisions"], f"other decisions{why}"


if __name__ == "__main__":
    every = {space: behaviour(space) for space in SPACES}
    RECORD.write_text(
        "{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(every[key])}" for key in every) + "\n}\n"
    )
