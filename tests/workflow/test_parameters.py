"""A notebook's parameters are checked by their names before anything is computed."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from natslib.errors import BadSource, ConfigError, UnknownName
from natslib.workflow import parameters
from natslib.workflow.parameters import check

ROOT = Path(__file__).resolve().parents[2]
RECORDS = {
    "searches": str(ROOT / "logs/weight-sharing"),
    "settings": "digits",
    "dataset": "digits",
    "methods": "gdas, rsps",
}


def test_what_is_no_parameter_is_left_alone():
    asked = check({"table": "published", "np": object(), "fig": 3, "_": 1})
    assert asked.checked == {"table": "published"}
    with pytest.raises(AttributeError, match="the notebook declares no parameter 'split'"):
        _ = asked.split


def test_stems_are_found_by_name_and_meant_from_the_root(tmp_path, monkeypatch):
    (tmp_path / "Snakefile").touch()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    asked = check({"figure1": "results/a", "figure_counts": "results/b"})
    assert asked.stem("figure1") == tmp_path / "results" / "a"
    assert asked.stem("figure_counts") == tmp_path / "results" / "b"


@pytest.mark.parametrize("stem", ["", "results/fig.svg", "fig.json", "table.md"])
def test_a_stem_has_no_suffix(stem):
    with pytest.raises(ConfigError, match=r"figure9 is .*; allowed is a file name without its suffix"):
        check({"figure9": stem})


@pytest.mark.parametrize(
    "name", ["table", "recipe", "split", "algorithms", "budget", "figure1", "architectures"]
)
def test_a_number_is_no_text(name):
    with pytest.raises(ConfigError, match=rf"{name} is 12; allowed is text, in quotes \(papermill: -r"):
        check({name: 12})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("runs", 1, r"runs is 1; allowed are whole numbers from 2 \(an interval needs two\)"),
        ("runs_others", 1, "runs_others is 1"),
        ("runs", True, "runs is True"),
        ("seed", -1, "seed is -1; allowed are whole numbers from 0"),
        ("seed", "0", "seed is '0'"),
        ("processes", 0, "processes is 0"),
        ("draws", 0, "draws is 0"),
        ("thresholds_pct", 920, r"thresholds_pct is 920; allowed is 0 to 100 \(percent\)"),
        ("thresholds_pct", "92,930", r"thresholds_pct is 930.0; allowed is 0 to 100 \(percent\)"),
        (
            "moments_pct",
            "half",
            r"moments_pct is 'half'; allowed are numbers from 0 to 100 \(percent\) with commas",
        ),
        ("moments_pct", "", "moments_pct is ''; allowed are numbers"),
        ("budget", "100", "the budget '100' was given"),
    ],
)
def test_numbers_are_checked(name, value, message):
    with pytest.raises(ConfigError, match=message):
        check({name: value})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("split", "both", "unknown split 'both'"),
        ("splits", "train,val", r"unknown split 'val'.*did you mean 'valid'"),
        ("algorithms", "reas", r"unknown algorithm 'reas'.*did you mean 'rea'"),
        ("others", "npena", "unknown algorithm 'npena'"),
        ("rule", "line", "unknown rule of anytime curves 'line'"),
        ("methods", "gda", r"'gda'.*gdas"),
        ("masking", "pt", "'pt'"),
    ],
)
def test_names_are_checked(name, value, message):
    with pytest.raises(UnknownName, match=message):
        check({name: value})


def test_lists_have_commas():
    asked = check(
        {"algorithms": "rea, random", "splits": "train, test", "runs": 5, "seed": 0, "processes": 2}
    )
    assert (asked.algorithms, asked.splits) == (["rea", "random"], ["train", "test"])
    assert asked.how == {"runs": 5, "seed": 0, "processes": 2}


def test_an_architecture_is_an_index_or_a_string():
    assert check({"architecture": "12"}).architecture == 12
    assert check({"architecture": "|none~0|"}).architecture == "|none~0|"


def test_architectures_are_indices_or_spread():
    assert check({"architectures": "5, 1462"}).architectures == [5, 1462]
    assert check({"architectures": "spread"}).architectures == []
    for wrong in ("", "5,,6", "five", "-1"):
        with pytest.raises(ConfigError, match="allowed are 'spread' or indices with commas"):
            check({"architectures": wrong})


def test_a_table_is_a_folder_of_the_project_or_a_name(tmp_path, monkeypatch):
    (tmp_path / "Snakefile").touch()
    (tmp_path / "results" / "tss").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "results")
    assert check({"table": "results/tss"}).source == str(tmp_path / "results" / "tss")
    assert check({"table": "published"}).source == "published"


def test_provenance_holds_parameters_and_hashes_but_no_places():
    manifest = {"origin": "x", "sha256": {"finals.parquet": "ab"}, "blocks": [1], "source": {"name": "y 1"}}
    given = {
        "table": "published",
        "splits": "train,test",
        "processes": 2,
        "entry": "results/x",
        "figure2": "a",
    }
    record = check(given).provenance(manifest)
    assert record["parameters"] == {"table": "published", "splits": "train,test"}
    assert record["table"] == {"origin": "x", "source": {"name": "y 1"}, "sha256": {"finals.parquet": "ab"}}
    assert "table" not in check(given).provenance()


def test_records_come_in_the_order_of_the_asked_searches(tmp_path):
    frame = pd.DataFrame({"method": ["rsps", "enas", "gdas", "rsps"], "epoch": [0, 0, 0, 1]})
    (tmp_path / "digits").mkdir()
    frame.to_parquet(tmp_path / "digits/tss-digits.parquet")
    found = check(RECORDS | {"searches": str(tmp_path)}).read_records("tss")
    assert found.values.tolist() == [["gdas", 0], ["rsps", 0], ["rsps", 1]]


def test_records_by_several_settings_stand_together(tmp_path):
    for settings in ("digits-40", "digits"):
        (tmp_path / settings).mkdir()
        frame = pd.DataFrame({"method": ["rsps"], "settings": settings})
        frame.to_parquet(tmp_path / settings / "tss-digits.parquet")
    found = check(RECORDS | {"searches": str(tmp_path), "settings": "digits-40,digits"})
    assert found.read_records("tss")["settings"].tolist() == ["digits-40", "digits"]
    assert found.records("tss").parent.name == "digits-40"
    assert found.records("tss", settings="digits").parent.name == "digits"


def test_records_on_further_datasets_stand_behind_the_first(tmp_path):
    for settings, dataset in (("digits", "digits"), ("digits-40", "digit-pairs"), ("digits-60", "photos")):
        (tmp_path / settings).mkdir()
        frame = pd.DataFrame({"method": ["rsps"], "dataset": dataset})
        frame.to_parquet(tmp_path / settings / f"tss-{dataset}.parquet")
    given = RECORDS | {"searches": str(tmp_path), "further": "digit-pairs:digits-40, photos:digits-60"}
    found = check(given)
    assert found.read_records("tss")["dataset"].tolist() == ["digits", "digit-pairs", "photos"]
    assert found.further == [("digit-pairs", "digits-40"), ("photos", "digits-60")]
    assert found.records("tss").stem == "tss-digits"
    assert check(given | {"further": ""}).read_records("tss")["dataset"].tolist() == ["digits"]
    with pytest.raises(BadSource, match=r"digits-60/tss-digit-pairs.parquet: no such file"):
        check(given | {"further": "digit-pairs:digits-60"}).read_records("tss")


@pytest.mark.parametrize("further", ["photos", "photos:", ":digits", "photos:tiny", "photos=digits"])
def test_a_further_dataset_has_settings(further):
    with pytest.raises(
        (ConfigError, UnknownName), match=r"allowed is DATASET:SETTINGS|unknown settings 'tiny'"
    ):
        check({"further": further})


def test_records_that_are_not_there_are_named(tmp_path):
    asked = check(RECORDS | {"searches": str(tmp_path)})
    with pytest.raises(BadSource, match=r"tss-digits.parquet: no such file"):
        asked.read_records("tss")


def test_our_own_table_may_be_absent(tmp_path):
    (tmp_path / "embedded-tss").mkdir()
    asked = check({"own": str(tmp_path)})
    assert asked.own_table("tss") == tmp_path / "embedded-tss"
    assert asked.own_table("sss") is None
    assert asked.own_table("tss", "searched") is None
    (tmp_path / "searched-tss").mkdir()
    assert asked.own_table("tss", "searched") == tmp_path / "searched-tss"


def test_the_provenance_names_the_records_by_their_content():
    told = check(RECORDS).provenance()["searches"]
    kinds = [f"{space}-digits{kind}" for space in ("tss", "sss") for kind in ("", "-scores")]
    assert set(told["sha256"]) == {f"digits/{each}.parquet" for each in kinds}
    assert all("commit" in stamp for stamps in told["stamps"].values() for stamp in stamps)


def test_the_records_of_one_space_are_enough(tmp_path):
    (tmp_path / "digits").mkdir()
    shutil.copy(ROOT / "logs/weight-sharing/digits/tss-digits.parquet", tmp_path / "digits")
    told = check(RECORDS | {"searches": str(tmp_path)}).provenance()["searches"]
    assert set(told["sha256"]) == set(told["stamps"]) == {"digits/tss-digits.parquet"}


def test_nothing_can_be_changed_afterwards():
    asked = check({"recipe": "12"})
    with pytest.raises(AttributeError):
        asked.recipe = "200"


def test_every_check_is_used_by_a_notebook():
    texts = [path.read_text() for path in (ROOT / "notebooks").glob("*.ipynb")]
    unused = [name for name in parameters.CHECKS if not any(f'"{name}: ' in text for text in texts)]
    assert unused == []


CELLS = ["import numpy as np", "recipe: str = '12'  # x\nruns: int = 3  # y", "%time 1 + 1", "mine = 3"]


@pytest.mark.parametrize(
    ("injected", "message"),
    [
        ("datset = 'cifar100'", r"unknown parameter of this notebook 'datset': allowed are 'recipe', 'runs'"),
        ("run = 4", r"'run'.*did you mean 'runs'"),
        ("split = 'test'", "'split'"),  # of other notebooks
        ("RUNS = [4]", "'RUNS'"),
        ("recipe = '12'\nfigure9 = 'x'", "'figure9'"),
    ],
)
def test_what_papermill_injects_and_the_notebook_does_not_declare_is_refused(injected, message):
    cells = [*CELLS[:2], f"# Parameters\n{injected}\n", "asked = parameters.check(globals())"]
    with pytest.raises(UnknownName, match=message):
        check({"recipe": "12", "In": cells})


def test_what_papermill_injects_and_ones_own_variables_are_let_through():
    cells = [
        *CELLS,
        "# Parameters\nruns = 4\nrecipe = '200'\n",
        "here = 1",
        "asked = parameters.check(globals())",
    ]
    assert check({"recipe": "200", "runs": 4, "mine": 3, "In": cells}).checked == {"recipe": "200", "runs": 4}


@pytest.mark.parametrize(("given", "meant"), [(92, [92]), ("92", [92]), ("92, 93.5", [92, 93.5])])
def test_percents_are_one_number_or_several_with_commas(given, meant):
    assert check({"thresholds_pct": given}).thresholds_pct == meant
