"""Layouts of files that users bring: each is read as its mapping says, or refused in words that mend it.

The table of them stands in guides/own-data.md; `python -m tests.tables.test_layouts` prints it.
"""

import bz2
import gzip
import io
import lzma
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from natslib.errors import NatslibError
from natslib.spaces import get_space
from natslib.spaces.topology import to_naslib
from natslib.tables import convert, load

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "guides" / "own-data.md"
TSS, SSS = get_space("tss"), get_space("sss")
EXPECTED = {0: 81.983, 137: 90.504, 6111: 91.607}
SIZES = {1431: 81.983, 4711: 90.504, 32767: 91.607}
ONE = "{dataset: cifar10-valid, recipe: 12, split: valid, seed: mean, metric: accuracy}"
PLAIN = f"space: tss\narch: arch\ncolumns: {{acc: {ONE}}}\n"
RUN = "{dataset: cifar10-valid, recipe: 12, split: valid, metric: accuracy}"
EPOCHS = f"keys: {{epoch: epoch}}\nepochs: {{12: 3}}\n{PLAIN}"


def csv(archs: dict[str, list[object]], accuracies: list[object] | None = None, sep: str = ",") -> bytes:
    frame = pd.DataFrame(archs | {"acc": accuracies or list(EXPECTED.values())})
    return frame.to_csv(index=False, sep=sep).encode()


def strings() -> dict[str, list[object]]:
    return {"arch": [TSS.string(index) for index in EXPECTED]}


def tuples(naslib: bool = False) -> list[tuple[int, ...]]:
    codes = [TSS.code(index) for index in EXPECTED]
    return [tuple(to_naslib(code).tolist()) for code in codes] if naslib else codes


def in_columns(rows: list[tuple[object, ...]]) -> dict[str, list[object]]:
    return {f"x{place}": list(column) for place, column in enumerate(zip(*rows, strict=True))}


def listed(count: int) -> str:
    return ", ".join(f"x{place}" for place in range(count))


def frame() -> pd.DataFrame:
    return pd.DataFrame(strings() | {"acc": list(EXPECTED.values())})


def parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer)
    return buffer.getvalue()


def arrow() -> bytes:
    sink = io.BytesIO()
    table = pa.Table.from_pandas(frame())
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def long(rows: list[str], header: str = "arch,seed,acc") -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def by_epoch(first: int) -> bytes:
    rows = [f"{a},{first + e},{v - 2 + e}" for a, v in EXPECTED.items() for e in range(3)]
    return long(rows, "arch,epoch,acc")


@dataclass
class Layout:
    """Files and their mapping; `expected` is {(seed, architecture): accuracy}, or the words of a refusal.

    `said` is what the guide says has to be written for it.
    """

    name: str
    said: str
    files: dict[str, bytes]
    mapping: str
    expected: dict[int, float] | dict[tuple[int, int], float] | str

    @property
    def result(self) -> str:
        return f"refused: {self.expected}" if isinstance(self.expected, str) else "read"


def one(
    name: str,
    said: str,
    content: bytes,
    mapping: str = PLAIN,
    expected: dict | str = EXPECTED,
    file: str = "in.csv",
) -> Layout:
    return Layout(name, said, {file: content}, mapping, expected)


TEXT = csv(strings())
SEEDS = {(seed, arch): value + seed / 1000 for arch, value in EXPECTED.items() for seed in (777, 888)}
RUNS = long([f"{arch},{seed},{value}" for (seed, arch), value in SEEDS.items()])
LAYOUTS = [
    one("official strings", "`arch: arch`", TEXT),
    one("official indices: 137", "`arch: arch`", csv({"arch": list(EXPECTED)})),
    one("indices that became floats: 137.0", "`arch: arch`", csv({"arch": list(map(float, EXPECTED))})),
    one(
        'choices as text: "(3, 3, 3, 1, 3, 2)"',
        "`encoding: code`",
        csv({"arch": list(map(str, tuples()))}),
        f"encoding: code\n{PLAIN}",
    ),
    one(
        "choices as digits: 333132",
        "`encoding: code`",
        csv({"arch": ["".join(map(str, code)) for code in tuples()]}),
        f"encoding: code\n{PLAIN}",
    ),
    one(
        "choices as lists (JSON lines, Parquet)",
        "`encoding: code`",
        frame().assign(arch=list(map(list, tuples()))).to_json(orient="records", lines=True).encode(),
        f"encoding: code\n{PLAIN}",
        file="in.jsonl",
    ),
    one(
        "a column a position, choices",
        "`arch: [x0, ...]`, `encoding: code`",
        csv(in_columns(tuples())),
        f"encoding: code\n{PLAIN.replace('arch: arch', f'arch: [{listed(6)}]')}",
    ),
    one(
        "NASLib's op_indices as text",
        "`encoding: naslib`",
        csv({"arch": list(map(str, tuples(naslib=True)))}),
        f"encoding: naslib\n{PLAIN}",
    ),
    one(
        "a column a position, NASLib's op_indices",
        "`arch: [x0, ...]`, `encoding: naslib`",
        csv(in_columns(tuples(naslib=True))),
        f"encoding: naslib\n{PLAIN.replace('arch: arch', f'arch: [{listed(6)}]')}",
    ),
    one(
        "a column a position, names of operations",
        "`arch: [x0, ...]`, `encoding: names`",
        csv(in_columns([tuple(TSS.choices[choice] for choice in code) for code in tuples()])),
        f"encoding: names\n{PLAIN.replace('arch: arch', f'arch: [{listed(6)}]')}",
    ),
    one(
        "a column a position, widths (also 8.0)",
        "`arch: [x0, ...]`, `encoding: names`",
        csv(in_columns([tuple(float(w) for w in SSS.string(index).split(":")) for index in SIZES])),
        f"encoding: names\n{PLAIN.replace('arch: arch', f'arch: [{listed(5)}]').replace('tss', 'sss')}",
        SIZES,
    ),
    one(
        "a column a seed",
        "one target a column",
        csv(
            {
                "arch": list(EXPECTED),
                "acc777": [SEEDS[777, arch] for arch in EXPECTED],
                "acc888": [SEEDS[888, arch] for arch in EXPECTED],
            }
        ),
        f"space: tss\narch: arch\ncolumns: {{acc777: {ONE.replace('mean', '777')}, "
        f"acc888: {ONE.replace('mean', '888')}}}",
        SEEDS,
    ),
    one(
        "a row a run",
        "`keys: {seed: seed}`",
        RUNS,
        f"space: tss\narch: arch\nkeys: {{seed: seed}}\ncolumns: {{acc: {RUN}}}",
        SEEDS,
    ),
    one(
        "a row a run, seeds that became floats",
        "`keys: {seed: seed}`",
        long([f"{arch}.0,{seed}.0,{value}" for (seed, arch), value in SEEDS.items()]),
        f"space: tss\narch: arch\nkeys: {{seed: seed}}\ncolumns: {{acc: {RUN}}}",
        SEEDS,
    ),
    one(
        "cells of such columns in other words: val",
        "`names: {val: valid}`",
        long([f"{arch},val,{value}" for arch, value in EXPECTED.items()], "arch,set,acc"),
        "space: tss\narch: arch\nkeys: {split: set}\nnames: {val: valid}\n"
        "columns: {acc: {dataset: cifar10-valid, recipe: 12, seed: mean, metric: accuracy}}",
    ),
    one("a row an epoch, from 0", "`keys: {epoch: epoch}`", by_epoch(0), EPOCHS),
    one("a row an epoch, from 1", "`keys: {epoch: epoch}`", by_epoch(1), EPOCHS),
    Layout(
        "a file a seed",
        "SOURCE is the folder; `files: {a.csv: {seed: 777}, ...}`",
        {
            f"{name}.csv": long(
                [f"{arch},{value}" for (seed, arch), value in SEEDS.items() if seed == its], "arch,acc"
            )
            for name, its in (("a", 777), ("b", 888))
        },
        f"space: tss\narch: arch\nfiles: {{a.csv: {{seed: 777}}, b.csv: {{seed: 888}}}}\n"
        f"columns: {{acc: {RUN}}}",
        SEEDS,
    ),
    Layout(
        "shards, each with a part of the rows",
        "SOURCE is the folder; `files: {a.csv: {}, b.csv: {}}`",
        {"a.csv": b"arch,acc\n0,81.983\n137,90.504\n", "b.csv": b"acc,arch\n91.607,6111\n"},
        f"files: {{a.csv: {{}}, b.csv: {{}}}}\n{PLAIN}",
        EXPECTED,
    ),
    one("semicolons", "nothing", csv(strings(), sep=";")),
    one("tabs, .tsv", "nothing", csv(strings(), sep="\t"), file="in.tsv"),
    one("bars", "nothing", csv({"arch": list(EXPECTED)}, sep="|"), file="in.txt"),
    one("semicolons and decimal commas: 91,607", "nothing", csv(strings(), sep=";").replace(b".", b",")),
    one(
        'commas and decimal commas: "91,607"',
        '`decimal: ","`',
        csv(strings(), [str(value).replace(".", ",") for value in EXPECTED.values()]),
        f'decimal: ","\n{PLAIN}',
    ),
    one("an index that pandas wrote", "nothing", frame().to_csv().encode()),
    one("empty cells, NA, NaN", "nothing", TEXT + b"11,\n12,NA\n13,NaN\n"),
    one("upper-case suffix", "nothing", TEXT, file="in.CSV"),
    one(".csv.gz", "nothing", gzip.compress(TEXT), file="in.csv.gz"),
    one(".csv.bz2", "nothing", bz2.compress(TEXT), file="in.csv.bz2"),
    one(".csv.xz", "nothing", lzma.compress(TEXT), file="in.csv.xz"),
    one(".csv.zst", "nothing", pa.compress(TEXT, "zstd", asbytes=True), file="in.CSV.ZST"),
    one("byte order mark", "nothing", b"\xef\xbb\xbf" + TEXT),
    one("UTF-16 with its mark", "nothing", TEXT.decode().encode("utf-16")),
    one("JSON lines", "nothing", frame().to_json(orient="records", lines=True).encode(), file="in.ndjson"),
    one(".parquet, .pq", "nothing", parquet(frame()), file="in.pq"),
    one(
        "Parquet with architectures as its index",
        "nothing",
        parquet(frame().set_index("arch")),
        file="in.parquet",
    ),
    one(
        "Parquet with categories", "nothing", parquet(frame().astype({"arch": "category"})), file="in.parquet"
    ),
    one(".feather, .arrow", "nothing", arrow(), file="in.feather"),
    one(
        "tuples, unnamed",
        "`encoding: code` or `encoding: naslib`",
        csv({"arch": list(map(str, tuples()))}),
        expected="row 1: '(4, 2, 1, 2, 1, 1)' is a tuple; say whose order it is",
    ),
    one(
        "digits with leading zeros: 001234",
        "`encoding: code` or `encoding: index`",
        b"arch,acc\n001234,80.1\n",
        expected="row 1: '001234' may be the official index 1234 or the code (0, 0, 1, 2, 3, 4)",
    ),
    one(
        "indices like 3.5",
        "whole numbers",
        b"arch,acc\n3,80\n3.5,80\n",
        expected="row 2: unknown topology architecture '3.5'",
    ),
    one(
        "rows without an architecture",
        "one in every row",
        b"arch,acc\n3,80\n,81\n",
        expected="row 2: no architecture",
    ),
    one(
        "architectures that stand twice",
        "`keys`, see above",
        RUNS,
        expected="architecture 0 stands twice in cifar10-valid, 12, valid, mean: row 1 of in.csv and row 2",
    ),
    one(
        "runs that stand twice",
        "one of them",
        RUNS + b"0,777,50\n",
        f"space: tss\narch: arch\nkeys: {{seed: seed}}\ncolumns: {{acc: {RUN}}}",
        "architecture 0 stands twice in cifar10-valid, 12, valid, 777: row 1 of in.csv and row 7",
    ),
    one(
        "epochs that are missing",
        "every epoch, or the last alone",
        by_epoch(0).replace(b"137,1,89.504\n", b""),
        EPOCHS,
        "architecture 137 of cifar10-valid, 12, valid, mean has 2 epochs, 0 to 2",
    ),
    one(
        "an epoch that stands twice",
        "one of them",
        by_epoch(1) + b"6111,2,5\n",
        EPOCHS,
        "epoch 2 of architecture 6111 stands twice",
    ),
    one(
        "text in a column of numbers: -, n/a",
        "empty, NA or NaN",
        b"arch,acc\n3,80\n4,n/a\n",
        expected="column 'acc' holds something other than numbers: 'n/a' in row 2",
    ),
    one(
        "sentinels: -1, 999",
        "empty, NA or NaN",
        b"arch,acc\n3,80\n4,999\n",
        expected="column 'acc': 999.0 in row 2 cannot be accuracy",
    ),
    one(
        "commas that may be of thousands: 12,345",
        '`decimal: ","`',
        b"arch;lat\n3;12,345\n",
        PLAIN.replace("acc:", "lat:").replace("accuracy", "latency_s"),
        "'12,345' in row 1 may have a decimal comma or a separator of thousands",
    ),
    one(
        "a header with two kinds of separators",
        '`separator: ";"`',
        b"arch;a,c\n3;80\n",
        expected="the header may be separated by ',' or ';'",
    ),
    one(
        "a column name that stands twice",
        "a name each",
        b"arch,acc,acc\n3,80,81\n",
        expected="column 'acc' stands twice",
    ),
    one(
        "rows with too many or too few cells",
        "quotes around commas",
        b"arch,acc\n3,80\n4,81,82\n",
        expected="row 2 has 3 cells where the header has 2",
    ),
    one(
        "text in another code (Latin-1)",
        "UTF-8",
        b"arch,acc,note\n3,80,caf\xe9\n",
        expected="line 2 is not UTF-8",
    ),
    one(
        "pickles",
        "`df.to_parquet(...)`",
        b"",
        expected=".pkl is not read; opening it runs code",
        file="in.pkl",
    ),
    one(
        "spreadsheets",
        "CSV",
        b"",
        expected=".xlsx is not read; save the sheet as CSV (UTF-8)",
        file="in.xlsx",
    ),
    one("arrays", "`df.to_parquet(...)`", b"", expected=".npy is not read; write its columns", file="in.npy"),
    one(
        ".json",
        "`df.to_json(..., orient='records', lines=True)`",
        b"",
        expected=".json is not read",
        file="in.json",
    ),
    Layout(
        "a table in the folder that is not named",
        "each under `files`",
        {"a.csv": b"arch,acc\n0,81\n", "b.csv": b"arch,acc\n1,81\n"},
        f"files: {{a.csv: {{}}}}\n{PLAIN}",
        "b.csv does not stand under 'files'",
    ),
]


def written(layout: Layout, folder: Path) -> tuple[Path, Path]:
    source, columns = folder / "source", folder / "columns.yaml"
    source.mkdir()
    for name, content in layout.files.items():
        (source / name).write_bytes(content)
    columns.write_text(layout.mapping)
    return (source if "files:" in layout.mapping else source / next(iter(layout.files))), columns


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_a_layout_is_read_as_told_or_refused_in_words(layout, tmp_path):
    source, columns = written(layout, tmp_path)
    if isinstance(layout.expected, str):
        with pytest.raises(NatslibError, match=re.escape(layout.expected)):
            convert(source, tmp_path / "t", columns=columns)
        assert not (tmp_path / "t" / "finals.parquet").exists()
        return
    convert(source, tmp_path / "t", columns=columns)
    finals = load(tmp_path / "t").frame()
    found = {(row.seed, row.arch_index): row.accuracy for row in finals.itertuples()}
    expected = {key if isinstance(key, tuple) else (-1, key): value for key, value in layout.expected.items()}
    assert found == pytest.approx(expected, abs=1e-12)


def examples() -> list[tuple[str, str]]:
    return re.findall(r"```\n(.*?)```\n\n```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize(("number", "rows"), [(0, 2), (1, 3), (2, 2), (3, 1)])
def test_the_examples_of_the_guide_are_read(number, rows, tmp_path):
    content, mapping = examples()[number]
    (tmp_path / "in.csv").write_text(content)
    (tmp_path / "columns.yaml").write_text(mapping)
    assert convert(tmp_path / "in.csv", tmp_path / "t", columns=tmp_path / "columns.yaml")["rows"] == rows


def test_the_guide_shows_four_examples():
    assert len(examples()) == 4


def table() -> str:
    rows = [f"| {each.name} | {each.said} | {each.result} |".replace("\n", " ") for each in LAYOUTS]
    return "\n".join(["| layout | what to write | result |", "|---|---|---|", *rows])


def test_the_table_of_layouts_stands_in_the_guide():
    assert table() in GUIDE.read_text(encoding="utf-8"), (
        "run `python -m tests.tables.test_layouts` and paste the table into guides/own-data.md"
    )


if __name__ == "__main__":
    print(table())
