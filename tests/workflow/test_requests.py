"""A notebook's parameters are checked before anything is computed."""

from dataclasses import FrozenInstanceError

import pytest

from natslib.errors import ConfigError, UnknownName
from natslib.workflow.requests import (
    CorrelationRequest,
    CostRequest,
    FreshRequest,
    NoiseRequest,
    RanksRequest,
    SpacesRequest,
    source_line,
)


def test_stems_are_found_by_name_and_meant_from_the_root(tmp_path, monkeypatch):
    (tmp_path / "Snakefile").touch()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    request = SpacesRequest("9930", "8:8:8:8:8", "results/a", "results/b")
    assert request.stems == ["figure1", "figure_counts"]
    assert request.stem("figure1") == tmp_path / "results" / "a"


@pytest.mark.parametrize("stem", ["", "results/fig.svg", "fig.json"])
def test_a_stem_has_no_suffix(stem):
    with pytest.raises(ConfigError, match="allowed is a file name without its suffix"):
        SpacesRequest("0", "8:8:8:8:8", stem, "results/b")


def test_a_number_is_no_text():
    with pytest.raises(ConfigError, match=r"recipe is 12; allowed is text, in quotes \(papermill: -r"):
        CostRequest("published", 12, "valid", "a")


def test_a_cell_is_an_index_or_a_string():
    assert SpacesRequest("12", "", "a", "b").cell == 12
    assert SpacesRequest("|none~0|", "", "a", "b").cell == "|none~0|"


def test_a_table_is_a_folder_of_the_project_or_a_name(tmp_path, monkeypatch):
    (tmp_path / "Snakefile").touch()
    (tmp_path / "results" / "tss").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "results")
    folder = CostRequest("results/tss", "longest", "train, test", "a")
    assert folder.source == str(tmp_path / "results" / "tss")
    assert folder.split_names == ["train", "test"]
    assert CostRequest("published", "longest", "valid", "a").source == "published"


def test_values_are_checked():
    with pytest.raises(UnknownName, match=r"unknown split 'val'.*did you mean 'valid'"):
        CostRequest("published", "longest", "train,val", "a")
    with pytest.raises(UnknownName, match="unknown split 'both'"):
        RanksRequest("published", "longest", "both", "a", "b")
    with pytest.raises(ConfigError, match="threshold_pct is 920"):
        CorrelationRequest("published", "longest", "C10-T", 920, "a")
    with pytest.raises(ConfigError, match="draws is 0"):
        NoiseRequest("published", "longest", "valid", 0, 0, "a", "b")
    with pytest.raises(FrozenInstanceError):
        CostRequest("published", "longest", "valid", "a").recipe = "12"


def test_fresh_architectures_are_indices_or_spread():
    assert FreshRequest("t", "12", "digits", "test", "5, 1462", 0, "a").indices == [5, 1462]
    assert FreshRequest("t", "12", "digits", "test", "spread", 0, "a").indices == []
    for wrong in ("", "5,,6", "five", "-1"):
        with pytest.raises(ConfigError, match="allowed are 'spread' or indices with commas"):
            FreshRequest("t", "12", "digits", "test", wrong, 0, "a")
    with pytest.raises(ConfigError, match="seed is -1"):
        FreshRequest("t", "12", "digits", "test", "5", -1, "a")


def test_provenance_holds_parameters_and_hashes_but_no_places():
    manifest = {"origin": "x", "sha256": {"finals.parquet": "ab"}, "blocks": [1], "source": {"name": "y 1"}}
    record = RanksRequest("published", "200", "valid", "results/a", "results/b").provenance(manifest)
    assert record["parameters"] == {"table": "published", "recipe": "200", "split": "valid"}
    assert record["table"] == {"origin": "x", "source": {"name": "y 1"}, "sha256": {"finals.parquet": "ab"}}
    assert "table" not in SpacesRequest("0", "", "a", "b").provenance()


def test_source_line_names_the_package_where_there_is_one():
    assert source_line({"origin": "published", "source": {"name": "p 0.2"}}) == "source: published (p 0.2)"
    assert source_line({"origin": "NATS-tss", "source": {"files": 3}}) == "source: NATS-tss"


def test_source_line_tells_own_training_and_a_part_of_a_space():
    manifest = {"origin": "mine", "space": "sss", "blocks": [{"dataset": "photos"}, {"dataset": "digits"}]}
    line = source_line(manifest | {"architectures": {"measured": 1024}})
    assert "our own training of small networks on digits, photos, not CIFAR" in line
    assert line.endswith("1,024 of 32,768 architectures")
    assert "architectures" not in source_line(manifest | {"architectures": {"measured": 32768}})
