"""Values that cannot be of their metric: the same bounds for every source, and for a table that somebody altered."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.records import official_record, pack
from natslib.errors import BadSource
from natslib.spaces import get_space
from natslib.tables import convert, load
from natslib.tables.format.folder import file_digests
from natslib.tables.format.schema import METRICS

TSS = get_space("tss")
WHERE = {"dataset": "cifar100", "recipe": "12"}
TRAIN = {"accuracy": "train_acc1es", "loss": "train_losses", "top5": "train_acc5es", "time_s": "train_times"}


def spoilt(index, field, value):
    """Return a record of which one number is another: `field` and, in a curve, an epoch in its middle."""
    record = official_record(TSS, index)
    trial = record["12"]["all_results"]["cifar100", 111]
    if field in ("params", "flop"):
        trial[field] = value
    elif field == "latency":
        trial[field] = [value]
    else:
        trial[field][list(trial[field])[5]] = value
    return record


IMPOSSIBLE = [
    ("train_acc1es", 250.0, "250 cannot be accuracy (%)"),
    ("eval_acc1es", -5.0, "-5 cannot be accuracy (%)"),
    ("train_acc5es", 100.5, "100.5 cannot be top5 (%)"),
    ("train_losses", float("inf"), "inf cannot be loss (nat)"),
    ("train_times", -1.0, "-1 cannot be time_s (s an epoch or pass)"),
    ("eval_times", float("inf"), "inf cannot be time_s"),
    ("params", float("inf"), "inf cannot be params_m (10^6)"),
    ("flop", -7.0, "-7 cannot be flops_m"),
    ("latency", -0.01, "-0.01 cannot be latency_s (s a batch)"),
    ("train_acc1es", "93.1", "str where a number belongs"),
    ("eval_losses", "0.1", "str where a number belongs"),
    ("eval_acc1es", True, "bool where a number belongs"),
    ("train_losses", None, "NoneType where a number belongs"),
    ("params", "1.07", "str where a number belongs"),
    ("latency", "fast", "str where a number belongs"),
]


def without_validation_split(index):
    """Return a record with validation results under `cifar10`, which is trained on all of its training images."""
    record = official_record(TSS, index)
    trial = record["12"]["all_results"]["cifar10", 111]
    for field in ("eval_losses", "eval_acc1es", "eval_times"):
        trial[field] = {key.replace("ori-test", "x-valid"): value for key, value in trial[field].items()}
    return record


def test_records_with_impossible_values_are_damaged_and_the_others_go_on(tmp_path):
    records = [spoilt(index, field, value) for index, (field, value, _) in enumerate(IMPOSSIBLE)]
    expected = [words for *_, words in IMPOSSIBLE]
    records.append(without_validation_split(len(records)))
    expected.append("belongs to dataset 'cifar10-valid'")
    good = len(records)
    records.append(official_record(TSS, good))
    records.append(spoilt(good + 1, "train_losses", float("nan")))  # a run that diverged
    for index, record in enumerate(records):
        (tmp_path / f"{index:06d}.pickle.pbz2").write_bytes(pack(record))
    manifest = convert(tmp_path, tmp_path / "t", processes=1)
    told = {damage["file"]: damage["reason"] for damage in manifest["damaged"]}
    assert list(told) == [f"{index:06d}.pickle.pbz2" for index in range(good)]
    for reason, words in zip(told.values(), expected, strict=True):
        assert words in reason
    accuracy = load(tmp_path / "t").values("accuracy", split="test", **WHERE)
    assert np.flatnonzero(~np.isnan(accuracy)).tolist() == [good, good + 1]


def test_in_the_single_file_the_records_after_it_are_kept_also_when_it_is_resumed(tmp_path, monkeypatch):
    records = {index: official_record(TSS, index) for index in range(6)}
    records[1] = spoilt(1, "train_acc1es", 250.0)
    source = tmp_path / "whole.pickle.pbz2"
    source.write_bytes(pack({"arch2infos": records}))
    monkeypatch.setattr("natslib.tables.conversion.CHUNK", 2)
    with monkeypatch.context() as killed:
        killed.setattr("natslib.tables.destination.Destination.finish", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            convert(source, tmp_path / "t")
    manifest = convert(source, tmp_path / "t")
    assert [damage["file"] for damage in manifest["damaged"]] == ["whole.pickle.pbz2, record 1"]
    assert manifest["architectures"]["measured"] == 5


@pytest.mark.parametrize(
    ("split", "words"), [("valid", "'cifar10-valid'"), ("valtest", "has no split 'valtest'")]
)
def test_a_log_of_a_split_that_the_dataset_does_not_have_is_damaged(split, words, tmp_path):
    curve = {"epoch": [0], "loss": [1.0], "accuracy": [50.0], "time_s": [1.0]}
    keys = {"space": "tss", "arch_index": 3, "dataset": "cifar10", "recipe": "12", "seed": 777}
    costs = dict.fromkeys(("params_m", "flops_m", "latency_s"))
    lines = [
        keys | costs | {"splits": {"train": curve}},
        keys | costs | {"seed": 888, "splits": {"train": curve, split: curve}},
    ]
    (tmp_path / "runs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (damage,) = convert(tmp_path, tmp_path / "t")["damaged"]
    assert damage["file"] == "runs.jsonl, line 2"
    assert words in damage["reason"]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("altered")
    (folder / "a").mkdir()
    (folder / "a" / "000004.pickle.pbz2").write_bytes(pack(official_record(TSS, 4)))
    convert(folder / "a", folder / "t", processes=1)
    return folder / "t"


def altered(table, folder, metric, value):
    """Write the table's finals anew with that value in every row of a metric, as somebody else's program would."""
    finals = pq.ParquetFile(table / "finals.parquet")
    for name in ("manifest.json", "curves/000004.parquet"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((table / name).read_bytes())
    with pq.ParquetWriter(folder / "finals.parquet", finals.schema_arrow) as writer:
        for group in range(finals.num_row_groups):
            part = finals.read_row_group(group)
            column = pa.array(np.full(part.num_rows, value))
            writer.write_table(
                part.set_column(part.schema.get_field_index(metric), part.schema.field(metric), column)
            )
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= file_digests(folder, list(manifest["sha256"]))
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return load(folder)


@pytest.mark.parametrize("metric", METRICS)
def test_an_altered_table_answers_no_impossible_value(metric, table, tmp_path):
    opened = altered(table, tmp_path / "x", metric, np.inf)
    for seed in ("mean", 111):
        with pytest.raises(
            BadSource, match=rf"x: damaged or altered, inf of architecture 4 cannot be {metric}"
        ):
            opened.value(metric, 4, split="train", seed=seed, **WHERE)


@pytest.mark.parametrize(("metric", "value"), [("accuracy", 250.0), ("accuracy", -5.0), ("time_s", -1.0)])
def test_an_altered_table_answers_no_value_out_of_bounds(metric, value, table, tmp_path):
    opened = altered(table, tmp_path / "x", metric, value)
    with pytest.raises(BadSource, match="damaged or altered"):
        opened.values(metric, split="train", **WHERE)
    assert load(table).value(metric, 4, split="train", **WHERE) > 0
