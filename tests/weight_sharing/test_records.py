"""Finished searches become two small files that say where they come from."""

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from natslib.errors import BadSource, NatslibError
from natslib.spaces import get_space
from natslib.weight_sharing.loop import sample, score_sample
from natslib.weight_sharing.records import join_runs, manifest_of

from .tiny import noise, tiny


class Whole:
    def whole(self):
        return iter([noise(1), noise(2, n=7)])


def finished(folder: Path, method: str, seed: int, commit: str = "a", **columns) -> Path:
    folder.mkdir()
    run = {
        "method": method,
        "dataset": "digits",
        "seed": seed,
        "warm_up": 0.0,
        "epoch": [0, 1],
        "arch_index": [4, 5],
        "arch": ["a", "b"],
        "time_s": 0.5,
        "diverged": False,
    }
    pd.DataFrame(run | columns).to_parquet(folder / "run.parquet")
    scores = {"arch_index": [7], "inside": [False], "accuracy": [50.0], "loss": [1.0]}
    pd.DataFrame(scores).to_parquet(folder / "scores.parquet")
    (folder / "search.json").write_text(json.dumps({"method": method, "seed": seed, "epochs": 1}))
    (folder / "stamp.json").write_text(json.dumps({"commit": commit}))
    return folder


def test_joined_searches_keep_every_column_and_where_they_were_made(tmp_path):
    folders = [
        finished(tmp_path / "a", "gdas", 1, alphas=[[0.0], [1.0]]),
        finished(tmp_path / "b", "rsps", 2, alphas=[None, None]),
        finished(tmp_path / "c", "darts-pt", 2, commit="b", masked_accuracies=[[], [1.0, 2.0]]),
    ]
    records, scores = tmp_path / "joined" / "tss.parquet", tmp_path / "joined" / "scores.parquet"
    join_runs(folders, records, scores)
    frame = pd.read_parquet(records)
    assert frame["method"].tolist() == ["gdas"] * 2 + ["rsps"] * 2 + ["darts-pt"] * 2
    assert frame["alphas"][1].tolist() == [1.0]
    assert frame["alphas"][2] is None
    assert frame["masked_accuracies"][5].tolist() == [1.0, 2.0]
    scored = pd.read_parquet(scores)
    assert scored[["method", "seed"]].values.tolist() == [["gdas", 1], ["rsps", 2], ["darts-pt", 2]]
    assert scored["arch_index"].tolist() == [7, 7, 7]
    told = manifest_of(scores)
    assert [search["seed"] for search in told["searches"]] == [1, 2, 2]
    assert told["stamps"] == [{"commit": "a"}, {"commit": "b"}]


def test_a_joined_file_is_written_whole_or_stays_as_it_was(tmp_path, monkeypatch):
    folder, joined = finished(tmp_path / "a", "gdas", 1), tmp_path / "joined"
    join_runs([folder], joined / "tss.parquet", joined / "scores.parquet")
    before = (joined / "tss.parquet").read_bytes()

    def write_half(table, path, **_options):
        Path(path).write_bytes(b"PAR1")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", write_half)
    with pytest.raises(NatslibError, match=r"cannot write .*tss\.parquet: No space left"):
        join_runs([folder], joined / "tss.parquet", joined / "scores.parquet")
    assert (joined / "tss.parquet").read_bytes() == before
    assert len(list(joined.iterdir())) == 2


def test_an_unfinished_search_is_named(tmp_path):
    folder = finished(tmp_path / "a", "gdas", 1)
    (folder / "run.parquet").unlink()
    with pytest.raises(BadSource, match=r"a: the search is not finished \(no run.parquet\)"):
        join_runs([folder], tmp_path / "x", tmp_path / "y")


def test_another_file_says_nothing_about_searches(tmp_path):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(BadSource, match="not a file of joined searches"):
        manifest_of(tmp_path / "a.parquet")


def test_the_sample_is_what_our_own_benchmark_trains_first():
    assert len(set(sample("tss", 50))) == 50
    codes = get_space("sss").codes(sample("sss", 50))
    assert set(codes.flatten().tolist()) == {0, 2, 4, 7}


def test_a_score_is_that_of_the_candidate_cut_out():
    method = tiny("gdas", scored=4)
    rows = score_sample(method, Whole())
    assert not rows["inside"].any()
    for row in rows.itertuples():
        candidate = method.network.cut_out(get_space("tss").code(row.arch_index))
        assert right(candidate, batch_statistics=True) == pytest.approx(row.accuracy, abs=1e-3)


def right(candidate: torch.nn.Module, *, batch_statistics: bool) -> float:
    """Return the accuracy of a candidate whose cells use the statistics of the batch, the rest the running ones."""
    candidate.eval()
    for layer in candidate.modules():
        if isinstance(layer, torch.nn.BatchNorm2d) and not is_outer(candidate, layer):
            layer.train(batch_statistics)
    with torch.no_grad():
        hits = [(candidate(batch.images).argmax(1) == batch.labels) for batch in Whole().whole()]
    return float(100 * torch.cat(hits).float().mean())


def is_outer(candidate: torch.nn.Module, layer: torch.nn.Module) -> bool:
    """Return whether a batch norm is one of the stem or of a reduction block."""
    reductions = [block for block in candidate.body if type(block).__name__ == "ReductionBlock"]
    return any(layer is each for outer in [candidate.stem, *reductions] for each in outer.modules())


def test_sizes_are_scored_with_masks_at_the_units_and_everywhere():
    method = tiny("tas", scored=2)
    rows = score_sample(method, Whole())
    assert rows["inside"].tolist() == [False, True, False, True]
    assert rows["arch_index"].tolist() == sample("sss", 2).repeat(2).tolist()
    code = get_space("sss").code(int(rows["arch_index"][1]))
    method.network.eval()
    with torch.no_grad():
        hits = [
            method.network(batch.images, method.network.gates(code), inside=True).argmax(1) == batch.labels
            for batch in Whole().whole()
        ]
    assert rows["accuracy"][1] == pytest.approx(float(100 * torch.cat(hits).float().mean()), abs=1e-3)


@pytest.mark.parametrize("name", ["run.parquet", "scores.parquet"])
def test_a_damaged_search_is_not_joined(tmp_path, name):
    folder = finished(tmp_path / "a", "gdas", 1)
    for content in (b"PAR1", pd.DataFrame({"arch_index": ["x"]}).to_parquet()):
        (folder / name).write_bytes(content)
        with pytest.raises(BadSource, match=rf"{name}: no .*result of a search"):
            join_runs([folder], tmp_path / "tss.parquet", tmp_path / "scores.parquet")


@pytest.mark.parametrize("told", [b"{", b"[]", b"7", b'{"searches": 1, "stamps": []}'])
def test_joined_files_that_tell_nonsense_are_refused(tmp_path, told):
    table = pa.table({"a": [1]}).replace_schema_metadata({b"natslib": told})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(BadSource, match="not a file of joined searches"):
        manifest_of(tmp_path / "a.parquet")
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(BadSource, match="not a file of joined searches"):
        manifest_of(tmp_path / "a.parquet")
