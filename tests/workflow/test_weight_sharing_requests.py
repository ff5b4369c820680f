"""The parameters of notebooks of weight-sharing searches, and the configuration of the searches themselves."""

import jsonschema
import pandas as pd
import pytest
import yaml

from natslib.errors import UnknownName
from natslib.weight_sharing import METHODS, get_method
from natslib.workflow.config import expand_searches
from natslib.workflow.weight_sharing_requests import EpochsRequest, WrongRequest

from .test_config import CONFIG, GOOD, SCHEMA

ASKED = {"table": "published", "searches": "logs/weight-sharing", "dataset": "digits", "own": "logs"}
RUN = {"space": "sss", "methods": ["tas"], "seeds": [1, 2]}
SEARCHES = {"dataset": "digits", "settings": "smoke", "run": [RUN, RUN | {"warm_up": 0}]}


def request(**change):
    return EpochsRequest(**ASKED | {"methods": "gdas, rsps", "figure_epochs": "a"} | change)


def test_records_come_in_the_order_of_the_asked_searches(tmp_path):
    frame = pd.DataFrame({"method": ["rsps", "enas", "gdas", "rsps"], "epoch": [0, 0, 0, 1]})
    frame.to_parquet(tmp_path / "tss-digits.parquet")
    found = request(searches=str(tmp_path)).read_records("tss")
    assert found.values.tolist() == [["gdas", 0], ["rsps", 0], ["rsps", 1]]


def test_our_own_table_may_be_absent(tmp_path):
    (tmp_path / "embedded-tss").mkdir()
    assert request(own=str(tmp_path)).own_table("tss") == tmp_path / "embedded-tss"
    assert request(own=str(tmp_path)).own_table("sss") is None


def test_unknown_searches_are_refused():
    with pytest.raises(UnknownName, match=r"'gda'.*gdas"):
        request(methods="gda")
    with pytest.raises(UnknownName, match="'pt'"):
        WrongRequest(
            **ASKED,
            methods="gdas",
            masking="pt",
            figure_operations="a",
            figure_magnitudes="b",
            figure_ranks="c",
        )


def test_the_provenance_names_the_records_by_their_content():
    told = request().provenance()["searches"]
    assert set(told["sha256"]) == {f"{s}-digits{k}.parquet" for s in ("tss", "sss") for k in ("", "-scores")}
    assert all("commit" in stamp for stamps in told["stamps"].values() for stamp in stamps)


def test_a_search_is_a_job_with_the_options_of_the_command():
    jsonschema.validate(GOOD | {"searches": SEARCHES}, SCHEMA, cls=jsonschema.Draft202012Validator)
    expanded = expand_searches(SEARCHES)
    assert list(expanded["runs"]) == [
        "sss-tas-1", "sss-tas-2", "sss-tas-1-warm-up-0", "sss-tas-2-warm-up-0",
    ]  # fmt: skip
    options = [
        "--dataset=digits",
        "--settings=smoke",
        "--space=sss",
        "--algorithm=tas",
        "--seed=2",
        "--warm-up=0",
    ]
    assert expanded["runs"]["sss-tas-2-warm-up-0"] == options
    assert expanded["finished"]["sss"][0] == "results/weight-sharing/smoke/sss-tas-1/finished"
    assert expanded["files"][0] == "results/weight-sharing/smoke/tss-digits.parquet"


def test_searches_that_were_run_before_are_only_read():
    expanded = expand_searches({"origin": "logs/weight-sharing", "dataset": "digits"})
    assert expanded["runs"] == {}
    assert expanded["files"][3] == "logs/weight-sharing/sss-digits-scores.parquet"


@pytest.mark.parametrize(
    "change",
    [{"settings": None}, {"run": None}, {"origin": "x"}, {"settings": "tiny"}, {"run": [RUN | {"seed": 1}]}],
)
def test_the_schema_refuses_other_searches(change):
    searches = {key: value for key, value in (SEARCHES | change).items() if value is not None}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(GOOD | {"searches": searches}, SCHEMA, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("name", ["weight-sharing.yaml", "smoke.yaml"])
def test_the_configurations_run_every_search_on_its_space(name):
    groups = yaml.safe_load((CONFIG / name).read_text())["searches"]["run"]
    asked = {(method, group["space"]) for group in groups for method in group["methods"]}
    assert asked == {(method, get_method(method).space) for method in METHODS}
