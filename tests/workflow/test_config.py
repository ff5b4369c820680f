import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from natslib.errors import ConfigError, UnknownName
from natslib.weight_sharing import METHODS, get_method
from natslib.weight_sharing.presets import PRESETS
from natslib.workflow.catalogue import CATALOGUE
from natslib.workflow.config import (
    asked_files,
    expand_searches,
    expand_sources,
    left_out,
    records_of,
    told,
)

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"
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
    "arch": "0-99",
    "seed": "777",
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
        ({"figures": "drawn/{x}"}, "does not match"),
        ({"sources": {}}, "non-empty|enough properties"),
        (source(origin=None), "'origin' is a required property"),
        (source(colums="y"), "Additional properties"),
        ({"sources": {"../up": {"origin": "x"}}}, "does not match"),
        (source(origin=3), "not of type 'string'"),
        (source(split=None), "'split' is a required property"),
        (source(split="valtest"), "is not one of"),
        (source(recipe=12), "12 is not of type 'string'"),
        (source(items="some"), "is not valid under any"),
        ({"runs": 1}, "1 is less than the minimum"),
        (source(items=["ranks", "ranks"]), "non-unique"),
        (source(items=["a/b"]), "does not match"),
        (source(train=TRAIN), "should not be valid under"),
        (trained(TRAIN, columns="x.yaml"), "should not be valid under"),
        (trained(TRAIN, space="tss"), "should not be valid under"),
        (trained(TRAIN | {"shards": None}), "'shards' is a required property"),
        (trained(TRAIN | {"shards": 0}), "0 is less than the minimum"),
        (trained(TRAIN | {"recipe": None}), "'recipe' is a required property"),
        (trained(TRAIN | {"arch": "all"}), "'all' does not match"),
        (trained(TRAIN | {"seeds": "777"}), "Additional properties"),
        (trained(PLAN | {"recipe": "12"}), "'recipe' is not one of"),
    ],
)
def test_the_schema_refuses(change, complaint):
    with pytest.raises(jsonschema.ValidationError, match=complaint):
        check(GOOD | change)


@pytest.mark.parametrize("train", [TRAIN, PLAN], ids=["list", "plan"])
def test_a_source_may_be_trained(train):
    check(GOOD | trained(train))


def test_an_unknown_space_is_refused_with_those_that_are_known():
    with pytest.raises(UnknownName, match="unknown space 'topologie': allowed are 'tss', 'sss'"):
        asked(a={"space": "topologie"})
    with pytest.raises(UnknownName, match="unknown space 'nds': allowed are 'tss', 'sss'"):
        expand_sources(trained(TRAIN | {"space": "nds"})["sources"])


def test_the_schema_names_the_settings_of_searches_that_there_are():
    assert set(SCHEMA["properties"]["searches"]["properties"]["settings"]["enum"]) == set(PRESETS)


def test_a_trained_source_waits_for_all_its_shards():
    expanded = expand_sources(trained(TRAIN | {"data": "~/images"})["sources"])["published"]
    assert expanded["origin"] == "results/training/published/tss"
    assert expanded["files"] == [
        "results/training/published/shard-0-of-2.finished",
        "results/training/published/shard-1-of-2.finished",
    ]
    assert expanded["training"][:2] == ["--space=tss", "--arch=0-99"]
    assert f"--data={Path.home() / 'images'}" in expanded["training"]
    assert not [option for option in expanded["training"] if "shards" in option]


def test_published_is_no_file():
    expanded = expand_sources(GOOD["sources"])["published"]
    assert (expanded["origin"], expanded["files"], expanded["options"]) == ("published", [], [])


def said_of(name, **settings):
    config = {"figures": "drawn", "runs": 3, "runs_others": 2, "searches": FOUND}
    sources = {"mine": {"origin": "published", "split": "valid", "recipe": "12"}}
    words = told(CATALOGUE[name], "mine", config | {"sources": sources} | settings)
    return {key: json.loads(value) for key, value in (word.split("=", 1) for word in words)}


def test_an_item_sets_parameters_of_its_notebook():
    said = said_of("nasbench201_correlation")
    assert (said["correlations"], said["thresholds_pct"]) == ("pearson", "92,93")
    assert said["item"] == "NAS-Bench-201, Figure 4"
    assert said_of("correlation")["correlations"] == "kendall"
    assert "correlations" not in said_of("ranks")


FOUND = {"origin": "logs/weight-sharing", "settings": "digits", "dataset": "digits"}
FOLDER = {"table": "results/tables/mine"}


def test_a_notebook_is_told_what_its_source_and_the_configuration_say():
    assert said_of("anytime") == FOLDER | {
        "trajectories": "results/multi-trial/mine", "runs": 3, "runs_others": 2,
        "figure_anytime": "drawn/anytime_mine", "figure_algorithms": "drawn/algorithms_mine",
    }  # fmt: skip
    own = {"mine": {"origin": "published", "split": "valid", "recipe": "12", "runs": 4}}
    assert said_of("anytime", sources=own)["runs"] == 4  # the source's own number, the configuration's
    assert said_of("anytime", sources=own)["runs_others"] == 2
    assert said_of("ranks") == FOLDER | {
        "recipe": "12", "figure2": "drawn/fig2_ranks_across_datasets_mine",
    }  # fmt: skip
    assert said_of("accuracy_vs_cost") == FOLDER | {
        "recipe": "12", "splits": "train,valid", "figure3": "drawn/fig3_accuracy_vs_cost_mine",
    }  # fmt: skip
    assert said_of("darts_pt") == FOLDER | {
        "searches": "logs/weight-sharing", "settings": "digits", "dataset": "digits",
        "figure_choices": "drawn/darts_pt_mine", "figure_strength": "drawn/darts_pt_strength_mine",
        "figure_orders": "drawn/darts_pt_orders_mine", "figure_rows": "drawn/darts_pt_table_mine",
    }  # fmt: skip
    further = FOUND | {"further": {"digit-pairs": "digits-40", "photos": "digits-60"}}
    said = said_of("table4_weight_sharing", searches=further)
    assert (said["settings"], said["dataset"]) == ("digits", "digits")
    assert said["further"] == "digit-pairs:digits-40,photos:digits-60"
    assert said_of("table4_weight_sharing")["further"] == ""
    several = said_of("nas_ood")
    assert (several["settings"], several["dataset"]) == ("digits-20", "digits-tinted,digits-rotated")
    assert said_of("your_algorithm")["entry"] == "results/leaderboard/my_search_mine"
    ran = {"dataset": "digits", "settings": "smoke"}
    assert said_of("weight_sharing", searches=ran)["searches"] == "results/weight-sharing"


def test_what_needs_no_source_is_told_of_none():
    assert said_of("protocol") == {
        "figure_recipes": "drawn/table2_recipes", "figure_datasets": "drawn/table3_datasets",
        "figure_nasbench201": "drawn/nasbench201_table1_recipe",
    }  # fmt: skip


SHIPPED = {"origin": str(ROOT / "logs/weight-sharing"), "settings": "digits", "dataset": "digits"}


def asked(**sources):
    made = {name: {"origin": "x", "items": "all"} | change for name, change in sources.items()}
    files = asked_files({"figures": "f", "sources": made, "searches": SHIPPED})
    return {Path(file).stem for file in files}


def test_each_source_asks_for_its_own_figures():
    stems = asked(a={"items": ["fig5_correlation", "seed_noise"]}, b={"items": ["seed_noise"]})
    assert {stem for stem in stems if stem.endswith(("_a", "_b"))} == {
        "fig5_correlation_a",
        "seed_noise_a",
        "seed_noise_b",
    }
    assert {"fig1_search_spaces", "search_spaces_counts", "table2_recipes", "table3_datasets"} <= stems


def test_all_is_what_a_source_of_its_kind_can_give():
    assert "darts_pt_table_a" in asked(a={})
    assert "darts_pt_table_a" not in asked(a={"space": "sss"})
    assert "fresh_training_a" not in asked(a={})
    assert "fresh_training_a" in asked(a={"train": {"space": "tss"}})
    assert "darts_pt_a" not in asked(a={"train": {"space": "sss"}})


def test_what_a_finished_table_lacks_is_left_out(tmp_path):
    block = {"dataset": "digits", "recipe": "12", "seed": 777, "rows": 9}
    manifest = {"blocks": [block | {"split": split} for split in ("valid", "test")], "sha256": {}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    items = ["fig4_ranks_valid_test", "seed_noise"]
    config = {"figures": "f", "searches": SHIPPED}
    config["sources"] = {"a": {"origin": str(tmp_path), "items": items}, "b": {"origin": "x", "items": items}}
    assert left_out(config) == {"seed_noise_a": "it lacks two runs of an architecture"}
    drawn = {Path(file).stem for file in asked_files(config)}
    assert {"fig4_ranks_valid_test_a", "fig4_ranks_valid_test_b", "seed_noise_b"} <= drawn
    assert "seed_noise_a" not in drawn
    sure = {Path(file).stem for file in asked_files(config, sure=True)}
    assert {stem for stem in sure if stem.endswith(("_a", "_b"))} == {"fig4_ranks_valid_test_a"}


def test_what_a_source_of_another_kind_cannot_have_is_told():
    sources = {"a": {"origin": "x", "items": "all", "space": "sss"}}
    told = left_out({"figures": "f", "sources": sources, "searches": SHIPPED})
    assert told["darts_pt_table_a"] == "it is about the topology space"
    assert told["autoshrink_path_a"] == "it is about spaces of cells"
    assert told["fresh_training_a"] == "it is about training of our own"


def test_the_official_configuration_draws_the_whole_catalogue():
    config = yaml.safe_load((CONFIG / "official.yaml").read_text())
    stems = asked(**config["sources"])
    for item in CATALOGUE.values():
        for stem in item.figures.values():
            assert (f"{stem}_tss" in stems) == ("table" in item.needs and item.only != "own"), stem
            assert (f"{stem}_sss" in stems) == ("table" in item.needs and not item.only), stem


def test_a_table_is_asked_for_as_text_too():
    source = {"origin": "x", "items": ["table4_multi_trial"]}
    files = asked_files({"figures": "f", "sources": {"a": source}, "searches": SHIPPED})
    assert "f/table4_multi_trial_a.md" in files
    assert "f/table4_multi_trial_a.tex" in files
    assert "f/fig1_search_spaces.md" not in files


def test_an_unknown_item_is_named():
    with pytest.raises(UnknownName, match=r"unknown item 'fig5'.*'fig5_correlation'"):
        asked(a={"items": ["fig5"]})


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


@pytest.mark.parametrize("path", ["-x.csv", "--processes"])
def test_a_path_is_never_taken_for_an_option(path):
    assert expand_sources(source(origin=path)["sources"])["published"]["origin"] == f"./{path}"


@pytest.mark.parametrize("path", ["t{w}o.csv", "{source}", "a}b"])
def test_braces_are_refused_before_snakemake_sees_a_wildcard(path):
    with pytest.raises(ConfigError, match=r"source 'published'.*holds braces.*rename it, or convert it"):
        expand_sources(source(origin=path)["sources"])


RUN = {"space": "sss", "methods": ["tas"], "seeds": [1, 2]}
SEARCHES = {"dataset": "digits", "settings": "smoke", "run": [RUN, RUN | {"warm_up": 0}]}


def test_a_search_is_a_job_with_the_options_of_the_command():
    jsonschema.validate(GOOD | {"searches": SEARCHES}, SCHEMA, cls=jsonschema.Draft202012Validator)
    expanded = expand_searches(SEARCHES)
    assert list(expanded["runs"]["smoke"]) == [
        "sss-digits-tas-1", "sss-digits-tas-2", "sss-digits-tas-1-warm-up-0", "sss-digits-tas-2-warm-up-0",
    ]  # fmt: skip
    options = [
        "--dataset=digits",
        "--settings=smoke",
        "--space=sss",
        "--algorithm=tas",
        "--seed=2",
        "--warm-up=0",
    ]
    assert expanded["runs"]["smoke"]["sss-digits-tas-2-warm-up-0"] == options
    first = "results/weight-sharing/smoke/sss-digits-tas-1/finished"
    assert expanded["finished"]["smoke"]["sss-digits"][0] == first
    assert records_of(expanded, CATALOGUE["weight_sharing"]) == [
        "results/weight-sharing/smoke/sss-digits.parquet",
        "results/weight-sharing/smoke/sss-digits-scores.parquet",
    ]


def test_some_searches_may_have_other_settings_and_another_dataset():
    other = RUN | {"settings": "digits-40", "dataset": "photos"}
    asked = SEARCHES | {"run": [RUN, other]}
    jsonschema.validate(GOOD | {"searches": asked}, SCHEMA, cls=jsonschema.Draft202012Validator)
    expanded = expand_searches(asked)
    options = expanded["runs"]["digits-40"]["sss-photos-tas-1"]
    assert options[:3] == ["--dataset=photos", "--settings=digits-40", "--space=sss"]
    assert expanded["joined"] == {"smoke": ["sss-digits"], "digits-40": ["sss-photos"]}


def test_records_on_further_datasets_are_those_of_the_item_that_needs_them():
    other = RUN | {"settings": "digits-40", "dataset": "photos"}
    asked = SEARCHES | {
        "run": [RUN, other, other | {"dataset": "digit-pairs"}],
        "further": {"photos": "digits-40"},
    }
    jsonschema.validate(GOOD | {"searches": asked}, SCHEMA, cls=jsonschema.Draft202012Validator)
    read = [
        Path(path).stem for path in records_of(expand_searches(asked), CATALOGUE["table4_weight_sharing"])
    ]
    assert read == ["sss-digits", "sss-digits-scores", "sss-photos", "sss-photos-scores"]
    read = [Path(path).stem for path in records_of(expand_searches(asked), CATALOGUE["weight_sharing"])]
    assert read == ["sss-digits", "sss-digits-scores"]


def test_a_further_dataset_that_was_not_searched_is_named():
    searches = {"dataset": "digits", "settings": "smoke", "run": [RUN], "further": {"photos": "smoke"}}
    asked = GOOD | {"searches": searches} | source(items="all")
    assert not [path for path in asked_files(asked) if "table4_weight_sharing" in path]
    with pytest.raises(ConfigError, match=r"needs searches with the settings smoke on photos, which"):
        asked_files(asked | source(items=["table4_weight_sharing"]))


def test_searches_that_were_run_before_are_only_read():
    expanded = expand_searches(SHIPPED)
    assert expanded["runs"] == {}
    found = records_of(expanded, CATALOGUE["weight_sharing"])
    assert found[0] == f"{ROOT}/logs/weight-sharing/digits/sss-digits.parquet"
    assert all(Path(path).is_file() for path in found)


def test_items_of_settings_that_were_not_searched_are_left_out():
    searches = {"dataset": "digits", "settings": "smoke", "run": [RUN]}
    asked = GOOD | {"searches": searches} | source(items="all")
    assert not [path for path in asked_files(asked) if "nasbench201_weight_sharing" in path]
    named = asked | source(items=["nasbench201_weight_sharing"])
    with pytest.raises(
        ConfigError, match=r"needs searches with the settings nas-bench-201-digits, nas-bench-201-bn0"
    ):
        asked_files(named)
    more = searches | {
        "run": [RUN, *(RUN | {"settings": f"nas-bench-201{bn0}-digits"} for bn0 in ("", "-bn0"))]
    }
    assert [path for path in asked_files(asked | {"searches": more}) if "nasbench201_weight_sharing" in path]


@pytest.mark.parametrize(
    "change",
    [
        {"settings": None},
        {"run": None},
        {"origin": "x"},
        {"settings": "tiny"},
        {"run": [RUN | {"seed": 1}]},
        {"further": {"photos": "tiny"}},
        {"further": ["photos"]},
    ],
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
