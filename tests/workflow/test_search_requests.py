"""The parameters of notebooks of searches are checked before anything is computed."""

import pytest

from natslib.errors import ConfigError, UnknownName
from natslib.workflow.search_requests import AnytimeRequest, MultiTrialRequest, YourRequest

GOOD = {
    "table": "published",
    "recipe": "paper",
    "algorithms": "rea, random",
    "runs": 5,
    "seed": 0,
    "processes": 2,
}


def test_algorithms_are_a_list_with_commas():
    request = MultiTrialRequest(**GOOD, figure_table4="a")
    assert request.names == ["rea", "random"]
    assert request.how == {"runs": 5, "seed": 0, "processes": 2}


@pytest.mark.parametrize("change", [{"runs": 1}, {"seed": -1}, {"processes": 0}])
def test_numbers_are_checked(change):
    with pytest.raises(ConfigError, match="allowed are runs >= 2"):
        MultiTrialRequest(**GOOD | change, figure_table4="a")


def test_names_are_checked():
    with pytest.raises(UnknownName, match=r"unknown algorithm 'reas'.*did you mean 'rea'"):
        MultiTrialRequest(**GOOD | {"algorithms": "reas"}, figure_table4="a")
    good = GOOD | {
        "others": "npenas",
        "runs_others": 2,
        "rule": "step",
        "figure_anytime": "a",
        "figure_algorithms": "b",
    }
    assert AnytimeRequest(**good).other_names == ["npenas"]
    with pytest.raises(UnknownName, match="unknown algorithm 'npena'"):
        AnytimeRequest(**good | {"others": "npena"})
    with pytest.raises(UnknownName, match="unknown rule of anytime curves 'line'"):
        AnytimeRequest(**good | {"rule": "line"})
    with pytest.raises(ConfigError, match="runs_others is 1"):
        AnytimeRequest(**good | {"runs_others": 1})


def test_provenance_leaves_out_what_changes_nothing():
    request = YourRequest(**GOOD, author="me", entry="results/x", figure_yours="a")
    assert set(request.provenance()["parameters"]) == {
        "table",
        "recipe",
        "algorithms",
        "runs",
        "seed",
        "author",
    }
