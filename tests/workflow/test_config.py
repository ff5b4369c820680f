from pathlib import Path

import jsonschema
import pytest
import yaml

from natslib.errors import ConfigError
from natslib.workflow.config import asked_stems, expand_sources

CONFIG = Path(__file__).resolve().parents[2] / "config"
SCHEMA = yaml.safe_load((CONFIG / "schema.yaml").read_text())
GOOD = {
    "figures": "figures",
    "sources": {
        "published": {"origin": "published", "split": "valid", "recipe": "longest", "items": ["ranks"]}
    },
}


def source(**change):
    """Return a configuration of one good source, changed; None leaves a key out."""
    changed = GOOD["sources"]["published"] | change
    kept = {key: value for key, value in changed.items() if value is not None}
    return {"sources": {"published": kept}}


TRAIN = {
    "space": "tss",
    "archs": "0-99",
    "seeds": "777",
    "dataset": "digits",
    "recipe": "12",
    "shards": 2,
}
PLAN = {"space": "sss", "plan": "embedded", "shards": 12}


def trained(train, **change):
    """Return a configuration of one source that is trained; None leaves a key of `train` out."""
    kept = {key: value for key, value in train.items() if value is not None}
    return source(origin=None, train=kept, **change)


def check(config):
    jsonschema.validate(config, SCHEMA, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    "path", sorted(set(CONFIG.glob("*.yaml")) - {CONFIG / "schema.yaml"}), ids=lambda path: path.name
)
def test_every_configuration_follows_the_schema(path):
    check(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"figure": "figures"}, "Additional properties"),
        ({"sources": {}}, "non-empty|enough properties"),
        (source(origin=None), "'origin' is a required property"),
        (source(colums="y"), "Additional properties"),
        ({"sources": {"../up": {"origin": "x"}}}, "does not match"),
        (source(origin=3), "not of type 'string'"),
        (source(split=None), "'split' is a required property"),
        (source(split="valtest"), "is not one of"),
        (source(recipe=12), "12 is not of type 'string'"),
        (source(items=None), "'items' is a required property"),
        (source(items=["ranks", "ranks"]), "non-unique"),
        (source(items=["a/b"]), "does not match"),
        (source(train=TRAIN), "should not be valid under"),
        (trained(TRAIN, columns="x.yaml"), "should not be valid under"),
        (trained(TRAIN | {"shards": None}), "'shards' is a required property"),
        (trained(TRAIN | {"shards": 0}), "0 is less than the minimum"),
        (trained(TRAIN | {"recipe": None}), "'recipe' is a required property"),
        (trained(TRAIN | {"archs": "all"}), "'all' does not match"),
        (trained(TRAIN | {"space": "nds"}), "'nds' is not one of"),
        (trained(TRAIN | {"seed": "777"}), "Additional properties"),
        (trained(PLAN | {"recipe": "12"}), "'recipe' is not one of"),
    ],
)
def test_the_schema_refuses(change, complaint):
    with pytest.raises(jsonschema.ValidationError, match=complaint):
        check(GOOD | change)


@pytest.mark.parametrize("train", [TRAIN, PLAN], ids=["list", "plan"])
def test_a_source_may_be_trained(train):
    check(GOOD | trained(train))


def test_a_trained_source_waits_for_all_its_shards():
    expanded = expand_sources(trained(TRAIN | {"data": "~/images"})["sources"])["published"]
    assert expanded["origin"] == "results/training/published/tss"
    assert expanded["files"] == [
        "results/training/published/shard-0-of-2.finished",
        "results/training/published/shard-1-of-2.finished",
    ]
    assert expanded["training"][:2] == ["--space=tss", "--archs=0-99"]
    assert f"--data={Path.home() / 'images'}" in expanded["training"]
    assert not [option for option in expanded["training"] if "shards" in option]


def test_published_is_no_file():
    expanded = expand_sources(GOOD["sources"])["published"]
    assert (expanded["origin"], expanded["files"], expanded["options"]) == ("published", [], [])


def test_accuracy_against_cost_shows_training_beside_the_split():
    assert expand_sources(GOOD["sources"])["published"]["drawn"] == "train,valid"


def test_each_source_asks_for_its_own_figures():
    sources = {"a": {"items": ["fig2", "fig3"]}, "b": {"items": ["fig3"]}}
    assert asked_stems(sources) == ["fig2_a", "fig3_a", "fig3_b"]


def test_paths_are_spelt_out(monkeypatch):
    monkeypatch.setenv("NATS_HOME", "/data")
    asked = source(origin="$NATS_HOME/runs.csv", columns="~/map.yaml")
    expanded = expand_sources(asked["sources"])["published"]
    columns = str(Path.home() / "map.yaml")
    assert expanded["origin"] == "/data/runs.csv"
    assert expanded["files"] == ["/data/runs.csv", columns]
    assert expanded["options"] == [f"--columns={columns}"]


@pytest.mark.parametrize("path", ["$NATS_UNSET/tss", "${NATS_UNSET}/tss"])
def test_an_unset_variable_is_named(monkeypatch, path):
    monkeypatch.delenv("NATS_UNSET", raising=False)
    with pytest.raises(ConfigError, match=r"source 'tss'.*NATS_UNSET, which is not set"):
        expand_sources({"tss": source(origin=path)["sources"]["published"]})
