"""Recorded runs: a file keeps what was asked for, the table answers again."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

import natslib
from natslib.errors import BadSource, ConfigError
from natslib.search.recorded import manifest_of, record_runs
from natslib.search.repeat import repeat
from natslib.search.store import repeat_into
from natslib.search.study import Study, find_studies, study_of
from tests.search.small_table import small_table

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted((ROOT / "logs/multi-trial").glob("*.parquet"))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return find_studies(small_table(tmp_path_factory.mktemp("small")))[0]


@pytest.fixture(scope="module")
def kept(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept")
    for name in ("rea", "bohb"):
        how = {"runs": 4, "seed": 5}
        repeat_into(folder / name, name, study.oracle_of(name), study.protocol, **how)
        record_runs(folder / name, folder / f"{name}.parquet")
    return folder


@pytest.mark.parametrize("runs", [4, 2])
@pytest.mark.parametrize("name", ["rea", "bohb"])
def test_recorded_runs_are_those_of_the_search(study: Study, kept: Path, name: str, runs: int) -> None:
    """Scores are drawn among two stored runs, and BOHB trains for fewer epochs too."""
    found = study.recorded(kept, ["random", name], runs=runs, seed=5)
    assert list(found) == [name]
    now = repeat(name, study.oracle_of(name), study.protocol, runs=runs, seed=5).frame
    pd.testing.assert_frame_equal(found[name], now)


def test_other_runs_are_not_taken_for_them(study: Study, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert study.recorded(kept, ["rea"], runs=5, seed=5) == {}
    assert study.recorded(kept, ["rea"], runs=4, seed=6) == {}
    shorter = replace(study, protocol=replace(study.protocol, budget=study.budget / 2))
    assert shorter.recorded(kept, ["rea"], runs=4, seed=5) == {}
    scores = study.oracle.scores.copy()
    scores[0, study.oracle.measured[0]] += 1.0
    altered = replace(study, oracle=replace(study.oracle, scores=scores))
    assert altered.recorded(kept, ["rea"], runs=4, seed=5) == {}
    monkeypatch.setattr("natslib.search.store.source_hash", lambda function: "another")
    assert study.recorded(kept, ["rea"], runs=4, seed=5) == {}


def test_a_damaged_file_is_named(study: Study, kept: Path, tmp_path: Path) -> None:
    table = pq.read_table(kept / "rea.parquet")
    first, second = table.column("arch_index").to_pylist()[:2]
    swapped = table.to_pandas().replace({"arch_index": {first: second}}).astype("int32")
    altered = table.from_pandas(swapped, preserve_index=False).replace_schema_metadata(table.schema.metadata)
    pq.write_table(altered, tmp_path / "rea.parquet")
    with pytest.raises(BadSource, match=r"rea.parquet: its runs are not those that were recorded"):
        study.recorded(tmp_path, ["rea"], runs=4, seed=5)
    for content in (b"", b"PAR1", (kept / "rea/search.json").read_bytes()):
        (tmp_path / "rea.parquet").write_bytes(content)
        with pytest.raises(BadSource, match=r"rea.parquet: no recorded runs of a search"):
            study.recorded(tmp_path, ["rea"], runs=4, seed=5)


def test_runs_of_several_workers_cannot_be_recorded(study: Study, tmp_path: Path) -> None:
    protocol = replace(study.protocol, workers=2)
    repeat_into(tmp_path / "runs", "asha", study.oracle_of("asha"), protocol, runs=1, seed=0)
    with pytest.raises(ConfigError, match="was run with 2 workers; runs of one can be recorded"):
        record_runs(tmp_path / "runs", tmp_path / "asha.parquet")


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_the_runs_that_ship_are_those_of_the_search_as_it_is(file: Path) -> None:
    """As many as the default configuration asks for; of one dataset a source, the first is done again."""
    told = manifest_of(file)["search"]
    source = file.stem.removeprefix(f"{told['algorithm']}-").removesuffix(f"-{dataset_of(told)}")
    place = ROOT / "logs" / source
    study = study_of(natslib.load(str(place) if place.is_dir() else source), dataset_of(told))
    runs = 10 if place.is_dir() else 30
    found = study.recorded(file.parent, [told["algorithm"]], runs=runs, seed=0)[told["algorithm"]]
    if dataset_of(told) not in ("cifar10", "digits"):
        return
    first = repeat(told["algorithm"], study.oracle, study.protocol, runs=1, seed=0).frame
    pd.testing.assert_frame_equal(found[found["run"] == 0], first)


def dataset_of(told: dict) -> str:
    return told["source"]["dataset"].replace("cifar10-valid", "cifar10")


def test_the_published_results_have_their_runs() -> None:
    names = {f"bananas-published-{dataset}" for dataset in ("cifar10", "cifar100", "ImageNet16-120")}
    assert names <= {file.stem for file in SHIPPED}
