"""Tables at rest: flipped bits, exchanged files, values of another type, sizes beyond a space, pipes.

Each is refused in words, or does not matter.
"""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from natslib.commands import main
from natslib.errors import BadSource, NatslibError
from natslib.spaces import get_space
from natslib.tables import Table, convert, load
from natslib.tables.format import limits
from natslib.tables.format.folder import file_digests
from natslib.tables.format.limits import check_parquet
from natslib.tables.format.schema import CURVES, FORMAT, METRICS
from natslib.tables.format.writing import METADATA_KEY
from tests.tables.test_logs import line

ROOT = Path(__file__).resolve().parents[2]
FINALS, CURVE_FILE = "finals.parquet", "curves/000003.parquet"
FLIPS = 60


def make(folder: Path, **change: Any) -> Path:
    """A table of three cells with two epochs, two splits and two seeds."""
    folder.mkdir()
    lines = [line(index, seed=seed, **change) for index in (3, 5, 77) for seed in (777, 888)]
    (folder / "a.jsonl").write_text("".join(lines))
    convert(folder, folder / "t")
    return folder / "t"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return make(tmp_path_factory.mktemp("damage") / "logs")


@pytest.fixture(scope="module")
def rich(tmp_path_factory) -> Path:
    """A table of two hundred cells with numbers that do not repeat, so that most of its bytes are numbers."""
    folder, rng = tmp_path_factory.mktemp("rich"), np.random.default_rng(0)
    lines = []
    for index in (3, 5, *range(100, 298)):
        names = ("loss", "accuracy", "time_s")
        split = {name: rng.uniform(1, 90, 2).round(3).tolist() for name in names} | {"epoch": [0, 1]}
        lines.append(line(index, latency_s=rng.uniform(), splits={"train": split}))
    (folder / "a.jsonl").write_text("".join(lines))
    convert(folder, folder / "t")
    return folder / "t"


@pytest.fixture
def folder(whole, tmp_path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "t"))


def answers(table: Table) -> dict[Any, Any]:
    """Every number that the table can be asked for, as bytes."""
    told: dict[Any, Any] = {}
    for run in table.runs().itertuples(index=False):
        where = {"dataset": run.dataset, "recipe": run.recipe, "split": run.split, "seed": run.seed}
        for metric in METRICS:
            for epoch in (None, 0, 1):
                try:
                    told[(*where.values(), metric, epoch)] = table.values(
                        metric, epoch=epoch, **where
                    ).tobytes()
                except LookupError as error:
                    told[(*where.values(), metric, epoch)] = str(error)
        told[(*where.values(), "curve")] = table.curve("loss", 5, **where).to_numpy().tobytes()
    return told


@pytest.mark.parametrize("name", [FINALS, CURVE_FILE])
def test_a_flipped_bit_is_noticed_or_does_not_matter(rich, tmp_path, name):
    folder = Path(shutil.copytree(rich, tmp_path / "t"))
    expected, data = answers(load(rich)), (rich / name).read_bytes()
    rng, said = random.Random(0), []
    for bit in rng.sample(range(8 * len(data)), FLIPS):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        (folder / name).write_bytes(flipped)
        try:
            assert answers(load(folder)) == expected, bit
        except BadSource as error:
            said.append(str(error))
    assert len(said) > FLIPS / 2
    assert all(name in words for words in said)


@pytest.mark.parametrize("name", [FINALS, CURVE_FILE])
def test_a_file_of_another_table_is_refused(folder, tmp_path, name):
    other = make(tmp_path / "other", latency_s=0.25)  # the same blocks and rows
    assert answers(load(other)) != answers(load(folder))
    if name == CURVE_FILE:  # of the same numbers, so only its place in the files tells
        split = {"epoch": [0, 1], "loss": [2.5, 1.5], "accuracy": [11.0, 21.0], "time_s": [1.0, 1.5]}
        other = make(tmp_path / "third", splits={"train": split, "test": split})
    shutil.copyfile(other / name, folder / name)
    with pytest.raises(BadSource, match=f"{name}: not the file that the manifest tells of"):
        answers(load(folder))


def edit(folder: Path, name: str, change: Callable[[pa.Table], pa.Table], **metadata: Any) -> None:
    """Write a file of the table anew, with a change, and let the manifest tell of it."""
    file = pq.ParquetFile(folder / name)
    told = json.loads(file.schema_arrow.metadata[METADATA_KEY]) | metadata
    groups = [change(file.read_row_group(number)) for number in range(file.num_row_groups)]
    schema = groups[0].schema.with_metadata({METADATA_KEY: json.dumps(told).encode()})
    with pq.ParquetWriter(folder / name, schema) as writer:
        for group in groups:
            writer.write_table(group.cast(schema), row_group_size=max(1, group.num_rows))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= file_digests(folder, list(manifest["sha256"]))
    if name == FINALS:
        for block, group in zip(manifest["blocks"], groups, strict=True):
            block["rows"] = group.num_rows
    (folder / "manifest.json").write_text(json.dumps(manifest))


def column(name: str, values: Any) -> Callable[[pa.Table], pa.Table]:
    def change(rows: pa.Table) -> pa.Table:
        made = pa.array(values(rows[name].to_pylist()) if callable(values) else values)
        return rows.set_column(rows.schema.get_field_index(name), name, made)

    return change


def same(rows: pa.Table) -> pa.Table:
    return rows


def many(rows: pa.Table) -> pa.Table:
    """As many equal rows as no space has; a few hundred bytes."""
    return rows.take(pa.array(np.zeros(20_000, np.int64)))


def int32(values: list[int]) -> Callable[[list[int]], pa.Array]:
    return lambda _: pa.array(values, pa.int32())


@pytest.mark.parametrize("name", [FINALS, CURVE_FILE])
@pytest.mark.parametrize(
    "change",
    [
        column("accuracy", lambda values: ["x"] * len(values)),
        column("seed", lambda values: [str(value) for value in values]),
        lambda rows: rows.drop_columns(["loss"]),
        column("arch_index", int32([3, 5, 15625])),
        column("arch_index", int32([-1, 5, 77])),
        column("arch_index", int32([3, 3, 77])),
        column("arch_index", lambda values: pa.array([3, None, 77], pa.int32())),
        many,
    ],
    ids=["text", "text as seed", "no column", "index beyond", "index negative", "twice", "null", "too many"],
)
def test_a_column_of_another_kind_is_refused(folder, name, change):
    edit(folder, name, change)
    with pytest.raises(BadSource, match=name):
        answers(load(folder))


def test_epochs_beyond_any_run_are_refused(folder):
    edit(folder, FINALS, column("epoch", int32([2**31 - 1] * 3)))
    with pytest.raises(BadSource, match=rf"{FINALS}: .*no epochs of"):
        load(folder).runs()


@pytest.mark.parametrize("name", [FINALS, CURVE_FILE])
@pytest.mark.parametrize(
    "metadata",
    [
        {"format": "x"},
        {"format": None},
        {"space": 5},
        {"space": "nds"},
        {"space": ["tss"]},
        {"blocks": 5},
        {"blocks": [5, 6, 7, 8]},
        {"blocks": [["cifar100", "2", "test"]] * 4},
        {"blocks": [["cifar100", "2", "test", "777"]] * 4},
        {"blocks": [["cifar100", "2", "test", 777]] * 4},
        {"blocks": []},
    ],
    ids=str,
)
def test_metadata_of_another_form_is_refused(folder, name, metadata):
    edit(folder, name, same, **metadata)
    with pytest.raises(BadSource, match=name):
        answers(load(folder))


def test_a_file_without_our_metadata_or_without_a_footer_is_refused(folder):
    pq.write_table(pa.table({"x": [1]}), folder / FINALS)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= file_digests(folder, list(manifest["sha256"]))
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BadSource, match="a Parquet file, but not a table that natslib wrote"):
        load(folder)
    for content in (b"", b"PAR1", b"\xff" * 12):
        (folder / FINALS).write_bytes(content)
        with pytest.raises(BadSource, match=f"{FINALS}: "):
            load(folder)


VALUES = [None, True, -1, 1.5, 10**400, "x", [], [1], ["x"], {}, {"x": 1}, [{}], [{"file": 1}]]


@pytest.mark.parametrize("key", ["format", "space", "origin", "source", "architectures", "rows", "blocks"])
def test_a_manifest_with_values_of_another_type_is_refused_or_reads(folder, key):
    check_values(folder, lambda manifest, value: manifest | {key: value})


@pytest.mark.parametrize("key", ["damaged", "sha256", "footers", "versions", "fingerprint"])
def test_what_a_manifest_tells_of_files_is_refused_or_reads(folder, key):
    check_values(folder, lambda manifest, value: manifest | {key: value})


@pytest.mark.parametrize("key", ["dataset", "recipe", "split", "seed", "rows"])
def test_a_block_with_values_of_another_type_is_refused(folder, key):
    def change(manifest: dict[str, Any], value: Any) -> dict[str, Any]:
        return manifest | {"blocks": [{**manifest["blocks"][0], key: value}, *manifest["blocks"][1:]]}

    check_values(folder, change, readable=())


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ("architectures", "measured"),
        ("architectures", "missing"),
        ("source", "name"),
        ("sha256", FINALS),
        ("footers", FINALS),
    ],
)
def test_what_stands_deeper_is_refused_or_reads(folder, outer, inner):
    check_values(folder, lambda manifest, value: manifest | {outer: {**manifest[outer], inner: value}})


def check_values(folder: Path, change: Callable[..., dict[str, Any]], readable: Any = None) -> None:
    """Put each of `VALUES` in and load, ask and describe the table: nothing but `NatslibError` may come."""
    manifest, refused = json.loads((folder / "manifest.json").read_text()), 0
    for value in VALUES:
        (folder / "manifest.json").write_text(json.dumps(change(manifest, value)))
        try:
            answers(load(folder))
        except NatslibError:
            refused += 1
        assert main(["info", str(folder)]) in (0, 1)
    assert refused == len(VALUES) if readable == () else refused >= len(VALUES) // 2


def test_more_rows_than_a_space_has_are_refused_before_they_are_read(tmp_path):
    path, columns = tmp_path / "bomb.parquet", tmp_path / "m.yaml"
    many = limits.VALUES + 1
    rows = pa.table({"arch": pa.array(np.zeros(many, np.int32)), "acc": pa.nulls(many, pa.float64())})
    pq.write_table(rows, path, row_group_size=many)
    assert path.stat().st_size < 100_000
    columns.write_text(
        "space: tss\narch: arch\ncolumns:\n"
        "  acc: {dataset: cifar10, recipe: '12', split: test, seed: mean, metric: accuracy}\n"
    )
    with pytest.raises(BadSource, match=r"bomb\.parquet: 16,777,217 rows, where at most 16,777,216 can be"):
        convert(path, tmp_path / "t", columns=columns)


def test_a_list_of_more_values_than_a_run_has_epochs_is_refused(tmp_path, monkeypatch):
    pq.write_table(pa.table({"x": [[0.0] * 1000]}), tmp_path / "a.parquet")
    check_parquet(tmp_path / "a.parquet", 1)
    monkeypatch.setattr(limits, "VALUES", 999)
    with pytest.raises(BadSource, match="a column of more than 999 values"):
        check_parquet(tmp_path / "a.parquet", 1)
    monkeypatch.setattr(limits, "VALUES", 1000)
    monkeypatch.setattr(limits, "BYTES", 10)
    with pytest.raises(BadSource, match="more than 10 bytes when unpacked"):
        check_parquet(tmp_path / "a.parquet", 1)
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    with pytest.raises(BadSource, match="cannot be read"):
        check_parquet(tmp_path / "b.parquet", 1)


PIPES = """
import sys
from pathlib import Path
from natslib.errors import NatslibError
from natslib.tables import convert, load
folder = Path(sys.argv[1])
for ask in (
    lambda: load(folder / "t"),
    lambda: load(folder / "t").value("loss", 5, dataset="cifar100", recipe="2", split="test", epoch=0),
    lambda: convert(folder / "t", folder / "u"),
    lambda: convert(folder / "pipe", folder / "u"),
    lambda: convert(folder / "a.tar", folder / "u"),
    lambda: convert(folder / "a.csv", folder / "u", columns=folder / "m.yaml"),
    lambda: convert(folder / "a.pickle.pbz2", folder / "u"),
    lambda: convert(folder / "plain.csv", folder / "u", columns=folder / "a.yaml"),
):
    try:
        ask()
        sys.exit("answered")
    except NatslibError as error:
        print(error)
"""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
@pytest.mark.parametrize("kind", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
@pytest.mark.parametrize("name", ["manifest.json", FINALS, CURVE_FILE])
def test_a_pipe_or_folder_under_the_name_of_a_file_is_refused_at_once(folder, name, kind):
    """In a process of its own: what failed was waiting for ever."""
    (folder / name).unlink()
    for path in (folder / name, *(folder.parent / each for each in ("pipe", "a.tar", "a.pickle.pbz2"))):
        kind(path)
    for path in ("a.csv", "a.yaml"):
        kind(folder.parent / path)
    for path in ("m.yaml", "plain.csv"):
        (folder.parent / path).write_text("x")
    run = subprocess.run(
        [sys.executable, "-c", PIPES, str(folder.parent)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert len(run.stdout.splitlines()) == 8
    word = "a pipe or a device" if kind is os.mkfifo else "a folder"
    assert sum(f"{word}, where a file belongs" in said for said in run.stdout.splitlines()) >= 3


def test_old_tables_are_asked_to_be_converted_again(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["footers"]
    (folder / "manifest.json").write_text(json.dumps(manifest | {"format": FORMAT - 1}))
    with pytest.raises(
        BadSource, match=f"table format {FORMAT - 1}, this natslib reads {FORMAT}; remove it and"
    ):
        load(folder)


def test_what_ships_has_the_checksums_of_every_page(folder):
    """A flipped bit in the middle of each shipped file is noticed when its column is read."""
    for name in ("embedded-tss", "embedded-sss"):
        table = load(ROOT / "logs" / name)
        for digest in table.manifest["footers"].values():
            assert len(digest) == len(hashlib.sha256().hexdigest())
        for path in (ROOT / "logs" / name).rglob("*.parquet"):
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            file = pq.ParquetFile(pa.BufferReader(bytes(data)), page_checksum_verification=True)
            with pytest.raises(OSError, match="CRC"):
                file.read()
        assert table.space == get_space(name.removeprefix("embedded-"))
    assert CURVES.names[0] == "dataset"
